/*
 * log.c - a log as another boot left it, or this one: the bytes are its batches. Everything its index points at must
 * lie in it.
 */
#include "store/codec.h"
#include "store/hot.h"

#include "tests/fuzz/fuzz.h"

struct batch_header {
	uint64_t check;
	uint32_t len, count;
};

/* Puts the checksums right, so that batches count after another boot too. */
static void sign(struct hot *h, uint64_t end)
{
	for (uint64_t at = HOT_DATA; end - at >= sizeof(struct batch_header);) {
		struct batch_header *b = (struct batch_header *)(h->map + at);
		if (b->len < sizeof *b || b->len % 8 || b->len > end - at)
			return;
		b->check = codec_batch_check(hot_header(h)->salt, at, h->map + at + 8, b->len - 8);
		at += b->len;
	}
}

static void visit(const struct hot *h, const struct entry *e)
{
	if (e->type == ENTRY_PUT)
		touch(h->map + e->pos, e->len);
	for (uint32_t i = 0; e->type == ENTRY_CHUNK && i < e->len; i++) {
		const struct extent *x = &entry_extents(e)[i];
		if (x->len == 0 || x->offset > STORE_CHUNK_SIZE - x->len || (i && x[-1].offset + x[-1].len > x->offset))
			abort();
		if (x->pos)
			touch(h->map + x->pos, x->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct key first;
	if (size == 0 || size > 1 << 20)
		return 0;
	struct hot_boot boot = {.id = {1}}, other = {.id = {2}};
	struct hot h = {.fd = -1, .size = HOT_DATA + (size & ~(size_t)7), .touched = HOT_DATA};
	h.map = aligned_alloc(8, h.size);
	memset(h.map, 0, HOT_DATA);
	memcpy(h.map + HOT_DATA, data, h.size - HOT_DATA);
	index_init(&h.index);
	hot_start(&h, 7, 0, data[0] & 1 ? boot : other);
	atomic_store(&hot_header(&h)->published, h.size);
	if (!(data[0] & 1))
		sign(&h, h.size);
	if (hot_replay(&h, boot) == 0)
		for (struct entry *e = index_seek(&h.index, &first); e; e = index_next(e))
			visit(&h, e);
	index_clear(&h.index);
	free(h.map);
	return 0;
}
