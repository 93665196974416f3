/*
 * trash.h - the trash: which sessions are in it, and how .sessfs/trash puts them there, takes them out and drops them.
 * What that means for a session is in life.h. Called with fs->lock held; results as of error.h.
 */
#pragma once

#include "fs/node.h"

/* An empty one, as fs->trash. */
int trash_new(struct fs *);
void trash_free(struct trash *);
/* One that comes, and one that goes; of the latter nothing need be known. */
int trash_add(struct fs *, const struct store_session *);
void trash_remove(struct fs *, struct store_sid);
/* Some session is shown under this name, so that the next one that comes with it is numbered. */
bool trash_has_name(const struct fs *, const char *name);
/* The one that has been there longest; false if it is empty. */
bool trash_oldest(const struct fs *, struct store_sid *ret);
/* The last one of those that ended before that moment; false if there is none. */
bool trash_before(const struct fs *, int64_t ended, struct store_sid *ret);

/* Drops those that wait for it and that the kernel has forgotten since. */
void trash_drop_forgotten(struct fs *);
/*
 * Has the kernel drop what it only caches of some that wait for it: what was open when they went stays cached when it
 * is closed. False: none waits.
 */
bool trash_prune_waiting(struct fs *);
/* The kernel knows no inode more of one that waits for it. */
void trash_forgotten(struct session *);
/* As life_drop, of one whose grace is over: the kernel, if it still caches something of it, is to forget that. */
int trash_drop(struct session *);
/* Space is needed: drops what has been in the trash longest, whoever uses it. False if there is nothing. */
bool trash_drop_oldest(struct fs *);
/* At the end of the mount: those that wait are left to the next one. */
void trash_leave(struct fs *);

/* ---- what renames and rmdir of .sessfs/trash mean ---------------------------------------------------------------- */

/* From a directory, the root, into the trash, with the name it is to have there and afterwards. */
int trash_rename_in(struct fs *, struct fs_id from, const char *name, struct fs_id trash, const char *to_name,
	unsigned flags);
/* From the trash into a directory, the root. EEXIST: the name is taken. */
int trash_rename_out(struct fs *, const char *name, struct fs_id to, const char *to_name, unsigned flags);
/* Drops at once. ENOENT. */
int trash_rmdir(struct fs *, const char *name);
