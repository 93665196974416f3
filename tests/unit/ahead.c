/* ahead.c - reading from front to back: every byte is right, also of what is written and flushed meanwhile */
#include <pthread.h>

#include "tests/unit/stored.h"

enum { CHUNKS = 40, READERS = 6, PIECE = 65536 };

static const struct store_sid sid = {1};
static const struct store_ino ino = {10};

struct fixture {
	char dir[DIR_SIZE];
	struct store *store;
};

/* What a chunk holds in its n-th version. */
static void fill(uint64_t chunk, unsigned version, char *out)
{
	for (size_t at = 0; at < STORE_CHUNK_SIZE; at += 32)
		snprintf(out + at, 33, "%8u %8u %12zu\n", (unsigned)chunk, version, at);
}

static void write_chunk(struct store *s, uint64_t chunk, unsigned version)
{
	static char data[STORE_CHUNK_SIZE + 1];
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = (uint64_t)CHUNKS * STORE_CHUNK_SIZE};
	fill(chunk, version, data);
	struct store_batch *b = begin(s, STORE_CHUNK_SIZE);
	store_batch_put_inode(b, sid, ino, &inode);
	store_batch_write(b, sid, ino, chunk * STORE_CHUNK_SIZE, data, STORE_CHUNK_SIZE);
	assert_int_equal(store_batch_commit(b), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 16u << 20};
	new_dir(f->dir);
	f->store = open_with(f->dir, &options);
	for (uint64_t i = 0; i < CHUNKS; i++)
		write_chunk(f->store, i, 1);
	assert_int_equal(store_flush(f->store), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_close(f->store), 0);
	shell("rm -rf %s", f->dir);
	free(f);
	return 0;
}

/* Reads a chunk in pieces; returns how many bytes differ from the version. */
static size_t differing(struct store *s, uint64_t chunk, unsigned version, size_t piece)
{
	char *want = malloc(STORE_CHUNK_SIZE + 1), *have = malloc(STORE_CHUNK_SIZE);
	size_t count = 0;
	fill(chunk, version, want);
	for (size_t at = 0; at < STORE_CHUNK_SIZE; at += piece)
		if (store_read(s, sid, ino, chunk * STORE_CHUNK_SIZE + at, have + at, piece))
			count++;
	for (size_t i = 0; i < STORE_CHUNK_SIZE; i++)
		count += want[i] != have[i];
	free(want);
	free(have);
	return count;
}

static void *read_all(void *arg)
{
	struct store *s = arg;
	size_t count = 0;
	for (uint64_t i = 0; i < CHUNKS; i++)
		count += differing(s, i, 1, i % 2 ? PIECE : STORE_CHUNK_SIZE);
	return (void *)count;
}

static void front_to_back(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;
	assert_ptr_equal(read_all(f->store), NULL);
	store_stats(f->store, &stats);
	assert_true(stats.chunk_hits > CHUNKS / 2);
}

static void many_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[READERS];
	void *count;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, f->store), 0);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], &count), 0);
		assert_ptr_equal(count, NULL);
	}
}

/* Each chunk is written anew, and often flushed, when it was fetched ahead and not yet read. */
static void what_is_written_meanwhile_is_seen(void **state)
{
	struct fixture *f = *state;
	for (unsigned version = 2; version < 8; version++) {
		for (uint64_t i = 0; i < CHUNKS; i++) {
			if (i + 2 < CHUNKS)
				write_chunk(f->store, i + 2, version);
			if (i % 3 != 1)
				assert_int_equal(store_flush(f->store), 0);
			if (i >= 2)
				assert_int_equal(differing(f->store, i, version, STORE_CHUNK_SIZE), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(front_to_back, setup, teardown),
		cmocka_unit_test_setup_teardown(many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_meanwhile_is_seen, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
