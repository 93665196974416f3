/*
 * file.h - what the rules about content share.
 */
#pragma once

#include "fs/change.h"
#include "fs/rules.h"

/* A regular file. EISDIR, EINVAL. */
int file_find(struct fs *, struct fs_id, struct node **ret);
/*
 * This change alters the content of a file, up to `end`: its times, its size if it ends before, and on request the
 * set-user-ID bits. flags: enum write_flag.
 */
void file_changed(struct change *, struct node *, uint64_t end, unsigned flags);
