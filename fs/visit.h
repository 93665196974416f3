/*
 * visit.h - what the daemon does on its own mount, as a program would: by a process that the keeper sends (keeper.h).
 *
 * What was ended has to be told, so that programs which watch the root see it go. A notification does not do that:
 * with FUSE_NOTIFY_DELETE (tried on Linux 6.18) only a watch of the session's own directory sees IN_DELETE_SELF, and
 * one of the root sees nothing. So the process removes the name by rmdir(2) or unlink(2) on the mount itself, which the
 * rules answer without doing anything more (visit_answers). Of thousands of files that go at once, those beyond
 * FILES_MAX are not told one by one: their directories are said to have changed.
 *
 * In the same way it looks a name up of whose use there is doubt (in_use.h): by statx(2), which asks for attributes,
 * gets ESTALE (visit_stales), and then has the kernel ask for the name, also where it knows it. Unlike calls that make
 * or remove something, that takes no lock of the root's as long as the kernel knows the name.
 *
 * It is a process of its own, by vfork(2): it shares the memory, but has closed the device above the mount. A thread
 * that waits for an answer of its own process cannot be killed, and would keep the device, and with it the mount, from
 * ever ending after kill -9; this process sees the connection aborted instead. It opens the mount only for that
 * moment, and makes sure first that it reaches this mount and no other thing at that path. A mount that was handed
 * over as /dev/fd/N has no path: its names are invalidated only, and doubts count as use.
 *
 * fs->lock is held by callers, unless said otherwise. Without a keeper (fs->visits is NULL) there are no visits.
 */
#pragma once

#include "fs/rules.h"

struct visits;

/* The name of a session, or of a file of cache/, is gone by our own doing: its watchers are to be told. */
void visit_announce(struct node *dir, const char *name, struct store_ino, mode_t);
/* Some of that is still to be told, by removing names: the kernel must not learn until then that they are absent. */
bool visit_has_news(const struct fs *);
/*
 * Announces nothing for so long. To announce takes the lock of the root, which a listing of it shares: the process
 * would wait for the listing, and the listing for what the process is to look up. False: one waits already, after a few
 * milliseconds in which fs->lock was let go.
 */
bool visit_hush(struct fs *, int64_t ns);
/* Has the name of the session looked up soon, which decides whether it is in use. False: that cannot be done. */
bool visit_look_up(struct fs *, struct store_sid);
/* Waits for all names that are to be looked up, at most for so long; fs->lock is let go meanwhile. */
void visit_wait(struct fs *, int64_t ns);
/* Has the file cut, see cut.h. False: that cannot be done. */
bool visit_cut(struct fs *, struct store_sid, struct store_ino);
/*
 * Puts the path of a directory, from its session's name on and with a slash behind it, before *at of the buffer, where
 * it begins then. False: it is too long, or not to be found.
 */
bool visit_put_path(struct node *dir, char *buffer, size_t *at);

/* ---- the process's requests -------------------------------------------------------------------------------------- */

/* Whether the request that is being served is one of the process. */
bool visit_is_caller(const struct fs *);
/*
 * The same, about what it announces, and so to be answered with *ret: for `entry`, a lookup, which is filled then, and
 * without one the rmdir or unlink.
 */
bool visit_answers(struct node *dir, const char *name, struct entry *ret_entry, int *ret);
/* The same for its question for attributes: if true, they are ESTALE, so that the name is asked for. */
bool visit_stales(struct node *);

/* ---- for the keeper ---------------------------------------------------------------------------------------------- */

/* Without fs->lock, as are all below but visit_take. 0 or negative. */
int visits_new(struct fs *, struct visits **ret);
/* Nothing is put off or tried again any more. */
void visits_stop(struct visits *);
/* Ends the process that is on its way: no request of it may be being served. */
void visits_kill(struct visits *);
/* NULL is fine. */
void visits_free(struct visits *);
/*
 * Takes some of the visits over, to be run next; false: none. While sessions end one after the other (`ends`) nothing
 * is announced for its own sake: it takes ten times what an end does.
 */
bool visit_take(struct visits *, bool ends);
/* Runs those that were taken, and waits for the process. False: none was. */
bool visit_run(struct visits *);
/* Somebody waits for one of them, taken or not. */
bool visit_is_awaited(const struct visits *);
