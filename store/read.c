/* read.c - small reads: the newest of active log, sealed log and warm, and scans that merge the three in key order. */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

bool kind_is_accounted(enum kind kind)
{
	return kind == KIND_INODE || kind == KIND_SESSION;
}

int open_value(struct key key, struct warm_value value, struct found *ret)
{
	const uint8_t *body;
	size_t len;
	uint64_t stored = 0;
	int r = codec_open(key, value.data, value.len, &body, &len);
	if (r)
		return r;
	if (kind_is_accounted(key_kind(key))) {
		r = record_get_uint(body, len, &stored);
		if (r < 0)
			return r;
		body += r;
		len -= (size_t)r;
	}
	*ret = (struct found){ .body = body, .len = len, .stored_known = true, .stored = stored };
	return 0;
}

int store_renew(struct store *s)
{
	if (!s->snapshot_stale)
		return 0;
	int r = warm_snapshot_renew(s->snapshot);
	if (r == 0)
		s->snapshot_stale = false;
	return r;
}

/* A snapshot that stays behind keeps LMDB from using freed pages again; a failure shows in the next read. */
void store_turn(struct store *s)
{
	s->snapshot_stale = true;
	(void)store_renew(s);
	s->turn = !s->turn;
}

static int find_warm(struct store *s, const struct key *key, struct found *ret)
{
	struct warm_value value;
	int r = store_renew(s);
	r = r ? r : warm_get(s->snapshot, key, &value);
	return r ? r : open_value(*key, value, ret);
}

struct found hot_value(const struct hot *h, const struct entry *e)
{
	return (struct found){ .body = h->map + e->pos, .len = e->len, .stored_known = e->fresh };
}

