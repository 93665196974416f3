/*
 * in_use.h - whether anybody uses a session or a file: an open file, a mapping, a working directory, a watch. No
 * request says so, since files are opened without one: the kernel is asked which inodes it holds, after it was told to
 * forget what it only caches.
 *
 * Tried on Linux 6.18, for one node id after the other:
 *
 *   FUSE_NOTIFY_INVAL_INODE, offset -1   answers ENOENT where the kernel has no such inode; takes no lock that a
 *                                        request may hold
 *   FUSE_NOTIFY_PRUNE (from 6.18)        drops what is only cached, and the directories above with it, unless a name
 *                                        that was found absent is remembered in them; takes no lock either
 *   FUSE_NOTIFY_INVAL_ENTRY              drops all of it, but waits for the directory's lock, which the process that
 *                                        waits for this very answer may hold
 *   ESTALE as answer to a LOOKUP         has the process that asked drop all of it, and ask again
 *
 * So inside a request only the first two are used; where they leave a doubt, the name is answered ESTALE, once, and the
 * second question finds what is really held. The keeper gets rid of doubts by having the name looked up (visit.h).
 *
 * A listing has no second question. It has the keeper look up the names in doubt (visit_wait), before it goes on: who
 * lists holds the root's lock, but shared, as FUSE_PARALLEL_DIROPS has been agreed upon, so that names can be looked
 * up meanwhile; the keeper needs more only where somebody waits to change the root. What is still in doubt when time
 * has run out counts as used, as no session in use may vanish.
 */
#pragma once

#include "fs/node.h"

enum in_use {
	IN_USE_NO,
	IN_USE_YES,
	IN_USE_DOUBT, /* something is held; it may be only cached */
};

/* Called with fs->lock held. */
enum in_use in_use_session(struct fs *, struct store_sid);
enum in_use in_use_file(struct node *);
/*
 * The verdict when a name that stands for the node is looked up: IN_USE_DOUBT means to answer ESTALE. Each process gets
 * it once: its second question, as the kernel has dropped by then what nobody holds, is decided. What others asked in
 * between does not decide it.
 */
enum in_use in_use_looked_up(struct fs *, enum in_use, struct store_ino);
