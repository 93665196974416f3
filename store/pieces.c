/* pieces.c - see pieces.h: how a value is cut, and put together again. */
#include "store/pieces.h"

#include <errno.h>

enum { PIECE_MIN = 16 }; /* bytes: the header of a chunk is never cut */
_Static_assert(PIECE_MIN >= CHUNK_HEADER_SIZE, "the main piece has the header of the chunk");

#define PIECE_COST 128 /* bytes that one more piece has to save to be worth the time it takes */

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static size_t header_of(const struct pieces *p, unsigned i)
{
	return p->count == 1 ? 0 : i + 1 == p->count ? PIECE_MAIN_HEADER : PIECE_HEADER;
}

static size_t leaf_bytes(const struct warm_fit *f, size_t len)
{
	size_t here = len > f->value_max ? sizeof(uint64_t) : len;
	return f->record + ((here + 1) & ~(size_t)1);
}

/* Bytes of pages that the records take, with what stays empty of the leaf that they begin in. */
static size_t cost_of(const struct warm_fit *f, const struct pieces *p)
{
	size_t cost = p->count * PIECE_COST, room = f->room;
	for (unsigned i = 0; i < p->count; i++) {
		size_t len = p->lens[i] + header_of(p, i), here = leaf_bytes(f, len);
		if (here > room) {
			cost += room;
			room = f->page - f->header;
		}
		room -= here;
		cost += here;
		if (len > f->value_max)
			cost += (f->header + len + f->page - 1) / f->page * f->page;
	}
	return cost;
}

static void cut_off(struct pieces *p, size_t bytes, size_t *left)
{
	p->lens[p->count++] = bytes;
	*left -= bytes;
}

/*
 * A head of `head` bytes in pages of its own, if any; with `fill` a piece that fills the leaf; the rest in as few as
 * there can be. False: it cannot be cut like that.
 */
static bool cut(const struct warm_fit *f, size_t len, size_t head, bool fill, struct pieces *ret)
{
	size_t left = len, room = f->room, piece_max = f->value_max - PIECE_HEADER;
	*ret = (struct pieces){ .count = 0 };
	if (head) {
		size_t here = leaf_bytes(f, head + PIECE_HEADER);
		cut_off(ret, head, &left);
		room = room > here ? room - here : 0;
	}
	if (fill) {
		size_t here = f->record + PIECE_HEADER, bytes = room > here ? (room - here) & ~(size_t)1 : 0;
		bytes = bytes < piece_max ? bytes : piece_max;
		if (bytes < PIECE_MIN || bytes + PIECE_MIN > left)
			return false;
		cut_off(ret, bytes, &left);
	}
	while (left > f->value_max - PIECE_MAIN_HEADER && ret->count + 1 < KEY_PIECES)
		cut_off(ret, left - PIECE_MIN < piece_max ? left - PIECE_MIN : piece_max, &left);
	if (left > f->value_max - PIECE_MAIN_HEADER || !ret->count)
		return false;
	cut_off(ret, left, &left);
	return true;
}

