/*
 * drop.c - sessions that are dropped: all of it goes, in the background, whatever happens in between; and what remains
 * of them, their endings.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "store/key.h"
#include "tests/unit/stored.h"

enum { FILES = 30000, SIZE = 200 };

struct fixture {
	char dir[DIR_SIZE];
	struct store *store;
};

static struct store *open_store(const char *dir)
{
	return open_with(dir, &(struct store_options){ .create = true, .level = 3, .commit = 3600 });
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->dir);
	f->store = open_store(f->dir);
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

static void make_file(struct store *s, struct store_sid sid, struct store_ino dir, unsigned n)
{
	struct store_inode inode = { .mode = S_IFREG | 0600, .nlink = 1, .size = SIZE };
	struct store_dirent d = { .session = sid, .type = S_IFREG };
	char data[SIZE];
	memset(data, 'a' + n % 26, SIZE);
	struct store_batch *b = begin(s, SIZE);
	d.ino = store_new_ino(b);
	d.name_len = (uint32_t)snprintf(d.name, sizeof d.name, "file-%u", n);
	store_batch_new_inode(b, sid, d.ino, &inode);
	store_batch_add_dirent(b, sid, dir, &d);
	store_batch_write(b, sid, d.ino, 0, data, SIZE);
	assert_int_equal(store_batch_commit(b), 0);
}

/* A session of so many files, an orphan among them. */
static struct store_session make_session(struct store *s, unsigned files)
{
	struct store_session session = { .name = "s", .name_len = 1 };
	struct store_inode dir = { .mode = S_IFDIR | 0700, .nlink = 2 }, orphan = { .mode = S_IFREG };
	struct store_batch *b = begin(s, 0);
	session.sid = store_new_sid(b);
	session.root = store_new_ino(b);
	struct store_ino lost = store_new_ino(b);
	store_batch_put_session(b, &session);
	store_batch_new_inode(b, session.sid, session.root, &dir);
	store_batch_new_inode(b, session.sid, lost, &orphan);
	store_batch_put_orphan(b, session.sid, lost);
	assert_int_equal(store_batch_commit(b), 0);
	for (unsigned i = 0; i < files; i++)
		make_file(s, session.sid, session.root, i);
	return session;
}

static void drop(struct store *s, const struct store_session *session)
{
	struct store_batch *b = begin(s, 0);
	store_batch_drop_session(b, session);
	assert_int_equal(store_batch_commit(b), 0);
}

static bool note_orphan(void *arg, struct store_sid sid, struct store_ino ino)
{
	(void)ino;
	return *(bool *)arg = *(bool *)arg || sid.n != 0;
}

static struct store_stats stats_of(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats;
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

/* Also of a store that was just opened, and does not know yet that it has something to drop. */
static void wait_until_gone(struct store *s, const struct store_session *session)
{
	struct store_session got;
	struct store_inode inode;
	bool orphans = false;
	int r;
	assert_int_equal(store_flush(s), 0);
	while ((r = store_get_session(s, session->sid, &got)) == 0) {
		assert_true(got.flags & STORE_SESSION_DROPPED);
		store_session_release(&got);
		pause_briefly();
	}
	assert_int_equal(r, STORE_ABSENT);
	assert_int_equal(store_get_inode(s, session->sid, session->root, &inode), STORE_ABSENT);
	assert_int_equal(store_scan_orphans(s, 0, note_orphan, &orphans), 0);
	assert_false(orphans);
	assert_int_equal(stats_of(s).drops, 0);
}

static void note_finding(void *arg, unsigned invariant, const char *text)
{
	(void)arg;
	fail_msg("%u: %s", invariant, text);
}

/* The fixture's sessions have no names and no counters: only what lies below all that is asked for. */
static void note_damage(void *arg, unsigned invariant, const char *text)
{
	if (invariant <= 3 || invariant == 8 || invariant == 9 || invariant == 12 || invariant == 14)
		note_finding(arg, invariant, text);
}

static void check(const char *path)
{
	struct store_check_options options = { .report = note_damage };
	struct store_check_result result;
	struct store_open_info info;
	assert_int_equal(store_check(path, &options, &result, &info), 0);
}

static void all_of_it_goes(void **state)
{
	struct fixture *f = *state;
	uint64_t before = stats_of(f->store).warm_bytes;
	struct store_session session = make_session(f->store, FILES), kept = make_session(f->store, 0), got;
	struct store_batch *b = begin(f->store, 0);
	store_batch_delete_orphan(b, (struct store_ino){ kept.root.n + 1 });
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(f->store), 0);
	uint64_t full = stats_of(f->store).warm_bytes;
	drop(f->store, &session);
	assert_int_equal(stats_of(f->store).drops, 1);
	wait_until_gone(f->store, &session);
	struct store_stats after = stats_of(f->store);
	assert_true(after.dropped >= 3 * FILES);
	assert_true(after.warm_bytes - before < (full - before) / 10);
	assert_int_equal(store_get_session(f->store, kept.sid, &got), 0);
	store_session_release(&got);
	assert_int_equal(store_close(f->store), 0);
	check(f->dir);
	f->store = open_store(f->dir);
}

