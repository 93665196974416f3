/*
 * trash.c - ends of sessions and what is kept of them: the trash by name, tombstones, what a drop leaves.
 */
#include <errno.h>

#include "fs/history.h"
#include "fs/life.h"
#include "fs/trash.h"
#include "tests/unit/mounted.h"

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){.grace = 3600});
	return 0;
}

static int setup_small(void **state)
{
	int r;

	mounted.max_size = 64 << 20;
	r = setup(state);
	mounted.max_size = 0;
	return r;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static struct store_sid make_session(const char *name)
{
	forget(make(root_id(), name, S_IFDIR | 0755));
	return number_of(name);
}

static int end(struct store_sid sid, enum life_rule rule)
{
	FS_GUARD(fs);
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (r)
		return r;
	r = life_end(session, rule);
	session_put(session);
	return r;
}

static int drop(struct store_sid sid)
{
	FS_GUARD(fs);
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (r)
		return r;
	r = life_drop(session);
	session_put(session);
	return r;
}

static int take_back(struct store_sid sid, const char *name)
{
	FS_GUARD(fs);
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (r)
		return r;
	r = life_take_back(session, name);
	session_put(session);
	return r;
}

static const char *trash_name(struct store_sid sid)
{
	static char name[STORE_NAME_MAX + 1];
	struct store_sid found = {0};
	int r;

	fs_lock(fs);
	r = life_trash_name(fs, sid, name);
	if (!r)
		life_trash_find(fs, name, &found);
	fs_unlock(fs);
	if (r)
		return NULL;
	assert_int_equal(found.n, sid.n);
	return name;
}

/* ---- names in the trash ------------------------------------------------------------------------------------------ */

static void assert_trash_name(struct store_sid sid, const char *expected)
{
	const char *name = trash_name(sid);

	if (expected)
		assert_string_equal(name, expected);
	else
		assert_null(name);
}

/* Each keeps its name, whichever others come and go. */
static void same_names(void **state)
{
	struct store_sid sids[4];
	char shown[4][32] = {"same"};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		sids[i] = make_session("same");
		if (i > 0)
			snprintf(shown[i], sizeof(shown[i]), "same~%u", sids[i].n);
		if (i < 3)
			assert_int_equal(end(sids[i], LIFE_REMOVED), 0);
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3; i++)
			assert_trash_name(sids[i], shown[i]);
		reopen_fs();
	}
	assert_int_equal(drop(sids[0]), 0);
	assert_trash_name(sids[0], NULL);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 1; i < 3; i++)
			assert_trash_name(sids[i], shown[i]);
		reopen_fs();
	}
	assert_int_equal(end(sids[3], LIFE_REMOVED), 0);
	assert_trash_name(sids[3], "same"); /* it is free */
	assert_trash_name(sids[1], shown[1]);
	assert_int_equal(drop(sids[0]), ENOENT);
}

/* Taken back and removed again: what it was called before does not matter. */
static void numbered_no_more(void **state)
{
	struct store_sid first = make_session("same"), second;

	(void)state;
	assert_int_equal(end(first, LIFE_REMOVED), 0);
	second = make_session("same");
	assert_int_equal(end(second, LIFE_REMOVED), 0);
	assert_int_equal(take_back(second, "other"), 0);
	assert_int_equal(end(second, LIFE_REMOVED), 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_trash_name(first, "same");
		assert_trash_name(second, "other");
		reopen_fs();
	}
}

/* They are called as others are, or will be, shown. */
static void names_with_a_number(void **state)
{
	struct store_sid old = make_session("X"), named, later;
	char number[32], longer[48];

	(void)state;
	snprintf(number, sizeof(number), "X~%u", old.n);
	named = make_session(number);
	snprintf(longer, sizeof(longer), "%s~%u", number, named.n);
	assert_int_equal(end(named, LIFE_REMOVED), 0);
	assert_trash_name(named, longer);
	later = make_session("Y");
	assert_int_equal(end(later, LIFE_REMOVED), 0);
	assert_int_equal(dir_rename(fs, root_id(), "X", root_id(), "Y", 0), 0);
	assert_int_equal(end(old, LIFE_REMOVED), 0);
	snprintf(number, sizeof(number), "Y~%u", old.n);
	for (unsigned round = 0; round < 2; round++) {
		assert_trash_name(named, longer);
		assert_trash_name(later, "Y");
		assert_trash_name(old, number);
		reopen_fs();
	}
}

