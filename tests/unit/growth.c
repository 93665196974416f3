/*
 * growth.c - logs that grow in a burst: while the flusher is held up they take what is written, within their bounds,
 * and are small again afterwards; what a killed process or a power cut leaves of a grown one is read.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/internal.h"
#include "tests/unit/stored.h"

enum { MIB = 1 << 20, PIECE = STORE_CHUNK_SIZE, BASE = 4 * MIB, PIECES = 240 };

static const struct store_sid sid = { 7 };
static const struct store_ino ino = { 100 };
static char dir[DIR_SIZE];
static uint8_t piece[PIECE];

static struct store *open_store(uint64_t hot_size)
{
	const struct store_options options = { .create = true, .level = 1, .commit = 3600, .hot_size = hot_size };
	return open_with(dir, &options);
}

static int make_dir(void **state)
{
	(void)state;
	new_dir(dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	shell("rm -rf %s", dir);
	return 0;
}

static const uint8_t *content(uint32_t number)
{
	for (uint32_t i = 0; i < PIECE; i += sizeof number)
		memcpy(piece + i, &(uint32_t){ number * 7919 + i / 512 }, sizeof number);
	return piece;
}

static void write_pieces(struct store *s, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		struct store_inode inode = { .mode = S_IFREG | 0600, .nlink = 1, .size = (uint64_t)(n + 1) * PIECE };
		struct store_batch *b = begin(s, PIECE);
		store_batch_put_inode(b, sid, ino, &inode);
		store_batch_write(b, sid, ino, (uint64_t)n * PIECE, content(n), PIECE);
		assert_int_equal(store_batch_commit(b), 0);
	}
}

static void check_pieces(struct store *s, uint32_t count)
{
	static uint8_t got[PIECE];
	struct store_inode inode;
	assert_int_equal(store_get_inode(s, sid, ino, &inode), 0);
	assert_int_equal(inode.size, (uint64_t)count * PIECE);
	store_inode_release(&inode);
	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(store_read(s, sid, ino, (uint64_t)n * PIECE, got, PIECE), 0);
		assert_memory_equal(got, content(n), PIECE);
	}
}

/* No flush begins until it is let go. */
static void hold(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->retry_at = UINT64_MAX;
	pthread_mutex_unlock(&s->lock);
}

static void let_go(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->retry_at = 0;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static uint64_t room_in_logs(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.hot_size;
}

/* A flush is over for those who waited for it a little before its log is small again. */
static void wait_until_at_rest(struct store *s, uint64_t base)
{
	while (room_in_logs(s) != 2 * base)
		sched_yield();
}

static uint64_t file_size(const char *name)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks * 512 >= st.st_size);
	return (uint64_t)st.st_size;
}

static uint64_t ceiling(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t bytes = growth_ceiling(s);
	pthread_mutex_unlock(&s->lock);
	return bytes;
}

static void grows_and_goes_back(void **state)
{
	(void)state;
	struct store *s = open_store(64 * MIB);
	assert_int_equal(room_in_logs(s), 2 * BASE);
	hold(s);
	write_pieces(s, 0, PIECES);
	uint64_t grown = room_in_logs(s);
	assert_true(grown > (uint64_t)PIECES * PIECE && grown <= 2 * 64 * MIB);
	assert_int_equal(file_size("hot.0") + file_size("hot.1"), grown);
	check_pieces(s, PIECES);
	let_go(s);
	assert_int_equal(store_flush(s), 0);
	check_pieces(s, PIECES);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(file_size("hot.0"), BASE);
	assert_int_equal(file_size("hot.1"), BASE);
}

/* A store of which a process died in the middle of a burst, some of it synced. */
static void burst_and_die(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct store *s = open_store(64 * MIB);
		hold(s);
		write_pieces(s, 0, PIECES);
		if (store_sync(s))
			_exit(1);
		write_pieces(s, PIECES, PIECES + 8);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(file_size("hot.0") + file_size("hot.1") > (uint64_t)PIECES * PIECE);
}