static void what_no_flush_saw_is_never_written(void **state)
{
	struct fixture *f = *state;
	uint64_t before = stats_of(f->store).warm_bytes;
	struct store_session session = make_session(f->store, 1000);
	drop(f->store, &session);
	wait_until_gone(f->store, &session);
	assert_int_equal(stats_of(f->store).dropped, 0);
	assert_true(stats_of(f->store).warm_bytes < before + 100000);
}

static void aborted_batches_drop_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_session session = make_session(f->store, 10), got;
	struct store_batch *b = begin(f->store, 0);
	store_batch_drop_session(b, &session);
	store_batch_abort(b);
	assert_int_equal(stats_of(f->store).drops, 0);
	assert_int_equal(store_flush(f->store), 0);
	assert_int_equal(store_get_session(f->store, session.sid, &got), 0);
	assert_false(got.flags & STORE_SESSION_DROPPED);
	store_session_release(&got);
}

static void a_close_stops_it_and_an_open_goes_on(void **state)
{
	struct fixture *f = *state;
	struct store_session session = make_session(f->store, FILES);
	assert_int_equal(store_flush(f->store), 0);
	drop(f->store, &session);
	assert_int_equal(store_close(f->store), 0);
	check(f->dir);
	f->store = open_store(f->dir);
	wait_until_gone(f->store, &session);
}

/* Dies, as with kill -9, once so much is deleted. */
static void drop_and_die(const char *dir, const struct store_session *session, uint64_t records)
{
	pid_t pid = fork();
	int status;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s = open_store(dir);
		drop(s, session);
		if (records && store_flush(s))
			_exit(1);
		while (stats_of(s).dropped < records)
			pause_briefly();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_death_at_any_point_only_interrupts_it(void **state)
{
	struct fixture *f = *state;
	const uint64_t points[] = { 0, 1, FILES, 3 * FILES };
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		struct store_session session = make_session(f->store, FILES);
		assert_int_equal(store_close(f->store), 0);
		drop_and_die(f->dir, &session, points[i]);
		check(f->dir);
		f->store = open_store(f->dir);
		wait_until_gone(f->store, &session);
	}
}

static void many_go_in_few_steps(void **state)
{
	enum { SESSIONS = 1500 };
	struct fixture *f = *state;
	static struct store_session sessions[SESSIONS];
	for (int i = 0; i < SESSIONS; i++)
		sessions[i] = make_session(f->store, 3);
	assert_int_equal(store_flush(f->store), 0);
	for (int i = 0; i < SESSIONS; i++)
		drop(f->store, &sessions[i]);
	for (int i = 0; i < SESSIONS; i++) {
		struct store_session got;
		assert_int_equal(store_flush(f->store), 0);
		while (store_get_session(f->store, sessions[i].sid, &got) == 0)
			store_session_release(&got), pause_briefly();
	}
	wait_until_gone(f->store, &sessions[SESSIONS - 1]);
}

