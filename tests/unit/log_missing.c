/*
 * log_missing - a log that was deleted, or cut short, after its daemon was killed is noticed; one that a power cut may
 * take, or that held nothing that was not saved, is not. And one that is there counts, though the disk is full or the
 * boot id cannot be read just then, or the store is not opened. What a sparse copy lacks is made good.
 */
#undef _FILE_OFFSET_BITS /* open and open64 by their own names */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "store/hot.h"
#include "tests/unit/stored.h"

static const struct store_sid sid = {1};
static const struct store_options writing = {.create = true, .level = 3, .commit = 3600, .hot_size = HOT_SIZE_MIN},
				  reading = {.read_only = true, .commit = 3600};
enum { FILES = 10, SYNCED = 5, PIECE = 100000 };
static char base[DIR_SIZE], live[64], killed[64];

static bool boot_id_fails;

/* Takes the place of libc's. */
int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (boot_id_fails && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
		errno = ENFILE;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static int lock_error;

/* Takes the place of libc's; at 0 only the lock file is written by so little. */
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (lock_error && offset == 0 && len < 16) {
		errno = lock_error;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) __attribute__((alias("pwrite")));

static int setup(void **state)
{
	(void)state;
	new_dir(base);
	snprintf(live, sizeof live, "%s/live", base);
	snprintf(killed, sizeof killed, "%s/killed", base);
	shell("mkdir %s %s", live, killed);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shell("rm -rf %s", base);
	return 0;
}

static void put(struct store *s, uint64_t number)
{
	static const uint8_t data[PIECE];
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = PIECE};
	struct store_batch *b = begin(s, PIECE);
	store_batch_put_inode(b, sid, (struct store_ino){100 + number}, &inode);
	store_batch_write(b, sid, (struct store_ino){100 + number}, 0, data, PIECE);
	assert_int_equal(store_batch_commit(b), 0);
}

/* The files as a kill leaves them. */
static void copy(void)
{
	shell("rm -r %s && cp -r --sparse=always %s %s", killed, live, killed);
}

/* FILES of which some are synced, in hot.0. */
static void make_killed(void)
{
	struct store *s = open_with(live, &writing);
	for (unsigned i = 0; i < FILES; i++) {
		put(s, i);
		if (i + 1 == SYNCED)
			assert_int_equal(store_sync(s), 0);
	}
	copy();
	assert_int_equal(store_close(s), 0);
}

/* How many files there are; what the opening tells must be as expected. */
static unsigned open_killed(const struct store_options *options, bool missing, bool damaged)
{
	struct store_open_info info;
	struct store_inode inode;
	struct store *s;
	unsigned files = 0;
	assert_int_equal(store_open(killed, options, &s, &info), 0);
	assert_int_equal(info.logs_missing, missing);
	assert_int_equal(info.logs_damaged, damaged);
	while (store_get_inode(s, sid, (struct store_ino){100 + files}, &inode) == 0) {
		store_inode_release(&inode);
		files++;
	}
	assert_int_equal(store_close(s), 0);
	return files;
}

static void count(void *arg, unsigned invariant, const char *text)
{
	(void)text;
	*(unsigned *)arg += invariant == 25;
}

static unsigned check(bool repair)
{
	unsigned findings = 0;
	struct store_check_options options = {.repair = repair, .report = count, .arg = &findings};
	struct store_check_result result;
	struct store_open_info info;
	assert_int_equal(store_check(killed, &options, &result, &info), 0);
	return findings;
}

/* Told as long as nothing was done about it, and once it was written no more. */
static void assert_told(void)
{
	assert_int_equal(open_killed(&reading, true, false), 0);
	assert_int_equal(open_killed(&reading, true, false), 0);
	assert_int_equal(check(false), 1);
	assert_int_equal(open_killed(&writing, true, false), 0);
	assert_int_equal(open_killed(&writing, false, false), 0);
	assert_int_equal(check(false), 0);
}

static void all_there(void **state)
{
	(void)state;
	make_killed();
	assert_int_equal(open_killed(&reading, false, false), FILES);
	assert_int_equal(check(false), 0);
	assert_int_equal(open_killed(&writing, false, false), FILES);
}

static void deleted(void **state)
{
	(void)state;
	make_killed();
	shell("rm %s/hot.0", killed);
	assert_told();
}

static void all_deleted(void **state)
{
	(void)state;
	make_killed();
	shell("rm %s/hot.0 %s/hot.1", killed, killed);
	assert_told();
}

static void cut_before_its_first_page(void **state)
{
	(void)state;
	make_killed();
	shell("truncate -s 100 %s/hot.0", killed);
	assert_told();
}

static void mended_by_a_repair(void **state)
{
	(void)state;
	make_killed();
	shell("rm %s/hot.0", killed);
	assert_int_equal(check(true), 1);
	assert_int_equal(check(false), 0);
}

/* Also shorter than a log ever is: what was synced is there. */
static void cut(void **state)
{
	(void)state;
	make_killed();
	shell("truncate -s 800000 %s/hot.0", killed);
	assert_int_equal(open_killed(&reading, false, true), SYNCED);
	assert_int_equal(open_killed(&writing, false, true), SYNCED);
	assert_int_equal(open_killed(&writing, false, false), SYNCED);
	shell("cd %s && [ $(stat -c %%s hot.0) = %u ]", killed, HOT_SIZE_MIN);
}