/* Cut at the end of a character, or of as many bytes as there is room for. */
static void long_names(void **state)
{
	static const char *const characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x9f", "\x80"};
	char name[STORE_NAME_MAX + 1], rest[16];

	(void)state;
	for (unsigned c = 0; c < sizeof(characters) / sizeof(*characters); c++) {
		struct store_sid sids[2];
		size_t len = 0, part = strlen(characters[c]), cut, number;
		const char *shown;

		for (; len + part <= STORE_NAME_MAX; len += part)
			memcpy(name + len, characters[c], part + 1);
		for (unsigned i = 0; i < 2; i++) {
			sids[i] = make_session(name);
			assert_int_equal(end(sids[i], LIFE_REMOVED), 0);
		}
		assert_trash_name(sids[0], name);
		shown = trash_name(sids[1]);
		number = (size_t)snprintf(rest, sizeof(rest), "~%u", sids[1].n);
		cut = strlen(shown) - number;
		assert_string_equal(shown + cut, rest);
		assert_true(cut % part == 0 && cut + number <= STORE_NAME_MAX && cut + number + part > STORE_NAME_MAX);
		assert_memory_equal(shown, name, cut);
	}
}

/* Whatever the numbers: who came first has the name, after a mount too. */
static void ended_in_another_order(void **state)
{
	struct store_sid second = make_session("other"), first = make_session("same");
	char shown[32];

	(void)state;
	snprintf(shown, sizeof(shown), "same~%u", second.n);
	assert_int_equal(end(first, LIFE_REMOVED), 0);
	assert_int_equal(dir_rename(fs, root_id(), "other", root_id(), "same", 0), 0);
	assert_int_equal(end(second, LIFE_REMOVED), 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_trash_name(first, "same");
		assert_trash_name(second, shown);
		reopen_fs();
	}
}

static void names_that_are_not_there(void **state)
{
	static const char *const names[] = {"", "none", "one~", "one~0", "one~99", "one~x", "~1", "on"};
	struct store_sid found;

	(void)state;
	assert_int_equal(end(make_session("one"), LIFE_TTL), 0);
	fs_lock(fs);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(life_trash_find(fs, names[i], &found), ENOENT);
	fs_unlock(fs);
}

/* ---- tombstones -------------------------------------------------------------------------------------------------- */

struct endings {
	unsigned count;
	uint32_t first, last;
	struct store_ending ending; /* the last one */
};

static bool count_ending(void *arg, const struct store_ending *ending)
{
	struct endings *endings = arg;

	if (!endings->count++)
		endings->first = ending->sid.n;
	endings->last = ending->sid.n;
	endings->ending = *ending;
	return false;
}

static struct endings all_endings(void)
{
	struct endings endings = {0};

	assert_int_equal(store_scan_endings(store, 0, count_ending, &endings), 0);
	return endings;
}

static void the_oldest_tombstones_go(void **state)
{
	enum { MORE = 7 };
	struct store_sid first = {0}, sid = {0};

	(void)state;
	for (unsigned i = 0; i < HISTORY_MAX + MORE; i++) {
		sid = make_session("s");
		if (i == 0)
			first = sid;
		assert_int_equal(dir_rmdir(fs, root_id(), "s"), 0);
	}
	for (unsigned round = 0; round < 2; round++) {
		struct endings endings = all_endings();

		assert_int_equal(endings.count, HISTORY_MAX);
		assert_int_equal(endings.first, first.n + MORE);
		assert_int_equal(endings.last, sid.n);
		assert_int_equal(endings.ending.ending, LIFE_REMOVED);
		assert_int_equal(endings.ending.until, 0);
		reopen_fs();
	}
	make_session("s");
	assert_int_equal(dir_rmdir(fs, root_id(), "s"), 0);
	assert_int_equal(all_endings().count, HISTORY_MAX);
}

