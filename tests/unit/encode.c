/* encode.c - chunks that several threads compress come back in the order in which they were given, each as it was */
#include "store/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHUNKS = 200 };

static struct key key_of(unsigned i)
{
	return key_make((struct store_sid){1}, (struct store_ino){2}, KIND_CHUNK, i);
}

static size_t fill(unsigned i, uint8_t *out)
{
	size_t len = 1 + (size_t)i * 7919 % STORE_CHUNK_SIZE;
	for (size_t k = 0; k < len; k++)
		out[k] = (uint8_t)(i + k / 7 % (i + 1) + (i % 3 == 0 ? k * k >> 5 : 0));
	return len;
}

static void take(struct encoder *e, struct codec_ctx *codec, unsigned i, uint8_t **out)
{
	static uint8_t want[STORE_CHUNK_SIZE], have[STORE_CHUNK_SIZE];
	struct key key;
	size_t len = fill(i, want);
	ssize_t n = encoder_take(e, codec, &key, out);
	assert_true(n > 0 && key_sub(key) == i);
	assert_int_equal(chunk_decode(codec, key, *out, (size_t)n, have, sizeof have), len);
	assert_memory_equal(have, want, len);
}

static void in_order(void **state)
{
	static struct dictionaries none;
	struct codec_ctx *codec;
	uint8_t *raw = malloc(STORE_CHUNK_SIZE), *out = malloc(CHUNK_ENCODED_MAX);
	struct encoder *e = encoder_new(&none, 3);
	unsigned taken = 0;
	(void)state;
	if (!e) {
		free(raw);
		free(out);
		skip(); /* one CPU only */
	}
	assert_int_equal(codec_new(&none, &codec), 0);
	for (unsigned i = 0; i < CHUNKS; i++) {
		size_t len = fill(i, raw);
		if (encoder_is_full(e) || (i % 50 == 49 && encoder_count(e)))
			take(e, codec, taken++, &out);
		encoder_give(e, key_of(i), &raw, len);
	}
	while (encoder_count(e) > 3)
		take(e, codec, taken++, &out);
	assert_int_equal(taken, CHUNKS - 3);
	encoder_free(e);
	codec_free(codec);
	free(raw);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(in_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
