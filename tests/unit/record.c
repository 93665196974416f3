/*
 * record.c - records come back as they were; unknown fields are carried along; what is cut short or damaged is refused.
 */
#include "store/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct store_inode sample = {
	.mode = 0100644,
	.uid = 1000,
	.gid = UINT32_MAX,
	.nlink = 3,
	.size = UINT64_C(1) << 47,
	.rdev = 0,
	.atime = -1,
	.mtime = INT64_MIN,
	.ctime = INT64_MAX,
	.btime = 1,
	.parent = (UINT64_C(1) << 53) - 1,
	.view = 5,
	.flags = 7,
};

static void an_inode_comes_back(void **state)
{
	uint8_t bytes[RECORD_MAX];
	struct store_inode back;
	size_t len = record_encode(&inode_schema, &sample, bytes);
	(void)state;
	assert_true(len <= RECORD_MAX);
	assert_int_equal(record_decode(&inode_schema, bytes, len, &back), 0);
	assert_memory_equal(&back, &sample, sizeof back);
}

static void the_longest_name_comes_back(void **state)
{
	uint8_t bytes[RECORD_MAX];
	struct store_session s = {.name_len = STORE_NAME_MAX, .root = {77}, .files = {1, 2, 3, 4, UINT64_MAX}}, back;
	(void)state;
	memset(s.name, 0xff, STORE_NAME_MAX);
	size_t len = record_encode(&session_schema, &s, bytes);
	assert_int_equal(record_decode(&session_schema, bytes, len, &back), 0);
	assert_memory_equal(&back, &s, sizeof back);
}

static void nothing_is_shorter_than_the_empty_record(void **state)
{
	struct store_inode none = {0};
	uint8_t bytes[RECORD_MAX];
	(void)state;
	assert_int_equal(record_encode(&inode_schema, &none, bytes), 1);
	assert_int_equal(bytes[0], 0x80);
}

/* {1: 7, 100: [1, "ab", {2: bin}], 2: 8}: the field 100 is of a newer version */
static const uint8_t newer[] = {0x83, 1, 7, 100, 0x93, 1, 0xa2, 'a', 'b', 0x81, 2, 0xc4, 1, 9, 2, 8};

static void unknown_fields_are_kept(void **state)
{
	uint8_t bytes[RECORD_MAX];
	struct store_inode i, back;
	(void)state;
	assert_int_equal(record_decode(&inode_schema, newer, sizeof newer, &i), 0);
	assert_int_equal(i.mode, 7);
	assert_int_equal(i.uid, 8);
	assert_int_equal(i.extra.count, 1);
	assert_int_equal(i.extra.len, 11);
	size_t len = record_encode(&inode_schema, &i, bytes);
	assert_int_equal(len, sizeof newer);
	assert_int_equal(record_decode(&inode_schema, bytes, len, &back), 0);
	assert_int_equal(back.extra.len, i.extra.len);
	assert_memory_equal(back.extra.data, i.extra.data, i.extra.len);
	store_inode_release(&i);
	store_inode_release(&back);
	assert_null(i.extra.data);
}

/* Read from memory of exactly that size, so that a sanitizer sees a byte too many. */
static int decode_exactly(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct store_inode i;
	memcpy(copy, bytes, len);
	int r = record_decode(&inode_schema, copy, len, &i);
	if (r == 0)
		store_inode_release(&i);
	free(copy);
	return r;
}

static void what_is_cut_short_is_refused(void **state)
{
	uint8_t bytes[RECORD_MAX + 1];
	size_t len = record_encode(&inode_schema, &sample, bytes);
	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(decode_exactly(bytes, i), -EIO);
	for (size_t i = 0; i < sizeof newer; i++)
		assert_int_equal(decode_exactly(newer, i), -EIO);
	bytes[len] = 0;
	assert_int_equal(decode_exactly(bytes, len + 1), -EIO);
}

static void a_claim_of_many_values_takes_no_memory(void **state)
{
	static const uint8_t claims[][12] = {
		{0x81, 100, 0xdd, 0xff, 0xff, 0xff, 0xff, 1},
		{0x81, 100, 0xdf, 0xff, 0xff, 0xff, 0xff, 1},
		{0x81, 100, 0xdc, 0xff, 0xff, 1},
		{0x81, 100, 0xc6, 0xff, 0xff, 0xff, 0xff, 1},
		{0x81, 100, 0xc1},
		{0xde, 0xff, 0xff, 100, 1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
		assert_int_equal(decode_exactly(claims[i], sizeof claims[i]), -EIO);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
	static const uint8_t wide[] = {0x81, 1, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0}, negative[] = {0x81, 1, 0xff};
	(void)state;
	assert_int_equal(decode_exactly(wide, sizeof wide), -EIO);
	assert_int_equal(decode_exactly(negative, sizeof negative), -EIO);
}

static void pairs_come_back(void **state)
{
	static uint8_t bytes[RECORD_MAX + STORE_XATTR_SIZE_MAX], data[STORE_XATTR_SIZE_MAX];
	static const size_t sizes[] = {0, 1, 255, 256, 65535, 65536};
	const char *name;
	const uint8_t *value;
	size_t name_len, len;
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = record_put_pair("user.x", 6, data, sizes[i], bytes);
		assert_int_equal(record_get_pair(bytes, n, &name, &name_len, &value, &len), 0);
		assert_int_equal(name_len, 6);
		assert_memory_equal(name, "user.x", 6);
		assert_int_equal(len, sizes[i]);
		for (size_t cut = 0; cut < n; cut += cut < 20 ? 1 : n / 7)
			assert_int_equal(record_get_pair(bytes, cut, &name, &name_len, &value, &len), -EIO);
	}
	size_t n = record_put_pair("", 0, data, 1, bytes);
	assert_int_equal(record_get_pair(bytes, n, &name, &name_len, &value, &len), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inode_comes_back),
		cmocka_unit_test(the_longest_name_comes_back),
		cmocka_unit_test(nothing_is_shorter_than_the_empty_record),
		cmocka_unit_test(unknown_fields_are_kept),
		cmocka_unit_test(what_is_cut_short_is_refused),
		cmocka_unit_test(a_claim_of_many_values_takes_no_memory),
		cmocka_unit_test(numbers_that_do_not_fit_are_refused),
		cmocka_unit_test(pairs_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
