/*
 * data.c - reading content: what the logs have is copied under the lock, what only warm has is decompressed outside it,
 * from a snapshot taken under it. So a read sees one moment, and the costly part runs beside everything else.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

/* A piece of a read that only warm can answer. */
struct gap {
	uint64_t chunk;
	uint32_t offset, len; /* within the chunk */
	uint8_t *out;
};

enum { GAPS_INLINE = 32 };

struct gaps {
	struct gap *list;
	uint32_t count, room;
	struct gap inline_list[GAPS_INLINE];
};

static int gaps_add(struct gaps *g, struct gap gap)
{
	if (g->count == g->room) {
		struct gap *p = malloc(2 * g->room * sizeof *p);
		if (!p)
			return -ENOMEM;
		memcpy(p, g->list, g->count * sizeof *p);
		if (g->list != g->inline_list)
			free(g->list);
		g->list = p;
		g->room *= 2;
	}
	g->list[g->count++] = gap;
	return 0;
}

/* ---- readers ---------------------------------------------------------------------------------------------------- */

void reader_free(struct reader *r)
{
	if (!r)
		return;
	warm_snapshot_free(r->snapshot);
	codec_free(r->codec);
	free(r->scratch);
	free(r->joined);
	free(r);
}

int reader_new(struct store *s, struct reader **ret)
{
	struct reader *r = calloc(1, sizeof *r);
	if (r) {
		r->scratch = malloc(STORE_CHUNK_SIZE);
		r->joined = malloc(CHUNK_ENCODED_MAX);
	}
	int res = r && r->scratch && r->joined ? 0 : -ENOMEM;
	res = res ? res : codec_new(&s->dictionaries, &r->codec);
	res = res ? res : warm_snapshot_new(s->warm, &r->snapshot);
	if (res) {
		reader_free(r);
		return res;
	}
	*ret = r;
	return 0;
}

ssize_t reader_chunk(struct reader *r, const struct key *key, uint8_t *out)
{
	struct warm_value value;
	int res = pieces_get(r->snapshot, key, r->joined, &value);
	if (res)
		return res == STORE_ABSENT ? 0 : res < 0 ? res : -EIO;
	return chunk_decode(r->codec, *key, value.data, value.len, out, STORE_CHUNK_SIZE);
}

/* An idle reader, renewed, or a new one: at the newest commit. */
static int reader_find(struct store *s, struct reader **ret)
{
	for (int i = 0; i < SNAPSHOT_POOL; i++) {
		if (!s->readers[i])
			continue;
		int r = warm_snapshot_renew(s->readers[i]->snapshot);
		if (r)
			return r;
		*ret = s->readers[i];
		s->readers[i] = NULL;
		return 0;
	}
	return reader_new(s, ret);
}

int reader_take(struct store *s, struct reader **ret)
{
	int r = reader_find(s, ret);
	if (r)
		return r;
	(*ret)->turn = s->turn;
	s->reading[s->turn]++;
	return 0;
}

void reader_give(struct store *s, struct reader *reader)
{
	warm_snapshot_park(reader->snapshot);
	pthread_mutex_lock(&s->lock);
	if (--s->reading[reader->turn] == 0 && s->drops.count && reader->turn != s->turn)
		pthread_cond_signal(&s->wake);
	for (int i = 0; i < SNAPSHOT_POOL && reader; i++) {
		if (!s->readers[i]) {
			s->readers[i] = reader;
			reader = NULL;
		}
	}
	pthread_mutex_unlock(&s->lock);
	reader_free(reader);
}

/* ---- the logs' part --------------------------------------------------------------------------------------------- */

struct span {
	struct store *store;
	struct store_sid sid;
	struct store_ino ino;
	uint64_t chunk;
};

static int read_log(const struct span *, int depth, uint32_t offset, uint8_t *out, uint32_t len, struct gaps *);

/* What is below log `depth`: the older log, then warm. */
static int read_below(
	const struct span *span, int depth, uint32_t offset, uint8_t *out, uint32_t len, struct gaps *gaps)
{
	if (len == 0)
		return 0;
	if (depth + 1 < 2)
		return read_log(span, depth + 1, offset, out, len, gaps);
	return gaps_add(gaps, (struct gap){ span->chunk, offset, len, out });
}

static bool drops(struct hot *h, const struct span *span)
{
	struct key key = key_make(span->sid, span->ino, KIND_DROP, 0);
	struct entry *drop = index_find(&h->index, &key);
	return drop && drop->from <= span->chunk;
}

