/* circles.c - directories of a damaged store that run in a circle: a rename there ends */
#include <errno.h>

#include "tests/unit/mounted.h"

static struct store_sid sid;

static struct fs_id find(struct fs_id dir, const char *name)
{
	struct entry entry;

	assert_int_equal(dir_lookup(fs, dir, name, &entry), 0);
	return entry.id;
}

static struct fs_id top(void)
{
	return find(root_id(), "s");
}

/* The session s, in it the file f and the directory dir, of which nothing is in memory. */
static int setup(void **state)
{
	struct fs_id session;

	(void)state;
	new_fs(&(struct fs_options){.ttl = 3600});
	session = make(root_id(), "s", S_IFDIR | 0700);
	make(session, "f", S_IFREG | 0600);
	make(make(session, "dir", S_IFDIR | 0700), "below", S_IFDIR | 0700);
	sid = number_of("s");
	reopen_fs();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static struct store_dirent look(struct store_ino dir, const char *name)
{
	struct store_dirent found;

	assert_int_equal(store_lookup(store, sid, dir, name, strlen(name), &found), 0);
	return found;
}

static struct store_ino dir_of_session(void)
{
	struct store_session record;
	struct store_ino root;

	assert_int_equal(store_get_session(store, sid, &record), 0);
	root = record.root;
	store_session_release(&record);
	return root;
}

static void parents(void **state)
{
	struct store_ino dir = look(dir_of_session(), "dir").ino, below = look(dir, "below").ino;
	struct store_inode inode;
	struct store_batch *b;

	(void)state;
	assert_int_equal(store_get_inode(store, sid, dir, &inode), 0);
	inode.parent = below.n;
	b = begin(store, 0);
	store_batch_put_inode(b, sid, dir, &inode);
	assert_int_equal(store_batch_commit(b), 0);
	store_inode_release(&inode);
	make(top(), "other", S_IFDIR | 0700);
	assert_int_equal(dir_rename(fs, top(), "other", find(find(top(), "dir"), "below"), "x", 0), -EIO);
}

static void names(void **state)
{
	struct store_ino dir = look(dir_of_session(), "dir").ino, below = look(dir, "below").ino;
	struct store_batch *b = begin(store, 0);

	(void)state;
	add_name(b, sid, below, "up", sid, dir, S_IFDIR);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(dir_rename(fs, top(), "dir", find(top(), "logs"), "dir", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parents, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
