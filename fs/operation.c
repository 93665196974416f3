/*
 * operation.c - see operation.h.
 */
#include "fs/operation.h"

#include <linux/fuse.h>

const char *operation_name(unsigned code)
{
	static const char *const names[FS_OPERATIONS] = {
		[FUSE_LOOKUP] = "lookup", [FUSE_FORGET] = "forget", [FUSE_GETATTR] = "getattr",
		[FUSE_SETATTR] = "setattr", [FUSE_READLINK] = "readlink", [FUSE_SYMLINK] = "symlink",
		[FUSE_MKNOD] = "mknod", [FUSE_MKDIR] = "mkdir", [FUSE_UNLINK] = "unlink", [FUSE_RMDIR] = "rmdir",
		[FUSE_RENAME] = "rename", [FUSE_LINK] = "link", [FUSE_OPEN] = "open", [FUSE_READ] = "read",
		[FUSE_WRITE] = "write", [FUSE_STATFS] = "statfs", [FUSE_RELEASE] = "release",
		[FUSE_FSYNC] = "fsync", [FUSE_SETXATTR] = "setxattr", [FUSE_GETXATTR] = "getxattr",
		[FUSE_LISTXATTR] = "listxattr", [FUSE_REMOVEXATTR] = "removexattr", [FUSE_FLUSH] = "flush",
		[FUSE_INIT] = "init", [FUSE_OPENDIR] = "opendir", [FUSE_READDIR] = "readdir",
		[FUSE_RELEASEDIR] = "releasedir", [FUSE_FSYNCDIR] = "fsyncdir", [FUSE_GETLK] = "getlk",
		[FUSE_SETLK] = "setlk", [FUSE_SETLKW] = "setlkw", [FUSE_ACCESS] = "access",
		[FUSE_CREATE] = "create", [FUSE_INTERRUPT] = "interrupt", [FUSE_BMAP] = "bmap",
		[FUSE_DESTROY] = "destroy", [FUSE_IOCTL] = "ioctl", [FUSE_POLL] = "poll",
		[FUSE_NOTIFY_REPLY] = "notify_reply", [FUSE_BATCH_FORGET] = "batch_forget",
		[FUSE_FALLOCATE] = "fallocate", [FUSE_READDIRPLUS] = "readdirplus", [FUSE_RENAME2] = "rename2",
		[FUSE_LSEEK] = "lseek", [FUSE_COPY_FILE_RANGE] = "copy_file_range", [FUSE_SYNCFS] = "syncfs",
		[FUSE_TMPFILE] = "tmpfile",
	};

	return code < FS_OPERATIONS && names[code] ? names[code] : "other";
}

/* Lowers or raises a bound that other threads move too. */
static void bound(_Atomic uint64_t *bound, uint64_t ns, bool lowest)
{
	uint64_t old = atomic_load_explicit(bound, memory_order_relaxed);

	while ((lowest ? !old || ns < old : ns > old)
	       && !atomic_compare_exchange_weak_explicit(bound, &old, ns, memory_order_relaxed, memory_order_relaxed))
		;
}

void operation_count(struct fs *fs, unsigned code, uint64_t ns)
{
	struct fs_operation *operation = &fs->operations[code < FS_OPERATIONS ? code : 0];

	atomic_fetch_add_explicit(&operation->count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&operation->total_ns, ns, memory_order_relaxed);
	bound(&operation->min_ns, ns, true);
	bound(&operation->max_ns, ns, false);
}
