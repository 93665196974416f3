/*
 * lock.c - see lock.h.
 */
#include "fs/lock.h"

#include <time.h>

/* How often a thread whose turn it is looks whether others who come first have been served, and after what time. */
enum { LOOKS = 50, LOOK_NS = 20000 };

_Thread_local bool lock_first;

void lock_init(struct lock *lock)
{
	*lock = (struct lock){0};
	pthread_mutex_init(&lock->mutex, NULL);
	pthread_mutex_init(&lock->turns, NULL);
	pthread_cond_init(&lock->change, NULL);
}

void lock_release(struct lock *lock)
{
	pthread_cond_destroy(&lock->change);
	pthread_mutex_destroy(&lock->turns);
	pthread_mutex_destroy(&lock->mutex);
}

void lock_wait_first(struct lock *lock)
{
	atomic_fetch_add(&lock->first, 1);
	pthread_mutex_lock(&lock->mutex);
	atomic_fetch_sub(&lock->first, 1);
}

void lock_take_turn(struct lock *lock)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	uint64_t mine;

	pthread_mutex_lock(&lock->turns);
	for (mine = lock->next++; lock->turn != mine;)
		pthread_cond_wait(&lock->change, &lock->turns);
	pthread_mutex_unlock(&lock->turns);
	for (unsigned looks = 0; lock_is_wanted(lock) && looks < LOOKS; looks++)
		nanosleep(&look, NULL);
	pthread_mutex_lock(&lock->mutex);
}

void lock_leave_turn(struct lock *lock)
{
	pthread_mutex_lock(&lock->turns);
	lock->turn++;
	if (lock->turn != lock->next)
		pthread_cond_broadcast(&lock->change);
	pthread_mutex_unlock(&lock->turns);
}
