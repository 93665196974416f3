/*
 * lock.h - the lock over a mount. Who serves a request gets it before the threads that work beside those: these take
 * turns, and hold it for a few milliseconds at a time, so that a request waits for one such slice, and not for as many
 * as there are threads, nor for one that takes it again while the other is still waking up.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
	pthread_mutex_t mutex;
	_Atomic unsigned first; /* threads that wait and come first */
	/* of the others: whose turn it is, protected by turns */
	pthread_mutex_t turns;
	pthread_cond_t change;
	uint64_t next, turn;
};

/* The calling thread comes first. */
extern _Thread_local bool lock_first;

void lock_init(struct lock *);
void lock_release(struct lock *);
/* Of those that come first, where somebody holds it; and of the others. */
void lock_wait_first(struct lock *);
void lock_take_turn(struct lock *);
void lock_leave_turn(struct lock *);

/* Somebody waits who comes first. */
static inline bool lock_is_wanted(const struct lock *lock)
{
	return atomic_load(&lock->first) != 0;
}

static inline void lock_take(struct lock *lock)
{
	if (!lock_first)
		lock_take_turn(lock);
	else if (pthread_mutex_trylock(&lock->mutex))
		lock_wait_first(lock);
}

static inline void lock_leave(struct lock *lock)
{
	pthread_mutex_unlock(&lock->mutex);
	if (!lock_first)
		lock_leave_turn(lock);
}
