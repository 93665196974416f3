/*
 * stale_log - batches that are sound and do not count. After a power cut a log may hold some under a header that was
 * lost: they must not come back after the next power cut, behind new batches that happen to be as long as the old ones.
 * And what is in the second log counts only if the first one is whole.
 */
#include <fcntl.h>

#include "store/hot.h"
#include "tests/unit/stored.h"

static const char *const files[] = {"data.mdb", "hot.0", "hot.1"};
static const struct store_sid sid = {1};
static const struct store_ino ino = {100};

static struct store *open_store(const char *dir)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = HOT_SIZE_MIN};
	return open_with(dir, &options);
}

/* Batches of one length: they leave their number as a time. */
static void put(struct store *s, int64_t number)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .mtime = INT64_C(1) << 40 | number};
	struct store_batch *b = begin(s, 0);
	store_batch_put_inode(b, sid, ino, &inode);
	assert_int_equal(store_batch_commit(b), 0);
}

static int64_t get(struct store *s)
{
	struct store_inode inode;
	assert_int_equal(store_get_inode(s, sid, ino, &inode), 0);
	int64_t number = inode.mtime & 0xffff;
	store_inode_release(&inode);
	return number;
}

static void copy_file(const char *from, const char *to, const char *name)
{
	static uint8_t buffer[HOT_SIZE_MIN];
	char path[256];
	snprintf(path, sizeof path, "%s/%s", from, name);
	int in = open(path, O_RDONLY);
	snprintf(path, sizeof path, "%s/%s", to, name);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof buffer)) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	close(in);
	close(out);
}

static struct hot_header get_header(const char *dir, const char *name)
{
	char path[256];
	struct hot_header header;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
	close(fd);
	return header;
}

static void put_header(const char *dir, const char *name, struct hot_header header)
{
	char path[256];
	memset(&header.boot, 0x5a, sizeof header.boot);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
	close(fd);
}

/* What is synced, as another boot finds it. */
static void cut_power(const char *from, const char *to)
{
	assert_int_equal(mkdir(to, 0700), 0);
	for (int i = 0; i < 3; i++)
		copy_file(from, to, files[i]);
	for (int i = 1; i < 3; i++)
		put_header(to, files[i], get_header(to, files[i]));
}

static void lost_batches_stay_lost(void **state)
{
	const char *base = *state;
	char first[64], second[64], third[64];
	snprintf(first, sizeof first, "%s/first", base);
	snprintf(second, sizeof second, "%s/second", base);
	snprintf(third, sizeof third, "%s/third", base);
	assert_int_equal(mkdir(first, 0700), 0);

	struct store *s = open_store(first);
	put(s, 1);
	assert_int_equal(store_flush(s), 0);
	struct hot_header old = get_header(first, "hot.0");
	put(s, 2);
	assert_int_equal(store_flush(s), 0);
	for (int i = 0; i < 10; i++)
		put(s, 10 + i);
	assert_int_equal(store_sync(s), 0);
	cut_power(first, second);
	put_header(second, "hot.0", old);
	store_close(s);

	s = open_store(second);
	assert_int_equal(get(s), 2);
	for (int i = 0; i < 5; i++)
		put(s, 20 + i);
	assert_int_equal(store_sync(s), 0);
	cut_power(second, third);
	store_close(s);

	s = open_store(third);
	assert_int_equal(get(s), 24);
	store_close(s);
}

static void flip_last_byte(const char *dir, const char *name)
{
	char path[256], byte;
	off_t at = (off_t)get_header(dir, name).published - 1;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)~byte;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* A power cut while the sealed log is flushed, of which the last batch is then damaged. */
static void what_follows_a_torn_log_does_not_count(void **state)
{
	const char *base = *state;
	char first[64], second[64];
	snprintf(first, sizeof first, "%s/fourth", base);
	snprintf(second, sizeof second, "%s/fifth", base);
	assert_int_equal(mkdir(first, 0700), 0);

	struct store *s = open_store(first);
	put(s, 1);
	assert_int_equal(store_flush(s), 0);
	put(s, 2);
	put(s, 3);
	assert_int_equal(store_sync(s), 0);
	cut_power(first, second);
	assert_int_equal(store_flush(s), 0);
	put(s, 10);
	assert_int_equal(store_sync(s), 0);
	copy_file(first, second, "hot.0");
	put_header(second, "hot.0", get_header(second, "hot.0"));
	store_close(s);
	shell("cp -r %s %s.whole", second, second);
	flip_last_byte(second, "hot.1");

	s = open_store(second);
	assert_int_equal(get(s), 2);
	store_close(s);
	snprintf(second, sizeof second, "%s/fifth.whole", base);
	s = open_store(second);
	assert_int_equal(get(s), 10);
	store_close(s);
}

static int make_dir(void **state)
{
	static char dir[DIR_SIZE];
	new_dir(dir);
	*state = dir;
	return 0;
}

static int remove_dir(void **state)
{
	shell("rm -rf %s", (const char *)*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_batches_stay_lost),
		cmocka_unit_test(what_follows_a_torn_log_does_not_count),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
