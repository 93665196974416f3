/* chunk.c - content as it lies in warm. The checksum is put right, so that the bytes behind it are what is tried. */
#include "store/codec.h"

#include "tests/fuzz/fuzz.h"

/* A dictionary of sentences, made once. */
static struct dictionary *make_dictionary(struct dictionaries *all)
{
	enum { COUNT = 4000, LEN = 64 };
	char *samples = malloc(COUNT * LEN + 1);
	size_t *lens = malloc(COUNT * sizeof *lens), n = 0;
	uint8_t *data = malloc(DICTIONARY_SIZE_MAX);
	struct dictionary *d;
	if (!samples || !lens || !data)
		abort();
	for (unsigned i = 0; i < COUNT; i++)
		n += lens[i] = (size_t)snprintf(samples + n, LEN, "{\"number\": %u, \"hash\": \"%08x\"}",
			i, i * 2654435761u);
	size_t len = dictionary_train((uint8_t *)samples, lens, COUNT, data);
	if (!len || dictionary_new(data, len, &d) || !dictionaries_add(all, d))
		abort();
	free(samples);
	free(lens);
	free(data);
	return d;
}

static void decode_with(struct codec_ctx *codec, const struct dictionary *d, struct key key, uint8_t *value,
	size_t size, uint8_t *out)
{
	uint32_t name = htole32(dictionary_name(d)), check;
	value[4] = CODEC_ZSTD;
	memcpy(value + 5, &name, sizeof name);
	check = codec_check(key, value + CODEC_CHECK_SIZE, size - CODEC_CHECK_SIZE);
	memcpy(value, &check, sizeof check);
	if (chunk_decode(codec, key, value, size, out, STORE_CHUNK_SIZE) > STORE_CHUNK_SIZE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dictionaries dictionaries;
	static struct codec_ctx *codec;
	static struct dictionary *dictionary;
	static uint8_t *out;
	struct key key = key_make((struct store_sid){1}, (struct store_ino){2}, KIND_CHUNK, 3);
	struct dictionary *made;
	const uint8_t *body;
	size_t len;
	if (!codec) {
		out = malloc(STORE_CHUNK_SIZE);
		if (!out || codec_new(&dictionaries, &codec))
			abort();
		dictionary = make_dictionary(&dictionaries);
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
	if (size > CHUNK_HEADER_SIZE)
		decode_with(codec, dictionary, key, value, size, out);
	if (dictionary_new(data, size, &made) == 0)
		dictionary_free(made);
	free(value);
	return 0;
}