static void grown_logs_outlive_the_process(void **state)
{
	(void)state;
	burst_and_die();
	struct store *s = open_store(64 * MIB);
	check_pieces(s, PIECES + 8);
	assert_int_equal(room_in_logs(s), 2 * BASE);
	assert_int_equal(store_close(s), 0);
}

static void grown_logs_are_read_only(void **state)
{
	(void)state;
	const struct store_options options = { .read_only = true, .commit = 3600 };
	burst_and_die();
	uint64_t before = file_size("hot.0") + file_size("hot.1");
	struct store *s = open_with(dir, &options);
	check_pieces(s, PIECES + 8);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(file_size("hot.0") + file_size("hot.1"), before);
}

static void put_boot(const char *name)
{
	char path[128];
	struct hot_boot other = { { 0x5a } };
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &other, sizeof other, offsetof(struct hot_header, boot)), sizeof other);
	close(fd);
}

/* Of another boot what was synced counts, wherever in the log it lies. */
static void grown_logs_outlive_the_power(void **state)
{
	(void)state;
	burst_and_die();
	put_boot("hot.0");
	put_boot("hot.1");
	struct store *s = open_store(64 * MIB);
	check_pieces(s, PIECES);
	assert_int_equal(store_close(s), 0);
}

static void any_size_is_taken(void **state)
{
	(void)state;
	burst_and_die();
	struct store *s = open_store(4 * MIB);
	check_pieces(s, PIECES + 8);
	assert_int_equal(room_in_logs(s), 2 * 4 * MIB);
	assert_int_equal(store_close(s), 0);
	s = open_store(256 * MIB);
	assert_int_equal(room_in_logs(s), 2 * 16 * MIB);
	assert_int_equal(store_close(s), 0);
	s = open_store(64 * MIB);
	check_pieces(s, PIECES + 8);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(file_size("hot.0"), BASE);
}

/* One batch that is larger than a log at rest. */
static void a_large_batch_finds_room(void **state)
{
	(void)state;
	enum { LARGE = 40 * MIB };
	struct store *s = open_store(64 * MIB);
	uint8_t *data = calloc(1, LARGE), last;
	data[LARGE - 1] = 42;
	struct store_batch *b = begin(s, LARGE);
	store_batch_write(b, sid, ino, 0, data, LARGE);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(s), 0);
	assert_int_equal(store_read(s, sid, ino, LARGE - 1, &last, 1), 0);
	assert_int_equal(last, 42);
	assert_int_equal(store_batch_begin(s, STORE_GROW, 80 * MIB, &b), STORE_FULL);
	wait_until_at_rest(s, BASE);
	assert_int_equal(store_close(s), 0);
	free(data);
}

static void *writer(void *store)
{
	write_pieces(store, 0, PIECES);
	return NULL;
}

static bool growing_failed(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool failed = s->growth.retry_at;
	pthread_mutex_unlock(&s->lock);
	return failed;
}

