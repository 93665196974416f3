/* threads.c - writers, readers, fsync and flushes of one store at once. Worth most when built with SANITIZE=thread. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/stored.h"

enum { WRITERS = 3, ROUNDS = 150, SIZE = 200000 };

static const struct store_sid sid = { 3 };

struct shared {
	struct store *store;
	struct store_ino ino[WRITERS];
	_Atomic int running;
	_Atomic int failures;
};

struct worker {
	struct shared *shared;
	int number;
	pthread_t thread;
};

static void check(struct shared *s, bool ok)
{
	if (!ok)
		atomic_fetch_add(&s->failures, 1);
}

/* Each batch fills the whole file with one byte: a reader must never see two. */
static void *write_rounds(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	uint8_t *data = malloc(SIZE);
	for (int round = 1; round <= ROUNDS; round++) {
		struct store_inode inode = { .mode = S_IFREG, .nlink = 1, .size = SIZE };
		struct store_batch *b;
		memset(data, round, SIZE);
		check(s, store_batch_begin(s->store, STORE_GROW, SIZE, &b) == 0);
		store_batch_write(b, sid, s->ino[w->number], 0, data, SIZE);
		store_batch_put_inode(b, sid, s->ino[w->number], &inode);
		check(s, store_batch_commit(b) == 0);
	}
	free(data);
	atomic_fetch_sub(&s->running, 1);
	return NULL;
}

static void *read_rounds(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	uint8_t *data = malloc(SIZE);
	for (unsigned n = 0; atomic_load(&s->running); n++) {
		check(s, store_read(s->store, sid, s->ino[n % WRITERS], 0, data, SIZE) == 0);
		check(s, memcmp(data, data + 1, SIZE - 1) == 0);
		uint64_t stored;
		check(s, store_stored(s->store, sid, s->ino[n % WRITERS], &stored) == 0);
	}
	free(data);
	return NULL;
}

static void *sync_rounds(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	struct store_stats stats;
	for (unsigned n = 0; atomic_load(&s->running); n++) {
		check(s, (n % 3 ? store_sync(s->store) : store_flush(s->store)) == 0);
		store_stats(s->store, &stats);
	}
	return NULL;
}

static void make_files(struct shared *s)
{
	struct store_inode inode = { .mode = S_IFREG, .nlink = 1 };
	struct store_batch *b = begin(s->store, 0);
	for (int i = 0; i < WRITERS; i++) {
		s->ino[i] = store_new_ino(b);
		store_batch_new_inode(b, sid, s->ino[i], &inode);
	}
	assert_int_equal(store_batch_commit(b), 0);
}

static void all_at_once(void **state)
{
	(void)state;
	void *(*const mains[])(void *) = {
		write_rounds, write_rounds, write_rounds, read_rounds, read_rounds, sync_rounds};
	enum { COUNT = sizeof mains / sizeof *mains };
	struct store_options options = { .create = true, .level = 1, .commit = 1, .hot_size = 4u << 20 };
	struct shared s = { .running = WRITERS };
	struct worker workers[COUNT];
	char dir[DIR_SIZE];

	new_dir(dir);
	s.store = open_with(dir, &options);
	make_files(&s);
	for (int i = 0; i < COUNT; i++) {
		workers[i] = (struct worker){ .shared = &s, .number = i };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, mains[i], &workers[i]), 0);
	}
	for (int i = 0; i < COUNT; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(s.failures, 0);
	assert_int_equal(store_close(s.store), 0);
	shell("rm -rf %s", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_at_once) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
