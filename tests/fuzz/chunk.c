/* chunk.c - content as it lies in warm. The checksum is put right, so that the bytes behind it are what is tried. */
#include "store/codec.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct codec_ctx *codec;
	static uint8_t *out;
	struct key key = key_make((struct store_sid){1}, (struct store_ino){2}, KIND_CHUNK, 3);
	const uint8_t *body;
	size_t len;
	if (!codec) {
		out = malloc(STORE_CHUNK_SIZE);
		if (!out || codec_new(&codec))
			abort();
	}
	uint8_t *value = malloc(size ? size : 1);
	memcpy(value, data, size);
	if (chunk_decode(codec, key, value, size, out, STORE_CHUNK_SIZE) > STORE_CHUNK_SIZE)
		abort();
	if (size >= CODEC_CHECK_SIZE) {
		uint32_t check = codec_check(key, value + CODEC_CHECK_SIZE, size - CODEC_CHECK_SIZE);
		memcpy(value, &check, sizeof check);
		if (codec_open(key, value, size, &body, &len))
			abort();
		touch(body, len);
		ssize_t n = chunk_decode(codec, key, value, size, out, STORE_CHUNK_SIZE);
		if (n > STORE_CHUNK_SIZE || (n > 0 && n != chunk_raw_len(value, size)))
			abort();
	}
	free(value);
	return 0;
}
