/*
 * thread.h - threads that no signal reaches: those are the main thread's.
 */
#pragma once

#include <pthread.h>
#include <signal.h>

/* As pthread_create(3), but with a negative errno. */
static inline int thread_start(pthread_t *ret, void *(*run)(void *), void *arg)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}
