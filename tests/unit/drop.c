/* drop.c - sessions that are dropped: all of them goes, in the background, whatever happens in between; and what is left of them, their endings. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

enum { FILES = 30000, SIZE = 200 };

struct fixture {
	char dir[64];
	struct store *store;
};

static struct store *open_store(const char *dir)
{
	struct store_options options = { .create = true, .level = 3, .commit = 3600 };
	struct store_open_info info;
	struct store *s = NULL;
	int r = store_open(dir, &options, &s, &info);
	if (r)
		fail_msg("store_open: %d (%s, errno %d)", r, info.what, info.error);
	return s;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	strcpy(f->dir, "/tmp/sessfs-drop-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->store = open_store(f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	assert_int_equal(store_close(f->store), 0);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct store_batch *begin(struct store *s, size_t bytes)
{
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_GROW, bytes, &b), 0);
	return b;
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

static void wait_until_gone(struct store *s)
{
	struct store_stats stats;
	do {
		assert_int_equal(store_flush(s), 0);
		store_stats(s, &stats);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	} while (stats.drops);
}

static void assert_gone(struct store *s, const struct store_session *session)
{
	struct store_session got;
	struct store_inode inode;
	bool orphans = false;
	assert_int_equal(store_get_session(s, session->sid, &got), STORE_ABSENT);
	assert_int_equal(store_get_inode(s, session->sid, session->root, &inode), STORE_ABSENT);
	assert_int_equal(store_scan_orphans(s, 0, note_orphan, &orphans), 0);
	assert_false(orphans);
}

static void all_of_it_goes(void **state)
{
	struct fixture *f = *state;
	struct store_stats before, full, after;
	struct store_session kept, session;
	store_stats(f->store, &before);
	session = make_session(f->store, FILES);
	kept = make_session(f->store, 0);
	struct store_batch *b = begin(f->store, 0);
	struct store_ino none = { 3 };
	store_batch_delete_orphan(b, none);
	store_batch_delete_orphan(b, (struct store_ino){ kept.root.n + 1 });
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(f->store), 0);
	store_stats(f->store, &full);
	drop(f->store, &session);
	wait_until_gone(f->store);
	assert_gone(f->store, &session);
	store_stats(f->store, &after);
	assert_true(after.dropped >= 3 * FILES);
	assert_true(after.warm_bytes - before.warm_bytes < (full.warm_bytes - before.warm_bytes) / 10);
	assert_int_equal(store_get_session(f->store, kept.sid, &session), 0);
	store_session_release(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_it_goes, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
