/*
 * prune.h - what the kernel caches of a session that left the tree: it is to forget it, so that neither its memory nor
 * ours is taken by files to which hardly anybody comes back, that the space of a session which is dropped comes back
 * (trash.h), and that who removes it from the trash later need not wait until the kernel has gone through all of it.
 *
 * Only from Linux 6.18 on, as it takes FUSE_NOTIFY_PRUNE (in_use.h); before, it forgets by itself, some time.
 */
#pragma once

#include "fs/node.h"

/* Beside the threads that serve. fs->lock held. */
void prune_session(struct session *);
