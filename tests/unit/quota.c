/*
 * quota.c - the write of a commit is cut short by a quota that statvfs(2) does not show: LMDB calls that an I/O error,
 * and it is no damage but a lack of space.
 */
#undef _FILE_OFFSET_BITS /* the calls and their 64-bit twins by their own names */
#include "store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

enum { HEADS_END = 2 * 4096 };

static const struct store_sid sid = {1};
static bool cuts, refuses; /* writes of pages; space for more */

/* These take the place of libc's also for LMDB. */
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	bool cut = cuts && offset >= HEADS_END;
	return syscall(SYS_pwrite64, fd, data, cut ? len / 2 : len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	return pwrite(fd, data, len, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return syscall(SYS_writev, fd, parts, cuts ? 1 : count);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	errno = EDQUOT;
	return refuses ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return fallocate(fd, mode, offset, len);
}

static struct store *open_new(char *path)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 4u << 20};
	struct store_open_info info;
	struct store *s;
	assert_non_null(mkdtemp(path));
	assert_int_equal(store_open(path, &options, &s, &info), 0);
	return s;
}

/* What a commit of one record writes. */
static void put(struct store *s, uint32_t mode)
{
	struct store_inode inode = {.mode = mode, .nlink = 1};
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_GROW, 0, &b), 0);
	store_batch_put_inode(b, sid, (struct store_ino){10}, &inode);
	assert_int_equal(store_batch_commit(b), 0);
}

static void close_and_remove(struct store *s, const char *path)
{
	char command[128];
	assert_int_equal(store_close(s), 0);
	snprintf(command, sizeof command, "rm -rf %s", path);
	assert_int_equal(system(command), 0);
}

static int cut_flush(struct store *s, bool by_quota)
{
	cuts = true;
	refuses = by_quota;
	int r = store_flush(s);
	cuts = refuses = false;
	return r;
}

static void a_quota_is_a_lack_of_space(void **state)
{
	char path[] = "sessfs-unit-XXXXXX";
	struct store *s = open_new(path);
	(void)state;
	put(s, 0100600);
	assert_int_equal(cut_flush(s, true), -ENOSPC);
	assert_int_equal(store_flush(s), 0);
	close_and_remove(s, path);
}

static void where_there_is_room_it_is_an_error(void **state)
{
	char path[] = "sessfs-unit-XXXXXX";
	struct store *s = open_new(path);
	(void)state;
	put(s, 0100600);
	assert_int_equal(cut_flush(s, false), -EIO);
	assert_int_equal(store_flush(s), 0);
	close_and_remove(s, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_is_a_lack_of_space),
		cmocka_unit_test(where_there_is_room_it_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
