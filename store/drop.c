/*
 * drop.c - deletes what belongs to dropped sessions, in the background.
 *
 *   store_batch_drop_session --commit--> pending --its log is flushed--> ready --steps--> gone
 *
 * A dropped session is one contiguous range of warm, deleted by the flusher between flushes, so that warm keeps one
 * writer. Its record, which says that it is dropped, goes last, with its orphans': a store that is opened before finds
 * it, and goes on. A step is one transaction, as short as a flush that becomes due may wait for; it takes as many
 * sessions as it has time for, because each costs a sync.
 *
 * What is damaged is set aside until the next open, so that it is not tried again and again, and counted in the
 * figures: a session whose range is, whole; where the orphans or the records of sessions are, which lie with those of
 * all others, only they stay, and the space comes back.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

#define STEP_NS UINT64_C(20000000)
/* On a full device: few pages have to be written then. */
#define SHORT_STEP_NS (STEP_NS / 20)
#define RETRY_NS UINT64_C(1000000000)
enum { STEP_SESSIONS = 4096, SLICE = 1000 };

/* ---- the list --------------------------------------------------------------------------------------------------- */

static struct drop *find(struct drops *d, uint32_t sid)
{
	for (uint32_t i = 0; i < d->count; i++)
		if (d->list[i].sid == sid)
			return &d->list[i];
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
	if (!add(&s->drops, (struct drop){ .sid = sid, .generation = s->generation }))
		return false;
	s->drops.added++;
	return true;
}

void drops_end_batch(struct store *s, bool committed)
{
	if (committed)
		s->drops.count += s->drops.added;
	s->drops.added = 0;
	s->stats.drops = s->drops.count;
}

/* Whether no log has anything of the session any more. */
static bool is_ready(const struct store *s, const struct drop *d)
{
	bool empty = !s->sealed && s->active->tail == HOT_DATA;
	return !d->given_up && d->generation <= s->flushed_generation + empty;
}

/* Sessions that a step may take, at most `max`. */
static unsigned list_ready(const struct store *s, uint32_t *sids, unsigned max)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < s->drops.count && n < max; i++)
		if (is_ready(s, &s->drops.list[i]))
			sids[n++] = s->drops.list[i].sid;
	return n;
}

bool drops_are_ready(const struct store *s)
{
	uint32_t sid;
	const struct drops *d = &s->drops;
	if (d->stopped || s->reading[!s->turn] || (d->retry_at && store_clock() < d->retry_at))
		return false;
	return !d->looked || list_ready(s, &sid, 1);
}

bool drops_may_help(struct store *s)
{
	const struct drops *d = &s->drops;
	bool any = false;
	if (drops_are_ready(s))
		return true;
	for (uint32_t i = 0; i < d->count && !any; i++)
		any = !d->list[i].given_up;
	if (!any || d->stopped || d->retry_at || s->last_error)
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
		l->failed = !add(d, (struct drop){ .sid = session->sid.n, .generation = l->store->generation });
		d->count += !l->failed;
	}
	return ++l->seen % SLICE == 0 || l->failed;
}

