/*
 * run.c - the count of mounts: that one began is durable before it serves, or the next one would not know after a power
 * cut that it was interrupted.
 */
#include "tests/unit/mounted.h"

static void a_mount_is_durable_before_it_serves(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.grace = 3600});
	for (unsigned mount = 0; mount < 2; mount++) {
		assert_int_equal(store_unsynced(store), 0);
		forget(make(root_id(), mount ? "second" : "first", S_IFDIR | 0755));
		assert_int_not_equal(store_unsynced(store), 0);
		reopen_fs();
	}
	remove_fs();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_mount_is_durable_before_it_serves)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
