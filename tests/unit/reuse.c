/* reuse.c - space given back in large pieces and used again in small ones: the list of free pages grows and shrinks. */
#include "tests/unit/stored.h"

enum { SIZE = 48 << 20, ROUNDS = 40 };

static const struct store_sid sid = { 7 };
static uint8_t content[SIZE];
static uint64_t state_of_random = 14; /* one of those that make it happen: about every tenth does */

static uint32_t below(uint32_t limit)
{
	state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state_of_random >> 33) % limit;
}

static void put_file(struct store *s, uint64_t ino, size_t size)
{
	struct store_inode inode = { .mode = S_IFREG | 0644, .nlink = 1, .size = size };
	struct store_batch *b = begin(s, size);
	store_batch_put_inode(b, sid, (struct store_ino){ ino }, &inode);
	store_batch_write(b, sid, (struct store_ino){ ino }, 0, content, size);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(s), 0);
}

static void delete_file(struct store *s, uint64_t ino)
{
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_SHRINK, 0, &b), 0);
	store_batch_delete_inode(b, sid, (struct store_ino){ ino });
	assert_int_equal(store_batch_commit(b), 0);
}

/* While there were few transactions LMDB keeps what is free in few records of many pages, and shrinks them in place. */
static void test_free_list(void **state)
{
	char dir[DIR_SIZE];
	struct store_options options = { .create = true, .commit = 3600, .hot_size = 64u << 20 };
	(void)state;
	new_dir(dir);
	struct store *s = open_with(dir, &options);
	put_file(s, 10, SIZE);
	delete_file(s, 10);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		if (i % 3 == 2)
			delete_file(s, 11 + i - 1 - below(2));
		put_file(s, 11 + i, below(SIZE / 8));
	}
	assert_int_equal(store_close(s), 0);
	shell("rm -rf %s", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_free_list) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
