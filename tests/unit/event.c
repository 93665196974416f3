/*
 * event.c - the events of a session: what is added, what is cut when there are too many, what programs may write, and
 * the texts and errors of a session.
 */
#include <errno.h>

#include <jansson.h>

#include "fs/event.h"
#include "fs/event_text.h"
#include "fs/fault.h"
#include "fs/text.h"
#include "tests/unit/mounted.h"

static struct session *session;

static void get_session(void)
{
	struct entry entry;
	struct store_sid sid = number_of("s");

	assert_int_equal(dir_lookup(fs, root_id(), "s", &entry), 0);
	fs_lock(fs);
	assert_int_equal(session_get(fs, sid, &session), 0);
	fs_unlock(fs);
}

static void put_session(void)
{
	fs_lock(fs);
	session_put(session);
	fs_unlock(fs);
}

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.ttl = 0});
	make(root_id(), "s", S_IFDIR | 0755);
	get_session();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	put_session();
	return remove_fs();
}

static void reopen(void)
{
	put_session();
	reopen_fs();
	get_session();
}

static int add(const char *kind, const struct event_member *members)
{
	FS_GUARD(fs);
	CHANGE_AUTO(c);
	int r = change_begin(&c, session, STORE_GROW, EVENT_MAX);

	if (!r)
		r = event_add(&c, kind, members);
	return r ? r : change_commit(&c);
}

static int append(const char *text, size_t len, size_t *ret)
{
	struct event_text lines;
	int r = event_text_make(text, len, true, &lines);

	assert_int_equal(r, 0);
	*ret = lines.taken;
	fs_lock(fs);
	r = event_text_add(session, CHANGE_SETTING, &lines, &(struct event_part){.len = 0});
	fs_unlock(fs);
	event_text_release(&lines);
	return r;
}

/* All there is, as text to be freed. */
static char *content(void)
{
	uint64_t first = event_first(&session->record);
	size_t len = (size_t)(event_end(&session->record) - first), read = 0;
	char *text = calloc(1, len + 1);

	assert_int_equal(event_read(store, &session->record, first, text, len + 1, &read), 0);
	assert_int_equal(read, len);
	return text;
}

/* Each line is an object; how many there are is what the record says. */
static unsigned check_lines(void)
{
	char *text = content(), *line, *rest = text;
	unsigned lines = 0;

	while ((line = strsep(&rest, "\n")) && rest) {
		json_t *event = json_loads(line, JSON_ALLOW_NUL, NULL);

		assert_true(json_is_object(event));
		json_decref(event);
		lines++;
	}
	assert_string_equal(line, "");
	free(text);
	if (session->record.end_event)
		assert_int_equal(lines, session->record.event_lines);
	return lines;
}

static void created_is_made_up(void **state)
{
	char *before = content(), *after;
	struct event_member members[] = {{"from", "active"}, {"to", "paused"}, {NULL, NULL}};

	(void)state;
	assert_non_null(strstr(before, "\"event\": \"created\""));
	assert_int_equal(session->record.end_event, 0);
	assert_int_equal(add("status", members), 0);
	after = content();
	assert_memory_equal(before, after, strlen(before));
	assert_non_null(strstr(after, "\"to\": \"paused\""));
	assert_int_equal(check_lines(), 2);
	free(before);
	before = content();
	reopen();
	free(after);
	after = content();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A change that fails leaves no event, and memory as it was. */
static void aborted_is_not_told(void **state)
{
	(void)state;
	fs_lock(fs);
	{
		CHANGE_AUTO(c);

		assert_int_equal(change_begin(&c, session, STORE_GROW, EVENT_MAX), 0);
		assert_int_equal(event_add(&c, "status", NULL), 0);
	}
	fs_unlock(fs);
	assert_int_equal(check_lines(), 1);
	assert_int_equal(session->record.end_event, 0);
}

static void long_values_are_cut(void **state)
{
	char value[6000];
	struct event_member members[] = {{"path", value}, {"reason", value}, {NULL, NULL}};

	(void)state;
	memset(value, '\n', sizeof(value) - 1); /* two characters in JSON */
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(add("expired file", members), 0);
	memset(value, 0xC3, sizeof(value) - 1); /* no UTF-8 */
	assert_int_equal(add("expired file", members), 0);
	for (size_t i = 0; i < sizeof(value) - 1; i++)
		value[i] = i % 2 ? '\xA4' : '\xC3';
	assert_int_equal(add("expired file", members), 0);
	assert_int_equal(check_lines(), 4);
	assert_true(event_end(&session->record) <= 3 * EVENT_MAX);
}

static void lines_are_bounded(void **state)
{
	unsigned most = 0, least = EVENT_LINES;

	(void)state;
	for (unsigned i = 0; i < 2 * EVENT_LINES; i++) {
		char number[16];
		struct event_member members[] = {{"number", number}, {NULL, NULL}};

		snprintf(number, sizeof(number), "%u", i);
		assert_int_equal(add("status", members), 0);
		if (session->record.event_lines > most)
			most = session->record.event_lines;
		if (i > EVENT_LINES && session->record.event_lines < least)
			least = session->record.event_lines;
	}
	assert_true(most <= EVENT_LINES && most >= EVENT_LINES - EVENT_PER_CHANGE);
	assert_true(least >= EVENT_LINES / 8 * 7 - EVENT_PER_CHANGE);
	assert_true(check_lines() <= EVENT_LINES);
	reopen();
	assert_true(check_lines() <= EVENT_LINES);
	assert_int_equal(store_flush(store), 0);
	check_lines();
}

/* What was cut off gives its space back. */
static void bytes_are_bounded(void **state)
{
	char *line = malloc(EVENT_TEXT_MAX);
	uint64_t stored;
	size_t taken;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		for (int at = 0; at < EVENT_TEXT_MAX - 1; at++)
			line[at] = (char)('a' + random() % 26);
		line[EVENT_TEXT_MAX - 1] = '\n';
		assert_int_equal(append(line, EVENT_TEXT_MAX, &taken), 0);
		assert_int_equal(taken, EVENT_TEXT_MAX);
		assert_true(session->record.end_event - session->record.first_event <= EVENT_BYTES);
	}
	assert_true(check_lines() > 50);
	assert_int_equal(store_flush(store), 0);
	assert_int_equal(store_stored(store, session->sid, session->record.root, &stored), 0);
	assert_true(stored <= EVENT_BYTES + STORE_CHUNK_SIZE);
	free(line);
}

