/*
 * sync.c - see sync.h.
 */
#include "fs/sync.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "fs/rules.h"

struct waiter {
	struct waiter *next;
	void (*done)(void *, int);
	void *arg;
};

struct sync {
	struct fs *fs;
	pthread_t thread;
	pthread_mutex_t lock; /* a leaf: nothing else is locked under it */
	pthread_cond_t change;
	/* protected by lock */
	struct waiter *waiters;
	bool ends;

	_Atomic bool quick; /* the last sync took less than QUICK_NS */
};

enum {
	QUICK_NS = 1000000, /* others may wait this long: handing a sync to the thread costs more then than it gains */
	QUICK_BYTES = 1 << 20,
};

static void answer(struct waiter *waiter, int r)
{
	while (waiter) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->arg, r);
		free(waiter);
		waiter = next;
	}
}

/* Who asks from now on waits for the next sync: this one may have begun without what it asks for. */
static struct waiter *take_waiters(struct sync *s)
{
	struct waiter *waiters;

	pthread_mutex_lock(&s->lock);
	while (!s->waiters && !s->ends)
		pthread_cond_wait(&s->change, &s->lock);
	waiters = s->waiters;
	s->waiters = NULL;
	pthread_mutex_unlock(&s->lock);
	return waiters;
}

static int sync_now(struct sync *s)
{
	struct timespec begun, ended;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	r = file_sync(s->fs);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	atomic_store(&s->quick, (ended.tv_sec - begun.tv_sec) * 1000000000 + ended.tv_nsec - begun.tv_nsec < QUICK_NS);
	return r;
}

static void *sync_main(void *arg)
{
	struct sync *s = arg;
	struct waiter *waiters;

	pthread_setname_np(pthread_self(), "sync");
	while ((waiters = take_waiters(s)))
		answer(waiters, sync_now(s));
	return NULL;
}

void sync_request(struct sync *s, void (*done)(void *arg, int result), void *arg)
{
	bool at_once = atomic_load(&s->quick) && store_unsynced(s->fs->store) < QUICK_BYTES;
	struct waiter *waiter = at_once ? NULL : malloc(sizeof(*waiter));

	if (!waiter) {
		done(arg, sync_now(s));
		return;
	}
	pthread_mutex_lock(&s->lock);
	*waiter = (struct waiter){.next = s->waiters, .done = done, .arg = arg};
	s->waiters = waiter;
	pthread_cond_signal(&s->change);
	pthread_mutex_unlock(&s->lock);
}

int sync_new(struct fs *fs, struct sync **ret)
{
	struct sync *s = calloc(1, sizeof(*s));
	sigset_t all, before;
	int r;

	if (!s)
		return -ENOMEM;
	s->fs = fs;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->change, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, sync_main, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		free(s);
		return -r;
	}
	*ret = s;
	return 0;
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ends = true;
	pthread_cond_signal(&s->change);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->change);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
