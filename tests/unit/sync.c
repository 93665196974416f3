/*
 * sync.c - a log that the device would not take when it was synced: fsync answers only once all is in warm, and never
 * believes a second sync of the same log, as the kernel tells a page that could not be written once.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "store/hot.h"
#include "tests/unit/stored.h"

static const struct store_sid sid = {1};

/* Of a log all syncs but the first are msync(2), of data.mdb all are fdatasync(2). */
static unsigned msyncs_fail, fdatasyncs_fail;

static int fail_or(unsigned *left, long done)
{
	if (!*left)
		return (int)done;
	--*left;
	errno = EIO;
	return -1;
}

/* Takes the place of libc's. */
int msync(void *at, size_t len, int flags)
{
	return fail_or(&msyncs_fail, syscall(SYS_msync, at, len, flags));
}

/* Takes the place of libc's, also for LMDB. */
int fdatasync(int fd)
{
	return fail_or(&fdatasyncs_fail, syscall(SYS_fdatasync, fd));
}

static void put(struct store *s, uint64_t number)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1};
	struct store_batch *b = begin(s, 0);
	store_batch_put_inode(b, sid, (struct store_ino){100 + number}, &inode);
	assert_int_equal(store_batch_commit(b), 0);
}

static uint64_t flushes(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.flushes;
}

/* Its log was synced once. */
static struct store *open_synced(char *dir)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = HOT_SIZE_MIN};
	new_dir(dir);
	struct store *s = open_with(dir, &options);
	put(s, 1);
	assert_int_equal(store_sync(s), 0);
	assert_int_equal(flushes(s), 0);
	put(s, 2);
	return s;
}

static void close_and_remove(struct store *s, const char *dir)
{
	assert_int_equal(store_close(s), 0);
	shell("rm -rf %s", dir);
}

static void warm_takes_what_the_log_cannot(void **state)
{
	char dir[DIR_SIZE];
	struct store *s = open_synced(dir);
	(void)state;
	msyncs_fail = 1;
	assert_int_equal(store_sync(s), 0);
	assert_int_equal(msyncs_fail, 0);
	assert_int_equal(flushes(s), 1);
	close_and_remove(s, dir);
}

static void a_log_that_failed_is_not_believed(void **state)
{
	char dir[DIR_SIZE];
	struct store *s = open_synced(dir);
	(void)state;
	msyncs_fail = fdatasyncs_fail = 1;
	assert_int_equal(store_sync(s), -EIO);
	assert_int_equal(msyncs_fail + fdatasyncs_fail, 0);
	assert_int_equal(flushes(s), 0);
	assert_int_equal(store_sync(s), 0);
	assert_int_equal(flushes(s), 1);
	close_and_remove(s, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warm_takes_what_the_log_cannot),
		cmocka_unit_test(a_log_that_failed_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
