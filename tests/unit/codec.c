/* codec.c - content comes back at every level; what is damaged, or strayed to another key, is refused. */
#include "store/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct key key = {{1, 2, 3}}, other = {{1, 2, 4}};

static struct dictionaries dictionaries;
static uint8_t raw[STORE_CHUNK_SIZE], out[CHUNK_ENCODED_MAX], back[STORE_CHUNK_SIZE];

static int setup(void **state)
{
	return codec_new(&dictionaries, (struct codec_ctx **)state);
}

static int teardown(void **state)
{
	codec_free(*state);
	return 0;
}

static void fill_text(size_t len)
{
	for (size_t i = 0; i < len; i++)
		raw[i] = (uint8_t) "line of a log, and a number: 0123456789\n"[(i + i / 1000) % 40];
}

static void fill_noise(size_t len)
{
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		raw[i] = (uint8_t)x;
	}
}

static ssize_t round_trip(struct codec_ctx *c, int level, size_t len)
{
	ssize_t n = chunk_encode(c, key, level, NULL, raw, len, out);
	assert_true(n > 0 && n <= CHUNK_ENCODED_MAX);
	assert_int_equal(chunk_raw_len(out, (size_t)n), len);
	memset(back, 0xee, sizeof back);
	assert_int_equal(chunk_decode(c, key, out, (size_t)n, back, sizeof back), len);
	assert_memory_equal(back, raw, len);
	return n;
}

static void content_comes_back(void **state)
{
	static const size_t sizes[] = {1, 2, 100, 4096, 8191, 8192, 100000, STORE_CHUNK_SIZE};
	static const int levels[] = {0, 1, 3, 19};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (size_t k = 0; k < sizeof levels / sizeof *levels; k++) {
			fill_text(sizes[i]);
			round_trip(*state, levels[k], sizes[i]);
			fill_noise(sizes[i]);
			round_trip(*state, levels[k], sizes[i]);
		}
	}
}

static void text_shrinks_and_noise_hardly_grows(void **state)
{
	fill_text(STORE_CHUNK_SIZE);
	assert_true(round_trip(*state, 3, STORE_CHUNK_SIZE) < (ssize_t)STORE_CHUNK_SIZE / 10);
	assert_int_equal(out[4], CODEC_ZSTD);
	fill_noise(STORE_CHUNK_SIZE);
	assert_int_equal(round_trip(*state, 3, STORE_CHUNK_SIZE), CHUNK_ENCODED_MAX);
	assert_int_equal(out[4], CODEC_RAW);
}

static void each_flipped_bit_is_noticed(void **state)
{
	fill_text(3000);
	ssize_t n = round_trip(*state, 3, 3000);
	for (ssize_t bit = 0; bit < 8 * n; bit++) {
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(chunk_decode(*state, key, out, (size_t)n, back, sizeof back), -EIO);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (ssize_t cut = 0; cut < n; cut++)
		assert_int_equal(chunk_decode(*state, key, out, (size_t)cut, back, sizeof back), -EIO);
	assert_int_equal(chunk_decode(*state, other, out, (size_t)n, back, sizeof back), -EIO);
	assert_int_equal(chunk_decode(*state, key, out, (size_t)n, back, 2999), -EIO);
}

/* A value whose checksum is right, but which says what it must not. */
static ssize_t decode_signed(struct codec_ctx *c, size_t n)
{
	uint32_t check = codec_check(key, out + CODEC_CHECK_SIZE, n - CODEC_CHECK_SIZE);
	memcpy(out, &check, sizeof check);
	return chunk_decode(c, key, out, n, back, sizeof back);
}

static void what_nobody_wrote_is_refused(void **state)
{
	static const uint8_t tall[4] = {1, 0, 2, 0};
	fill_text(100);
	size_t n = (size_t)chunk_encode(*state, key, 0, NULL, raw, 100, out);
	assert_int_equal(decode_signed(*state, n), 100);
	out[4] = 9;
	assert_int_equal(decode_signed(*state, n), -EIO);
	out[4] = CODEC_RAW;
	out[5] = 1;
	assert_int_equal(decode_signed(*state, n), -EIO);
	out[5] = 0;
	out[9] = 99;
	assert_int_equal(decode_signed(*state, n), -EIO);
	memcpy(out + 9, tall, sizeof tall);
	assert_int_equal(decode_signed(*state, n), -EIO);
	assert_int_equal(chunk_raw_len(out, n), -EIO);
}

static void hashes_of_names_are_cookies(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		uint64_t hash = codec_name_hash(seed, "name", 4);
		assert_true(hash >= STORE_COOKIE_MIN && hash < UINT64_C(1) << 63 && (hash & 0xff) == 0);
		assert_int_not_equal(codec_batch_check(seed, 4096, raw, 100), 0);
	}
	assert_int_not_equal(codec_name_hash(1, "name", 4), codec_name_hash(2, "name", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(text_shrinks_and_noise_hardly_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(each_flipped_bit_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_wrote_is_refused, setup, teardown),
		cmocka_unit_test(hashes_of_names_are_cookies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