/* A page with names in the middle of what the first session has: far from the records of sessions, which must stay. */
static void damage_names(const char *dir)
{
	static uint8_t page[4096];
	char path[96];
	long pages[1000], count = 0;
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	for (long at = 0; count < 1000 && fread(page, sizeof page, 1, file) == 1; at += (long)sizeof page)
		if (memmem(page, sizeof page, "file-", 5))
			pages[count++] = at;
	assert_true(count > 20);
	assert_int_equal(fseek(file, pages[count / 3], SEEK_SET), 0);
	assert_int_equal(fread(page, sizeof page, 1, file), 1);
	page[12] ^= 0x55; /* where its nodes' offsets end */
	assert_int_equal(fseek(file, pages[count / 3], SEEK_SET), 0);
	assert_int_equal(fwrite(page, sizeof page, 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

/* The leaf in which a record lies. */
static void damage_leaf_of(const char *dir, struct key key)
{
	static uint8_t page[4096];
	uint8_t bytes[KEY_SIZE];
	char path[96];
	bool found = false;
	key_to_bytes(key, bytes);
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	for (long at = 0; fread(page, sizeof page, 1, file) == 1; at += (long)sizeof page) {
		if (!(page[10] & 2) || !memmem(page, sizeof page, bytes, sizeof bytes)) /* 2: a leaf */
			continue;
		found = true;
		page[12] ^= 0x55; /* where its nodes' offsets end */
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		assert_int_equal(fwrite(page, sizeof page, 1, file), 1);
		assert_int_equal(fflush(file), 0);
	}
	assert_true(found);
	assert_int_equal(fclose(file), 0);
}

static void repair(const char *dir)
{
	struct store_check_options options = { .repair = true };
	struct store_check_result result;
	struct store_open_info info;
	assert_int_equal(store_check(dir, &options, &result, &info), 0);
	assert_true(result.found > 0);
}

static void damage_holds_up_nothing_else_and_is_mended(void **state)
{
	struct fixture *f = *state;
	struct store_session hurt = make_session(f->store, 3000), sound = make_session(f->store, 1000), got;
	assert_int_equal(store_close(f->store), 0);
	damage_names(f->dir);
	f->store = open_store(f->dir);
	drop(f->store, &hurt);
	drop(f->store, &sound);
	assert_int_equal(store_flush(f->store), 0);
	while (stats_of(f->store).drops > 1)
		pause_briefly();
	assert_int_equal(stats_of(f->store).drops_damaged, 1);
	assert_int_equal(store_get_session(f->store, sound.sid, &got), STORE_ABSENT);
	assert_int_equal(store_get_session(f->store, hurt.sid, &got), 0);
	store_session_release(&got);
	assert_int_equal(store_close(f->store), 0);
	repair(f->dir);
	f->store = open_store(f->dir);
	wait_until_gone(f->store, &hurt);
}

/* More orphans than a few pages hold, made by a session that stays. */
static struct store_ino make_orphans(struct store *s, struct store_session *keeper, unsigned count)
{
	struct store_inode orphan = { .mode = S_IFREG };
	struct store_ino ino = { 0 };
	struct store_batch *b = begin(s, 0);
	for (unsigned i = 0; i < count; i++) {
		ino = store_new_ino(b);
		store_batch_new_inode(b, keeper->sid, ino, &orphan);
		store_batch_put_orphan(b, keeper->sid, ino);
	}
	assert_int_equal(store_batch_commit(b), 0);
	return (struct store_ino){ ino.n - count / 2 };
}

static void damaged_orphans_do_not_keep_the_space(void **state)
{
	struct fixture *f = *state;
	struct store_session kept = make_session(f->store, 0), gone[2], got;
	struct store_ino middle = make_orphans(f->store, &kept, 1000);
	for (int i = 0; i < 2; i++)
		gone[i] = make_session(f->store, 1000);
	assert_int_equal(store_close(f->store), 0);
	damage_leaf_of(f->dir, key_front(KIND_ORPHAN, middle.n));
	f->store = open_store(f->dir);
	for (unsigned i = 0; i < 2; i++) {
		drop(f->store, &gone[i]);
		assert_int_equal(store_flush(f->store), 0);
		while (stats_of(f->store).drops_damaged <= i)
			pause_briefly();
		assert_true(stats_of(f->store).dropped >= (i + 1) * 3 * 1000);
		assert_int_equal(store_get_session(f->store, gone[i].sid, &got), 0);
		store_session_release(&got);
	}
	assert_int_equal(stats_of(f->store).drops, 2);
	assert_int_equal(store_close(f->store), 0);
	repair(f->dir);
	f->store = open_store(f->dir);
	assert_int_equal(stats_of(f->store).drops_damaged, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_flush(f->store), 0);
		while (store_get_session(f->store, gone[i].sid, &got) == 0)
			store_session_release(&got), pause_briefly();
	}
	assert_int_equal(store_get_session(f->store, kept.sid, &got), 0);
	store_session_release(&got);
}

/* ---- beside other work ------------------------------------------------------------------------------------------ */

struct beside {
	struct store *store;
	struct store_sid sid;
	struct store_ino file, lost;
	_Atomic bool stop;
	_Atomic int failures;
};

static void *read_beside(void *arg)
{
	static const struct store_ino any = { 1000 };
	struct beside *x = arg;
	char data[SIZE];
	while (!x->stop) {
		int r = store_read(x->store, x->sid, x->file, 0, data, SIZE);
		x->failures += r || data[0] != 'a' || data[SIZE - 1] != 'a';
		r = store_read(x->store, x->sid, any, 0, data, SIZE);
		struct store_inode inode;
		x->failures += r || store_get_inode(x->store, x->sid, x->lost, &inode);
	}
	return NULL;
}

static void others_notice_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_session kept = make_session(f->store, 1), session = make_session(f->store, FILES);
	struct beside x = { .store = f->store, .sid = kept.sid, .lost = { kept.root.n + 1 },
		.file = { kept.root.n + 2 } };
	struct store_batch *b = begin(f->store, 0);
	store_batch_delete_orphan(b, x.lost);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(f->store), 0);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_beside, &x), 0);
	drop(f->store, &session);
	for (int i = 0; i < 5; i++)
		make_session(f->store, 200);
	assert_int_equal(store_flush(f->store), 0);
	while (stats_of(f->store).drops)
		pause_briefly();
	x.stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(x.failures, 0);
}

