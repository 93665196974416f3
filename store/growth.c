/*
 * growth.c - a log is small at rest and grows in a burst: while the flusher is at work on the other one, a thread
 * allocates more of its file, ahead of those who append. Once it was moved into warm it is small again.
 *
 * Not further than its limit; nor than a small part of the free space; nor than the flusher drains in the time between
 * two flushes, so that what a power cut may lose does not grow older; nor, because the index of small records and their
 * pages are memory, than where these would take too much of it. A disk that is full, a quota, a limit of the process:
 * then it stays as it is, and writers are slowed down (batch.c).
 */
#include "store/internal.h"

#include <sys/statvfs.h>
#include <unistd.h>

/*
 * Largest size of a log by default: enough to take in a burst while the other one drains, but a small part of the disk
 * and of the page cache. At rest it is a small part of that.
 */
#define HOT_LIMIT_DEFAULT (UINT64_C(1) << 30)
enum { HOT_DISK_SHARE = 8, HOT_MEMORY_SHARE = 16, HOT_BASE_SHARE = 16 };
#define SECOND UINT64_C(1000000000)
#define INDEX_MAX (8u << 20)  /* bytes of memory that the index of a log which grows may take */
#define SMALL_MAX (32u << 20) /* bytes of small records in it, which a flush reads through the mapping */
enum { STEPS = 32, FREE_SHARE = 8, DRAIN_SECONDS = 5 };

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

static uint64_t default_limit(const struct store *s)
{
	struct statvfs v;
	uint64_t limit = HOT_LIMIT_DEFAULT, share;
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	if (pages > 0 && page > 0 && (share = (uint64_t)pages * (uint64_t)page / HOT_MEMORY_SHARE) < limit)
		limit = share;
	if (fstatvfs(s->dir, &v) == 0 && (share = (uint64_t)v.f_blocks * v.f_frsize / HOT_DISK_SHARE) < limit)
		limit = share;
	return limit;
}

static uint64_t whole_pages(uint64_t size)
{
	return size < HOT_SIZE_MIN ? HOT_SIZE_MIN : size & ~UINT64_C(4095);
}

struct hot_sizes growth_sizes(const struct store *s)
{
	if (s->options.read_only)
		return (struct hot_sizes){ 0 };
	uint64_t limit = whole_pages(s->options.hot_size ? s->options.hot_size : default_limit(s));
	return (struct hot_sizes){ .base = whole_pages(limit / HOT_BASE_SHARE), .limit = limit };
}

