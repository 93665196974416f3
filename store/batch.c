/* batch.c - writing: one operation, one batch, all of its records or none. */
#include "store/names.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/*
 * Numbers are promised in blocks, so that the record that says so is rarely written; a crash loses at most one block.
 */
enum { INO_BLOCK = 16384, SID_BLOCK = 64 };
#define INO_END (UINT64_C(1) << 53)

#define SMALL_MAX (20u << 20)

/* ---- room ------------------------------------------------------------------------------------------------------- */

static uint64_t batch_need(size_t bytes)
{
	return bytes + (bytes / STORE_CHUNK_SIZE + 2) * 64 + HOT_BATCH_SPARE;
}

#define PAUSE_MAX 15000000.0 /* ns: no request is to wait longer than 20 ms for a flush */

/*
 * Slows writers down smoothly while a flush is under way and the active log fills: past half of what it may grow to,
 * each batch pays for its bytes, in time the flusher needs to drain them, more and more steeply towards the end. So
 * nobody meets a wall of a whole flush there.
 */
static void throttle(struct store *s, size_t bytes)
{
	pthread_mutex_lock(&s->lock);
	bool busy = s->sealed && bytes;
	uint64_t half = busy ? growth_ceiling(s) / 2 : 0, tail = s->active->tail, rate = s->drain_rate;
	pthread_mutex_unlock(&s->lock);
	if (!busy || tail <= half)
		return;
	double filled = (double)(tail - half) / (double)(half + 1);
	double ns = (double)bytes * 1e9 / (double)rate * filled / (1 - filled);
	struct timespec pause = { .tv_nsec = (long)(ns < PAUSE_MAX ? ns : PAUSE_MAX) };
	nanosleep(&pause, NULL);
}

/*
 * Waits until the active log has room, unless the flusher does not get on. On a nearly full device logs are flushed
 * while they are short, so that each flush copies few pages and the next one finds those it gave back. Lock held.
 */
static int make_room(struct store *s, uint64_t need)
{
	for (;;) {
		bool full = hot_room(s->active) < need, empty = s->active->tail == HOT_DATA;
		bool grows = growth_ask(s, need);

		if (!full && (empty || !space_is_short(s)))
			return 0;
		if (empty && !grows)
			return STORE_FULL;
		if (s->spare && !empty) {
			int r = swap_logs(s);
			if (r)
				return r;
			continue;
		}
		if (grows || s->last_error == 0 || (full && drops_are_ready(s)))
			pthread_cond_wait(&s->flushed, &s->lock);
		if (s->last_error && !full)
			return 0;
		if (s->last_error)
			return s->last_error == -ENOSPC ? STORE_FULL : s->last_error;
	}
}

/*
 * What the logs hold is counted twice and uncompressed, until it is in warm. Whether something is on its way there for
 * which it is worth to wait. Lock held.
 */
static bool flush_may_help(struct store *s, size_t bytes)
{
	if (s->last_error || !space_comes_with_flush(s, bytes))
		return false;
	return !s->spare || (s->active->tail > HOT_DATA && swap_logs(s) == 0);
}

/* What dropped sessions occupy is as good as free, too. Lock held. */
static int admit(struct store *s, size_t bytes)
{
	while (!space_admits(s, bytes)) {
		if (!flush_may_help(s, bytes) && !drops_may_help(s))
			return STORE_FULL;
		pthread_cond_wait(&s->flushed, &s->lock);
	}
	return 0;
}

int store_batch_begin(struct store *s, enum store_batch_flag flag, size_t bytes, struct store_batch **ret)
{
	if (s->options.read_only)
		return STORE_READ_ONLY;
	throttle(s, bytes);
	pthread_mutex_lock(&s->lock);
	int r = flag == STORE_SHRINK ? 0 : admit(s, bytes);
	r = r ? r : make_room(s, batch_need(bytes));
	if (r) {
		pthread_mutex_unlock(&s->lock);
		return r;
	}
	struct store_batch *b = &s->batch;
	hot_batch_begin(&b->hot, s->active);
	b->made.dir = 0;
	b->super = s->super;
	b->next_ino = s->next_ino;
	b->next_sid = s->next_sid;
	*ret = b;
	return 0;
}

