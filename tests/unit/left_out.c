/*
 * left_out.c - what goes through all sessions in slices leaves out those whose time is over, and does not take a slice
 * that they made short for the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/rules.h"
#include "fs/run.h"

enum { SESSIONS = 200, OVER = 7, HOUR = 3600 }; /* the first OVER are */

static char path[64];
static struct store *store;
static struct fs *fs;

static bool in_no_group(const struct caller *caller, gid_t gid)
{
	(void)caller, (void)gid;
	return false;
}

static void forget(struct fs_id id)
{
	rules_forget(fs, &(struct forget_item){id, 1}, 1);
}

static void make_session(unsigned n)
{
	struct caller caller = {.in_group = in_no_group};
	struct stat attr = {.st_mtim.tv_sec = fs_now() / FS_SECOND - 2 * HOUR};
	struct entry entry;
	char name[16];
	double timeout;

	snprintf(name, sizeof(name), "s%u", n);
	assert_int_equal(dir_make(fs, &caller, fs_id_of_ino(STORE_ROOT_INO), name,
		&(struct creation){.mode = S_IFDIR | 0700}, &entry), 0);
	if (n < OVER)
		assert_int_equal(attr_set(fs, entry.id, ATTR_MTIME, &attr, &attr, &timeout), 0);
	forget(entry.id);
}

static int setup(void **state)
{
	struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 32 << 20};
	struct fs_options fs_options = {.store_path = path, .mount_path = "/mnt", .ttl = HOUR, .grace = HOUR};
	struct store_open_info info;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sessfs-left-out.XXXXXX");
	assert_non_null(mkdtemp(path));
	assert_int_equal(store_open(path, &options, &store, &info), 0);
	assert_int_equal(fs_new(store, &fs_options, &fs), 0);
	for (unsigned n = 0; n < SESSIONS; n++)
		make_session(n);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	fs_free(fs);
	assert_int_equal(store_close(store), 0);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	return system(command);
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
	struct entry entry = {.id = fs_id_of_ino(STORE_ROOT_INO)};
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