static void a_writer_waits_for_the_space(void **state)
{
	struct fixture *f = *state;
	struct store_options options = { .level = 0, .commit = 3600, .hot_size = 4u << 20, .max_size = 24u << 20 };
	struct store_batch *b;
	assert_int_equal(store_close(f->store), 0);
	f->store = open_with(f->dir, &options);
	struct store_session session = make_session(f->store, 0);
	static char data[100000];
	int r;
	for (unsigned n = 0; (r = store_batch_begin(f->store, STORE_GROW, sizeof data, &b)) == 0; n++) {
		struct store_ino ino = store_new_ino(b);
		struct store_inode inode = { .mode = S_IFREG, .nlink = 1, .size = sizeof data };
		store_batch_new_inode(b, session.sid, ino, &inode);
		store_batch_write(b, session.sid, ino, 0, data, sizeof data);
		assert_int_equal(store_batch_commit(b), 0);
	}
	assert_int_equal(r, STORE_FULL);
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	store_batch_drop_session(b, &session);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_batch_begin(f->store, STORE_GROW, sizeof data, &b), 0);
	store_batch_abort(b);
	wait_until_gone(f->store, &session);
}

/* ---- endings, and places in the sequence of batches ------------------------------------------------------------- */

struct endings {
	uint32_t sids[4], count;
};

static bool note_ending(void *arg, const struct store_ending *ending)
{
	struct endings *e = arg;
	assert_true(e->count < 4);
	assert_int_equal(ending->ended, 1000 + ending->sid.n);
	assert_string_equal(ending->name, "gone");
	assert_int_equal(ending->operations, 7);
	e->sids[e->count++] = ending->sid.n;
	return false;
}

static void put_ending(struct store_batch *b, uint32_t sid)
{
	struct store_ending ending = { .sid = { sid }, .name = "gone", .name_len = 4, .created = 5, .ended = 1000 + sid,
		.until = STORE_NEVER, .ending = 3, .operations = 7 };
	store_batch_put_ending(b, &ending);
}

static void assert_endings(struct store *s, uint32_t after, uint32_t first, uint32_t second)
{
	struct endings e = { .count = 0 };
	assert_int_equal(store_scan_endings(s, after, note_ending, &e), 0);
	assert_int_equal(e.count, (first != 0) + (second != 0));
	assert_int_equal(e.sids[0], first);
	assert_int_equal(e.sids[1], second);
}

static void endings_come_back(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b = begin(f->store, 0);
	put_ending(b, 9);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(f->store), 0);
	b = begin(f->store, 0);
	put_ending(b, 300);
	assert_int_equal(store_batch_commit(b), 0);
	assert_endings(f->store, 0, 9, 300);
	assert_endings(f->store, 9, 300, 0);
	b = begin(f->store, 0);
	store_batch_delete_ending(b, (struct store_sid){ 9 });
	assert_int_equal(store_batch_commit(b), 0);
	assert_endings(f->store, 0, 300, 0);
	assert_int_equal(store_close(f->store), 0);
	f->store = open_store(f->dir);
	assert_endings(f->store, 0, 300, 0);
}

static void places_move_on(void **state)
{
	struct fixture *f = *state;
	uint64_t start = store_position(f->store);
	assert_int_equal(store_durable(f->store), start);
	for (int i = 0; i < 3; i++) {
		struct store_batch *b = begin(f->store, 0);
		put_ending(b, 9);
		assert_int_equal(store_batch_commit(b), 0);
		assert_true(store_position(f->store) > start);
		assert_int_equal(store_durable(f->store), start);
		assert_int_equal(i % 2 ? store_flush(f->store) : store_sync(f->store), 0);
		assert_int_equal(store_durable(f->store), store_position(f->store));
		start = store_position(f->store);
	}
	struct store_batch *b = begin(f->store, 0);
	store_batch_abort(b);
	assert_int_equal(store_position(f->store), start);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_of_it_goes),
		CASE(what_no_flush_saw_is_never_written),
		CASE(aborted_batches_drop_nothing),
		CASE(a_close_stops_it_and_an_open_goes_on),
		CASE(a_death_at_any_point_only_interrupts_it),
		CASE(many_go_in_few_steps),
		CASE(damage_holds_up_nothing_else_and_is_mended),
		CASE(damaged_orphans_do_not_keep_the_space),
		CASE(others_notice_nothing),
		CASE(a_writer_waits_for_the_space),
		CASE(endings_come_back),
		CASE(places_move_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