static int read_extents(const struct span *span, struct hot *h, int depth, const struct entry *e, uint32_t offset,
	uint8_t *out, uint32_t len, struct gaps *gaps)
{
	const struct extent *x = entry_extents(e);
	uint32_t at = offset, end = offset + len;
	int r = 0;
	for (uint32_t i = 0; i <= e->len && at < end && r == 0; i++) {
		uint32_t next = i < e->len && x[i].offset < end ? x[i].offset : end;
		if (i < e->len && x[i].offset + x[i].len <= at)
			continue;
		if (next > at) {
			if (e->hides)
				memset(out + (at - offset), 0, next - at);
			else
				r = read_below(span, depth, at, out + (at - offset), next - at, gaps);
			at = next;
		}
		if (r || i == e->len || at >= end)
			break;
		uint32_t stop = x[i].offset + x[i].len < end ? x[i].offset + x[i].len : end;
		if (x[i].pos)
			r = hot_read(h, x[i].pos + (at - x[i].offset), out + (at - offset), stop - at);
		else
			memset(out + (at - offset), 0, stop - at);
		at = stop;
	}
	return r;
}

/* Reads from log 0 (active) or 1 (sealed) and what lies below. */
static int read_log(const struct span *span, int depth, uint32_t offset, uint8_t *out, uint32_t len, struct gaps *gaps)
{
	struct hot *h = depth == 0 ? span->store->active : span->store->sealed;
	struct key key = key_make(span->sid, span->ino, KIND_CHUNK, span->chunk);
	struct entry *e = h ? index_find(&h->index, &key) : NULL;
	if (e)
		return read_extents(span, h, depth, e, offset, out, len, gaps);
	if (h && drops(h, span)) {
		memset(out, 0, len);
		return 0;
	}
	return read_below(span, depth, offset, out, len, gaps);
}

/* ---- warm's part ------------------------------------------------------------------------------------------------ */

static int read_gap(struct store *s, struct reader *reader, struct store_sid sid, struct store_ino ino, uint64_t epoch,
	const struct gap *g)
{
	struct key key = key_make(sid, ino, KIND_CHUNK, g->chunk);
	bool whole = g->offset == 0 && g->len == STORE_CHUNK_SIZE;
	ahead_claim(s, &key);
	if (cache_read(&s->cache, epoch, &key, g->offset, g->out, g->len))
		return 0;
	ssize_t n = reader_chunk(reader, &key, whole ? g->out : reader->scratch);
	if (n < 0)
		return (int)n;
	if (whole) {
		memset(g->out + n, 0, STORE_CHUNK_SIZE - (size_t)n);
		return 0;
	}
	uint32_t have = g->offset < n ? (uint32_t)n - g->offset : 0;
	have = have < g->len ? have : g->len;
	memcpy(g->out, reader->scratch + g->offset, have);
	memset(g->out + have, 0, g->len - have);
	if (have && (uint32_t)n > g->len)
		cache_add(&s->cache, epoch, &key, &reader->scratch, (uint32_t)n);
	return 0;
}

static int read_gaps(struct store *s, struct reader *reader, struct store_sid sid, struct store_ino ino, uint64_t epoch,
	const struct gaps *gaps)
{
	int r = 0;
	for (uint32_t i = 0; i < gaps->count && r == 0; i++) {
		struct key key = key_make(sid, ino, KIND_CHUNK, gaps->list[i].chunk);
		if (gaps->list[i].chunk)
			ahead_note(s, &key);
		r = read_gap(s, reader, sid, ino, epoch, &gaps->list[i]);
	}
	return r;
}

int store_read(struct store *s, struct store_sid sid, struct store_ino ino, uint64_t offset, void *buf, size_t len)
{
	struct gaps gaps = { .room = GAPS_INLINE };
	struct reader *reader = NULL;
	uint8_t *out = buf;
	int r = 0;
	gaps.list = gaps.inline_list;

	pthread_mutex_lock(&s->lock);
	while (len && r == 0) {
		uint32_t within = (uint32_t)(offset % STORE_CHUNK_SIZE);
		uint32_t n = STORE_CHUNK_SIZE - within < len ? STORE_CHUNK_SIZE - within : (uint32_t)len;
		struct span span = { s, sid, ino, offset / STORE_CHUNK_SIZE };
		r = read_log(&span, 0, within, out, n, &gaps);
		offset += n;
		out += n;
		len -= n;
	}
	if (r == 0 && gaps.count)
		r = reader_take(s, &reader);
	uint64_t epoch = atomic_load(&s->epoch);
	pthread_mutex_unlock(&s->lock);

	if (r == 0 && gaps.count)
		r = read_gaps(s, reader, sid, ino, epoch, &gaps);
	if (reader)
		reader_give(s, reader);
	if (gaps.list != gaps.inline_list)
		free(gaps.list);
	return r;
}

/* ---- holes ------------------------------------------------------------------------------------------------------ */

enum { HOLE_GRAIN = 4096 };