static void back_without_a_tombstone(void **state)
{
	struct store_sid sid = make_session("one");
	struct session *session;
	struct endings endings;

	(void)state;
	assert_int_equal(end(sid, LIFE_RETAIN), 0);
	endings = all_endings();
	assert_int_equal(endings.count, 1);
	assert_int_equal(endings.ending.ending, LIFE_RETAIN);
	assert_int_equal(endings.ending.until - endings.ending.ended, 3600 * FS_SECOND);
	make_session("taken");
	fs_lock(fs);
	assert_int_equal(session_get(fs, sid, &session), 0);
	assert_int_equal(life_take_back(session, "taken"), EEXIST);
	assert_int_equal(life_take_back(session, ".two"), EPERM);
	assert_int_equal(life_take_back(session, "two"), 0);
	assert_int_equal(life_take_back(session, "three"), ENOENT);
	session_put(session);
	fs_unlock(fs);
	assert_int_equal(all_endings().count, 0);
	assert_int_equal(end(sid, LIFE_TTL), 0);
	assert_int_equal(end(sid, LIFE_TTL), ENOENT);
	assert_int_equal(drop(sid), 0);
	assert_int_equal(all_endings().ending.until, 0);
}

static bool has_ending(struct store_sid sid)
{
	struct endings endings = {0};

	assert_int_equal(store_scan_endings(store, sid.n - 1, count_ending, &endings), 0);
	return endings.count && endings.first == sid.n;
}

/* More are in the trash than there are tombstones: who is taken back leaves his to another one. */
static void more_than_tombstones(void **state)
{
	struct store_sid sids[HISTORY_MAX + 3];

	(void)state;
	for (unsigned i = 0; i < HISTORY_MAX + 3; i++) {
		sids[i] = make_session("s");
		assert_int_equal(end(sids[i], LIFE_REMOVED), 0);
	}
	assert_false(has_ending(sids[2]));
	assert_true(has_ending(sids[3]));
	assert_int_equal(take_back(sids[500], "back"), 0);
	assert_true(has_ending(sids[2]));
	assert_int_equal(take_back(sids[1], "again"), 0);
	assert_int_equal(all_endings().count, HISTORY_MAX);
	reopen_fs();
	assert_int_equal(take_back(sids[2], "more"), 0);
	assert_true(has_ending(sids[0]));
	assert_int_equal(take_back(sids[700], "less"), 0);
	assert_int_equal(all_endings().count, HISTORY_MAX - 1);
}

