/*
 * ahead.c - who reads a file from front to back finds its next chunks decompressed: a thread puts them into the cache
 * while the one that serves copies and answers.
 *
 * A chunk is waited for (the thread is at it; who waits does the next one meanwhile), taken back (nobody has begun) or
 * found in the cache, so none is decompressed twice. What was wanted in vain, because the reader stopped, is a few
 * chunks at most.
 */
#include "store/internal.h"

void ahead_init(struct ahead *a)
{
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	pthread_cond_init(&a->done, NULL);
}

void ahead_release(struct ahead *a)
{
	if (a->runs) {
		pthread_mutex_lock(&a->lock);
		a->stopping = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	pthread_cond_destroy(&a->done);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* An error is left to the reader to meet. */
static void fetch(struct store *s, const struct key *key)
{
	struct reader *reader;
	pthread_mutex_lock(&s->lock);
	int r = reader_take(s, &reader);
	uint64_t epoch = atomic_load(&s->epoch);
	pthread_mutex_unlock(&s->lock);
	if (r)
		return;
	ssize_t n = reader_chunk(reader, key, reader->scratch);
	if (n > 0)
		cache_add(&s->cache, epoch, key, &reader->scratch, (uint32_t)n);
	reader_give(s, reader);
}

/* Fetches what is wanted first. Lock held, but not meanwhile. */
static void work(struct store *s, unsigned who)
{
	struct ahead *a = &s->ahead;
	a->doing[who] = a->wanted[0];
	memmove(a->wanted, a->wanted + 1, --a->count * sizeof *a->wanted);
	a->busy[who] = true;
	pthread_mutex_unlock(&a->lock);
	fetch(s, &a->doing[who]);
	pthread_mutex_lock(&a->lock);
	a->busy[who] = false;
	pthread_cond_broadcast(&a->done);
}

static void *ahead_main(void *arg)
{
	struct store *s = arg;
	struct ahead *a = &s->ahead;
	pthread_setname_np(pthread_self(), "ahead");
	pthread_mutex_lock(&a->lock);
	while (!a->stopping) {
		if (a->count)
			work(s, 0);
		else
			pthread_cond_wait(&a->wake, &a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void ahead_start(struct store *s)
{
	s->ahead.runs = pthread_create(&s->ahead.thread, NULL, ahead_main, s) == 0;
}

/* ---- the readers ------------------------------------------------------------------------------------------------- */

static bool is_doing(const struct ahead *a, unsigned who, const struct key *key)
{
	return a->busy[who] && key_cmp(&a->doing[who], key) == 0;
}

void ahead_claim(struct store *s, const struct key *key)
{
	struct ahead *a = &s->ahead;
	pthread_mutex_lock(&a->lock);
	for (unsigned i = 0; i < a->count; i++) {
		if (key_cmp(&a->wanted[i], key) == 0) {
			memmove(a->wanted + i, a->wanted + i + 1, (--a->count - i) * sizeof *a->wanted);
			break;
		}
	}
	if (is_doing(a, 0, key) && a->count && !a->busy[1])
		work(s, 1);
	while (is_doing(a, 0, key) || is_doing(a, 1, key))
		pthread_cond_wait(&a->done, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

static struct stream *find_stream(struct ahead *a, const struct key *key)
{
	for (unsigned i = 0; i < AHEAD_STREAMS; i++)
		if (key_same_inode(a->streams[i].last, *key))
			return &a->streams[i];
	struct stream *st = &a->streams[a->turn++ % AHEAD_STREAMS];
	*st = (struct stream){ .last = *key };
	return st;
}

static void want(struct ahead *a, struct stream *st, struct key key)
{
	uint64_t chunk = key_sub(key), from = st->end > chunk ? st->end : chunk + 1;
	st->end = chunk + 1 + AHEAD_CHUNKS;
	for (; from < st->end && a->count < AHEAD_ROOM; from++)
		a->wanted[a->count++] = key_make(key_sid(key), key_ino(key), KIND_CHUNK, from);
	if (a->count)
		pthread_cond_signal(&a->wake);
}

void ahead_note(struct store *s, const struct key *key)
{
	struct ahead *a = &s->ahead;
	uint64_t chunk = key_sub(*key);
	pthread_mutex_lock(&a->lock);
	struct stream *st = find_stream(a, key);
	uint64_t last = key_sub(st->last);
	st->last = *key;
	if (chunk < last || chunk > last + AHEAD_CHUNKS)
		st->end = 0;
	else if (chunk > last && a->runs)
		want(a, st, *key);
	pthread_mutex_unlock(&a->lock);
}
