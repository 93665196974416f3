/*
 * roster.c - which session goes next: a write counts also where the table has not heard of it, and one that was in use
 * is judged by its age again when it is looked at.
 */

#include "fs/due.h"
#include "fs/life.h"
#include "tests/unit/mounted.h"

enum { SESSIONS = 4, HOUR = 3600 };

static struct fs_id tops[SESSIONS]; /* known to the kernel; the first one was written to longest ago */
static struct store_sid sids[SESSIONS];

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.keep = SESSIONS - 2, .grace = HOUR});
	for (unsigned n = 0; n < SESSIONS; n++) {
		char name[16];

		snprintf(name, sizeof(name), "s%u", n);
		tops[n] = make(root_id(), name, S_IFDIR | 0700);
		set_age(tops[n], (SESSIONS - n) * HOUR);
		sids[n] = number_of(name);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static uint32_t next(void)
{
	FS_GUARD(fs);
	struct store_sid sid;

	return due_next(fs, fs_now(), &sid) == DUE_ENDS ? sid.n : 0;
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
	due_found_in_use(fs, sids[0], fs_now());
	fs_unlock(fs);
	make(tops[1], "file", S_IFREG | 0600);
	assert_int_equal(next(), sids[2].n);
}

static void found_in_use(struct store_sid sid, int64_t now)
{
	FS_GUARD(fs);

	due_found_in_use(fs, sid, now);
}

static bool is_over(struct store_sid sid, int64_t now)
{
	FS_GUARD(fs);

	return due_is_over(fs, sid, now);
}

static enum life_guard guard_of(struct store_sid sid)
{
	FS_GUARD(fs);
	SESSION_AUTO session = NULL;

	return session_get(fs, sid, &session) ? LIFE_GUARDS : life_outlook(fs, &session->record).guard;
}

/* Of one that is in use for long it is asked seldom, but whoever looks at it soon after finds it gone. */
static void used_until_now(void **state)
{
	int64_t now = fs_now();

	(void)state;
	for (unsigned tries = 0; tries < 5; tries++)
		found_in_use(sids[0], now);
	assert_false(is_over(sids[0], now));
	assert_true(is_over(sids[0], now + 2 * FS_SECOND));
}

/* What is not over is not said to stay because it is in use. */
static void used_and_written(void **state)
{
	int64_t now = fs_now();

	(void)state;
	found_in_use(sids[0], now);
	assert_int_equal(guard_of(sids[0]), LIFE_IN_USE);
	make(tops[0], "file", S_IFREG | 0600);
	assert_false(is_over(sids[0], now + 2 * FS_SECOND));
	assert_int_equal(guard_of(sids[0]), LIFE_UNGUARDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_since, setup, teardown),
		cmocka_unit_test_setup_teardown(written_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(used_until_now, setup, teardown),
		cmocka_unit_test_setup_teardown(used_and_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