/* Where no block is to be had, writers wait for the flusher instead. */
static void stays_small_without_space(void **state)
{
	(void)state;
	struct rlimit before, limit;
	pthread_t thread;
	struct store *s = open_store(64 * MIB);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	hold(s);
	limit = before;
	limit.rlim_cur = BASE + MIB;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(pthread_create(&thread, NULL, writer, s), 0);
	while (!growing_failed(s))
		sched_yield();
	let_go(s);
	pthread_join(thread, NULL);
	assert_int_equal(room_in_logs(s), 2 * BASE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	check_pieces(s, PIECES);
	assert_int_equal(store_close(s), 0);
}

/* The index of small records is memory: a log of them does not grow far; one of large pieces does. */
static void small_records_bound_it(void **state)
{
	(void)state;
	struct store *s = open_store(64 * MIB);
	hold(s);
	write_pieces(s, 0, PIECES / 2);
	assert_int_equal(ceiling(s), 64 * MIB);
	for (uint64_t n = 0; n < 400000 && room_in_logs(s) < ceiling(s); n++) {
		struct store_inode inode = { .mode = S_IFREG | 0600, .nlink = 1 };
		struct store_batch *b = begin(s, 0);
		store_batch_put_inode(b, sid, (struct store_ino){ 1000 + n }, &inode);
		assert_int_equal(store_batch_commit(b), 0);
	}
	assert_true(ceiling(s) < 48 * MIB);
	assert_true(s->active->index.bytes < 12 * MIB);
	let_go(s);
	assert_int_equal(store_flush(s), 0);
	check_pieces(s, PIECES / 2);
	assert_int_equal(store_close(s), 0);
}

/* So are pages of small pieces, which a flush reads through the mapping, however they were written. */
static void small_pieces_bound_it(void **state)
{
	(void)state;
	enum { SMALL = 8192, COUNT = 2000 };
	struct store *s = open_store(64 * MIB);
	hold(s);
	for (uint64_t n = 0; n < COUNT; n++) {
		struct store_batch *b = begin(s, SMALL);
		store_batch_write(b, sid, ino, n * SMALL, content((uint32_t)n), SMALL);
		assert_int_equal(store_batch_commit(b), 0);
	}
	assert_true(room_in_logs(s) > (uint64_t)COUNT * SMALL);
	assert_true(ceiling(s) < 40 * MIB);
	let_go(s);
	assert_int_equal(store_close(s), 0);
}

static uint64_t room_left(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t bytes = hot_room(s->active);
	pthread_mutex_unlock(&s->lock);
	return bytes;
}

/* What was allocated in vain is the first thing that a full disk gets back. */
static void is_given_back(void **state)
{
	(void)state;
	struct store *s = open_store(256 * MIB);
	hold(s);
	write_pieces(s, 0, PIECES);
	while (room_left(s) < 8 * MIB)
		sched_yield();
	uint64_t grown = room_in_logs(s);
	assert_true(space_release(s));
	assert_true(room_in_logs(s) < grown);
	assert_int_equal(file_size("hot.0") + file_size("hot.1"), room_in_logs(s));
	write_pieces(s, PIECES, PIECES + 4);
	let_go(s);
	assert_int_equal(store_flush(s), 0);
	check_pieces(s, PIECES + 4);
	assert_int_equal(store_close(s), 0);
}

static void *reader(void *arg)
{
	static uint8_t got[PIECE];
	struct store *s = arg;
	struct store_inode inode;
	uint64_t size = 0;
	for (uint32_t n = 0; size < (uint64_t)PIECES * PIECE; n++) {
		if (store_get_inode(s, sid, ino, &inode))
			continue;
		size = inode.size;
		uint32_t number, first, at = n * 31 % (uint32_t)(size / PIECE);
		store_inode_release(&inode);
		assert_int_equal(store_read(s, sid, ino, (uint64_t)at * PIECE, got, PIECE), 0);
		memcpy(&number, got, sizeof number);
		memcpy(&first, got + 512 - sizeof first, sizeof first);
		assert_int_equal(number, at * 7919);
		assert_int_equal(first, number);
	}
	return NULL;
}

/* Readers never see a log that shrinks. */
static void readers_beside_it(void **state)
{
	(void)state;
	struct store *s = open_store(64 * MIB);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, reader, s), 0);
	for (uint32_t n = 0; n < PIECES; n += 60) {
		hold(s);
		write_pieces(s, n, n + 60);
		let_go(s);
		assert_int_equal(store_flush(s), 0);
		wait_until_at_rest(s, BASE);
	}
	pthread_join(thread, NULL);
	assert_int_equal(store_close(s), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(grows_and_goes_back),
		CASE(grown_logs_outlive_the_process),
		CASE(grown_logs_are_read_only),
		CASE(grown_logs_outlive_the_power),
		CASE(any_size_is_taken),
		CASE(a_large_batch_finds_room),
		CASE(stays_small_without_space),
		CASE(small_records_bound_it),
		CASE(small_pieces_bound_it),
		CASE(is_given_back),
		CASE(readers_beside_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
