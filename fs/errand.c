/*
 * errand.c - see errand.h.
 */
#include "fs/errand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "fs/thread.h"

struct errand {
	STAILQ_ENTRY(errand) next;
	errand_run *run;
	void *subject;
	errand_done *done;
	void *arg;
};
STAILQ_HEAD(errand_queue, errand);

struct errands {
	struct fs *fs;
	const char *name;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* a leaf: nothing else is locked under it */
	pthread_cond_t change;
	/* protected by lock */
	struct errand_queue queue;
	bool ends;
};

/*
 * The first errand, and all that are the same: who asks from now on waits for the next run, as this one may begin
 * without what it asks for.
 */
static bool take(struct errands *e, struct errand_queue *ret)
{
	struct errand *errand, *next, *first;

	STAILQ_INIT(ret);
	pthread_mutex_lock(&e->lock);
	while (STAILQ_EMPTY(&e->queue) && !e->ends)
		pthread_cond_wait(&e->change, &e->lock);
	first = STAILQ_FIRST(&e->queue);
	for (errand = first; errand; errand = next) {
		next = STAILQ_NEXT(errand, next);
		if (errand->run != first->run || errand->subject != first->subject)
			continue;
		STAILQ_REMOVE(&e->queue, errand, errand, next);
		STAILQ_INSERT_TAIL(ret, errand, next);
	}
	pthread_mutex_unlock(&e->lock);
	return first != NULL;
}

static void *errands_main(void *arg)
{
	struct errands *e = arg;
	struct errand_queue same;
	struct errand *errand;

	pthread_setname_np(pthread_self(), e->name);
	while (take(e, &same)) {
		int r = STAILQ_FIRST(&same)->run(e->fs, STAILQ_FIRST(&same)->subject);

		while ((errand = STAILQ_FIRST(&same))) {
			STAILQ_REMOVE_HEAD(&same, next);
			if (errand->done)
				errand->done(errand->arg, r);
			free(errand);
		}
	}
	return NULL;
}

bool errand_add(struct errands *e, errand_run *run, void *subject, errand_done *done, void *arg)
{
	struct errand *errand = malloc(sizeof(*errand));
	bool ends;

	if (!errand)
		return false;
	*errand = (struct errand){.run = run, .subject = subject, .done = done, .arg = arg};
	pthread_mutex_lock(&e->lock);
	ends = e->ends;
	if (!ends)
		STAILQ_INSERT_TAIL(&e->queue, errand, next);
	pthread_cond_signal(&e->change);
	pthread_mutex_unlock(&e->lock);
	if (ends)
		free(errand);
	return !ends;
}

static int start(struct errands *e)
{
	int r = thread_start(&e->thread, errands_main, e);

	e->started = !r;
	return r;
}

int errands_new(struct fs *fs, const char *thread_name, struct errands **ret)
{
	struct errands *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->fs = fs;
	e->name = thread_name;
	STAILQ_INIT(&e->queue);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->change, NULL);
	r = start(e);
	if (r) {
		errands_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void errands_end(struct errands *e)
{
	if (!e || !e->started)
		return;
	pthread_mutex_lock(&e->lock);
	e->ends = true;
	pthread_cond_signal(&e->change);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	e->started = false;
}

void errands_free(struct errands *e)
{
	if (!e)
		return;
	errands_end(e);
	pthread_cond_destroy(&e->change);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
