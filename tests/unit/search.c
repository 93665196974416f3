/*
 * search.c - what search finds: text in any case and script, in every field that is searched, and tags exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/content_search.h"

/* By the name alone: no texts, so no store is asked. */
static bool matches(const char *name, const char *text)
{
	struct store_session record = {.name_len = (uint32_t)strlen(name)};
	struct search *search;
	bool found;

	memcpy(record.name, name, record.name_len + 1);
	assert_int_equal(search_new(text, &search), 0);
	assert_int_equal(search_matches(NULL, &record, search, &found), 0);
	search_free(search);
	return found;
}

static void names_match(void **state)
{
	(void)state;
	assert_true(matches("session_20261121", "SESSION"));
	assert_true(matches("session_20261121", "2611"));
	assert_true(matches("session_20261121", ""));
	assert_false(matches("session_20261121", "sessions"));
	assert_false(matches("", "a"));
	assert_true(matches("a.b", "."));
	assert_false(matches("axb", "a.b"));
}

static void other_scripts_match(void **state)
{
	(void)state;
	assert_true(matches("\xC3\x84RGER", "\xC3\xA4rger")); /* Ae */
	assert_true(matches("\xCE\xA3\xCE\x9F\xCE\xA6", "\xCE\xBF\xCF\x86")); /* Greek */
	assert_true(matches("\xD0\x9F\xD0\xA0\xD0\x98", "\xD0\xBF\xD1\x80")); /* Cyrillic */
	assert_true(matches("x\xF0\x9F\x98\x80y", "\xF0\x9F\x98\x80"));
	assert_false(matches("\xC3\x84", "a"));
}

/* What is not UTF-8 matches itself only, and ends no search. */
static void other_bytes_match(void **state)
{
	(void)state;
	assert_true(matches("a\xFF" "B", "\xFF" "b"));
	assert_true(matches("\xC3", "\xC3"));
	assert_false(matches("\xC3\x84", "\xC3"));
	assert_true(matches("\xE2\x82 end", "END"));
	assert_true(matches("\xC0\xAF", "\xC0\xAF")); /* overlong */
	assert_false(matches("/", "\xC0\xAF"));
}

static bool count_tag(void *arg, const char *tag)
{
	(void)tag;
	++*(unsigned *)arg;
	return false;
}

static void without_tags_nothing_is_asked(void **state)
{
	struct store_session record = {0};
	unsigned count = 0;
	bool found = true;

	(void)state;
	assert_int_equal(search_each_tag(NULL, &record, count_tag, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(search_has_tag(NULL, &record, "x", &found), 0);
	assert_false(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match),
		cmocka_unit_test(other_scripts_match),
		cmocka_unit_test(other_bytes_match),
		cmocka_unit_test(without_tags_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
