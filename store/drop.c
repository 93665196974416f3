/*
 * drop.c - deletes what belongs to dropped sessions, in the background.
 *
 *   store_batch_drop_session --commit--> pending --its log is flushed--> ready --steps--> gone
 *
 * A dropped session is one contiguous range of warm, deleted by the flusher between flushes, so that warm keeps one
 * writer. Its record, which says that it is dropped, goes in the last step with its orphans': a store that is opened
 * before finds it, and goes on. A step is one transaction, as short as a flush that becomes due may wait for.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

enum { STEP_RECORDS = 20000, RETRY_SECONDS = 1, SLICE = 1000 };

static struct key session_key(uint32_t sid)
{
	return key_make(STORE_ROOT_SID, (struct store_ino){ 0 }, KIND_SESSION, sid);
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static struct drop *find(struct drops *d, uint32_t sid)
{
	for (uint32_t i = 0; i < d->count; i++)
		if (d->list[i].sid == sid)
			return &d->list[i];
	return NULL;
}

/* Whether no log has anything of the session any more. */
static bool is_ready(const struct store *s, const struct drop *d)
{
	bool empty = !s->sealed && s->active->tail == HOT_DATA;
	return !d->given_up && d->generation <= s->flushed_generation + empty;
}

static const struct drop *first_ready(const struct store *s)
{
	for (uint32_t i = 0; i < s->drops.count; i++)
		if (is_ready(s, &s->drops.list[i]))
			return &s->drops.list[i];
	return NULL;
}

static bool add(struct drops *d, struct drop drop)
{
	if (d->count + d->added == d->room) {
		uint32_t room = d->room ? 2 * d->room : 16;
		struct drop *p = realloc(d->list, room * sizeof *p);
		if (!p)
			return false;
		d->list = p;
		d->room = room;
	}
	d->list[d->count + d->added] = drop;
	return true;
}

bool drops_add(struct store *s, uint32_t sid)
{
	if (!find(&s->drops, sid)) {
		if (!add(&s->drops, (struct drop){ .sid = sid, .generation = s->generation }))
			return false;
		s->drops.added++;
	}
	return true;
}

void drops_end_batch(struct store *s, bool committed)
{
	if (committed)
		s->drops.count += s->drops.added;
	s->drops.added = 0;
	s->stats.drops = s->drops.count;
}

bool drops_are_ready(const struct store *s)
{
	const struct drops *d = &s->drops;
	if (d->paused || s->options.read_only || store_clock() < d->retry_at)
		return false;
	return !d->looked || first_ready(s);
}

bool drops_may_help(struct store *s)
{
	if (s->drops.paused || s->drops.retry_at > store_clock())
		return false;
	if (drops_are_ready(s))
		return true;
	bool any = false;
	for (uint32_t i = 0; i < s->drops.count && !any; i++)
		any = !s->drops.list[i].given_up;
	if (!any || s->last_error)
		return false;
	return !s->spare || s->active->tail == HOT_DATA || swap_logs(s) == 0;
}

/* ---- what an earlier run left ----------------------------------------------------------------------------------- */

struct look {
	struct store *store;
	uint32_t at, seen;
	bool failed;
};

static bool look_at(void *arg, const struct store_session *session)
{
	struct look *l = arg;
	struct drops *d = &l->store->drops;
	l->at = session->sid.n;
	if (session->flags & STORE_SESSION_DROPPED && !find(d, session->sid.n)) {
		l->failed = !add(d, (struct drop){ .sid = session->sid.n, .generation = d->resume });
		d->count += !l->failed;
	}
	return l->failed || ++l->seen % SLICE == 0;
}

