/*
 * gathered - batches behind a sync are gathered and written by one call, with their checksums: whatever their sizes,
 * the log holds the same as if each record had been written by itself. And at whatever call the process ends, all that
 * is published is there.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 by their own names */
#include "store/hot.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

static const struct store_sid sid = {1};
static const struct hot_boot boot = {{1}}, other_boot = {{2}};
static const struct hot_sizes sizes = {HOT_SIZE_MIN, HOT_SIZE_MIN};

static uint8_t byte_of(uint64_t number, size_t i)
{
	return (uint8_t)(number * 31 + i * 7 + i / 251);
}

static struct key key_of(uint64_t number)
{
	return key_make(sid, (struct store_ino){100 + number}, KIND_INODE, 0);
}

/* A batch of values of these sizes, numbered on; a size of 0 ends it. */
static void append(struct hot_batch *b, struct hot *h, const size_t *lens, uint64_t *number)
{
	static uint8_t bytes[1 << 20];
	hot_batch_begin(b, h);
	for (; *lens; lens++, ++*number) {
		struct change c = {.key = key_of(*number), .op = CHANGE_PUT, .len = (uint32_t)*lens};
		for (size_t i = 0; i < *lens; i++)
			bytes[i] = byte_of(*number, i);
		hot_batch_append(b, &c, bytes);
	}
	assert_int_equal(hot_batch_commit(b), 0);
}

static void check_values(struct hot *h, uint64_t from, uint64_t to)
{
	static uint8_t bytes[1 << 20];
	for (uint64_t number = from; number < to; number++) {
		struct key key = key_of(number);
		struct entry *e = index_find(&h->index, &key);
		assert_non_null(e);
		assert_int_equal(hot_read(h, e->pos, bytes, e->len), 0);
		for (size_t i = 0; i < e->len; i++)
			assert_int_equal(bytes[i], byte_of(number, i));
	}
}

/* Where the log ends for a start of this boot, at which it has all values up to `to`. */
static uint64_t replayed(int dir, struct hot_boot now, uint64_t to)
{
	struct hot h;
	assert_int_equal(hot_open(&h, dir, "log", (struct hot_sizes){0}, true), 0);
	assert_true(hot_is_valid(&h));
	assert_int_equal(hot_replay(&h, now), 0);
	check_values(&h, 0, to);
	struct key behind = key_of(to);
	assert_null(index_find(&h.index, &behind));
	uint64_t end = h.tail;
	hot_close(&h);
	return end;
}

static void batches_behind_a_sync_are_whole(void **state)
{
	static const size_t few[] = {100, 0}, many[] = {1, 7, 8, 9, 3000, 16383, 0}, just[] = {32704, 0},
		over[] = {50, 32000, 700, 0}, large[] = {9, 16384, 200000, 5, 0};
	static const size_t *const gathered[] = {few, many, just, few, over};
	int dir = *(int *)*state;
	struct hot h;
	struct hot_batch b = {0};
	uint64_t number = 0;

	assert_int_equal(hot_open(&h, dir, "log", sizes, false), 0);
	assert_int_equal(hot_make(&h), 0);
	assert_int_equal(hot_start(&h, 1, 0, boot), 0);
	append(&b, &h, many, &number);
	assert_int_equal(replayed(dir, boot, number), h.tail);
	assert_int_equal(replayed(dir, other_boot, 0), HOT_DATA);
	assert_int_equal(hot_sync(&h, h.tail), 0);
	assert_int_equal(replayed(dir, other_boot, number), h.tail);

	for (size_t i = 0; i < sizeof gathered / sizeof *gathered; i++) {
		append(&b, &h, gathered[i], &number);
		assert_int_equal(replayed(dir, boot, number), h.tail);
		/* `over`, and what is large, has its checksum from the sync on only */
		if (gathered[i] != over)
			assert_int_equal(replayed(dir, other_boot, number), h.tail);
	}
	append(&b, &h, large, &number);
	append(&b, &h, few, &number);
	assert_true(replayed(dir, other_boot, number - 8) < h.tail);
	assert_int_equal(hot_sync(&h, h.tail), 0);
	assert_int_equal(replayed(dir, other_boot, number), h.tail);
	check_values(&h, 0, number);

	hot_close(&h);
	free(b.prepared);
	free(b.gathered);
}

/* ---- the end of the process at any call -------------------------------------------------------------------------- */

static int watched = -1; /* the directory of the log that is looked at before each write; -1: none is */
static unsigned looks;

/* What a start would find now. */
static void look(void)
{
	int dir = watched;
	struct hot h;
	watched = -1;
	if (dir < 0)
		return;
	assert_int_equal(hot_open(&h, dir, "log", (struct hot_sizes){0}, true), 0);
	if (hot_is_valid(&h)) {
		assert_int_equal(hot_replay(&h, boot), 0);
		assert_int_equal(h.tail, hot_header(&h)->published);
	}
	hot_close(&h);
	looks++;
	watched = dir;
}

/* Takes the place of libc's. */
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	look();
	return syscall(SYS_pwrite64, fd, data, len, offset);
}

/* Takes the place of libc's. */
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	look();
	return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

static void what_is_published_is_there(void **state)
{
	static const size_t few[] = {100, 0}, many[] = {1, 7, 3000, 16383, 0}, large[] = {9, 200000, 5, 0};
	static const size_t *const batches[] = {few, many, large, few};
	int dir = *(int *)*state;
	struct hot h;
	struct hot_batch b = {0};
	uint64_t number = 0;

	assert_int_equal(hot_open(&h, dir, "log", sizes, false), 0);
	h.by_call = true;
	assert_int_equal(hot_make(&h), 0);
	watched = dir;
	for (uint64_t generation = 1; generation <= 2; generation++) {
		assert_int_equal(hot_start(&h, generation, 0, boot), 0);
		for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
			append(&b, &h, batches[i], &number);
		assert_int_equal(hot_sync(&h, h.tail), 0);
		append(&b, &h, few, &number);
		hot_void(&h);
		index_clear(&h.index);
	}
	watched = -1;
	assert_true(looks > number);
	hot_close(&h);
	free(b.prepared);
	free(b.gathered);
}

static int make_dir(void **state)
{
	static char path[] = "sessfs-gathered.XXXXXX";
	static int dir;
	dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY) : -1;
	*state = &dir;
	return dir < 0 ? -1 : chdir(path);
}

static int remove_dir(void **state)
{
	char path[256];
	close(*(int *)*state);
	return unlink("log") || !getcwd(path, sizeof path) || rmdir(path) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_behind_a_sync_are_whole),
		cmocka_unit_test(what_is_published_is_there),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
