/*
 * cache_walk.c - what happens in cache/ while the keeper walks through it: whatever is moved out, or put in the place
 * of what was seen, stays. The clock lets each step of the walk do one thing, so that every moment is tried.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "fs/cache_expiry.h"
#include "fs/event.h"
#include "tests/unit/mounted.h"

enum { MOMENTS = 16, HOUR = 3600 };

static struct fs_id cache, results;
static int64_t ahead; /* of the true clock, nanoseconds */
static int64_t spent, cost; /* CPU time, and what there is of it between two looks */

/* Each look at the clock takes more than half of a step. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, clock, ts);

	if (r == 0 && clock == CLOCK_REALTIME) {
		int64_t ns = ts->tv_nsec + (ahead += 1500000);

		ts->tv_sec += ns / FS_SECOND;
		ts->tv_nsec = ns % FS_SECOND;
	} else if (r == 0 && clock == CLOCK_THREAD_CPUTIME_ID) {
		*ts = (struct timespec){.tv_sec = (spent += cost) / FS_SECOND, .tv_nsec = spent % FS_SECOND};
	}
	return (int)r;
}

static void make_file(struct fs_id dir, const char *name, const char *content, int64_t age)
{
	struct fs_id id = make(dir, name, S_IFREG | 0600);
	size_t len;

	assert_int_equal(file_write(fs, id, 0, content, strlen(content), 0, &len), 0);
	if (age)
		set_age(id, age);
	forget(id);
}

static struct fs_id find(struct fs_id dir, const char *name)
{
	struct entry entry;

	assert_int_equal(dir_lookup(fs, dir, name, &entry), 0);
	return entry.id;
}

/* Whether the name stands for a file of that content. */
static bool holds(struct fs_id dir, const char *name, const char *content)
{
	struct fs_id id = find(dir, name);
	char buf[64];
	size_t len = 0;

	if (!id.n)
		return false;
	assert_int_equal(file_read(fs, id, 0, buf, sizeof(buf), &len), 0);
	forget(id);
	return len == strlen(content) && memcmp(buf, content, len) == 0;
}

/* False when the walk rests. */
static bool step(void)
{
	FS_GUARD(fs);

	return cache_expiry_step(fs);
}

static void open_all(uint64_t cache_ttl, uint64_t cache_size)
{
	struct fs_id session;

	new_fs(&(struct fs_options){.cache_ttl = cache_ttl, .cache_size = cache_size});
	session = make(root_id(), "s", S_IFDIR | 0700);
	cache = find(session, "cache");
	results = find(session, "intermediate_results");
}

static void close_all(void)
{
	cache_expiry_free(fs->cache_walk);
	assert_int_equal(remove_fs(), 0);
}

static void moved_out(void **state)
{
	unsigned stayed = 0;

	(void)state;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct fs_id dir;
		bool there;

		open_all(HOUR, 0);
		make_file(cache, "due", "x", 2 * HOUR);
		dir = make(cache, "dir", S_IFDIR | 0700);
		make_file(dir, "old", "result", 2 * HOUR);
		for (unsigned i = 0; i < moment; i++)
			step();
		assert_int_equal(dir_rename(fs, cache, "dir", results, "dir", 0), 0);
		there = holds(dir, "old", "result");
		stayed += there;
		while (step())
			;
		assert_int_equal(holds(dir, "old", "result"), there);
		assert_false(holds(cache, "due", "x"));
		close_all();
	}
	assert_in_range(stayed, 1, MOMENTS - 1); /* some moments are before it was seen, some behind it */
}

/* What is older than all that the walk has seen comes with a directory, whose own times say nothing. */
static void moved_in(void **state)
{
	struct fs_id dir;

	(void)state;
	open_all(HOUR, 0);
	make_file(cache, "young", "x", 0);
	dir = make(results, "dir", S_IFDIR | 0700);
	make_file(dir, "old", "result", 2 * HOUR);
	while (step())
		;
	assert_int_equal(dir_rename(fs, results, "dir", cache, "dir", 0), 0);
	assert_false(holds(dir, "old", "result"));
	assert_true(holds(cache, "young", "x"));
	close_all();
}

/* The cap makes the oldest go; what takes its place meanwhile is new. */
static void replaced(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		open_all(0, 10);
		make_file(cache, "a", "8 bytes.", 2 * HOUR);
		make_file(cache, "b", "8 bytes.", HOUR);
		make_file(results, "new", "8 fresh.", 0);
		for (unsigned i = 0; i < moment; i++)
			step();
		assert_int_equal(dir_rename(fs, results, "new", cache, "a", 0), 0);
		while (step())
			;
		assert_true(holds(cache, "a", "8 fresh."));
		close_all();
	}
}

