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

/* 0 to 4 ns have a bucket each; above, the two bits behind the highest one choose among four. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned power, bucket;

	if (ns)
		ns--; /* a bound belongs to the bucket below it */
	if (ns < 4)
		return (unsigned)ns;
	power = 63 - (unsigned)__builtin_clzll(ns);
	bucket = (power - 1) * 4 + (unsigned)(ns >> (power - 2) & 3);
	return bucket < FS_BUCKETS ? bucket : FS_BUCKETS - 1;
}

uint64_t operation_bound(unsigned bucket)
{
	if (bucket < 4)
		return bucket + 1;
	return bucket < FS_BUCKETS - 1 ? (5 + (uint64_t)bucket % 4) << (bucket / 4 - 1) : UINT64_MAX;
}

void operation_count(struct fs *fs, unsigned code, uint64_t ns)
{
	struct fs_operation *operation = &fs->operations[code < FS_OPERATIONS ? code : 0];

	atomic_fetch_add_explicit(&operation->buckets[bucket_of(ns)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&operation->total_ns, ns, memory_order_relaxed);
	bound(&operation->min_ns, ns, true);
	bound(&operation->max_ns, ns, false);
}

void operation_figures(const struct fs *fs, unsigned code, struct operation_figures *ret)
{
	const struct fs_operation *operation = &fs->operations[code];

	ret->count = 0;
	for (unsigned i = 0; i < FS_BUCKETS; i++) {
		ret->buckets[i] = atomic_load_explicit(&operation->buckets[i], memory_order_relaxed);
		ret->count += ret->buckets[i];
	}
	ret->total_ns = atomic_load_explicit(&operation->total_ns, memory_order_relaxed);
	ret->min_ns = atomic_load_explicit(&operation->min_ns, memory_order_relaxed);
	ret->max_ns = atomic_load_explicit(&operation->max_ns, memory_order_relaxed);
}

uint64_t operation_quantile(const struct operation_figures *figures, double part)
{
	double wanted = part * (double)figures->count;
	uint64_t seen = 0, bound;
	unsigned bucket = 0;

	for (; bucket < FS_BUCKETS - 1; bucket++) {
		seen += figures->buckets[bucket];
		if ((double)seen >= wanted)
			break;
	}
	bound = operation_bound(bucket);
	return bound < figures->max_ns ? bound : figures->max_ns;
}

uint64_t operation_within(const struct operation_figures *figures, unsigned power)
{
	uint64_t within = 0;

	for (unsigned bucket = 0; bucket < FS_BUCKETS && operation_bound(bucket) <= UINT64_C(1) << power; bucket++)
		within += figures->buckets[bucket];
	return within;
}
