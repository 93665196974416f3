/*
 * file.h - what the rules about content share.
 */
#pragma once

#include "fs/change.h"
#include "fs/rules.h"

/* A regular file. EISDIR, EINVAL. */
int file_find(struct fs *, struct fs_id, struct node **ret);
/* Times, and on request the set-user-ID bits, of a file whose content this change alters. */
void file_changed(struct change *, struct node *, bool kill_suidgid);
