/*
 * control_names.h - the made-up names of .sessfs, as rows of the table (content.h) have them.
 */
#pragma once

#include "fs/content.h"

extern const struct content_names control_one_status; /* by-status/STATUS: its sessions, by the directory's word */
extern const struct content_names control_tags;       /* by-tag: TAG */
extern const struct content_names control_searches;   /* search: TEXT */
extern const struct content_names control_trash;