static bool is_stopping(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

/* In slices, so that nobody waits for the store's lock. Damaged records end it: what lies behind them waits. */
static void look(struct store *s)
{
	struct look l = { .store = s };
	uint32_t before;
	int r;
	do {
		before = l.seen;
		r = store_scan_sessions(s, l.at, look_at, &l);
	} while (r == 0 && l.seen % SLICE == 0 && l.seen > before && !l.failed && !is_stopping(s));
	pthread_mutex_lock(&s->lock);
	s->drops.looked = true;
	s->stats.drops = s->drops.count;
	pthread_mutex_unlock(&s->lock);
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

struct step {
	struct warm_txn *txn;
	uint64_t until; /* store_clock */
	uint32_t sids[STEP_SESSIONS];
	unsigned count, gone; /* the first `gone` of them, ascending once it is known how many */
	uint64_t deleted;     /* records */
	bool records_stay;    /* orphans and the records of sessions */
	uint32_t culprit;     /* of a failure: the session that cannot be deleted, or 0 */
	bool in_records;      /* of a failure: it was these */
};

static int delete_range(struct step *t, uint32_t sid)
{
	struct key at = { { (uint64_t)sid << 32 } };
	struct key last = { { (uint64_t)sid << 32 | UINT32_MAX, UINT64_MAX, UINT64_MAX } };
	int r;
	do
		r = warm_delete_some(t->txn, &at, &last, &t->deleted);
	while (r == 0 && store_clock() < t->until);
	if (r < 0)
		t->culprit = sid;
	return r;
}

static int compare_sids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static bool is_gone(const struct step *t, uint64_t owner)
{
	uint32_t sid = (uint32_t)owner;
	return t->gone && bsearch(&sid, t->sids, t->gone, sizeof sid, compare_sids);
}

/* Their orphans, which lie with all others. */
static int delete_orphans(struct step *t)
{
	struct key at = key_front(KIND_ORPHAN, 0);
	struct key last = key_front(KIND_ORPHAN, UINT64_MAX);
	struct warm_value value;
	struct found f;
	uint64_t owner;
	int r;
	while ((r = warm_txn_seek(t->txn, &at, &at, &value)) == 0 && key_cmp(&at, &last) <= 0) {
		if (open_value(at, value, &f) == 0 && record_get_uint(f.body, f.len, &owner) > 0 && is_gone(t, owner))
			r = warm_delete(t->txn, &at);
		if (r)
			return r;
		at = key_front(KIND_ORPHAN, key_sub(at) + 1);
	}
	return r;
}

static int delete_records(struct step *t)
{
	int r = delete_orphans(t);
	for (unsigned i = 0; r >= 0 && i < t->gone; i++) {
		struct key key = key_front(KIND_SESSION, t->sids[i]);
		r = warm_delete(t->txn, &key);
	}
	t->in_records = r < 0;
	return r;
}

static int delete_some(struct step *t)
{
	int r = STORE_ABSENT;
	while (r == STORE_ABSENT && t->gone < t->count && (t->gone == 0 || store_clock() < t->until)) {
		r = delete_range(t, t->sids[t->gone]);
		t->gone += r == STORE_ABSENT;
	}
	qsort(t->sids, t->gone, sizeof *t->sids, compare_sids);
	if (r >= 0 && t->gone && !t->records_stay)
		r = delete_records(t);
	return r < 0 ? r : 0;
}

/* In one transaction. On failure nothing happened. */
static int try_step(struct store *s, struct step *t, uint64_t ns)
{
	t->gone = 0;
	t->deleted = 0;
	t->culprit = 0;
	t->in_records = false;
	t->until = store_clock() + ns;
	int r = warm_begin(s->warm, &t->txn);
	if (r)
		return r;
	r = delete_some(t);
	if (r == 0)
		return warm_commit(t->txn);
	warm_abort(t->txn);
	return r;
}

static void set_aside(struct store *s, struct drop *drop)
{
	drop->given_up = true;
	s->stats.drops_damaged++;
}

/* Space, memory or the device may come back; what is damaged does not. */
static void note_failure(struct store *s, int error, const struct step *t)
{
	struct drop *drop = error == -EIO ? find(&s->drops, t->culprit) : NULL;
	if (drop)
		set_aside(s, drop);
	else if (error == -EIO && t->in_records)
		s->drops.records_stay = true; /* the next step is tried without them */
	else
		s->drops.retry_at = store_clock() + RETRY_NS;
}

static void note_success(struct store *s, const struct step *t)
{
	struct drops *d = &s->drops;
	uint32_t left = 0;
	for (uint32_t i = 0; i < d->count; i++) {
		if (is_gone(t, d->list[i].sid)) {
			if (!t->records_stay)
				continue;
			set_aside(s, &d->list[i]);
		}
		d->list[left++] = d->list[i];
	}
	d->count = left;
	d->retry_at = 0;
	s->retry_at = 0;
	store_turn(s);
	s->stats.dropped += t->deleted;
	s->stats.drops = left;
}

static void step(struct store *s)
{
	struct step t;
	pthread_mutex_lock(&s->lock);
	t.count = list_ready(s, t.sids, STEP_SESSIONS);
	t.records_stay = s->drops.records_stay;
	bool tight = s->drops.retry_at;
	pthread_mutex_unlock(&s->lock);
	if (!t.count)
		return;
	int r = try_step(s, &t, tight ? SHORT_STEP_NS : STEP_NS);
	if (r == -ENOSPC && (space_release(s) || !tight))
		r = try_step(s, &t, SHORT_STEP_NS);
	space_after_flush(s);
	pthread_mutex_lock(&s->lock);
	if (r)
		note_failure(s, r, &t);
	else
		note_success(s, &t);
	pthread_mutex_unlock(&s->lock);
}

void drops_step(struct store *s)
{
	if (s->drops.looked)
		step(s);
	else
		look(s);
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
}

void drops_finish(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (drops_are_ready(s))
		pthread_cond_wait(&s->flushed, &s->lock);
	s->drops.stopped = true;
	pthread_mutex_unlock(&s->lock);
}
