/* encode.c - see encode.h. A ring of jobs: given, being done, done; any thread does the next one that nobody began. */
#include "store/encode.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { JOBS = 8, THREADS_MAX = 3 };

struct job {
	struct key key;
	uint8_t *raw, *out;
	size_t len;
	ssize_t encoded;
	bool done;
};

struct encoder {
	struct dictionaries *dictionaries;
	int level;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* the threads: a job, or the end */
	pthread_cond_t done; /* who flushes */
	bool stopping;
	pthread_t threads[THREADS_MAX];
	unsigned thread_count;
	/* counted up for ever; the job n is at n % JOBS */
	unsigned first, begun, end; /* not taken back; not begun; not given */
	struct job jobs[JOBS];
};

/* Lock held, but not meanwhile. */
static void do_next(struct encoder *e, struct codec_ctx *codec)
{
	struct job *j = &e->jobs[e->begun++ % JOBS];
	pthread_mutex_unlock(&e->lock);
	ssize_t n = chunk_encode(codec, j->key, e->level, NULL, j->raw, j->len, j->out);
	pthread_mutex_lock(&e->lock);
	j->encoded = n;
	j->done = true;
	pthread_cond_signal(&e->done);
}

static void *encoder_main(void *arg)
{
	struct encoder *e = arg;
	struct codec_ctx *codec;
	pthread_setname_np(pthread_self(), "encode");
	if (codec_new(e->dictionaries, &codec))
		return NULL;
	pthread_mutex_lock(&e->lock);
	while (!e->stopping) {
		if (e->begun != e->end)
			do_next(e, codec);
		else
			pthread_cond_wait(&e->wake, &e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	codec_free(codec);
	return NULL;
}

static unsigned spare_cpus(void)
{
	cpu_set_t set;
	unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	return n - 1 < THREADS_MAX ? n - 1 : THREADS_MAX;
}

struct encoder *encoder_new(struct dictionaries *dictionaries, int level)
{
	unsigned threads = spare_cpus();
	struct encoder *e = threads ? calloc(1, sizeof *e) : NULL;
	if (!e)
		return NULL;
	e->dictionaries = dictionaries;
	e->level = level;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	pthread_cond_init(&e->done, NULL);
	bool complete = true;
	for (int i = 0; i < JOBS; i++) {
		e->jobs[i].raw = malloc(STORE_CHUNK_SIZE);
		e->jobs[i].out = malloc(CHUNK_ENCODED_MAX);
		complete = complete && e->jobs[i].raw && e->jobs[i].out;
	}
	while (complete && e->thread_count < threads &&
		pthread_create(&e->threads[e->thread_count], NULL, encoder_main, e) == 0)
		e->thread_count++;
	if (complete && e->thread_count)
		return e;
	encoder_free(e);
	return NULL;
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->thread_count; i++)
		pthread_join(e->threads[i], NULL);
	for (int i = 0; i < JOBS; i++) {
		free(e->jobs[i].raw);
		free(e->jobs[i].out);
	}
	pthread_cond_destroy(&e->done);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

unsigned encoder_count(const struct encoder *e)
{
	return e->end - e->first;
}

bool encoder_is_full(const struct encoder *e)
{
	return encoder_count(e) == JOBS;
}

static void exchange(uint8_t **a, uint8_t **b)
{
	uint8_t *p = *a;
	*a = *b;
	*b = p;
}

void encoder_give(struct encoder *e, struct key key, uint8_t **raw, size_t len)
{
	pthread_mutex_lock(&e->lock);
	struct job *j = &e->jobs[e->end++ % JOBS];
	j->key = key;
	j->len = len;
	j->done = false;
	exchange(raw, &j->raw);
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

ssize_t encoder_take(struct encoder *e, struct codec_ctx *codec, struct key *ret_key, uint8_t **out)
{
	pthread_mutex_lock(&e->lock);
	struct job *j = &e->jobs[e->first % JOBS];
	while (!j->done) {
		if (e->begun != e->end)
			do_next(e, codec);
		else
			pthread_cond_wait(&e->done, &e->lock);
	}
	*ret_key = j->key;
	exchange(out, &j->out);
	e->first++;
	pthread_mutex_unlock(&e->lock);
	return j->encoded;
}
