/*
 * left_out.c - what goes through all sessions in slices leaves out those whose time is over, and does not take a slice
 * that they made short for the last one.
 */

#include "fs/run.h"
#include "tests/unit/mounted.h"

enum { SESSIONS = 200, OVER = 7, HOUR = 3600 }; /* the first OVER are */

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.ttl = HOUR, .grace = HOUR});
	for (unsigned n = 0; n < SESSIONS; n++) {
		struct fs_id id;
		char name[16];

		snprintf(name, sizeof(name), "s%u", n);
		id = make(root_id(), name, S_IFDIR | 0700);
		if (n < OVER)
			set_age(id, 2 * HOUR);
		forget(id);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static bool count_name(void *arg, const char *name, const struct entry *entry, uint64_t next)
{
	(void)entry, (void)next;
	*(unsigned *)arg += name[0] == 's';
	return true;
}

static void by_status(void **state)
{
	static const char *const way[] = {".sessfs", "by-status", "active"};
	struct entry entry = {.id = root_id()};
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(way) / sizeof(*way); i++)
		assert_int_equal(dir_lookup(fs, entry.id, way[i], &entry), 0);
	assert_int_equal(dir_list(fs, entry.id, 0, 1 << 20, false, count_name, &count), 0);
	assert_int_equal(count, SESSIONS - OVER);
}

static bool count_told(void *arg, const struct store_session *record)
{
	*(unsigned *)arg += record->event_lines != 0;
	return false;
}

static void interrupted(void **state)
{
	unsigned count = 0;

	(void)state;
	fs_lock(fs);
	fs->run.crashed = fs->run.number;
	fs->run.tells = true;
	while (run_tell_interrupted(fs))
		;
	fs_unlock(fs);
	assert_int_equal(store_scan_sessions(store, 0, count_told, &count), 0);
	assert_int_equal(count, SESSIONS - OVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_status, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
