/* damaged_root.c - a name in the root that leads to no session: an error for it, and nothing worse */
#include "tests/unit/mounted.h"

static int setup(void **state)
{
	struct store_batch *b;

	(void)state;
	new_fs(&(struct fs_options){.ttl = 3600});
	b = begin(store, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", STORE_ROOT_SID, STORE_ROOT_INO, S_IFDIR);
	assert_int_equal(store_batch_commit(b), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static struct fs_id find(struct fs_id dir, const char *name)
{
	struct entry entry;

	assert_int_equal(dir_lookup(fs, dir, name, &entry), 0);
	return entry.id;
}

static void looked_up(void **state)
{
	struct fs_id active = find(find(find(root_id(), ".sessfs"), "by-status"), "active");
	struct entry entry;

	(void)state;
	assert_int_equal(dir_lookup(fs, root_id(), "s", &entry), -EIO);
	assert_int_equal(dir_lookup(fs, active, "s", &entry), -EIO);
}

static void removed(void **state)
{
	struct fs_id trash = find(find(root_id(), ".sessfs"), "trash");

	(void)state;
	assert_int_equal(dir_rename(fs, root_id(), "s", trash, "s", 0), -EIO);
	assert_int_equal(dir_rmdir(fs, root_id(), "s"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(looked_up, setup, teardown),
		cmocka_unit_test_setup_teardown(removed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
