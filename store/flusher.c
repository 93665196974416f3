/* flusher.c - when logs swap, the thread that empties the sealed one, and waiting for it; fsync. */
#include "store/internal.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* How soon a flush that failed is tried again. */
enum { RETRY_SECONDS = 1 };
#define SECOND UINT64_C(1000000000)

int64_t store_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t store_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int swap_logs(struct store *s)
{
	struct hot *old = s->active;
	int r = hot_start(s->spare, s->generation + 1, old->tail, s->boot);
	if (r)
		return r;
	s->generation++;
	(void)lock_file_expect(s, s->generation);
	s->active = s->spare;
	s->spare = NULL;
	s->sealed = old;
	s->sealed_at = store_now();
	s->sealed_position = s->position;
	pthread_cond_signal(&s->wake);
	return 0;
}

/* The sealed log is in warm: nobody may find it any more, and it becomes the spare one. */
static void retire(struct store *s, struct hot *h)
{
	pthread_mutex_lock(&s->sync_lock);
	pthread_mutex_lock(&s->lock);
	s->sealed = NULL;
	store_turn(s);
	s->flushed_generation = hot_header(h)->generation;
	s->last_error = 0;
	s->durable = s->sealed_position > s->durable ? s->sealed_position : s->durable;
	s->stats.saved_at = s->sealed_at > s->stats.saved_at ? s->sealed_at : s->stats.saved_at;
	atomic_fetch_add(&s->epoch, 1);
	pthread_mutex_unlock(&s->lock);
	hot_void(h);
	pthread_mutex_unlock(&s->sync_lock);

	index_clear(&h->index);
	growth_undo(s, h);
	space_after_flush(s);
	pthread_mutex_lock(&s->lock);
	s->spare = h;
	s->swap_at = store_clock() + s->options.commit * SECOND;
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
}

static void note_flush(struct store *s, uint64_t bytes, uint64_t ns)
{
	struct store_stats *t = &s->stats;
	pthread_mutex_lock(&s->lock);
	t->flushes++;
	t->flush_last_ns = ns;
	t->flush_longest_ns = ns > t->flush_longest_ns ? ns : t->flush_longest_ns;
	if (bytes > (1u << 20))
		s->drain_rate = (uint64_t)((double)bytes * 1e9 / (double)(ns + 1));
	pthread_mutex_unlock(&s->lock);
}

static void flush_sealed(struct store *s, struct hot *h)
{
	uint64_t start = store_clock();
	int r = flush_log_somehow(s, h);
	if (r == 0) {
		note_flush(s, h->tail - HOT_DATA, store_clock() - start);
		retire(s, h);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->last_error = r;
	s->failures++;
	s->retry_at = store_clock() + RETRY_SECONDS * SECOND;
	pthread_cond_broadcast(&s->flushed);
	pthread_mutex_unlock(&s->lock);
}

static void wait_until(struct store *s, uint64_t until)
{
	struct timespec t = { .tv_sec = (time_t)(until / SECOND), .tv_nsec = (long)(until % SECOND) };
	pthread_cond_timedwait(&s->wake, &s->lock, &t);
}

/* When there may be something to do, if nobody wakes the flusher before. */
static uint64_t next_time(const struct store *s, uint64_t now)
{
	uint64_t until = s->swap_at;
	if (s->sealed && s->retry_at < until)
		until = s->retry_at;
	if (s->drops.count && s->drops.retry_at > now && s->drops.retry_at < until)
		until = s->drops.retry_at;
	return until;
}

enum work { WORK_END, WORK_FLUSH, WORK_DROP };

/* What to do next, waited for. Lock held. */
static enum work next_work(struct store *s)
{
	while (!s->stopping) {
		uint64_t now = store_clock();
		if (now >= s->swap_at) {
			/* tried again when the time is up again */
			if (!s->sealed && s->spare && s->active->tail > HOT_DATA)
				(void)swap_logs(s);
			s->swap_at = now + s->options.commit * SECOND;
		}
		if (s->sealed && now >= s->retry_at)
			return WORK_FLUSH;
		if (drops_are_ready(s))
			return WORK_DROP;
		wait_until(s, next_time(s, now));
	}
	return WORK_END;
}

static void *flusher_main(void *arg)
{
	struct store *s = arg;
	enum work work;
	pthread_setname_np(pthread_self(), "flush");
	setpriority(PRIO_PROCESS, (id_t)gettid(), 5);
	pthread_mutex_lock(&s->lock);
	s->swap_at = store_clock() + s->options.commit * SECOND;
	while ((work = next_work(s)) != WORK_END) {
		struct hot *h = s->sealed;
		pthread_mutex_unlock(&s->lock);
		if (work == WORK_FLUSH)
			flush_sealed(s, h);
		else
			drops_step(s);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int flusher_start(struct store *s)
{
	int r = pthread_create(&s->flusher, NULL, flusher_main, s);
	s->flusher_runs = r == 0;
	return -r;
}

void flusher_stop(struct store *s)
{
	if (!s->flusher_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	growth_stop(s);
	pthread_join(s->flusher, NULL);
	s->flusher_runs = false;
}

int store_flush(struct store *s)
{
	int r = 0;
	if (s->options.read_only)
		return 0;
	pthread_mutex_lock(&s->lock);
	uint64_t target = s->active->tail > HOT_DATA ? s->generation : s->generation - 1;
	uint64_t failures = s->failures;
	while (s->flushed_generation < target && r == 0) {
		if (s->spare && s->generation == target && (r = swap_logs(s)))
			break;
		pthread_cond_signal(&s->wake);
		pthread_cond_wait(&s->flushed, &s->lock);
		if (s->failures != failures)
			r = s->last_error;
	}
	pthread_mutex_unlock(&s->lock);
	return r > 0 ? -ENOSPC : r;
}

static int sync_logs(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	struct hot *sealed = s->sealed, *active = s->active;
	uint64_t end = active->tail;
	s->stats.syncs++;
	int64_t now = store_now();
	uint64_t position = s->position;
	pthread_mutex_unlock(&s->lock);
	int r = sealed ? hot_sync(sealed, sealed->tail) : 0;
	r = r ? r : hot_sync(active, end);
	if (r)
		return r;
	pthread_mutex_lock(&s->lock);
	if (position > s->durable) {
		s->stats.saved_at = now;
		s->durable = position;
	}
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/*
 * The sealed log first: the active one counts after a power cut only if the one before it is whole, here or in warm.
 * Threads that come together queue at sync_lock; the later ones find their bytes synced. If the log cannot be synced,
 * warm still can.
 */
int store_sync(struct store *s)
{
	if (s->options.read_only)
		return 0;
	pthread_mutex_lock(&s->sync_lock);
	int r = sync_logs(s);
	pthread_mutex_unlock(&s->sync_lock);
	return r ? store_flush(s) : 0;
}
