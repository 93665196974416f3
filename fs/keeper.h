/*
 * keeper.h - the quiet thread: ends and drops sessions when their time comes and nobody looks, tells the kernel and its
 * watchers what is gone, and notes each hour that the mount is alive.
 *
 * What was ended has to be told, so that programs which watch the root see it go. A notification does not do that:
 * with FUSE_NOTIFY_DELETE (tried on Linux 6.18) only a watch of the session's own directory sees IN_DELETE_SELF, and
 * one of the root sees nothing. So the keeper removes the name by rmdir(2) or unlink(2) on the mount itself, which the
 * rules answer without doing anything more (keeper_answers). Of thousands of files that go at once, those beyond
 * FILES_MAX are not told one by one: their directories are said to have changed.
 *
 * In the same way it has a name looked up of whose use there is doubt (in_use.h): by statx(2), which asks for
 * attributes, gets ESTALE (keeper_stales), and then has the kernel ask for the name, also where it knows it. Unlike
 * calls that make or remove something, that takes no lock of the root's as long as the kernel knows the name.
 *
 * These calls are made by a process of its own, by vfork(2): it shares the memory, but has closed the device above the
 * mount. A thread that waits for an answer of its own process cannot be killed, and would keep the device, and with it
 * the mount, from ever ending after kill -9; this process sees the connection aborted instead. It opens the mount only
 * for that moment, and makes sure first that it reaches this mount and no other thing at that path. A mount that was
 * handed over as /dev/fd/N has no path: its names are invalidated only, and doubts count as use.
 *
 * Lock order: fs->lock is held by callers of all but keeper_new and keeper_free.
 */
#pragma once

#include "fs/rules.h"

struct keeper;

/* Starts it, as fs->keeper. 0 or negative. */
int keeper_new(struct fs *);
/* Ends it, while requests are still answered or the connection is gone. NULL is fine. */
void keeper_free(struct keeper *);
/* Something may be due earlier than it thinks. */
void keeper_wake(struct fs *);
/*
 * Puts the path of a directory, from its session's name on and with a slash behind it, before *at of the buffer, where
 * it begins then. False: it is too long, or not to be found.
 */
bool keeper_put_path(struct node *dir, char *buffer, size_t *at);
/* The name of a session, or of a file of cache/, is gone by our own doing: its watchers are to be told. */
void keeper_announce(struct node *dir, const char *name, struct store_ino, mode_t);
/* Some of that is still to be told, by removing names: the kernel must not learn until then that they are absent. */
bool keeper_has_news(const struct fs *);
/* Has the name of the session looked up soon, which decides whether it is in use. False: that cannot be done. */
bool keeper_look_up(struct fs *, struct store_sid);
/* Has the file cut, see cut.h. False: that cannot be done. */
bool keeper_cut(struct fs *, struct store_sid, struct store_ino);
/*
 * Announces nothing for so long. To announce takes the lock of the root, which a listing of it shares: the process
 * would wait for the listing, and the listing for what the process is to look up. False: one waits already, after a few
 * milliseconds in which fs->lock was let go.
 */
bool keeper_hush(struct fs *, int64_t ns);
/* Whether the request that is being served is one of its process. */
bool keeper_is_caller(const struct fs *);
/* Waits for all names that are to be looked up, at most for so long; fs->lock is let go meanwhile. */
void keeper_wait(struct fs *, int64_t ns);
/*
 * Whether the request that is being served is one of the keeper's own about what it announces, and so to be
 * answered with *ret: for `entry`, a lookup, which is filled then, and without one the rmdir or unlink.
 */
bool keeper_answers(struct node *dir, const char *name, struct entry *ret_entry, int *ret);
/* The same for its question for attributes: if true, they are ESTALE, so that the name is asked for. */
bool keeper_stales(struct node *);
