/*
 * pieces.c - records of one chunk in the order of their keys, gathered as a check does; and how values are cut.
 *
 *   input: for each record: piece u8 | length u16 | bytes; the checksums are not looked at here
 */
#include "store/pieces.h"

#include "tests/fuzz/fuzz.h"

/* Two bytes as lengths and rooms that occur. */
static void plan(const uint8_t *data, size_t size)
{
	struct warm_fit fit = {.page = 4096, .header = 16, .record = 34, .value_max = 2006};
	size_t sum = 0;
	if (size < 4)
		return;
	size_t len = 14 + (data[0] << 9 | data[1] << 1), room = data[2] << 4 | (data[3] & 15);
	fit.room = room < fit.page - fit.header ? room : 0;
	struct pieces p = pieces_plan(&fit, len);
	for (unsigned i = 0; i < p.count; i++)
		sum += p.lens[i];
	if (sum != len || p.count < 1 || p.count > KEY_PIECES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gather g;
	struct key chunk = key_make((struct store_sid){1}, (struct store_ino){2}, KIND_CHUNK, 3);
	if (!g.data && !(g.data = malloc(GATHER_SIZE)))
		abort();
	plan(data, size);
	g.next = 0;
	while (size >= 3) {
		size_t len = data[1] | (size_t)data[2] << 8;
		unsigned piece = data[0] & KEY_MAIN;
		data += 3;
		size -= 3;
		len = len < size ? len : size;
		uint8_t *copy = malloc(len + 1);
		memcpy(copy, data, len);
		struct warm_value v = {copy, len}, whole;
		struct key key = key_with_piece(chunk, piece);
		if (piece != KEY_MAIN)
			gather_add(&g, &key, v);
		else if (gather_join(&g, &key, v, &whole))
			touch(whole.data, whole.len);
		if (pieces_len(v) > CHUNK_ENCODED_MAX || pieces_raw_len(v) > STORE_CHUNK_SIZE)
			abort();
		if (gather_is_stranded(&g, &key) || gather_is_stranded(&g, NULL) != (g.next != 0))
			abort();
		free(copy);
		data += len;
		size -= len;
	}
	return 0;
}