/* One that had a tombstone no more gets none by being dropped. */
static void dropped_without_a_tombstone(void **state)
{
	struct store_sid first[3];

	(void)state;
	for (unsigned i = 0; i < HISTORY_MAX + 3; i++) {
		struct store_sid sid = make_session("s");

		assert_int_equal(end(sid, LIFE_REMOVED), 0);
		if (i < 3)
			first[i] = sid;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(drop(first[i]), 0);
	assert_int_equal(end(make_session("s"), LIFE_REMOVED), 0);
	assert_int_equal(all_endings().count, HISTORY_MAX);
}

/* ---- what the kernel knows --------------------------------------------------------------------------------------- */

static void a_drop_waits_for_the_kernel(void **state)
{
	struct store_sid sid = make_session("one");
	struct store_session record;
	struct entry entry;

	(void)state;
	assert_int_equal(dir_lookup(fs, root_id(), "one", &entry), 0);
	assert_int_equal(end(sid, LIFE_REMOVED), 0);
	assert_int_equal(drop(sid), 0);
	assert_null(trash_name(sid));
	assert_int_equal(store_get_session(store, sid, &record), 0);
	assert_int_equal(record.flags & STORE_SESSION_DROPPED, 0);
	store_session_release(&record);
	forget(entry.id);
	if (!store_get_session(store, sid, &record)) {
		assert_int_not_equal(record.flags & STORE_SESSION_DROPPED, 0);
		store_session_release(&record);
	}
	assert_int_equal(drop(sid), ENOENT);
}

static void a_drop_for_space_does_not(void **state)
{
	struct store_sid sid = make_session("one");
	struct entry entry;
	struct stat attr;
	double timeout;

	(void)state;
	assert_int_equal(dir_lookup(fs, root_id(), "one", &entry), 0);
	assert_int_equal(end(sid, LIFE_REMOVED), 0);
	fs_lock(fs);
	assert_true(trash_drop_oldest(fs));
	assert_false(trash_drop_oldest(fs));
	fs_unlock(fs);
	assert_int_equal(drop(sid), ENOENT);
	assert_int_equal(dir_lookup(fs, entry.id, "logs", &entry), ENOENT);
	assert_int_equal(attr_get(fs, entry.id, &attr, &timeout), 0);
	forget(entry.id);
}

/* What the kernel still writes of a session in the trash may need the space that only its own end gives. */
static void gives_way_to_itself(void **state)
{
	enum { PIECE = 1 << 20, PIECES = 256 };
	struct store_sid sid = make_session("one");
	struct session *session;
	struct entry entry;
	struct fs_id file;
	uint64_t seed = 1, *piece = malloc(PIECE);
	size_t len;
	int r = 0;

	(void)state;
	assert_non_null(piece);
	assert_int_equal(dir_lookup(fs, root_id(), "one", &entry), 0);
	file = make(entry.id, "file", S_IFREG | 0600);
	assert_int_equal(end(sid, LIFE_REMOVED), 0);
	fs_lock(fs);
	assert_int_equal(session_get(fs, sid, &session), 0);
	session->launders = 1;
	fs_unlock(fs);
	for (uint64_t n = 0; n < PIECES && !r; n++) {
		for (size_t i = 0; i < PIECE / sizeof(*piece); i++)
			piece[i] = seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		r = file_write(fs, file, n * PIECE, (const char *)piece, PIECE, WRITE_CACHED, &len);
		assert_true(r || !session->removed);
	}
	assert_int_equal(r, ESTALE);
	assert_int_equal(file_write(fs, file, 0, "x", 1, WRITE_CACHED, &len), ESTALE);
	fs_lock(fs);
	assert_true(session->removed);
	session_put(session);
	fs_unlock(fs);
	free(piece);
}

static void the_current_one_stays(void **state)
{
	struct store_sid sid = make_session("one");

	(void)state;
	fs_lock(fs);
	assert_int_equal(life_set_current(fs, (struct store_sid){99}), ENOENT);
	assert_int_equal(life_set_current(fs, sid), 0);
	fs_unlock(fs);
	assert_int_equal(end(sid, LIFE_REMOVED), EBUSY);
	assert_int_equal(dir_rmdir(fs, root_id(), "one"), EBUSY);
	reopen_fs();
	assert_int_equal(end(sid, LIFE_REMOVED), EBUSY);
	fs_lock(fs);
	assert_int_equal(fs->chosen.n, sid.n);
	assert_int_equal(life_current(fs).n, sid.n);
	assert_int_equal(life_set_current(fs, STORE_ROOT_SID), 0);
	fs_unlock(fs);
	assert_int_equal(end(sid, LIFE_REMOVED), 0);
	fs_lock(fs);
	assert_int_equal(life_set_current(fs, sid), ENOENT);
	fs_unlock(fs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(same_names), TEST(numbered_no_more), TEST(names_with_a_number), TEST(long_names),
		TEST(ended_in_another_order), TEST(names_that_are_not_there), TEST(the_oldest_tombstones_go),
		TEST(back_without_a_tombstone), TEST(more_than_tombstones), TEST(dropped_without_a_tombstone),
		TEST(a_drop_waits_for_the_kernel), TEST(a_drop_for_space_does_not), TEST(the_current_one_stays),
		cmocka_unit_test_setup_teardown(gives_way_to_itself, setup_small, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
