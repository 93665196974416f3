/*
 * launder.h - what the kernel holds of a session that has become read-only: pages of its files that were changed
 * through a shared mapping, or with writeback, and are not written yet.
 *
 *   writable --read-only by its record--> laundering --every file was asked for what it holds--> read-only
 *
 * While it launders, what the kernel writes from its pages is taken, as it was changed before; write(2) is refused from
 * the commit on. Later such pages are refused too, and thrown away, so that nobody reads what is not kept: whoever
 * changed them learns it from msync(2) or fsync(2). With writeback the kernel also keeps a file's times by itself, and
 * writes them when somebody closes it: those from before are taken once, however late. The kernel is asked by a thread
 * of its own (fs->chores): it answers when we have taken the pages, for which no serving thread may wait, nor who holds
 * fs->lock.
 */
#pragma once

#include <stdbool.h>

#include "fs/node.h"

/* The session has become read-only. fs->lock held. */
void launder_session(struct session *);
/* A write from the kernel's pages, up to this end, was refused with that result. fs->lock held. */
void launder_refused(struct node *, int result, uint64_t end);
/*
 * Calls done(arg, 0) when the session that the node belongs to, if it launders, is through with it, and so is what is
 * to be cut (cut.h); any thread, perhaps at once.
 */
void launder_wait(struct fs *, struct fs_id, void (*done)(void *arg, int result), void *arg);
