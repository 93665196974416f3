/* told.c - what the command line makes of the documents it reads, whatever they hold; numbers and moments as text. */
#include "mount/told.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mount/listing.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"

static struct told told_of(const char *text, json_t **ret)
{
	struct told t;

	*ret = json_loads(text, JSON_DECODE_ANY, NULL);
	assert_non_null(*ret);
	told_one(*ret, &t);
	return t;
}

static void test_members(void **state)
{
	json_t *document;
	struct told t =
		told_of("{\"session_id\": \"s\", \"status\": \"paused\", \"created_at\": \"2026-11-21T09:30:00.5Z\","
			"\"expires_at\": null, \"pinned\": true, \"stored_bytes\": 10, \"total_size_bytes\": 40,"
			"\"file_counts\": {\"cache\": 2, \"other\": 3}}",
			&document);

	(void)state;
	assert_string_equal(t.name, "s");
	assert_string_equal(t.status, "paused");
	assert_true(t.created == INT64_C(1795253400500000000));
	assert_true(t.expires == 0);
	assert_true(t.pinned && !t.current);
	assert_int_equal(t.files, 5);
	assert_true(t.ratio == 4);
	json_decref(document);
}

static void test_hostile(void **state)
{
	static const char *const texts[] = {"{}", "[]", "null", "7", "\"text\"", "{\"session_id\": 7, \"status\": []}",
		"{\"file_counts\": [1, 2], \"stored_bytes\": -1, \"created_at\": -5}",
		"{\"file_counts\": {\"cache\": 9223372036854775807, \"logs\": 9223372036854775807, \"x\": "
		"9223372036854775807}}",
		"{\"created_at\": \"9999-99-99T99:99:99Z\", \"expires_at\": \"0000-00-00T00:00:00Z\"}",
		"{\"compression_ratio\": -1e300, \"size_bytes\": 1e300, \"until\": {}, \"ended_at\": "
		"\"2200-01-01T00:00:00Z\"}",
		"{\"id\": \"\\u001b[31m\\n\", \"rule\": \"%s%n\", \"cost\": [[[]]], \"is_current\": \"yes\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		json_t *document;
		struct told t = told_of(texts[i], &document);
		json_t *object = listing_object(&t);
		struct table *table = listing_new();

		assert_non_null(t.name);
		assert_non_null(t.rule);
		assert_true(t.ratio > 0);
		assert_true(json_is_object(object));
		listing_add(table, &t, moment_now());
		table_free(table);
		json_decref(object);
		json_decref(document);
	}
}

static void test_json_read(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"a\": 1, \"a\": 2}", "{\"a\": \"\xff\"}", "[1e999]", "{\"a\": 99999999999999999999}"};
	char path[] = "told.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), (ssize_t)strlen(bad[i]));
		assert_null(json_read(path));
		assert_int_equal(errno, EBADMSG);
	}
	unlink(path);
	close(fd);
	assert_null(json_read(path));
	assert_int_equal(errno, ENOENT);
}

static void test_moments(void **state)
{
	static const char *const bad[] = {"", "never", "2026-11-21", "2026-11-21T09:30:00", "2026-11-21T09:30:00.5",
		"2026-11-21T09:30:00Zx", "2026-13-21T09:30:00Z", "9000-01-01T00:00:00Z"};
	char text[MOMENT_TEXT];
	int64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(moment_parse(bad[i], &ns));
	assert_true(ns == 7);
	assert_true(moment_parse("1969-12-31T23:59:59.25Z", &ns));
	assert_true(ns == -750000000);
	moment_format_utc(ns, text);
	assert_string_equal(text, "1969-12-31T23:59:59.250Z");
	assert_true(moment_parse("2026-11-21T09:30:00.123456789Z", &ns));
	moment_format_utc(ns, text);
	assert_string_equal(text, "2026-11-21T09:30:00.123Z");
	assert_true(moment_seconds(ns, ns - 1) == 0);
	assert_true(moment_seconds(INT64_MIN, INT64_MAX) == UINT64_MAX / 1000000000);
}

static void test_numbers(void **state)
{
	static const struct {
		void (*format)(uint64_t, char *);
		uint64_t n;
		const char *text;
	} cases[] = {
		{number_rough_size, 0, "0"},
		{number_rough_size, 1023, "1023"},
		{number_rough_size, 1024, "1.0K"},
		{number_rough_size, 10187, "9.9K"},
		{number_rough_size, 10200, "10K"},
		{number_rough_size, 1048575, "1.0M"},
		{number_rough_size, UINT64_MAX, "16E"},
		{number_say_size, 1, "1 byte"},
		{number_say_size, 12288, "12 KiB"},
		{number_rough_duration, 89, "89s"},
		{number_rough_duration, 90, "2m"},
		{number_rough_duration, 7199, "2h"},
		{number_rough_duration, 86400, "24h"},
		{number_rough_duration, 129600, "2d"},
		{number_say_duration, 3, "3 s"},
		{number_say_duration, 400000, "5 days"},
		{number_rough_ns, 999, "999ns"},
		{number_rough_ns, 1500, "1.5us"},
		{number_rough_ns, 12000000, "12ms"},
		{number_rough_ns, UINT64_MAX, "18446744074s"},
	};
	char text[NUMBER_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cases[i].format(cases[i].n, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_json_read),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