struct pieces pieces_plan(const struct warm_fit *f, size_t len)
{
	struct pieces best = { .count = 1, .lens = { len } }, p;
	size_t pages = (f->header + PIECE_HEADER + len) / f->page, least = cost_of(f, &best);
	if (pages && pages * f->page - f->header - PIECE_HEADER + PIECE_MIN > len)
		pages--;
	size_t head = pages ? pages * f->page - f->header - PIECE_HEADER : 0;
	if (len < 2 * PIECE_MIN)
		return best;
	for (int fill = 0; fill < 2; fill++) {
		size_t cost = cut(f, len, head, fill, &p) ? cost_of(f, &p) : SIZE_MAX;
		if (cost < least) {
			least = cost;
			best = p;
		}
	}
	return best;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* What the main piece tells. */
struct main_piece {
	unsigned count;
	size_t len;
	const uint8_t *bytes;
	size_t bytes_len;
};

static bool is_main_piece(struct warm_value v)
{
	return v.len > CODEC_CHECK_SIZE && v.data[CODEC_CHECK_SIZE] == CODEC_PIECES;
}

static bool parse_main(struct warm_value v, struct main_piece *ret)
{
	uint32_t len;
	if (v.len < PIECE_MAIN_HEADER + CHUNK_HEADER_SIZE)
		return false;
	memcpy(&len, v.data + 6, sizeof len);
	*ret = (struct main_piece){ .count = v.data[5], .len = le32toh(len), .bytes = v.data + PIECE_MAIN_HEADER,
		.bytes_len = v.len - PIECE_MAIN_HEADER };
	return ret->count > 1 && ret->count <= KEY_PIECES && ret->len > ret->bytes_len &&
	       ret->len <= CHUNK_ENCODED_MAX;
}

size_t pieces_len(struct warm_value v)
{
	struct main_piece m;
	return is_main_piece(v) && parse_main(v, &m) ? m.len : v.len;
}

ssize_t pieces_raw_len(struct warm_value v)
{
	struct main_piece m;
	if (!is_main_piece(v))
		return chunk_raw_len(v.data, v.len);
	return parse_main(v, &m) ? chunk_raw_len(m.bytes, m.len) : -EIO;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static int put_piece(struct warm_txn *t, struct key key, const uint8_t *bytes, size_t len)
{
	uint8_t *p;
	int r = warm_reserve(t, &key, PIECE_HEADER + len, &p);
	if (r)
		return r;
	memcpy(p + PIECE_HEADER, bytes, len);
	put_u32(p, codec_check(key, bytes, len));
	return 0;
}

static int put_main(struct warm_txn *t, struct key key, unsigned count, size_t whole, const uint8_t *bytes, size_t len)
{
	uint8_t *p;
	int r = warm_reserve(t, &key, PIECE_MAIN_HEADER + len, &p);
	if (r)
		return r;
	p[4] = CODEC_PIECES;
	p[5] = (uint8_t)count;
	put_u32(p + 6, (uint32_t)whole);
	memcpy(p + PIECE_MAIN_HEADER, bytes, len);
	put_u32(p, codec_check(key, p + CODEC_CHECK_SIZE, PIECE_MAIN_HEADER - CODEC_CHECK_SIZE + len));
	return 0;
}

int pieces_put(struct warm_txn *t, const struct key *chunk, const uint8_t *value, size_t len, bool may_cut)
{
	struct warm_fit fit;
	struct pieces p = { .count = 1 };
	if (may_cut) {
		warm_fit(t, chunk, &fit);
		p = pieces_plan(&fit, len);
	}
	if (p.count == 1)
		return warm_put(t, chunk, value, len);
	const uint8_t *at = value + p.lens[p.count - 1];
	int r = 0;
	for (unsigned i = 0; r == 0 && i + 1 < p.count; at += p.lens[i++])
		r = put_piece(t, key_with_piece(*chunk, KEY_PIECES - p.count + i), at, p.lens[i]);
	return r ? r : put_main(t, *chunk, p.count, len, value, p.lens[p.count - 1]);
}

int pieces_delete_others(struct warm_txn *t, const struct key *chunk)
{
	struct key first = key_with_piece(*chunk, 0), at;
	struct warm_value v;
	int r;
	while ((r = warm_txn_seek(t, &first, &at, &v)) == 0 && key_cmp(&at, chunk) < 0) {
		r = warm_delete(t, &at);
		if (r)
			return r < 0 ? r : -EIO;
	}
	return r == STORE_ABSENT ? 0 : r;
}

/* ---- putting together -------------------------------------------------------------------------------------------- */

typedef int get_record(void *from, const struct key *, struct warm_value *ret);

static int join(get_record *get, void *from, const struct key *chunk, const struct main_piece *m, uint8_t *joined)
{
	size_t at = m->bytes_len;
	memcpy(joined, m->bytes, at);
	for (unsigned piece = KEY_PIECES - m->count; piece < KEY_MAIN; piece++) {
		struct key key = key_with_piece(*chunk, piece);
		struct warm_value v;
		int r = get(from, &key, &v);
		if (r < 0)
			return r;
		if (r || v.len <= PIECE_HEADER || v.len - PIECE_HEADER > m->len - at)
			return STORE_DAMAGED;
		memcpy(joined + at, v.data + PIECE_HEADER, v.len - PIECE_HEADER);
		at += v.len - PIECE_HEADER;
	}
	return at == m->len ? 0 : STORE_DAMAGED;
}

/* The record under the chunk's key is not there: nor may any other piece be, of which the one before it is one. */
static int prove_absent(get_record *get, void *from, const struct key *chunk)
{
	struct key key = key_with_piece(*chunk, KEY_MAIN - 1);
	struct warm_value v;
	int r = get(from, &key, &v);
	return r ? r : STORE_DAMAGED;
}

static int get_pieces(
	get_record *get, void *from, const struct key *chunk, uint8_t *joined, struct warm_value *ret)
{
	struct main_piece m;
	struct warm_value v;
	int r = get(from, chunk, &v);
	if (r)
		return r == STORE_ABSENT ? prove_absent(get, from, chunk) : r;
	if (!is_main_piece(v)) {
		*ret = v;
		return 0;
	}
	r = parse_main(v, &m) ? join(get, from, chunk, &m, joined) : STORE_DAMAGED;
	if (r == 0)
		*ret = (struct warm_value){ joined, m.len };
	return r;
}

static int get_of_snapshot(void *from, const struct key *key, struct warm_value *ret)
{
	return warm_get(from, key, ret);
}

static int get_of_txn(void *from, const struct key *key, struct warm_value *ret)
{
	return warm_txn_get(from, key, ret);
}

int pieces_get(struct warm_snapshot *s, const struct key *chunk, uint8_t *joined, struct warm_value *ret)
{
	return get_pieces(get_of_snapshot, s, chunk, joined, ret);
}

int pieces_txn_get(struct warm_txn *t, const struct key *chunk, uint8_t *joined, struct warm_value *ret)
{
	return get_pieces(get_of_txn, t, chunk, joined, ret);
}

/* ---- gathering --------------------------------------------------------------------------------------------------- */

void gather_add(struct gather *g, const struct key *key, struct warm_value v)
{
	struct key chunk = key_with_piece(*key, KEY_MAIN);
	unsigned piece = key_piece(*key);
	if (!g->next || key_cmp(&g->chunk, &chunk) != 0)
		*g = (struct gather){ .chunk = chunk, .first = piece, .next = piece, .data = g->data };
	size_t len = v.len > PIECE_HEADER ? v.len - PIECE_HEADER : 0;
	if (piece != g->next || !len || len > CHUNK_ENCODED_MAX - g->len) {
		g->broken = true;
		len = 0;
	}
	/* Behind the room that the main piece will take, so that its bytes come right before. */
	memcpy(g->data + CHUNK_ENCODED_MAX + g->len, v.data + v.len - len, len);
	g->len += len;
	g->next = piece + 1;
}

bool gather_join(struct gather *g, const struct key *chunk, struct warm_value v, struct warm_value *ret)
{
	struct main_piece m;
	bool waited = g->next && key_cmp(&g->chunk, chunk) == 0;
	bool whole = waited && !g->broken && g->next == KEY_MAIN;
	unsigned first = g->first;
	g->next = 0;
	if (!is_main_piece(v)) {
		*ret = v;
		return !waited;
	}
	if (!whole || !parse_main(v, &m) || first != KEY_PIECES - m.count || m.bytes_len + g->len != m.len)
		return false;
	uint8_t *at = g->data + CHUNK_ENCODED_MAX - m.bytes_len;
	memcpy(at, m.bytes, m.bytes_len);
	*ret = (struct warm_value){ at, m.len };
	return true;
}

void gather_forget(struct gather *g, const struct key *key)
{
	struct key chunk = key_with_piece(*key, KEY_MAIN);
	if (key_cmp(&g->chunk, &chunk) == 0)
		g->next = 0;
}

bool gather_is_stranded(const struct gather *g, const struct key *key)
{
	struct key chunk = key ? key_with_piece(*key, KEY_MAIN) : g->chunk;
	return g->next && (!key || key_cmp(&g->chunk, &chunk) != 0);
}