static void programs_append(void **state)
{
	static const char text[] = "{\"step\":  1}\n\nplain \x01 text\n[1, 2]\n{\"no newline\": true}";
	char *all;
	size_t taken;

	(void)state;
	assert_int_equal(append(text, strlen(text), &taken), 0);
	assert_int_equal(taken, strlen(text));
	assert_int_equal(check_lines(), 5);
	all = content();
	assert_non_null(strstr(all, "\n{\"step\":  1}\n"));
	assert_non_null(strstr(all, "\"text\": \"plain \\u0001 text\"}\n"));
	assert_non_null(strstr(all, "\"text\": \"[1, 2]\"}\n"));
	assert_non_null(strstr(all, "\n{\"no newline\": true}\n"));
	free(all);
	assert_int_equal(append("\n\n", 2, &taken), 0);
	assert_int_equal(taken, 2);
	assert_int_equal(check_lines(), 5);
}

/* More than goes into one batch is taken in several, at line ends. */
static void long_text_is_taken_in_parts(void **state)
{
	static char text[1 << 20];
	size_t done = 0, taken, parts = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '\n' : 'x';
	for (; done < sizeof(text); done += taken, parts++) {
		assert_int_equal(append(text + done, sizeof(text) - done, &taken), 0);
		assert_true(taken && taken % 64 == 0);
	}
	assert_true(parts > 1);
	assert_true(check_lines() <= EVENT_LINES && check_lines() > EVENT_LINES / 8 * 7 - 1001);
}

/* A line that is too long becomes several, of whole characters; zeros and what is no UTF-8 have their places. */
static void long_lines_go_on(void **state)
{
	static char text[EVENT_TEXT_MAX * 2];
	char *all, *line, *rest;
	size_t taken, sum = 0, lines = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\xC3' : '\xA4'; /* one character lies across the middle */
	text[0] = text[sizeof(text) - 1] = 'x';
	assert_int_equal(append(text, sizeof(text), &taken), 0);
	assert_int_equal(taken, EVENT_TEXT_MAX - 1);
	assert_int_equal(append(text + taken, sizeof(text) - taken, &taken), 0);
	assert_int_equal(taken, EVENT_TEXT_MAX);
	assert_int_equal(append("x", 1, &taken), 0);
	assert_int_equal(append("a\0b\xFF\n", 5, &taken), 0);
	assert_int_equal(check_lines(), 5);
	rest = all = content();
	for (; (line = strsep(&rest, "\n")) && *line; lines++) {
		json_t *event = json_loads(line, JSON_ALLOW_NUL, NULL), *value = json_object_get(event, "text");

		assert_true(json_object_get(event, "goes_on") ? lines == 1 || lines == 2 : lines == 0 || lines > 2);
		sum += json_string_length(value);
		if (lines == 4)
			assert_memory_equal(json_string_value(value), "a\0b\xEF\xBF\xBD", 6);
		json_decref(event);
	}
	assert_int_equal(sum, sizeof(text) + 6);
	free(all);
}

static int keep_part(const char *text, size_t len, bool was)
{
	struct event_text none = {.count = 0};

	FS_GUARD(fs);
	return event_text_add(session, CHANGE_SETTING, &none,
		&(struct event_part){.file = 7, .text = text, .len = len, .was = was});
}

static void mend(void)
{
	FS_GUARD(fs);
	event_text_mend(session);
}