/* End of the data in a chunk, rounded up to the grain in which holes are told: 0 if it is all a hole. */
static int chunk_data_end(const struct span *span, int depth, uint32_t *ret)
{
	struct store *s = span->store;
	struct hot *h = depth == 0 ? s->active : s->sealed;
	struct key key = key_make(span->sid, span->ino, KIND_CHUNK, span->chunk);
	struct warm_value value;
	if (depth == 2) {
		int r = store_renew(s);
		r = r ? r : warm_get(s->snapshot, &key, &value);
		ssize_t n = r ? 0 : pieces_raw_len(value);
		if (r < 0 || n < 0)
			return -EIO;
		*ret = (uint32_t)n;
		return 0;
	}
	struct entry *e = h ? index_find(&h->index, &key) : NULL;
	uint32_t below = 0, end = 0;
	if (!(e ? e->hides : h && drops(h, span))) {
		int r = chunk_data_end(span, depth + 1, &below);
		if (r)
			return r;
	}
	const struct extent *x = e ? entry_extents(e) : NULL;
	for (uint32_t i = e ? e->len : 0; i-- > 0 && !end;) {
		uint32_t x_end = x[i].offset + x[i].len;
		if (x[i].pos)
			end = x_end;
		else if (below > x[i].offset && below <= x_end)
			below = x[i].offset;
	}
	*ret = below > end ? below : end;
	return 0;
}

static bool next_key(struct merge *m, uint64_t *ret)
{
	struct key *keys[] = { m->active ? &m->active->key : NULL, m->sealed ? &m->sealed->key : NULL,
		m->warm_valid ? &m->warm_key : NULL };
	bool any = false;
	for (int i = 0; i < 3; i++) {
		if (keys[i] && (!any || key_sub(*keys[i]) < *ret)) {
			*ret = key_sub(*keys[i]);
			any = true;
		}
	}
	return any;
}

/* First chunk >= from, before `end`, with data, and how far its data reaches. STORE_ABSENT. */
static int next_data_chunk(struct span *span, uint64_t from, uint64_t end, uint32_t *ret_data_end)
{
	struct key last = key_make(span->sid, span->ino, KIND_CHUNK, end - 1);
	while (from < end) {
		struct key first = key_make(span->sid, span->ino, KIND_CHUNK, from);
		struct merge m;
		int r = merge_init(&m, span->store, &first, &last);
		if (r)
			return r;
		if (!next_key(&m, &span->chunk))
			return STORE_ABSENT;
		r = chunk_data_end(span, 0, ret_data_end);
		if (r || *ret_data_end)
			return r;
		from = span->chunk + 1;
	}
	return STORE_ABSENT;
}

static int seek_data(struct span *span, uint64_t offset, uint64_t chunks, uint64_t *ret)
{
	uint32_t data_end;
	int r = next_data_chunk(span, offset / STORE_CHUNK_SIZE, chunks, &data_end);
	uint64_t start = span->chunk * STORE_CHUNK_SIZE;
	data_end = (data_end + HOLE_GRAIN - 1) / HOLE_GRAIN * HOLE_GRAIN;
	if (r == 0 && offset >= start + data_end) {
		r = next_data_chunk(span, span->chunk + 1, chunks, &data_end);
		start = span->chunk * STORE_CHUNK_SIZE;
	}
	if (r == 0)
		*ret = offset > start ? offset : start;
	return r;
}

static int seek_hole(struct span *span, uint64_t offset, uint64_t chunks, uint64_t *ret)
{
	for (uint64_t chunk = offset / STORE_CHUNK_SIZE; chunk < chunks; chunk++) {
		uint32_t data_end;
		span->chunk = chunk;
		int r = chunk_data_end(span, 0, &data_end);
		if (r)
			return r;
		data_end = (data_end + HOLE_GRAIN - 1) / HOLE_GRAIN * HOLE_GRAIN;
		uint64_t hole = chunk * STORE_CHUNK_SIZE + data_end;
		if (data_end < STORE_CHUNK_SIZE) {
			*ret = offset > hole ? offset : hole;
			return 0;
		}
	}
	return STORE_ABSENT;
}

int store_seek(struct store *s, struct store_sid sid, struct store_ino ino, uint64_t offset, uint64_t end, bool data,
	uint64_t *ret)
{
	struct span span = { s, sid, ino, 0 };
	uint64_t chunks = (end + STORE_CHUNK_SIZE - 1) / STORE_CHUNK_SIZE, at = 0;
	if (offset >= end)
		return STORE_ABSENT;
	pthread_mutex_lock(&s->lock);
	int r = data ? seek_data(&span, offset, chunks, &at) : seek_hole(&span, offset, chunks, &at);
	pthread_mutex_unlock(&s->lock);
	if (r == 0 && at >= end)
		r = STORE_ABSENT;
	if (r == 0)
		*ret = at;
	return r;
}
