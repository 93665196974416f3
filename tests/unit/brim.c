/*
 * brim.c - a store filled to its limit with small files: every one of them can be deleted, in any order, and then it
 * takes new ones.
 */
#include "tests/unit/stored.h"

enum { FILES_MAX = 200000, SIZE = 300 };

static const struct store_sid sid = { 1 };
static const struct store_ino dir = { 2 };

static int make_file(struct store *s, unsigned n)
{
	struct store_inode inode = { .mode = S_IFREG | 0600, .nlink = 1, .size = SIZE };
	struct store_dirent d = { .session = sid, .type = S_IFREG };
	uint8_t data[SIZE];
	struct store_batch *b;
	for (int i = 0; i < SIZE; i++)
		data[i] = (uint8_t)rand();
	d.name_len = (uint32_t)snprintf(d.name, sizeof d.name, "file-%u", n);
	int r = store_batch_begin(s, STORE_GROW, SIZE, &b);
	if (r)
		return r;
	d.ino = store_new_ino(b);
	store_batch_new_inode(b, sid, d.ino, &inode);
	store_batch_add_dirent(b, sid, dir, &d);
	store_batch_write(b, sid, d.ino, 0, data, SIZE);
	return store_batch_commit(b);
}

static int delete_file(struct store *s, unsigned n)
{
	struct store_dirent d;
	struct store_batch *b;
	char name[32];
	size_t len = (size_t)snprintf(name, sizeof name, "file-%u", n);
	int r = store_lookup(s, sid, dir, name, len, &d);
	r = r ? r : store_batch_begin(s, STORE_SHRINK, 0, &b);
	if (r)
		return r;
	store_batch_delete_dirent(b, sid, dir, d.cookie);
	store_batch_delete_inode(b, sid, d.ino);
	return store_batch_commit(b);
}

static unsigned fill(struct store *s)
{
	unsigned n = 0;
	int r = 0;
	for (int tries = 0; tries < 3 && n < FILES_MAX;) {
		r = make_file(s, n);
		if (r == 0) {
			n++;
			continue;
		}
		assert_int_equal(r, STORE_FULL);
		assert_int_equal(store_flush(s), 0);
		tries++;
	}
	assert_int_equal(r, STORE_FULL);
	return n;
}

static void fills_and_empties(void **state)
{
	(void)state;
	struct store_options options = { .create = true, .level = 3, .commit = 5, .hot_size = 4u << 20,
		.max_size = 16u << 20 };
	char path[DIR_SIZE];
	new_dir(path);
	struct store *s = open_with(path, &options);
	unsigned count = fill(s), step = 7919;
	assert_true(count > 1000 && count % step != 0);
	for (unsigned i = 0, n = 0; i < count; i++, n = (n + step) % count)
		assert_int_equal(delete_file(s, n), 0);
	assert_int_equal(store_flush(s), 0);
	assert_true(fill(s) > count / 2);
	assert_int_equal(store_close(s), 0);
	shell("rm -rf %s", path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(fills_and_empties) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
