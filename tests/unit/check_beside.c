/*
 * check_beside.c - a check beside the daemon, where LMDB has no table of readers: pages that were used again under it
 * are no damage.
 */
#include <limits.h>
#include <sys/vfs.h>

#include "store/check.h"
#include "tests/unit/stored.h"

enum { INODES = 2000, FLUSHES = 4 };

static const struct store_sid sid = {1};

static struct fixture {
	char path[DIR_SIZE];
	struct store *store;
	struct store_ino ino[INODES];
	unsigned left;  /* looks during which the store is written */
	uint64_t found; /* reported */
	bool looking;
} f;

/* A file system of which nothing is known. */
int fstatfs(int fd, struct statfs *ret)
{
	(void)fd;
	*ret = (struct statfs){.f_type = 0};
	return 0;
}

static void put_all(int64_t mtime)
{
	struct store_batch *b = begin(f.store, INODES * 200);
	for (int i = 0; i < INODES; i++) {
		struct store_inode record = {.mode = S_IFREG | 0644, .nlink = 1, .mtime = mtime};
		store_batch_put_inode(b, sid, f.ino[i], &record);
	}
	assert_int_equal(store_batch_commit(b), 0);
}

static void make_tree(void)
{
	struct store_inode top = {.mode = S_IFDIR | 0755, .nlink = 2, .size = INODES, .parent = STORE_ROOT_INO.n};
	struct store_inode root = {.mode = S_IFDIR | 0755, .nlink = 3, .size = 1};
	struct store_session session = {.sid = sid, .name = "s", .name_len = 1, .files = {[STORE_OTHER] = INODES}};
	struct store_batch *b = begin(f.store, INODES * 300);
	char name[16];
	assert_int_equal(store_new_sid(b).n, sid.n);
	session.root = store_new_ino(b);
	store_batch_put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, &root);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", sid, session.root, S_IFDIR);
	store_batch_put_inode(b, sid, session.root, &top);
	for (int i = 0; i < INODES; i++) {
		f.ino[i] = store_new_ino(b);
		snprintf(name, sizeof name, "%d", i);
		add_name(b, sid, session.root, name, sid, f.ino[i], S_IFREG);
	}
	store_batch_put_session(b, &session);
	assert_int_equal(store_batch_commit(b), 0);
	put_all(1);
	assert_int_equal(store_flush(f.store), 0);
}

static int setup(void **state)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 4u << 20};
	(void)state;
	new_dir(f.path);
	f.store = open_with(f.path, &options);
	make_tree();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(store_close(f.store), 0);
	shell("rm -rf %s", f.path);
	return 0;
}

/* The first record of a look comes: what it is about to read is written again, several times. */
static void on_progress(void *arg, uint64_t done, uint64_t all)
{
	(void)arg;
	(void)all;
	if (done != 1 || f.left == 0)
		return;
	f.left--;
	for (int n = 1; n <= FLUSHES; n++) {
		put_all((int64_t)f.left * FLUSHES + n);
		assert_int_equal(store_flush(f.store), 0);
	}
}

static void on_finding(void *arg, unsigned invariant, const char *text)
{
	(void)arg;
	assert_true(invariant < 64 && *text && *text != ' ');
	f.found++;
}

static int check(struct store_check_result *ret)
{
	const struct store_check_options options = {.report = on_finding, .progress = on_progress};
	struct store_open_info info;
	f.found = 0;
	return store_check(f.path, &options, ret, &info);
}

static void a_look_that_was_overtaken_counts_for_nothing(void **state)
{
	struct store_check_result r;
	(void)state;
	f.left = 1;
	assert_int_equal(check(&r), 0);
	assert_int_equal(f.left, 0);
	assert_int_equal(r.found, 0);
	assert_int_equal(f.found, 0);
	assert_int_equal(r.names, INODES + 1);
}

static void nor_does_one_that_always_is(void **state)
{
	struct store_check_result r;
	(void)state;
	f.left = UINT_MAX;
	assert_int_equal(check(&r), STORE_OVERTAKEN);
	assert_int_equal(f.found, 0);
}

static void what_is_damaged_is_found_at_last(void **state)
{
	struct store_check_result r;
	struct store_inode record;
	(void)state;
	assert_int_equal(store_get_inode(f.store, sid, f.ino[0], &record), 0);
	record.nlink = 7;
	struct store_batch *b = begin(f.store, 200);
	store_batch_put_inode(b, sid, f.ino[0], &record);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(f.store), 0);
	f.left = 0;
	assert_int_equal(check(&r), 0);
	assert_int_equal(r.found, 1);
	assert_int_equal(f.found, 1);
	put_all(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_look_that_was_overtaken_counts_for_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(nor_does_one_that_always_is, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_found_at_last, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