int store_find(struct store *s, const struct key *key, struct found *ret)
{
	struct hot *logs[] = { s->active, s->sealed };
	for (int i = 0; i < 2; i++) {
		struct entry *e = logs[i] ? index_find(&logs[i]->index, key) : NULL;
		if (e && e->type != ENTRY_PUT)
			return STORE_ABSENT;
		if (e) {
			*ret = hot_value(logs[i], e);
			return 0;
		}
	}
	return find_warm(s, key, ret);
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

/* Takes in what a search of warm gave. */
static int merge_warm(struct merge *m, int r)
{
	m->warm_valid = r == 0 && key_cmp(&m->warm_key, &m->last) <= 0;
	return r < 0 ? r : 0;
}

static struct entry *within(struct entry *e, const struct key *last)
{
	return e && key_cmp(&e->key, last) <= 0 ? e : NULL;
}

int merge_init(struct merge *m, struct store *s, const struct key *first, const struct key *last)
{
	*m = (struct merge){ .store = s, .last = *last };
	m->active = s->active ? within(index_seek(&s->active->index, first), last) : NULL;
	m->sealed = s->sealed ? within(index_seek(&s->sealed->index, first), last) : NULL;
	int r = store_renew(s);
	r = r ? r : merge_warm(m, warm_seek(s->snapshot, first, &m->warm_key, &m->warm_value));
	m->met_any = m->active || m->sealed || m->warm_valid;
	return r;
}

static int merge_skip(struct merge *m, const struct key *key)
{
	if (m->active && key_cmp(&m->active->key, key) == 0)
		m->active = within(index_next(m->active), &m->last);
	if (m->sealed && key_cmp(&m->sealed->key, key) == 0)
		m->sealed = within(index_next(m->sealed), &m->last);
	if (!m->warm_valid || key_cmp(&m->warm_key, key) != 0)
		return 0;
	return merge_warm(m, warm_after(m->store->snapshot, key, &m->warm_key, &m->warm_value));
}

static const struct key *lowest(const struct merge *m)
{
	const struct key *k = m->active ? &m->active->key : NULL;
	if (m->sealed && (!k || key_cmp(&m->sealed->key, k) < 0))
		k = &m->sealed->key;
	if (m->warm_valid && (!k || key_cmp(&m->warm_key, k) < 0))
		k = &m->warm_key;
	return k;
}

/* The value at the lowest key, by the source that hides the others. */
static int merge_value(struct merge *m, const struct key *key, struct found *ret)
{
	struct hot *logs[] = { m->store->active, m->store->sealed };
	struct entry *entries[] = { m->active, m->sealed };
	for (int i = 0; i < 2; i++) {
		if (!entries[i] || key_cmp(&entries[i]->key, key) != 0)
			continue;
		if (entries[i]->type != ENTRY_PUT)
			return STORE_ABSENT;
		*ret = hot_value(logs[i], entries[i]);
		return 0;
	}
	return open_value(*key, m->warm_value, ret);
}

int merge_next(struct merge *m, struct key *ret_key, struct found *ret)
{
	for (;;) {
		int r = m->begun ? merge_skip(m, &m->at) : 0;
		const struct key *at = lowest(m);
		if (r || !at)
			return r ? r : STORE_ABSENT;
		m->at = *at;
		m->begun = true;
		r = merge_value(m, &m->at, ret);
		*ret_key = m->at;
		if (r != STORE_ABSENT)
			return r;
	}
}

void scan_begin(struct scan *scan, struct store *s, struct key first, struct key last)
{
	pthread_mutex_lock(&s->lock);
	scan->result = merge_init(&scan->merge, s, &first, &last);
}

bool scan_next(struct scan *scan)
{
	if (scan->result == 0)
		scan->result = merge_next(&scan->merge, &scan->key, &scan->value);
	return scan->result == 0;
}

int scan_end(struct scan *scan)
{
	pthread_mutex_unlock(&scan->merge.store->lock);
	return scan->result == STORE_ABSENT ? 0 : scan->result;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

/* The warm account of an inode whose record was found in a log. */
static int warm_account(struct store *s, const struct key *key, uint64_t *ret)
{
	struct found f;
	int r = find_warm(s, key, &f);
	if (r == STORE_ABSENT) {
		*ret = 0;
		return 0;
	}
	if (r == 0)
		*ret = f.stored;
	return r;
}

/* What the logs make of an inode's content in warm. */
struct pending {
	uint64_t bytes;   /* of data that warm does not have yet */
	uint64_t hidden;  /* of chunks in warm that no longer count */
	uint64_t dropped; /* chunks from this one on do not count */
};

/* The chunk in warm counts no longer. */
static int hide_chunk(struct store *s, const struct key *key, struct pending *p)
{
	struct warm_value value;
	if (key_sub(*key) >= p->dropped)
		return 0;
	int r = warm_get(s->snapshot, key, &value);
	if (r == 0)
		p->hidden += pieces_len(value);
	return r < 0 ? r : 0;
}

/* The chunks in warm from `from` on count no longer. */
static int hide_from(struct store *s, struct key first, struct pending *p)
{
	struct key at = first, last = key_make(key_sid(first), key_ino(first), KIND_CHUNK, p->dropped);
	struct warm_value value;
	int r = warm_seek(s->snapshot, &first, &at, &value);
	for (; r == 0 && key_cmp(&at, &last) < 0 && key_same_inode(at, first);
		r = warm_after(s->snapshot, &at, &at, &value))
		p->hidden += key_piece(at) == KEY_MAIN ? pieces_len(value) : 0;
	if (key_sub(first) < p->dropped)
		p->dropped = key_sub(first);
	return r < 0 ? r : 0;
}

/* Adds up what one log says. newer: the log above it, whose chunks hide this one's. */
static int add_pending(struct store *s, struct hot *h, struct hot *newer, struct store_sid sid, struct store_ino ino,
	struct pending *p)
{
	struct key first = key_make(sid, ino, KIND_CHUNK, 0), drop = key_make(sid, ino, KIND_DROP, 0);
	struct entry *d = h ? index_find(&h->index, &drop) : NULL;
	uint64_t dropped = p->dropped;
	int r = d ? hide_from(s, key_make(sid, ino, KIND_CHUNK, d->from), p) : 0;
	for (struct entry *e = h ? index_seek(&h->index, &first) : NULL; r == 0 && e && key_same_inode(e->key, first);
		e = index_next(e)) {
		struct entry *over = newer ? index_find(&newer->index, &e->key) : NULL;
		if (e->type != ENTRY_CHUNK || key_sub(e->key) >= dropped || (over && over->hides))
			continue;
		for (uint32_t i = 0; i < e->len; i++)
			p->bytes += entry_extents(e)[i].pos ? entry_extents(e)[i].len : 0;
		if (e->hides && !e->fresh)
			r = hide_chunk(s, &e->key, p);
	}
	return r;
}

static int content_stored(struct store *s, const struct key *key, const struct found *f, uint64_t *ret)
{
	struct pending p = { .dropped = UINT64_MAX };
	uint64_t stored = f->stored;
	int r = f->stored_known ? 0 : warm_account(s, key, &stored);
	r = r ? r : store_renew(s);
	r = r ? r : add_pending(s, s->active, NULL, key_sid(*key), key_ino(*key), &p);
	r = r ? r : add_pending(s, s->sealed, s->active, key_sid(*key), key_ino(*key), &p);
	if (r)
		return r;
	*ret = (stored > p.hidden ? stored - p.hidden : 0) + p.bytes;
	return 0;
}

int store_get_inode(struct store *s, struct store_sid sid, struct store_ino ino, struct store_inode *ret)
{
	struct key key = key_make(sid, ino, KIND_INODE, 0);
	struct store_inode inode;
	struct found f;
	uint64_t stored;
	pthread_mutex_lock(&s->lock);
	int r = store_find(s, &key, &f);
	r = r ? r : content_stored(s, &key, &f, &stored);
	r = r ? r : record_decode(&inode_schema, f.body, f.len, &inode);
	pthread_mutex_unlock(&s->lock);
	if (r)
		return r;
	*ret = inode;
	ret->stored = stored;
	return 0;
}

int store_stored(struct store *s, struct store_sid sid, struct store_ino ino, uint64_t *ret)
{
	struct key key = key_make(sid, ino, KIND_INODE, 0);
	struct found f;
	pthread_mutex_lock(&s->lock);
	int r = store_find(s, &key, &f);
	r = r ? r : content_stored(s, &key, &f, ret);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int decode_session(struct store *s, const struct key *key, const struct found *f, struct store_session *ret)
{
	struct store_session session;
	uint64_t stored = f->stored;
	int r = f->stored_known ? 0 : warm_account(s, key, &stored);
	r = r ? r : record_decode(&session_schema, f->body, f->len, &session);
	if (r)
		return r;
	*ret = session;
	ret->sid = (struct store_sid){ (uint32_t)key_sub(*key) };
	ret->stored = stored;
	return 0;
}

static struct key session_key(uint64_t number)
{
	return key_front(KIND_SESSION, number);
}

int store_get_session(struct store *s, struct store_sid sid, struct store_session *ret)
{
	struct key key = session_key(sid.n);
	struct found f;
	pthread_mutex_lock(&s->lock);
	int r = store_find(s, &key, &f);
	r = r ? r : decode_session(s, &key, &f, ret);
	pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- what a session's content occupies now ----------------------------------------------------------------------- */

enum { SUM_STEP = 1024, SKIP_NEAR = 4 }; /* inodes in one go: about a millisecond; entries passed before a search */

/* The first entry from e on whose key is not less. */
static struct entry *skip_to(struct hot *h, struct entry *e, struct key to)
{
	for (int i = 0; e && i < SKIP_NEAR; i++, e = index_next(e))
		if (key_cmp(&e->key, &to) >= 0)
			return e;
	return e ? index_seek(&h->index, &to) : NULL;
}

/* From its first entry of content on all of the inode's is fresh: the bytes are all there is to be known. */
static bool is_all_fresh(struct entry *e, uint64_t *ret_bytes)
{
	struct key at = e->key;
	*ret_bytes = 0;
	for (; e && key_same_inode(e->key, at); e = index_next(e)) {
		if (e->type != ENTRY_CHUNK || !e->fresh)
			return false;
		for (uint32_t i = 0; i < e->len; i++)
			*ret_bytes += entry_extents(e)[i].pos ? entry_extents(e)[i].len : 0;
	}
	return true;
}

/* Adds what the logs make of an inode's content; at: where they stand, at its first entry or behind it. */
static int sum_inode(struct store *s, struct entry *at[2], struct store_sid sid, struct store_ino ino, int64_t *pending)
{
	struct hot *logs[] = { s->active, s->sealed };
	struct key content = key_make(sid, ino, KIND_CHUNK, 0);
	struct pending p = { .dropped = UINT64_MAX };
	bool has[2];
	int r = 0;
	for (int i = 0; i < 2; i++) {
		at[i] = skip_to(logs[i], at[i], content);
		has[i] = at[i] && key_same_inode(at[i]->key, content);
	}
	if (!has[0] && !has[1])
		return 0;
	if (has[1] || !is_all_fresh(at[0], &p.bytes)) {
		p.bytes = 0;
		r = add_pending(s, s->active, NULL, sid, ino, &p);
		r = r ? r : add_pending(s, s->sealed, s->active, sid, ino, &p);
	}
	*pending += (int64_t)(p.bytes - p.hidden);
	for (int i = 0; i < 2; i++)
		if (has[i])
			at[i] = skip_to(logs[i], at[i], key_make(sid, (struct store_ino){ ino.n + 1 }, 0, 0));
	return r;
}

/* Adds the next inodes of which the logs say something. */
static int sum_some(struct store *s, struct store_sid sid, struct store_sum *sum)
{
	struct key first = key_make(sid, sum->next, 0, 0);
	struct entry *at[] = { s->active ? index_seek(&s->active->index, &first) : NULL,
		s->sealed ? index_seek(&s->sealed->index, &first) : NULL };
	int r = store_renew(s);
	for (int step = 0; r == 0 && step < SUM_STEP; step++) {
		struct store_ino ino = { UINT64_MAX };
		for (int i = 0; i < 2; i++) {
			if (at[i] && key_sid(at[i]->key).n != sid.n)
				at[i] = NULL;
			if (at[i] && key_ino(at[i]->key).n < ino.n)
				ino = key_ino(at[i]->key);
		}
		sum->done = ino.n == UINT64_MAX;
		if (sum->done)
			return 0;
		r = sum_inode(s, at, sid, ino, &sum->pending);
		sum->next.n = ino.n + 1;
	}
	return r;
}

int store_sum_stored(struct store *s, struct store_sid sid, struct store_sum *sum)
{
	struct key key = session_key(sid.n);
	struct found f;
	pthread_mutex_lock(&s->lock);
	uint64_t moment = s->generation + atomic_load(&s->epoch), account;
	if (sum->moment != moment) /* the logs were swapped, or one was taken in */
		*sum = (struct store_sum){ .moment = moment };
	int r = store_find(s, &key, &f);
	account = r ? 0 : f.stored;
	r = r || f.stored_known ? r : warm_account(s, &key, &account);
	r = r ? r : sum_some(s, sid, sum);
	pthread_mutex_unlock(&s->lock);
	if (r == 0 && sum->done)
		sum->stored = sum->pending >= 0 || (uint64_t)-sum->pending < account
			? account + (uint64_t)sum->pending : 0;
	return r;
}

int store_scan_sessions(struct store *s, uint32_t after, bool (*each)(void *, const struct store_session *), void *arg)
{
	struct store_session session;
	struct scan scan;
	bool stop = false;
	scan_begin(&scan, s, session_key((uint64_t)after + 1), session_key(UINT32_MAX));
	while (!stop && scan_next(&scan) &&
		(scan.result = decode_session(s, &scan.key, &scan.value, &session)) == 0) {
		stop = each(arg, &session);
		store_session_release(&session);
	}
	return scan_end(&scan);
}

int store_scan_endings(struct store *s, uint32_t after, bool (*each)(void *, const struct store_ending *), void *arg)
{
	struct store_ending ending;
	struct scan scan;
	scan_begin(&scan, s, key_front(KIND_ENDING, (uint64_t)after + 1), key_front(KIND_ENDING, UINT32_MAX));
	while (scan_next(&scan) &&
		(scan.result = record_decode(&ending_schema, scan.value.body, scan.value.len, &ending)) == 0) {
		ending.sid.n = (uint32_t)key_sub(scan.key);
		if (each(arg, &ending))
			break;
	}
	return scan_end(&scan);
}

int store_scan_orphans(
	struct store *s, uint64_t after, bool (*each)(void *, struct store_sid, struct store_ino), void *arg)
{
	struct scan scan;
	uint64_t sid;
	scan_begin(&scan, s, key_front(KIND_ORPHAN, after + 1), key_front(KIND_ORPHAN, UINT64_MAX));
	while (scan_next(&scan)) {
		if (record_get_uint(scan.value.body, scan.value.len, &sid) < 0 || sid > UINT32_MAX)
			scan.result = -EIO;
		else if (each(arg, (struct store_sid){ (uint32_t)sid }, (struct store_ino){ key_sub(scan.key) }))
			break;
	}
	return scan_end(&scan);
}
