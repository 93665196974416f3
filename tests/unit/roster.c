/*
 * roster.c - which session goes next: a write counts also where the table has not heard of it.
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

#include "fs/roster.h"
#include "fs/rules.h"

enum { SESSIONS = 4, HOUR = 3600 };

static char path[64];
static struct store *store;
static struct fs *fs;
static struct fs_id tops[SESSIONS]; /* known to the kernel; the first one was written to longest ago */
static struct store_sid sids[SESSIONS];

static bool in_no_group(const struct caller *caller, gid_t gid)
{
	(void)caller, (void)gid;
	return false;
}

static struct entry make(struct fs_id dir, const char *name, mode_t mode)
{
	struct caller caller = {.in_group = in_no_group};
	struct entry entry;

	assert_int_equal(dir_make(fs, &caller, dir, name, &(struct creation){.mode = mode}, &entry), 0);
	return entry;
}

static void make_session(unsigned n)
{
	struct stat attr = {.st_mtim.tv_sec = fs_now() / FS_SECOND - (SESSIONS - n) * HOUR};
	struct store_dirent found;
	char name[16];
	double timeout;

	snprintf(name, sizeof(name), "s%u", n);
	tops[n] = make(fs_id_of_ino(STORE_ROOT_INO), name, S_IFDIR | 0700).id;
	assert_int_equal(attr_set(fs, tops[n], ATTR_MTIME, &attr, &attr, &timeout), 0);
	assert_int_equal(store_lookup(store, STORE_ROOT_SID, STORE_ROOT_INO, name, strlen(name), &found), 0);
	sids[n] = found.session;
}

static int setup(void **state)
{
	struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 32 << 20};
	struct fs_options fs_options = {.store_path = path, .mount_path = "/mnt", .keep = SESSIONS - 2, .grace = HOUR};
	struct store_open_info info;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sessfs-roster.XXXXXX");
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

static uint32_t next(void)
{
	FS_GUARD(fs);
	struct store_sid sid;

	return roster_next(fs, fs_now(), &sid) == ROSTER_ENDS ? sid.n : 0;
}

static void written_since(void **state)
{
	(void)state;
	assert_int_equal(next(), sids[0].n);
	make(tops[0], "file", S_IFREG | 0600);
	assert_int_equal(next(), sids[1].n);
	make(tops[1], "file", S_IFREG | 0600);
	assert_int_equal(next(), sids[2].n);
}

/* The second one is written to while the first one is found in use. */
static void written_meanwhile(void **state)
{
	(void)state;
	assert_int_equal(next(), sids[0].n);
	fs_lock(fs);
	roster_found_in_use(fs, sids[0], fs_now());
	fs_unlock(fs);
	make(tops[1], "file", S_IFREG | 0600);
	assert_int_equal(next(), sids[2].n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_since, setup, teardown),
		cmocka_unit_test_setup_teardown(written_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
