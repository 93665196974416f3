/*
 * preload_fault - makes the n-th call of a class fail in the process that it is loaded into; see fault.h.
 *
 * Calls that a library makes inside itself (glibc's own mmap, stdio's write) are not seen. Requests and replies on
 * /dev/fuse and the standard streams never fail: that would be the kernel's failure, not the daemon's. Nor do calls of
 * libfuse, which loses a request that it has no memory for.
 */
#undef _FILE_OFFSET_BITS
#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "opens.h"

static struct fault_control *control;

/* glibc's allocator under its own names: dlsym itself allocates. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULT_CONTROL");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (page != MAP_FAILED)
		control = page;
}

/* The error that this call is to fail with, or 0. */
__attribute__((noinline)) static int fails(enum fault_class class, const char *name, void *caller)
{
	Dl_info info;
	if (!control || !control->armed || control->class != class)
		return 0;
	bool known = dladdr(caller, &info) && info.dli_fname;
	if (known && strstr(info.dli_fname, "libfuse"))
		return 0;
	uint64_t n = ++control->count;
	if (n != control->nth && !(control->lasting && n > control->nth))
		return 0;
	if (known)
		snprintf(control->name, sizeof control->name, "%s from %s %#tx", name, info.dli_fname,
			(char *)caller - (char *)info.dli_fbase);
	control->fired++;
	return control->error;
}

#define FAIL(class, name, result) \
	do { \
		int error_ = fails(class, name, __builtin_return_address(0)); \
		if (error_) { \
			errno = error_; \
			return result; \
		} \
	} while (0)

/* ---- memory ------------------------------------------------------------------------------------------------------ */

void *malloc(size_t size)
{
	FAIL(FAULT_ALLOC, "malloc", NULL);
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	FAIL(FAULT_ALLOC, "calloc", NULL);
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	FAIL(FAULT_ALLOC, "realloc", NULL);
	return __libc_realloc(old, size);
}

/* ---- system calls ------------------------------------------------------------------------------------------------ */

static bool is_file(int fd)
{
	struct stat st;
	return fd > 2 && control && control->armed && syscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define FAIL_ON_FILE(fd, name) \
	if (is_file(fd)) \
	FAIL(FAULT_SYSTEM, name, -1)

static int do_open(int dir, const char *path, int flags, mode_t mode)
{
	if (strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/proc/", 6) != 0)
		FAIL(FAULT_SYSTEM, "open", -1);
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	FAIL_ON_FILE(fd, "pwrite");
	return syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	return pwrite(fd, data, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	FAIL_ON_FILE(fd, "pwritev");
	return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return pwritev(fd, parts, count, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
	FAIL_ON_FILE(fd, "write");
	return syscall(SYS_write, fd, data, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	FAIL_ON_FILE(fd, "writev");
	return syscall(SYS_writev, fd, parts, count);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
	FAIL_ON_FILE(fd, "pread");
	return syscall(SYS_pread64, fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset)
{
	return pread(fd, data, length, offset);
}

int ftruncate(int fd, off_t size)
{
	FAIL_ON_FILE(fd, "ftruncate");
	return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	FAIL_ON_FILE(fd, "fallocate");
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	return fallocate(fd, mode, offset, length);
}

int fsync(int fd)
{
	FAIL_ON_FILE(fd, "fsync");
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	FAIL_ON_FILE(fd, "fdatasync");
	return (int)syscall(SYS_fdatasync, fd);
}

int msync(void *data, size_t size, int flags)
{
	FAIL(FAULT_SYSTEM, "msync", -1);
	return (int)syscall(SYS_msync, data, size, flags);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	FAIL(FAULT_SYSTEM, "mmap", MAP_FAILED);
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	return mmap(at, size, protection, flags, fd, offset);
}

/* ---- LMDB -------------------------------------------------------------------------------------------------------- */

#define LMDB_CALL(name, parameters, arguments) \
	int name parameters \
	{ \
		static int(*real) parameters; \
		int error = fails(FAULT_LMDB, #name, __builtin_return_address(0)); \
		if (error) \
			return error; \
		if (!real) \
			real = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
		return real arguments; \
	}

LMDB_CALL(mdb_env_create, (MDB_env **env), (env))
LMDB_CALL(mdb_env_open, (MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode), (env, path, flags, mode))
LMDB_CALL(mdb_txn_begin, (MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn), (env, parent, flags, txn))
LMDB_CALL(mdb_txn_renew, (MDB_txn *txn), (txn))
LMDB_CALL(mdb_dbi_open, (MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi), (txn, name, flags, dbi))
LMDB_CALL(mdb_get, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
LMDB_CALL(mdb_put, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags),
	(txn, dbi, key, value, flags))
LMDB_CALL(mdb_del, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
LMDB_CALL(mdb_drop, (MDB_txn *txn, MDB_dbi dbi, int del), (txn, dbi, del))
LMDB_CALL(mdb_cursor_open, (MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
LMDB_CALL(mdb_cursor_renew, (MDB_txn *txn, MDB_cursor *cursor), (txn, cursor))
LMDB_CALL(mdb_cursor_get, (MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op),
	(cursor, key, value, op))
LMDB_CALL(mdb_cursor_put, (MDB_cursor *cursor, MDB_val *key, MDB_val *value, unsigned flags),
	(cursor, key, value, flags))
LMDB_CALL(mdb_cursor_del, (MDB_cursor *cursor, unsigned flags), (cursor, flags))
LMDB_CALL(mdb_env_sync, (MDB_env *env, int force), (env, force))

/* A commit that fails ends its transaction all the same. */
int mdb_txn_commit(MDB_txn *txn)
{
	static int (*real)(MDB_txn *);
	static void (*abort_txn)(MDB_txn *);
	if (!real) {
		abort_txn = (void (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_abort");
		real = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
	}
	int error = fails(FAULT_LMDB, "mdb_txn_commit", __builtin_return_address(0));
	if (!error)
		return real(txn);
	abort_txn(txn);
	return error;
}
