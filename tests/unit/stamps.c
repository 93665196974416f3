/* stamps.c - the times of a file whose content comes from the kernel's cache, before the kernel has told its own */
#include "tests/unit/mounted.h"

static struct fs_id file;

static int set_up(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.ttl = 3600, .writeback = true});
	file = make(make(root_id(), "s", S_IFDIR | 0700), "file", S_IFREG | 0600);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_fs();
}

static struct stat told(void)
{
	struct stat attr;
	double timeout;

	assert_int_equal(attr_get(fs, file, &attr, &timeout), 0);
	return attr;
}

static void write_cached(void)
{
	size_t written;

	assert_int_equal(file_write(fs, file, 0, "content", 7, WRITE_CACHED, &written), 0);
}

/* Moves the mtime of the file to so many seconds from now, and returns what it then is. */
static time_t move_time(int seconds)
{
	struct stat attr = told();
	double timeout;

	attr.st_mtim.tv_sec += seconds;
	assert_int_equal(attr_set(fs, file, ATTR_MTIME, &attr, &attr, &timeout), 0);
	return attr.st_mtim.tv_sec;
}

static void a_time_of_late_is_kept(void **state)
{
	struct stat before = told(), after;

	(void)state;
	write_cached();
	after = told();
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
	assert_int_equal(after.st_size, 7);
}

static void an_old_one_is_not(void **state)
{
	time_t old = move_time(-86400);

	(void)state;
	write_cached();
	assert_true(told().st_mtim.tv_sec > old + 86000);
}

static void nor_one_that_is_yet_to_come(void **state)
{
	time_t to_come = move_time(86400);

	(void)state;
	write_cached();
	assert_true(told().st_mtim.tv_sec < to_come);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_time_of_late_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_one_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nor_one_that_is_yet_to_come, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
