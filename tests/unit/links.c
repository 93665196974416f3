/* links.c - how many links there may be of a file, and how many directories in one */
#include <errno.h>

#include "tests/unit/mounted.h"

enum { MANY = 65000 };

static struct store_sid sid;

/* The session s, and in it a name whose inode has many links, of which nothing is in memory. */
static void set_up(const char *name, mode_t mode)
{
	struct store_inode inode;
	struct store_batch *b;
	struct store_ino ino;

	new_fs(&(struct fs_options){.ttl = 3600});
	ino.n = make(make(root_id(), "s", S_IFDIR | 0700), name, mode).n;
	sid = number_of("s");
	reopen_fs();
	assert_int_equal(store_get_inode(store, sid, ino, &inode), 0);
	inode.nlink = MANY;
	b = begin(store, 0);
	store_batch_put_inode(b, sid, ino, &inode);
	assert_int_equal(store_batch_commit(b), 0);
	store_inode_release(&inode);
}

static struct fs_id find(struct fs_id dir, const char *name)
{
	struct entry entry;

	assert_int_equal(dir_lookup(fs, dir, name, &entry), 0);
	return entry.id;
}

static void of_a_file(void **state)
{
	struct fs_id session;
	struct entry entry;

	(void)state;
	set_up("file", S_IFREG | 0600);
	session = find(root_id(), "s");
	assert_int_equal(dir_link(fs, find(session, "file"), session, "other", &entry), EMLINK);
	remove_fs();
}

static void of_a_directory(void **state)
{
	struct stat attr;
	struct fs_id dir;
	double timeout;

	(void)state;
	set_up("dir", S_IFDIR | 0700);
	dir = find(find(root_id(), "s"), "dir");
	make(dir, "another", S_IFDIR | 0700);
	assert_int_equal(attr_get(fs, dir, &attr, &timeout), 0);
	assert_int_equal(attr.st_nlink, MANY + 1);
	remove_fs();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_file), cmocka_unit_test(of_a_directory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
