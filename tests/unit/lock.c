/*
 * The lock over a mount: whose turn it is, and who comes first.
 */
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "fs/lock.h"

enum { ROUNDS = 50, THREADS = 3 };

static struct lock lock;
static char order[THREADS + 1];
static unsigned taken; /* protected by lock */

struct taker {
	pthread_t thread;
	char name;
	bool first;
};

static void *take(void *arg)
{
	struct taker *taker = arg;

	lock_first = taker->first;
	lock_take(&lock);
	order[taken++] = taker->name;
	lock_leave(&lock);
	return NULL;
}

/* Until it waits. */
static void start(struct taker *taker, char name, bool first)
{
	uint64_t waiting = lock.next;

	*taker = (struct taker){.name = name, .first = first};
	assert_int_equal(pthread_create(&taker->thread, NULL, take, taker), 0);
	for (bool waits = false; !waits; sched_yield()) {
		pthread_mutex_lock(&lock.turns);
		waits = first ? lock_is_wanted(&lock) : lock.next > waiting;
		pthread_mutex_unlock(&lock.turns);
	}
}

/* Two that take turns wait, and then one that comes first. */
static void race(void)
{
	struct taker takers[THREADS];

	taken = 0;
	lock_take(&lock);
	assert_false(lock_is_wanted(&lock));
	start(&takers[0], 'a', false);
	start(&takers[1], 'b', false);
	start(&takers[2], 'F', true);
	lock_leave(&lock);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(takers[i].thread, NULL);
	assert_int_equal(taken, THREADS);
}

static void test_order(void **state)
{
	unsigned first = 0;

	(void)state;
	lock_init(&lock);
	for (unsigned round = 0; round < ROUNDS; round++) {
		race();
		assert_true(memchr(order, 'a', THREADS) < memchr(order, 'b', THREADS));
		first += order[0] == 'F';
	}
	/* One whose turn it is waits for it, but not for long: that it gets the CPU may take longer. */
	assert_true(first > ROUNDS / 2);
	lock_release(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
