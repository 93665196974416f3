/* fault.c - what is taken down of errors: which session reads of it. */
#include "fs/fault.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/mounted.h"

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.ttl = 0});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

struct last {
	unsigned count;
	struct fault fault;
};

static void take_last(void *arg, const struct fault *fault)
{
	struct last *last = arg;

	last->count++;
	last->fault = *fault;
}

static struct last last_of(struct store_sid sid)
{
	struct last last = {0};
	FS_GUARD(fs);

	fault_each(fs, sid, 100, take_last, &last);
	return last;
}

static void a_session_reads_of_its_own_errors(void **state)
{
	struct fs_id top = make(root_id(), "s", S_IFDIR | 0700);
	struct store_sid sid = number_of("s");

	(void)state;
	fault_note(fs, "unlink", top, "mine", EROFS);
	assert_int_equal(last_of(STORE_ROOT_SID).count, 0);
	assert_string_equal(last_of(sid).fault.name, "mine");
	assert_int_equal(last_of(sid).fault.ino, top.n);
	forget(top);
}

/* What all may read of tells nothing of a file whose session is not known any more. */
static void of_what_is_gone_nothing_is_told(void **state)
{
	struct fs_id top = make(root_id(), "s", S_IFDIR | 0700);
	struct store_sid sid = number_of("s");

	(void)state;
	forget(top);
	fault_note(fs, "unlink", top, "secret", EIO);
	assert_int_equal(last_of(sid).count, 0);
	assert_int_equal(last_of(STORE_ROOT_SID).count, 1);
	assert_string_equal(last_of(STORE_ROOT_SID).fault.name, "");
	assert_int_equal(last_of(STORE_ROOT_SID).fault.ino, 0);
}

static void the_root_tells_its_names(void **state)
{
	(void)state;
	fault_note(fs, "mkdir", root_id(), ".hidden", EPERM);
	assert_string_equal(last_of(STORE_ROOT_SID).fault.name, ".hidden");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_session_reads_of_its_own_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(of_what_is_gone_nothing_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_root_tells_its_names, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
