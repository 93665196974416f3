/* closing.c - who unmounts is told how the daemon closed the store, also when the next one has begun already. */
#include "mount/closing.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/stored.h"

#include <cmocka.h>

static char dir[DIR_SIZE];

static int setup(void **state)
{
	(void)state;
	new_dir(dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shell("rm -rf %s", dir);
	return 0;
}

static void say_nothing(int pid)
{
	(void)pid;
}

static int begin_daemon(void)
{
	int fd = closing_begin(dir);
	assert_true(fd >= 0);
	return fd;
}

static int watch(void)
{
	int fd = closing_watch(dir);
	assert_true(fd >= 0);
	return fd;
}

static void assert_told(int fd, enum closing_result expected, const char *why)
{
	char *told = NULL;
	assert_int_equal(closing_wait(fd, say_nothing, &told), expected);
	if (why)
		assert_string_equal(told, why);
	free(told);
}

static void one_after_the_other(void **state)
{
	int daemon = begin_daemon(), fd = watch(), pid = 0;
	char *why = NULL;

	(void)state;
	assert_int_equal(closing_look(dir, &pid, &why), CLOSING_ALIVE);
	assert_int_equal(pid, getpid());
	closing_end(dir, daemon, NULL);
	close(daemon);
	assert_told(fd, CLOSING_SAVED, NULL);
	daemon = begin_daemon();
	fd = watch();
	closing_end(dir, daemon, "no space");
	close(daemon);
	assert_told(fd, CLOSING_FAILED, "no space");
}

/* Not a byte can be written, though a file can be made, as on a full btrfs. */
static void one_on_a_full_disk(void **state)
{
	struct rlimit before, none;
	int daemon, fd, pid = 0;
	char *why = NULL;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &before);
	none = (struct rlimit){0, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	daemon = begin_daemon();
	setrlimit(RLIMIT_FSIZE, &before);
	fd = watch();
	assert_int_equal(closing_look(dir, &pid, &why), CLOSING_UNKNOWN);
	closing_end(dir, daemon, NULL);
	close(daemon);
	assert_told(fd, CLOSING_SAVED, NULL);

	setrlimit(RLIMIT_FSIZE, &none);
	daemon = begin_daemon();
	setrlimit(RLIMIT_FSIZE, &before);
	fd = watch();
	closing_end(dir, daemon, "no space");
	close(daemon);
	assert_told(fd, CLOSING_FAILED, "no space");
}

static void one_that_died(void **state)
{
	int daemon = begin_daemon(), before = watch(), after;

	(void)state;
	close(daemon);
	after = watch();
	assert_told(after, CLOSING_DIED, NULL);
	daemon = begin_daemon();
	assert_told(before, CLOSING_DIED, NULL);
	closing_end(dir, daemon, NULL);
	close(daemon);
}

/* It has closed the store, and the next daemon begins before it has said so. */
static void the_next_one_is_quicker(void **state)
{
	int first = begin_daemon(), of_first = watch(), second = begin_daemon(), of_second = watch();

	(void)state;
	closing_end(dir, first, NULL);
	close(first);
	assert_told(of_first, CLOSING_SAVED, NULL);
	first = second;
	second = begin_daemon();
	closing_end(dir, first, "device");
	close(first);
	assert_told(of_second, CLOSING_FAILED, "device");
	of_second = watch();
	closing_end(dir, second, NULL);
	close(second);
	assert_told(of_second, CLOSING_SAVED, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_after_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(one_on_a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_died, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_one_is_quicker, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