/* Whatever the order of names, and however many there are. */
static void the_oldest_go(void **state)
{
	enum { FILES = 200, STAY = 77, STRIDE = 37 };
	char name[16];

	(void)state;
	open_all(0, STAY * 8);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u", i * STRIDE % FILES);
		make_file(cache, name, "8 bytes.", HOUR + 10 * (int64_t)(i * STRIDE % FILES));
	}
	while (step())
		;
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(holds(cache, name, "8 bytes."), i < STAY);
	}
	close_all();
}

/* In a damaged store directories may run in a circle: the walk ends all the same. */
static void runs_in_a_circle(void **state)
{
	enum { STEPS = 1000 };
	struct store_dirent entry = {.type = S_IFDIR, .name = "up", .name_len = 2};
	struct store_batch *batch;
	struct store_sid sid;
	struct fs_id dir;
	unsigned steps = 0;

	(void)state;
	open_all(HOUR, 0);
	make_file(cache, "due", "x", 2 * HOUR);
	dir = make(cache, "dir", S_IFDIR | 0700);
	entry.ino.n = cache.n;
	sid = number_of("s");
	assert_int_equal(store_batch_begin(store, STORE_GROW, 0, &batch), 0);
	store_batch_add_dirent(batch, sid, (struct store_ino){dir.n}, &entry);
	assert_int_equal(store_batch_commit(batch), 0);
	while (step() && steps < STEPS)
		steps++;
	assert_in_range(steps, 0, STEPS - 1);
	assert_false(holds(cache, "due", "x"));
	close_all();
}

static void became_a_directory(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct fs_id dir;
		int r;

		open_all(0, 10);
		make_file(cache, "a", "8 bytes.", 2 * HOUR);
		make_file(cache, "b", "8 bytes.", HOUR);
		for (unsigned i = 0; i < moment; i++)
			step();
		r = dir_unlink(fs, cache, "a");
		assert_true(r == 0 || r == ENOENT);
		dir = make(cache, "a", S_IFDIR | 0700);
		forget(dir);
		while (step())
			;
		assert_int_equal(find(cache, "a").n, dir.n);
		close_all();
	}
}

/* Too much is in cache/ once more: whether the next walk has come so many seconds behind the one before. */
static bool walks_again(int64_t seconds)
{
	char name[16];

	snprintf(name, sizeof(name), "new%d", (int)seconds);
	make_file(cache, name, "8 bytes.", 0);
	ahead += seconds * FS_SECOND;
	while (step())
		;
	return !holds(cache, "0", "8 bytes.");
}

/*
 * Between two walks is a pause, by what the first cost, in CPU time. How long it took says nothing: the machine may
 * have slept meanwhile. (For less than a minute in all: more would be a jump of the clock.)
 */
static void pauses(void **state)
{
	enum { FILES = 100 };
	char name[16];

	(void)state;
	for (unsigned costly = 0; costly < 2; costly++) {
		cost = costly ? FS_SECOND / 100 : 0;
		open_all(0, FILES * 8);
		for (unsigned i = 0; i < FILES; i++) {
			snprintf(name, sizeof(name), "%u", i);
			make_file(cache, name, "8 bytes.", HOUR - (int64_t)i);
		}
		step();
		ahead += 30 * FS_SECOND;
		while (step())
			;
		assert_true(holds(cache, "0", "8 bytes."));
		assert_int_equal(walks_again(2), !costly);
		assert_true(!costly || walks_again(20));
		close_all();
	}
	cost = 0;
}

/* How many files the events tell, by name and together. */
static uint64_t told(void)
{
	static char text[1 << 16];
	struct store_session record;
	uint64_t count = 0;
	size_t len;

	assert_int_equal(store_get_session(store, number_of("s"), &record), 0);
	assert_int_equal(event_read(store, &record, event_first(&record), text, sizeof(text) - 1, &len), 0);
	store_session_release(&record);
	text[len] = '\0';
	for (char *at = text; (at = strstr(at, "\"expired file\"")); at++)
		count++;
	for (char *at = text; (at = strstr(at, "\"count\": \"")); at++)
		count += strtoull(at + strlen("\"count\": \""), NULL, 10);
	return count;
}

/* The mount ends, in order or not, after they went and before all of them were told. */
static void all_are_told(void **state)
{
	enum { FILES = 40 };
	char name[16];

	(void)state;
	open_all(HOUR, 0);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		make_file(cache, name, "x", 2 * HOUR);
	}
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_false(holds(cache, name, "x"));
	}
	assert_true(told() < FILES);
	reopen_fs();
	while (step())
		;
	assert_int_equal(told(), FILES);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_out), cmocka_unit_test(moved_in), cmocka_unit_test(replaced),
		cmocka_unit_test(the_oldest_go), cmocka_unit_test(became_a_directory),
		cmocka_unit_test(runs_in_a_circle), cmocka_unit_test(pauses), cmocka_unit_test(all_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