static void nothing_is_told_of_another_boot(void **state)
{
	(void)state;
	make_killed();
	shell("cd %s && rm hot.? && sed -i 's/^log ......../log 5a5a5a5a/' lock && grep -q 5a5a5a5a lock", killed);
	assert_int_equal(open_killed(&reading, false, false), 0);
	assert_int_equal(check(false), 0);
	assert_int_equal(open_killed(&writing, false, false), 0);
}

static void nor_by_the_lock_of_another_store(void **state)
{
	(void)state;
	make_killed();
	shell("cd %s && mv lock .. && rm -r * && mv ../lock .", killed);
	assert_int_equal(open_killed(&writing, false, false), 0);
	make_killed();
	shell("cd %s && cp lock .. && rm -r *", killed);
	assert_int_equal(open_killed(&writing, false, false), 0);
	shell("cd %s && rm hot.? && mv ../lock .", killed);
	assert_int_equal(open_killed(&reading, false, false), 0);
}

static void nor_after_a_clean_end(void **state)
{
	(void)state;
	make_killed();
	copy();
	shell("rm %s/hot.0 %s/hot.1", killed, killed);
	assert_int_equal(open_killed(&reading, false, false), FILES);
	assert_int_equal(open_killed(&writing, false, false), FILES);
}

/* The logs swap: the one that was taken in is not missed, the one that came after it is. */
static void what_was_flushed_is_not_missed(void **state)
{
	(void)state;
	struct store *s = open_with(live, &writing);
	put(s, 0);
	assert_int_equal(store_flush(s), 0);
	put(s, 1);
	copy();
	shell("rm %s/hot.0", killed);
	assert_int_equal(open_killed(&writing, false, false), 2);
	copy();
	shell("rm %s/hot.1", killed);
	assert_int_equal(open_killed(&reading, true, false), 1);
	assert_int_equal(check(false), 1);
	assert_int_equal(store_close(s), 0);
}

/* A start that is refused leaves what it would have told. */
static void a_start_that_fails_tells_the_next_one(void **state)
{
	(void)state;
	struct store_open_info info;
	struct store *s;
	make_killed();
	shell("cd %s && rm hot.? && mkdir hot.0", killed);
	assert_true(store_open(killed, &writing, &s, &info) < 0);
	shell("rmdir %s/hot.0", killed);
	assert_told();
}

/* Not known to be another boot, in which only what was synced would count. */
static void a_boot_id_that_cannot_be_read_now(void **state)
{
	(void)state;
	struct store_open_info info;
	struct store *s;
	make_killed();
	boot_id_fails = true;
	int r = store_open(killed, &writing, &s, &info);
	boot_id_fails = false;
	assert_int_equal(r, -ENFILE);
	assert_int_equal(open_killed(&writing, false, false), FILES);
}

/* Only others have to know who holds it: no space for that is no hindrance. Any other error is called what it is. */
static void a_lock_file_that_cannot_be_written(void **state)
{
	(void)state;
	const int errors[] = {ENOSPC, EDQUOT, EFBIG, EIO};
	for (int i = 0; i < 4; i++) {
		struct store_open_info info;
		struct store *s;
		assert_int_equal(store_close(open_with(live, &writing)), 0);
		lock_error = errors[i];
		int r = store_open(live, &writing, &s, &info);
		lock_error = 0;
		assert_int_equal(r, errors[i] == EIO ? -EIO : 0);
		if (r == 0)
			assert_int_equal(store_close(s), 0);
	}
}

/* How it is opened where no file may grow beyond what data.mdb has. */
static int open_full(struct store **ret)
{
	struct rlimit all, few;
	struct store_open_info info;
	struct stat data;
	char path[80];
	snprintf(path, sizeof path, "%s/data.mdb", killed);
	assert_int_equal(stat(path, &data), 0);
	getrlimit(RLIMIT_FSIZE, &all);
	few = (struct rlimit){(rlim_t)data.st_size, all.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &few);
	int r = store_open(killed, &writing, ret, &info);
	setrlimit(RLIMIT_FSIZE, &all);
	return r;
}

/* Where no block can be had, logs without holes go on as they are. */
static void a_full_disk(void **state)
{
	(void)state;
	struct store *s;
	make_killed();
	assert_int_equal(open_full(&s), STORE_FULL);
	assert_int_equal(open_killed(&writing, false, false), FILES);
	struct store *again = open_with(live, &writing);
	put(again, FILES);
	shell("rm -r %s && cp -r --sparse=never %s %s", killed, live, killed);
	assert_int_equal(store_close(again), 0);
	assert_int_equal(open_full(&s), 0);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(open_killed(&writing, false, false), FILES + 1);
}

/* What keeps deletions possible on a full disk is no hole. */
static void the_reserve_of_a_sparse_copy(void **state)
{
	(void)state;
	make_killed();
	shell("cd %s && size=$(stat -c %%s reserve) && truncate -s 0 reserve && truncate -s $size reserve", killed);
	assert_int_equal(store_close(open_with(killed, &writing)), 0);
	shell("cd %s && [ $(stat -c %%b reserve) -ge $(($(stat -c %%s reserve) / 512)) ]", killed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_there),
		TEST(deleted),
		TEST(all_deleted),
		TEST(cut_before_its_first_page),
		TEST(mended_by_a_repair),
		TEST(cut),
		TEST(nothing_is_told_of_another_boot),
		TEST(nor_by_the_lock_of_another_store),
		TEST(nor_after_a_clean_end),
		TEST(what_was_flushed_is_not_missed),
		TEST(a_start_that_fails_tells_the_next_one),
		TEST(a_boot_id_that_cannot_be_read_now),
		TEST(a_lock_file_that_cannot_be_written),
		TEST(a_full_disk),
		TEST(the_reserve_of_a_sparse_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
