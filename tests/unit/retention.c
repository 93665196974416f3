/*
 * The rules of how long a session stays, as pure functions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fs/core.h"
#include "fs/retention.h"

static const struct fs_options options = {.ttl = 100, .retain = 1000, .cache_ttl = 50};

static void expect(struct retention_subject subject, int64_t skew, enum life_rule rule, int64_t expires)
{
	int64_t found;

	assert_int_equal(retention_rule(&options, &subject, skew, &found), rule);
	assert_int_equal(found, expires);
}

static void by_status(void **state)
{
	static const struct {
		enum store_status status;
		enum life_rule rule;
		int64_t seconds;
	} rows[] = {
		{STORE_ACTIVE, LIFE_TTL, 100}, {STORE_PAUSED, LIFE_TTL, 100}, {STORE_FAILED, LIFE_TTL, 100},
		{STORE_COMPLETED, LIFE_RETAIN, 1000}, {STORE_ARCHIVED, LIFE_RETAIN, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect((struct retention_subject){.status = rows[i].status, .written = 7 * FS_SECOND}, 0, rows[i].rule,
			(7 + rows[i].seconds) * FS_SECOND);
	/* A status of a newer version is kept for long. */
	expect((struct retention_subject){.status = 99}, 0, LIFE_RETAIN, 1000 * FS_SECOND);
}

static void never(void **state)
{
	const struct fs_options none = {.ttl = 0};
	int64_t found;

	(void)state;
	assert_int_equal(retention_rule(&none, &(struct retention_subject){.written = 5}, 0, &found), LIFE_NO_RULE);
	assert_int_equal(found, STORE_NEVER);
	expect((struct retention_subject){.expires = STORE_NEVER}, 0, LIFE_NO_RULE, STORE_NEVER);
	assert_int_equal(retention_cache(&none, 5, 0), STORE_NEVER);
}

static void own_moment(void **state)
{
	(void)state;
	/* By the clock on the wall, whatever its jumps. */
	expect((struct retention_subject){.expires = 5 * FS_SECOND}, 77, LIFE_EXPIRES_AT, 5 * FS_SECOND);
	expect((struct retention_subject){.status = STORE_ARCHIVED, .expires = 5}, 0, LIFE_EXPIRES_AT, 5);
}

static void skewed(void **state)
{
	(void)state;
	expect((struct retention_subject){.written = 0}, 3 * FS_SECOND, LIFE_TTL, 103 * FS_SECOND);
	expect((struct retention_subject){.written = 0}, -3 * FS_SECOND, LIFE_TTL, 97 * FS_SECOND);
	/* Beyond the end of time there is none. */
	expect((struct retention_subject){.written = INT64_MAX - 5}, 0, LIFE_TTL, STORE_NEVER);
}

/* What touch(1) takes, on either side of a jump of the clock. */
static void ends_of_time(void **state)
{
	struct store_session late = {.last_write = INT64_MAX, .skew = -7}, early = {.last_write = INT64_MIN, .skew = 7};

	(void)state;
	assert_int_equal(retention_subject_of(&late).written, INT64_MAX);
	assert_int_equal(retention_subject_of(&early).written, INT64_MIN);
	expect(retention_subject_of(&late), 7, LIFE_TTL, STORE_NEVER);
	expect(retention_subject_of(&early), -7, LIFE_TTL, INT64_MIN + 100 * FS_SECOND - 7);
	assert_int_equal(age_sub(0, INT64_MIN), INT64_MAX);
	assert_int_equal(age_sub(-2, INT64_MAX), INT64_MIN);
}

static void guards(void **state)
{
	(void)state;
	assert_int_equal(retention_guard(&(struct retention_subject){.status = STORE_ACTIVE}), LIFE_UNGUARDED);
	assert_int_equal(retention_guard(&(struct retention_subject){.status = STORE_PAUSED}), LIFE_PAUSED);
	assert_int_equal(retention_guard(&(struct retention_subject){.flags = STORE_SESSION_PINNED}), LIFE_PINNED);
	assert_int_equal(retention_guard(&(struct retention_subject){.status = STORE_PAUSED,
				 .flags = STORE_SESSION_PINNED}), LIFE_PINNED);
}

static void cached(void **state)
{
	(void)state;
	assert_int_equal(retention_cache(&options, 5 * FS_SECOND, 0), 55 * FS_SECOND);
	assert_int_equal(retention_cache(&options, 5 * FS_SECOND, 9 * FS_SECOND), 59 * FS_SECOND);
	assert_int_equal(retention_cache(&options, INT64_MIN, 0), 50 * FS_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_status), cmocka_unit_test(never), cmocka_unit_test(own_moment),
		cmocka_unit_test(skewed), cmocka_unit_test(ends_of_time),
		cmocka_unit_test(guards), cmocka_unit_test(cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