/* A log at rest has room for two steps. */
static uint64_t step_size(const struct hot *h)
{
	uint64_t step = h->limit / STEPS & ~UINT64_C(4095);
	return step > HOT_SIZE_MIN / 2 ? step : HOT_SIZE_MIN / 2;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The size at which `used`, which grows with the log, would have come to `max`. */
static uint64_t size_for(const struct hot *h, uint64_t used, uint64_t max)
{
	double size = (double)h->tail * (double)max / (double)(used + 1);
	return size < (double)h->limit ? (uint64_t)size : h->limit;
}

static uint64_t drained(const struct store *s)
{
	unsigned seconds = s->options.commit < DRAIN_SECONDS ? s->options.commit : DRAIN_SECONDS;
	return s->drain_rate * seconds;
}

uint64_t growth_ceiling(const struct store *s)
{
	const struct hot *h = s->active;
	if (!s->growth.runs || s->last_error || store_clock() < s->growth.retry_at)
		return h->size;
	uint64_t size = least(h->limit, drained(s));
	size = least(size, space_room(s) / FREE_SHARE);
	size = least(size, size_for(h, h->index.bytes, INDEX_MAX));
	size = least(size, size_for(h, h->small, SMALL_MAX));
	return size > h->size ? size : h->size;
}

/* What the active log should grow to: a step, or what a large batch needs. 0: it should not. */
static uint64_t next_size(const struct store *s)
{
	const struct hot *h = s->active;
	uint64_t step = step_size(h), room = hot_room(h), need = s->growth.need;
	uint64_t next = room < need ? (h->tail + need + step) & ~UINT64_C(4095) : h->size + step;
	bool wanted = room < need || (s->sealed && room < step + step / 2);
	return wanted && next <= growth_ceiling(s) ? next : 0;
}

bool growth_ask(struct store *s, uint64_t need)
{
	uint64_t room = hot_room(s->active), before = s->growth.need;
	if (room >= need && (!s->sealed || room >= step_size(s->active)))
		return false;
	if (room < need && before < need)
		s->growth.need = need;
	if (!next_size(s)) {
		s->growth.need = before;
		return false;
	}
	pthread_cond_signal(&s->growth.wake);
	return true;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/*
 * The lock is not held while blocks are allocated: who appends has room meanwhile, or waits for `flushed`, and asks
 * again then.
 */
static void grow(struct store *s)
{
	pthread_mutex_lock(&s->growth.lock);
	pthread_mutex_lock(&s->lock);
	struct hot *h = s->active;
	uint64_t size = next_size(s), more = size - h->size;
	pthread_mutex_unlock(&s->lock);
	int r = size ? hot_allocate(h, size) : 0;
	pthread_mutex_lock(&s->lock);
	if (r) {
		s->growth.retry_at = store_clock() + SECOND;
	} else if (size) {
		h->size = size;
		s->space.available -= least(more, s->space.available);
	}
	s->growth.need = 0;
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&s->growth.lock);
}

static void *growth_main(void *arg)
{
	struct store *s = arg;
	pthread_setname_np(pthread_self(), "grow");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		if (next_size(s)) {
			pthread_mutex_unlock(&s->lock);
			grow(s);
			pthread_mutex_lock(&s->lock);
			continue;
		}
		if (s->growth.need) {
			s->growth.need = 0;
			pthread_cond_broadcast(&s->flushed);
		}
		pthread_cond_wait(&s->growth.wake, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void growth_init(struct growth *g)
{
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->wake, NULL);
}

void growth_start(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->logs[0].limit > s->logs[0].base)
		s->growth.runs = pthread_create(&s->growth.thread, NULL, growth_main, s) == 0;
	pthread_mutex_unlock(&s->lock);
}

void growth_stop(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool ran = s->growth.runs;
	s->growth.runs = false;
	pthread_cond_signal(&s->growth.wake);
	pthread_mutex_unlock(&s->lock);
	if (ran)
		pthread_join(s->growth.thread, NULL);
}

void growth_release(struct growth *g)
{
	pthread_cond_destroy(&g->wake);
	pthread_mutex_destroy(&g->lock);
}

/* ---- giving back ------------------------------------------------------------------------------------------------- */

/* Both locks held; nobody uses what lies behind `size`. The caller cuts the file, once it let go of the store's. */
static bool shrink(struct hot *h, uint64_t size)
{
	bool smaller = size < h->size;
	if (smaller) {
		h->size = size;
		h->touched = least(h->touched, size);
	}
	return smaller;
}

void growth_undo(struct store *s, struct hot *h)
{
	pthread_mutex_lock(&s->growth.lock);
	pthread_mutex_lock(&s->lock);
	bool smaller = shrink(h, h->base);
	pthread_mutex_unlock(&s->lock);
	if (smaller)
		hot_cut(h);
	pthread_mutex_unlock(&s->growth.lock);
}

bool growth_give_back(struct store *s)
{
	pthread_mutex_lock(&s->growth.lock);
	pthread_mutex_lock(&s->lock);
	struct hot *h = s->active;
	/* What is appended next, deletions above all, is to find room. */
	uint64_t size = (h->tail & ~UINT64_C(4095)) + HOT_SIZE_MIN;
	bool smaller = s->growth.runs && shrink(h, size > h->base ? size : h->base);
	s->growth.retry_at = store_clock() + SECOND;
	pthread_mutex_unlock(&s->lock);
	if (smaller)
		hot_cut(h);
	pthread_mutex_unlock(&s->growth.lock);
	return smaller;
}