/* In slices, so that nobody waits for the store's lock. */
static void look(struct store *s)
{
	struct look l = { .store = s };
	uint32_t before;
	int r;
	do {
		before = l.seen;
		r = store_scan_sessions(s, l.at, look_at, &l);
	} while (r == 0 && l.seen > before && !l.failed && !s->stopping);
	pthread_mutex_lock(&s->lock);
	s->drops.looked = true;
	s->stats.drops = s->drops.count;
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

static int delete_range(struct warm_txn *txn, uint32_t sid, uint64_t *deleted)
{
	struct key first = key_make((struct store_sid){ sid }, (struct store_ino){ 0 }, 0, 0), at;
	struct warm_value value;
	int r;
	while ((r = warm_txn_seek(txn, &first, &at, &value)) == 0 && key_sid(at).n == sid) {
		if (*deleted == STEP_RECORDS)
			return 0;
		r = warm_delete(txn, &at);
		if (r)
			return r < 0 ? r : -EIO;
		++*deleted;
	}
	return r < 0 ? r : STORE_ABSENT;
}

static int delete_orphans(struct warm_txn *txn, uint32_t sid)
{
	struct store_ino none = { 0 };
	struct key at = key_make(STORE_ROOT_SID, none, KIND_ORPHAN, 0), last = key_make(STORE_ROOT_SID, none, KIND_ORPHAN, UINT64_MAX);
	struct warm_value value;
	struct found f;
	uint64_t owner;
	int r;
	while ((r = warm_txn_seek(txn, &at, &at, &value)) == 0 && key_cmp(&at, &last) <= 0) {
		if (open_value(at, value, &f) == 0 && record_get_uint(f.body, f.len, &owner) > 0 && owner == sid &&
			(r = warm_delete(txn, &at)))
			return r < 0 ? r : -EIO;
		at = key_make(STORE_ROOT_SID, none, KIND_ORPHAN, key_sub(at) + 1);
	}
	return r < 0 ? r : 0;
}

static int delete_some(struct store *s, uint32_t sid, uint64_t *ret_deleted, bool *ret_gone)
{
	struct key key = session_key(sid);
	struct warm_txn *txn;
	uint64_t deleted = 0;
	int r = warm_begin(s->warm, &txn);
	if (r)
		return r;
	r = delete_range(txn, sid, &deleted);
	bool gone = r == STORE_ABSENT;
	if (gone) {
		r = delete_orphans(txn, sid);
		r = r ? r : warm_delete(txn, &key);
	}
	if (r < 0) {
		warm_abort(txn);
		return r;
	}
	r = warm_commit(txn);
	if (r)
		return r;
	*ret_deleted = deleted;
	*ret_gone = gone;
	return 0;
}

static void end_step(struct store *s, uint32_t sid, int r, uint64_t deleted, bool gone)
{
	pthread_mutex_lock(&s->lock);
	struct drops *d = &s->drops;
	struct drop *drop = find(d, sid);
	s->snapshot_stale = true;
	(void)store_renew(s);
	s->stats.dropped += deleted;
	if (r == 0)
		s->retry_at = 0;
	else if (r == -EIO)
		drop->given_up = true;
	else
		d->retry_at = store_clock() + RETRY_SECONDS * UINT64_C(1000000000);
	if (gone) {
		uint32_t behind = d->count + d->added - (uint32_t)(drop + 1 - d->list);
		memmove(drop, drop + 1, behind * sizeof *drop);
		d->count--;
	}
	s->stats.drops = d->count;
	pthread_mutex_unlock(&s->lock);
}

void drops_step(struct store *s)
{
	uint64_t deleted = 0;
	bool gone = false;
	if (!s->drops.looked) {
		look(s);
		return;
	}
	pthread_mutex_lock(&s->lock);
	const struct drop *drop = first_ready(s);
	uint32_t sid = drop ? drop->sid : 0;
	pthread_mutex_unlock(&s->lock);
	if (!drop)
		return;
	int r = delete_some(s, sid, &deleted, &gone);
	if (r == -ENOSPC && space_release_reserve(s))
		r = delete_some(s, sid, &deleted, &gone);
	end_step(s, sid, r, deleted, gone);
	space_after_flush(s);
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
}

void drops_finish(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (drops_are_ready(s))
		pthread_cond_wait(&s->flushed, &s->lock);
	s->drops.paused = true;
	pthread_mutex_unlock(&s->lock);
}
