/*
 * operation.h - the kinds of request by name, and what they cost.
 */
#pragma once

#include "fs/core.h"

/* The kernel's name for a kind of request, as in linux/fuse.h, in lower case. */
const char *operation_name(unsigned code);
/* Counts one of a kind that took so long. Any thread. */
void operation_count(struct fs *, unsigned code, uint64_t ns);
