/*
 * rules.h - what each operation of the kernel means: POSIX and session rules over the store. No FUSE type is seen here.
 *
 * Each function takes and releases fs->lock itself and returns a result as of error.h. An entry that is returned
 * holds one more reference of the kernel to its node (unless its id is 0), which a forget, or rules_forget, takes
 * back.
 */
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include "fs/node.h"

/*
 * Seconds for which the kernel may keep what it was told. This daemon alone changes things, at the kernel's own
 * request.
 */
#define RULES_FOREVER 1e8
#define RULES_BRIEF 1.0 /* sessions' names: they may go by themselves; blocks of a file until its data is flushed */

/* Who asks. */
struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	mode_t umask;
	bool (*in_group)(const struct caller *, gid_t);
	void *context; /* of in_group */
};

/* A name and what it stands for, as the kernel is told. */
struct entry {
	struct fs_id id; /* 0: there is no such name, and that may be remembered */
	struct stat attr;
	double entry_timeout, attr_timeout;
};

/* What is to be made. */
struct creation {
	mode_t mode; /* with type */
	dev_t rdev;
	const char *target; /* of a symlink */
};

enum attr_field {
	ATTR_MODE = 1,
	ATTR_UID = 2,
	ATTR_GID = 4,
	ATTR_SIZE = 8,
	ATTR_ATIME = 16,
	ATTR_MTIME = 32,
	ATTR_CTIME = 64,
	ATTR_ATIME_NOW = 128,
	ATTR_MTIME_NOW = 256,
	ATTR_KILL_SUIDGID = 512,
};

/* Takes one name of a listing; false when it does not fit. next: where the listing goes on behind it. */
typedef bool (*dir_add)(void *arg, const char *name, const struct entry *, uint64_t next);

/* node.c's counterpart of the kernel's references: forget.c */
struct forget_item {
	struct fs_id id;
	uint64_t count;
};
void rules_forget(struct fs *, const struct forget_item *, size_t count);
/*
 * The same for a great many, which would hold up whoever waits: in slices, by another thread. Takes items, of malloc,
 * over.
 */
void rules_forget_many(struct fs *, struct forget_item *items, size_t count);
/* Deletes the unlinked inodes that were forgotten: at the latest when no request waits. */
void rules_settle(struct fs *);
/* Deletes what a crash or an unmount left of unlinked inodes. */
int rules_collect_orphans(struct fs *);
void rules_collect_live_orphans(struct fs *);

/* dir.c, make.c, remove.c, list.c */
int dir_lookup(struct fs *, struct fs_id dir, const char *name, struct entry *ret);
int dir_make(struct fs *, const struct caller *, struct fs_id dir, const char *name, const struct creation *,
	struct entry *ret);
int dir_link(struct fs *, struct fs_id file, struct fs_id dir, const char *name, struct entry *ret);
int dir_unlink(struct fs *, struct fs_id dir, const char *name);
int dir_rmdir(struct fs *, struct fs_id dir, const char *name);
/*
 * Lists from `from` (0: the start) on until add refuses; with plus the entries are whole and hold references. room:
 * in bytes.
 */
int dir_list(struct fs *, struct fs_id dir, uint64_t from, size_t room, bool plus, dir_add, void *arg);
/* Whether listing it takes long, see rules_is_slow. */
bool dir_is_slow(struct fs *, struct fs_id dir);

/* With writeback: the file is read by who opened it for reading. */
void rules_follow(struct fs *, struct fs_id);
/*
 * What poll(2) is to tell of a control file beside its being ready: POLLPRI if there is more in events.jsonl than was
 * read; if not, the open file that the kernel gave this number (0: none waits) is told when there is. POLLERR too: the
 * session is gone.
 */
unsigned rules_poll(struct fs *, struct fs_id, uint64_t handle);
/* A lookup (or with "" a listing) that takes long: it lets others have the lock, but its thread is busy. */
bool rules_is_slow(struct fs *, struct fs_id dir, const char *name);

/* rename.c; flags as of renameat2(2) */
int dir_rename(struct fs *, struct fs_id from, const char *name, struct fs_id to, const char *to_name, unsigned flags);

/* attr.c */
int attr_get(struct fs *, struct fs_id, struct stat *ret, double *ret_timeout);
int attr_set(struct fs *, struct fs_id, unsigned fields, const struct stat *, struct stat *ret, double *ret_timeout);

/* file.c, range.c */
int file_read(struct fs *, struct fs_id, uint64_t offset, char *buf, size_t len, size_t *ret);
int file_readlink(struct fs *, struct fs_id, char *buf, size_t size);
int file_write(struct fs *, struct fs_id, uint64_t offset, const char *data, size_t len, unsigned flags, size_t *ret);
enum write_flag {
	WRITE_KILL_SUIDGID = 1,
	WRITE_CACHED = 2, /* from the kernel's pages, which may have been changed long ago */
};
int file_allocate(struct fs *, const struct caller *, struct fs_id, int mode, uint64_t offset, uint64_t len);
int file_seek(struct fs *, struct fs_id, uint64_t offset, int whence, uint64_t *ret);
int file_copy(struct fs *, const struct caller *, struct fs_id in, uint64_t in_offset, struct fs_id out,
	uint64_t out_offset, uint64_t len, size_t *ret);
int file_sync(struct fs *);
int file_statfs(struct fs *, struct statvfs *ret);

/* xattr.c; size 0 asks for the length only */
/* To get it takes long, as with rules_is_slow. */
bool xattr_is_slow(struct fs *, struct fs_id, const char *name);
int xattr_get(struct fs *, struct fs_id, const char *name, char *buf, size_t size, size_t *ret);
int xattr_list(struct fs *, const struct caller *, struct fs_id, char *buf, size_t size, size_t *ret);
/* flags: XATTR_CREATE, XATTR_REPLACE */
int xattr_set(struct fs *, const struct caller *, struct fs_id, const char *name, const void *value, size_t len,
	int flags);
int xattr_remove(struct fs *, const struct caller *, struct fs_id, const char *name);