/* The next mount makes lines of what this one left, once; what it begins itself it leaves alone. */
static void parts_are_mended(void **state)
{
	char *all;

	(void)state;
	assert_int_equal(keep_part("first", 5, false), 0);
	assert_int_equal(keep_part("first and more", 14, true), 0);
	mend();
	assert_int_equal(check_lines(), 1);
	reopen();
	assert_int_equal(keep_part("second", 6, false), 0);
	mend();
	assert_int_equal(check_lines(), 2);
	mend();
	assert_int_equal(check_lines(), 2);
	reopen();
	mend();
	reopen();
	mend();
	assert_int_equal(check_lines(), 3);
	all = content();
	assert_non_null(strstr(all, "\"text\": \"first and more\"}\n"));
	assert_non_null(strstr(all, "\"text\": \"second\"}\n"));
	free(all);
}

static void texts_are_kept(void **state)
{
	struct fs_id top = fs_id_of_ino(session->record.root);
	char *value, buf[64];
	size_t len;
	static char large[STORE_XATTR_SIZE_MAX + 1];

	(void)state;
	fs_lock(fs);
	assert_int_equal(text_get(fs, &session->record, TEXT_QUERY, &value, &len), 0);
	assert_int_equal(len, 0);
	free(value);
	assert_int_equal(text_set(session, TEXT_QUERY, "why", 3), 0);
	assert_int_equal(text_set(session, TEXT_NOTES, large, sizeof(large) - 1), 0);
	assert_int_equal(text_set(session, TEXT_NOTES, large, sizeof(large)), E2BIG);
	fs_unlock(fs);
	reopen();
	fs_lock(fs);
	assert_int_equal(text_get(fs, &session->record, TEXT_QUERY, &value, &len), 0);
	assert_string_equal(value, "why");
	assert_int_equal(len, 3);
	free(value);
	assert_int_equal(text_get(fs, &session->record, TEXT_NOTES, &value, &len), 0);
	assert_int_equal(len, STORE_XATTR_SIZE_MAX);
	free(value);
	assert_int_equal(text_set(session, TEXT_QUERY, NULL, 0), 0);
	assert_int_equal(session->record.texts, 1u << TEXT_NOTES);
	fs_unlock(fs);
	/* programs neither see nor reach them */
	assert_int_equal(xattr_list(fs, &(struct caller){0}, top, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(xattr_get(fs, fs_id_of_ino(session->record.root), "sessfs.notes", buf, sizeof(buf), &len),
		EOPNOTSUPP);
}

struct seen {
	unsigned count;
	struct fault last;
};

static void see(void *arg, const struct fault *fault)
{
	struct seen *seen = arg;

	if (seen->count++)
		assert_true(fault->number > seen->last.number);
	seen->last = *fault;
}

static struct seen faults_of(struct store_sid sid)
{
	struct seen seen = {0};

	fs_lock(fs);
	fault_each(fs, sid, 100, see, &seen);
	fs_unlock(fs);
	return seen;
}

/* Only a node that is in memory can be asked: the session's directory is, since it was made. */
static void faults_are_noted(void **state)
{
	struct fs_id top = fs_id_of_ino(session->record.root);
	struct seen seen;

	(void)state;
	fault_note(fs, "lookup", top, "nobody", ENOENT);
	fault_note(fs, "getxattr", top, NULL, ENODATA);
	assert_int_equal(faults_of(session->sid).count, 0);
	for (int i = 0; i < 150; i++) {
		fault_explain(i == 149 ? "see it" : NULL, "number %d", i);
		fault_note(fs, "mkdir", top, "name", EXDEV);
	}
	fault_note(fs, "mkdir", root_id(), ".x", EPERM);
	seen = faults_of(session->sid);
	assert_int_equal(seen.count, 100);
	assert_string_equal(fault_cause(&seen.last), "number 149");
	assert_string_equal(fault_advice(&seen.last), "see it");
	assert_string_equal(seen.last.name, "name");
	assert_int_equal(check_lines(), 1);
	fault_note(fs, "write", top, NULL, ENOSPC);
	fault_note(fs, "write", top, NULL, ENOSPC);
	seen = faults_of(session->sid);
	assert_string_equal(fault_error_name(seen.last.error), "ENOSPC");
	assert_non_null(fault_advice(&seen.last));
	assert_true(fault_cause(&seen.last)[0] != '\0');
	assert_int_equal(check_lines(), 2); /* an event, once a minute */
	assert_int_equal(faults_of(STORE_ROOT_SID).count, 1); /* what was refused in the root */
	for (int i = 0; i < 5000; i++)
		fault_note(fs, "mkdir", root_id(), ".x", EPERM);
	assert_int_equal(faults_of(session->sid).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(created_is_made_up, setup, teardown),
		cmocka_unit_test_setup_teardown(aborted_is_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(long_values_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(programs_append, setup, teardown),
		cmocka_unit_test_setup_teardown(long_text_is_taken_in_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(parts_are_mended, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_are_noted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
