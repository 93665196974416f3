/*
 * leaf_end.c - a large value that is damaged hides nothing behind it, wherever its record lies in a leaf: not the
 * second copy of a dictionary either.
 */
#include "store/codec.h"
#include "store/warm.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Small records that fill most of a leaf; the last one is so long in all that the leaf ends at each record behind it.
 */
enum { SMALL = 40, SMALL_BODY = 60, PADS = 28, PAD = 10, LARGE_BODY = 20000, NAME = 77, MARK = 0x5a };

static void put(struct warm_txn *t, struct key key, size_t len)
{
	static uint8_t value[CODEC_CHECK_SIZE + LARGE_BODY];
	uint8_t *body = value + CODEC_CHECK_SIZE;
	memset(body, MARK, len);
	assert_int_equal(warm_put(t, &key, value, codec_seal(key, value, len)), 0);
}

static void fill(const char *dir, unsigned pad)
{
	struct warm *w;
	struct warm_txn *t;
	assert_int_equal(warm_open(dir, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	for (unsigned i = 1; i <= SMALL; i++)
		put(t, key_front(KIND_ENDING, i), i < SMALL ? SMALL_BODY : pad);
	for (uint64_t copy = 0; copy < DICTIONARY_COPIES; copy++)
		put(t, key_front(KIND_DICTIONARY, copy << 32 | NAME), LARGE_BODY);
	put(t, key_make(STORE_ROOT_SID, STORE_ROOT_INO, KIND_INODE, 0), SMALL_BODY);
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
}

/* In the middle of a large value: they lie in the file in the order in which they were put. */
static void damage(const char *dir, unsigned which)
{
	static uint8_t page[4096], whole[4096];
	char path[96];
	long at = 0;
	unsigned pages =
		which * (LARGE_BODY / sizeof whole - 1) + 1; /* all of it; the value's first and last are not */
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	memset(whole, MARK, sizeof whole);
	for (; pages > 0; at += (long)sizeof page) {
		assert_int_equal(fread(page, sizeof page, 1, file), 1);
		pages -= memcmp(page, whole, sizeof page) == 0;
	}
	assert_int_equal(fseek(file, at - 100, SEEK_SET), 0);
	assert_int_equal(fputc(MARK ^ 4, file), MARK ^ 4);
	assert_int_equal(fclose(file), 0);
}

static void assert_opens(struct key key, struct warm_value value, bool expected)
{
	const uint8_t *body;
	size_t len;
	assert_int_equal(codec_open(key, value.data, value.len, &body, &len) == 0, expected);
}

/* As dictionaries are looked for. */
static void read_all(const char *dir, unsigned damaged)
{
	struct warm *w;
	struct warm_snapshot *s;
	struct warm_value value;
	struct key at = key_front(KIND_DICTIONARY - 1, UINT64_MAX);
	assert_int_equal(warm_open(dir, true, &w), 0);
	assert_int_equal(warm_snapshot_new(w, &s), 0);
	assert_int_equal(warm_seek(s, &at, &at, &value), 0);
	for (uint64_t copy = 0; copy < DICTIONARY_COPIES; copy++) {
		assert_true(key_kind(at) == KIND_DICTIONARY && key_sub(at) == (copy << 32 | NAME));
		assert_opens(at, value, copy != damaged);
		assert_int_equal(warm_after(s, &at, &at, &value), 0);
	}
	assert_true(key_kind(at) == KIND_INODE);
	assert_opens(at, value, true);
	warm_snapshot_free(s);
	warm_close(w);
}

static void anywhere_in_a_leaf(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2 * PADS; n++) {
		char dir[] = "sessfs-unit-XXXXXX", command[64];
		assert_non_null(mkdtemp(dir));
		fill(dir, n / 2 * PAD);
		damage(dir, n & 1);
		read_all(dir, n & 1);
		snprintf(command, sizeof command, "rm -r %s", dir);
		assert_int_equal(system(command), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(anywhere_in_a_leaf) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