/* Half full at its size at rest, or a good part of the memory a daemon should take. */
static bool is_due(const struct hot *h)
{
	return h->tail > h->base / 2 || h->small > SMALL_MAX;
}

int store_batch_commit(struct store_batch *b)
{
	struct store *s = b->store;
	bool empty = b->hot.count == 0;
	int r = hot_batch_commit(&b->hot);
	drops_end_batch(s, r == 0);
	if (r == 0) {
		s->next_ino = b->next_ino;
		s->next_sid = b->next_sid;
		s->super = b->super;
		if (b->made.dir)
			name_known(s, &b->made);
		s->stats.batches += !empty;
		s->position += !empty;
		/* else the next batch that needs room */
		if (s->spare && is_due(s->active))
			(void)swap_logs(s);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

void store_batch_abort(struct store_batch *b)
{
	if (!b)
		return;
	hot_batch_abort(&b->hot);
	drops_end_batch(b->store, false);
	pthread_mutex_unlock(&b->store->lock);
}

size_t store_batch_size(const struct store_batch *b)
{
	return (size_t)(b->hot.at - b->hot.start);
}

static void fail(struct store_batch *b, int error)
{
	if (b->hot.error == 0)
		b->hot.error = error;
}

/* Whether all there is of the inode is in the active log. */
static bool is_fresh(struct store_batch *b, struct store_sid sid, struct store_ino ino)
{
	struct key key = key_make(sid, ino, KIND_INODE, 0);
	return index_is_fresh(&b->hot.hot->index, &key);
}

/* ---- plain records ---------------------------------------------------------------------------------------------- */

static void put(struct store_batch *b, struct key key, bool fresh, const void *data, size_t len)
{
	struct change c = { .key = key, .op = CHANGE_PUT, .flags = fresh ? CHANGE_FRESH : 0, .len = (uint32_t)len };
	hot_batch_append(&b->hot, &c, data);
}

static void put_record(
	struct store_batch *b, struct key key, bool fresh, const struct schema *schema, const void *object)
{
	uint8_t small[RECORD_MAX], *out = small;
	size_t max = record_encoded_max(schema, object);
	if (max > sizeof small && !(out = malloc(max))) {
		fail(b, -ENOMEM);
		return;
	}
	put(b, key, fresh, out, record_encode(schema, object, out));
	if (out != small)
		free(out);
}

static void erase(struct store_batch *b, struct key key)
{
	struct change c = { .key = key, .op = CHANGE_DELETE };
	hot_batch_append(&b->hot, &c, NULL);
}

static void put_super(struct store_batch *b)
{
	put_record(b, key_front(KIND_SUPER, 0), false, &super_schema, &b->super);
}

struct store_ino store_new_ino(struct store_batch *b)
{
	if (b->next_ino >= INO_END - INO_BLOCK)
		fail(b, STORE_FULL);
	if (b->next_ino >= b->super.ino_limit) {
		b->super.ino_limit = b->next_ino + INO_BLOCK;
		put_super(b);
	}
	return (struct store_ino){ b->next_ino++ };
}

struct store_sid store_new_sid(struct store_batch *b)
{
	if (b->next_sid >= UINT32_MAX - SID_BLOCK)
		fail(b, STORE_FULL);
	if (b->next_sid >= b->super.sid_limit) {
		b->super.sid_limit = b->next_sid + SID_BLOCK;
		put_super(b);
	}
	return (struct store_sid){ b->next_sid++ };
}

void store_batch_put_inode(
	struct store_batch *b, struct store_sid sid, struct store_ino ino, const struct store_inode *inode)
{
	put_record(b, key_make(sid, ino, KIND_INODE, 0), false, &inode_schema, inode);
}

void store_batch_new_inode(
	struct store_batch *b, struct store_sid sid, struct store_ino ino, const struct store_inode *inode)
{
	put_record(b, key_make(sid, ino, KIND_INODE, 0), true, &inode_schema, inode);
}

void store_batch_put_session(struct store_batch *b, const struct store_session *session)
{
	put_record(b, key_front(KIND_SESSION, session->sid.n), false, &session_schema, session);
}

void store_batch_delete_session(struct store_batch *b, struct store_sid sid)
{
	erase(b, key_front(KIND_SESSION, sid.n));
}

void store_batch_drop_session(struct store_batch *b, const struct store_session *session)
{
	struct store_session dropped = *session;
	if (!drops_add(b->store, session->sid.n))
		fail(b, -ENOMEM);
	dropped.flags |= STORE_SESSION_DROPPED;
	store_batch_put_session(b, &dropped);
}

void store_batch_put_ending(struct store_batch *b, const struct store_ending *ending)
{
	put_record(b, key_front(KIND_ENDING, ending->sid.n), false, &ending_schema, ending);
}

void store_batch_delete_ending(struct store_batch *b, struct store_sid sid)
{
	erase(b, key_front(KIND_ENDING, sid.n));
}

void store_batch_put_orphan(struct store_batch *b, struct store_sid sid, struct store_ino ino)
{
	uint8_t value[9];
	put(b, key_front(KIND_ORPHAN, ino.n), is_fresh(b, sid, ino), value, record_put_uint(sid.n, value));
}

void store_batch_delete_orphan(struct store_batch *b, struct store_ino ino)
{
	erase(b, key_front(KIND_ORPHAN, ino.n));
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

void store_batch_add_dirent(
	struct store_batch *b, struct store_sid sid, struct store_ino dir, const struct store_dirent *dirent)
{
	struct name_slot slot;
	int r = name_find(b->store, sid, dir, KIND_DIRENT, dirent->name, dirent->name_len, &slot);
	if (r != STORE_ABSENT || slot.sub == 0) {
		fail(b, r < 0 ? r : STORE_FULL);
		return;
	}
	struct key key = key_make(sid, dir, KIND_DIRENT, slot.sub);
	/* A name that hashes alike was added in this very batch. */
	if (index_is_pending(&b->hot.hot->index, &key)) {
		fail(b, STORE_FULL);
		return;
	}
	put_record(b, key, slot.untouched, &dirent_schema, dirent);
	b->made = name_to_know(b->store, dir, slot.sub, dirent);
}

void store_batch_put_dirent(
	struct store_batch *b, struct store_sid sid, struct store_ino dir, const struct store_dirent *dirent)
{
	put_record(b, key_make(sid, dir, KIND_DIRENT, dirent->cookie), false, &dirent_schema, dirent);
	name_unknown(b->store, dir, dirent->cookie);
}

void store_batch_delete_dirent(struct store_batch *b, struct store_sid sid, struct store_ino dir, uint64_t cookie)
{
	erase(b, key_make(sid, dir, KIND_DIRENT, cookie));
	name_unknown(b->store, dir, cookie);
}

void store_batch_put_xattr(struct store_batch *b, struct store_sid sid, struct store_ino ino, const char *name,
	const void *data, size_t len)
{
	struct name_slot slot;
	size_t name_len = strlen(name);
	int r = name_find(b->store, sid, ino, KIND_XATTR, name, name_len, &slot);
	if (r < 0 || slot.sub == 0) {
		fail(b, r < 0 ? r : STORE_FULL);
		return;
	}
	uint8_t *out = malloc(RECORD_MAX + len);
	if (!out) {
		fail(b, -ENOMEM);
		return;
	}
	put(b, key_make(sid, ino, KIND_XATTR, slot.sub), slot.untouched, out,
		record_put_pair(name, name_len, data, len, out));
	free(out);
}

void store_batch_delete_xattr(struct store_batch *b, struct store_sid sid, struct store_ino ino, const char *name)
{
	struct name_slot slot;
	int r = name_find(b->store, sid, ino, KIND_XATTR, name, strlen(name), &slot);
	if (r == 0)
		erase(b, key_make(sid, ino, KIND_XATTR, slot.sub));
	else if (r < 0)
		fail(b, r);
}

/* ---- content ---------------------------------------------------------------------------------------------------- */

void store_batch_write(struct store_batch *b, struct store_sid sid, struct store_ino ino, uint64_t offset,
	const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t fresh = is_fresh(b, sid, ino) ? CHANGE_FRESH : 0;
	while (len) {
		uint32_t within = (uint32_t)(offset % STORE_CHUNK_SIZE);
		uint32_t n = STORE_CHUNK_SIZE - within < len ? STORE_CHUNK_SIZE - within : (uint32_t)len;
		struct change c = { .key = key_make(sid, ino, KIND_CHUNK, offset / STORE_CHUNK_SIZE),
			.op = CHANGE_WRITE,
			.flags = fresh,
			.offset = within,
			.len = n };
		hot_batch_append(&b->hot, &c, p);
		p += n;
		offset += n;
		len -= n;
	}
}

static void zero(struct store_batch *b, struct store_sid sid, struct store_ino ino, uint64_t chunk, uint32_t within,
	uint32_t len)
{
	struct change c = { .key = key_make(sid, ino, KIND_CHUNK, chunk),
		.op = CHANGE_ZERO,
		.flags = is_fresh(b, sid, ino) ? CHANGE_FRESH : 0,
		.offset = within,
		.len = len };
	hot_batch_append(&b->hot, &c, NULL);
}

static void drop_from(struct store_batch *b, struct store_sid sid, struct store_ino ino, uint64_t chunk)
{
	struct change c = { .key = key_make(sid, ino, KIND_DROP, 0),
		.op = CHANGE_DROP,
		.flags = is_fresh(b, sid, ino) ? CHANGE_FRESH : 0,
		.from = chunk };
	hot_batch_append(&b->hot, &c, NULL);
}

/* First chunk >= from, <= last that has content in one of the places; content that was dropped may be named too. */
static int next_chunk(
	struct store *s, struct store_sid sid, struct store_ino ino, uint64_t from, uint64_t last, uint64_t *ret)
{
	struct key first = key_make(sid, ino, KIND_CHUNK, from), end = key_make(sid, ino, KIND_CHUNK, last);
	struct merge m;
	int r = merge_init(&m, s, &first, &end);
	if (r)
		return r;
	uint64_t best = UINT64_MAX;
	struct key keys[] = { m.active ? m.active->key : end, m.sealed ? m.sealed->key : end, m.warm_key };
	bool have[] = { m.active, m.sealed, m.warm_valid };
	for (int i = 0; i < 3; i++)
		if (have[i] && key_sub(keys[i]) < best)
			best = key_sub(keys[i]);
	if (best == UINT64_MAX)
		return STORE_ABSENT;
	*ret = best;
	return 0;
}

static void punch_chunks(
	struct store_batch *b, struct store_sid sid, struct store_ino ino, uint64_t from, uint64_t last)
{
	uint64_t chunk;
	int r = 0;
	while (from <= last && (r = next_chunk(b->store, sid, ino, from, last, &chunk)) == 0) {
		zero(b, sid, ino, chunk, 0, STORE_CHUNK_SIZE);
		from = chunk + 1;
	}
	if (r < 0)
		fail(b, r);
}

void store_batch_punch(struct store_batch *b, struct store_sid sid, struct store_ino ino, uint64_t offset, uint64_t len)
{
	uint64_t limit = (uint64_t)STORE_FILE_MAX + 1;
	uint64_t end = offset >= limit || len > limit - offset ? limit : offset + len;
	if (offset >= end)
		return;
	uint64_t chunk = offset / STORE_CHUNK_SIZE, last = end / STORE_CHUNK_SIZE;
	uint32_t within = (uint32_t)(offset % STORE_CHUNK_SIZE), tail = (uint32_t)(end % STORE_CHUNK_SIZE);
	if (chunk == last) {
		zero(b, sid, ino, chunk, within, tail - within);
		return;
	}
	if (within) {
		zero(b, sid, ino, chunk, within, STORE_CHUNK_SIZE - within);
		chunk++;
	}
	if (end == limit)
		drop_from(b, sid, ino, chunk);
	else if (chunk < last)
		punch_chunks(b, sid, ino, chunk, last - 1);
	if (tail)
		zero(b, sid, ino, last, 0, tail);
}

void store_batch_delete_xattrs(struct store_batch *b, struct store_sid sid, struct store_ino ino)
{
	struct key first = key_make(sid, ino, KIND_XATTR, 0), last = key_make(sid, ino, KIND_XATTR, UINT64_MAX), key;
	struct merge m;
	struct found f;
	int r = merge_init(&m, b->store, &first, &last);
	while (r == 0 && (r = merge_next(&m, &key, &f)) == 0)
		erase(b, key);
	if (r < 0)
		fail(b, r);
}

void store_batch_delete_inode(struct store_batch *b, struct store_sid sid, struct store_ino ino)
{
	drop_from(b, sid, ino, 0);
	erase(b, key_make(sid, ino, KIND_INODE, 0));
}
