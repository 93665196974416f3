/* repair.c - what a repair keeps, and whose it is; and what check must not take for damage, or for none. */
#include <fcntl.h>
#include <sys/file.h>

#include "tests/unit/one_file.h"

enum { USER = 4711, DEEP = 5000 };

/* ---- what is kept ----------------------------------------------------------------------------------------------- */

static void content_outlives_the_record_of_its_file(void **state)
{
	struct fixture *f = *state;
	struct store_dirent d;
	damage_inode(f, f->file);
	repair_to_the_end(f->path, 3);
	struct store *s = open_store(f->path);
	assert_int_equal(store_lookup(s, sid, f->top, "file", 4, &d), 0);
	assert_int_equal(store_close(s), 0);
	assert_content(f, sid, d.ino);
}

static void events_outlive_the_record_of_their_directory(void **state)
{
	struct fixture *f = *state;
	char have[5];
	struct store *s = open_store(f->path);
	struct store_batch *b = begin(s, 5);
	struct store_session record = {.sid = sid, .root = f->top, .name = "s", .name_len = 1, .created = 1000,
		.files = {[STORE_OTHER] = 1}, .logical = SIZE, .end_event = 5, .event_lines = 1};
	store_batch_put_session(b, &record);
	store_batch_write(b, sid, f->top, 0, "line\n", 5);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	damage_inode(f, f->top);
	repair_to_the_end(f->path, 3);
	s = open_store(f->path);
	assert_int_equal(store_read(s, sid, f->top, 0, have, 5), 0);
	assert_memory_equal(have, "line\n", 5);
	assert_int_equal(store_close(s), 0);
	assert_content(f, sid, f->file);
}

/* The second round's data.mdb is not what there was. */
static void the_damaged_file_is_the_one_of_the_beginning(void **state)
{
	struct fixture *f = *state;
	uint64_t invariants;
	char copy[80];
	damage_inode(f, f->file);
	struct store *s = open_store(f->path);
	struct store_batch *b = begin(s, 4);
	store_batch_write(b, sid, (struct store_ino){9000}, 0, "more", 4);
	assert_int_equal(store_batch_commit(b), 0);
	snprintf(copy, sizeof copy, "%s.copy", f->path);
	shell("cp -r --sparse=always %s %s && rm %s/lock && cp %s/data.mdb %s/before", f->path, copy, copy, copy, copy);
	assert_int_equal(store_close(s), 0);
	check(copy, true, &invariants);
	assert_int_equal(check(copy, false, &invariants).found, 0);
	shell("cmp -s %s/before %s/data.mdb.damaged", copy, copy);
	shell("rm -rf %s", copy);
}

/* A field that a newer version added, of a session that is in the root by another name, or by none. */
static void a_session_keeps_what_a_newer_version_said(void **state)
{
	static uint8_t unknown[] = {100, 42}; /* number and value */
	struct fixture *f = *state;
	struct store_session record = {.sid = sid, .root = f->top, .name = "t", .name_len = 1, .created = 1000,
		.files = {[STORE_OTHER] = 1}, .logical = SIZE, .extra = {.data = unknown, .len = 2, .count = 1}};
	struct store_dirent d;
	for (int named = 1; named >= 0; named--) {
		struct store *s = open_store(f->path);
		assert_int_equal(store_lookup(s, STORE_ROOT_SID, STORE_ROOT_INO, "s", 1, &d), 0);
		struct store_batch *b = begin(s, 0);
		store_batch_put_session(b, &record);
		if (!named) {
			store_batch_delete_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, d.cookie);
			put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 2, 0, 0);
		}
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_close(s), 0);
		repair_to_the_end(f->path, 10);
		struct store_session have;
		s = open_store(f->path);
		assert_int_equal(store_get_session(s, sid, &have), 0);
		assert_string_equal(have.name, named ? "s" : "t");
		assert_int_equal(have.extra.len, 2);
		assert_memory_equal(have.extra.data, unknown, 2);
		store_session_release(&have);
		assert_int_equal(store_close(s), 0);
	}
}

/* ---- whose it is ------------------------------------------------------------------------------------------------ */

/* LMDB goes without lock.mdb on some file systems. */
static void assert_owner(const char *path, const char *name)
{
	char file[80];
	struct stat st;
	snprintf(file, sizeof file, "%s/%s", path, name);
	if (stat(file, &st) < 0 && errno == ENOENT)
		return;
	assert_int_equal(st.st_uid, USER);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_root_repairs_stays_its_users(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip();
	damage_inode(f, f->file);
	shell("chown -R %d %s", USER, f->path);
	repair_to_the_end(f->path, 3);
	assert_owner(f->path, "data.mdb");
	assert_owner(f->path, "lock.mdb");
	struct store_inode inode;
	struct store *s = open_store(f->path);
	assert_int_equal(store_get_inode(s, sid, f->file, &inode), 0);
	assert_int_equal(inode.uid, USER);
	store_inode_release(&inode);
	assert_int_equal(store_close(s), 0);
}

/* Else what was saved would be gone a day after. */
static void lost_and_found_does_not_expire(void **state)
{
	struct fixture *f = *state;
	struct store_dirent d;
	struct store_session record;
	struct store_inode inode;
	struct store *s = open_store(f->path);
	assert_int_equal(store_lookup(s, sid, f->top, "file", 4, &d), 0);
	struct store_batch *b = begin(s, 0);
	store_batch_delete_dirent(b, sid, f->top, d.cookie);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	if (geteuid() == 0)
		shell("chown -R %d %s", USER, f->path);
	repair_to_the_end(f->path, 5);
	s = open_store(f->path);
	assert_int_equal(store_lookup(s, STORE_ROOT_SID, STORE_ROOT_INO, "lost+found", 10, &d), 0);
	assert_int_equal(store_get_session(s, d.session, &record), 0);
	assert_int_equal(record.flags, STORE_SESSION_PINNED);
	store_session_release(&record);
	assert_int_equal(store_get_inode(s, d.session, d.ino, &inode), 0);
	assert_int_equal(inode.uid, geteuid() == 0 ? USER : geteuid());
	store_inode_release(&inode);
	assert_int_equal(store_close(s), 0);
}

/* ---- what is no damage, and what is ----------------------------------------------------------------------------- */

static void a_deep_tree_is_clean(void **state)
{
	struct fixture *f = *state;
	struct store_dirent d;
	uint64_t invariants;
	struct store *s = open_store(f->path);
	assert_int_equal(store_lookup(s, sid, f->top, "file", 4, &d), 0);
	struct store_batch *b = begin(s, 0);
	struct store_ino at = f->top;
	store_batch_delete_dirent(b, sid, f->top, d.cookie);
	put_dir(b, sid, f->top, 3, 1, STORE_ROOT_INO.n);
	for (int i = 0; i < DEEP; i++) {
		bool last = i + 1 == DEEP;
		struct store_ino ino = store_new_ino(b);
		struct store_inode inode = {.mode = S_IFDIR | 0755, .nlink = last ? 2 : 3, .size = 1,
			.parent = at.n, .view = i ? 0 : 1 + STORE_CACHE};
		add_name(b, sid, at, i ? "d" : "cache", sid, ino, S_IFDIR);
		store_batch_put_inode(b, sid, ino, &inode);
		at = ino;
		if (i % 500 == 499) {
			assert_int_equal(store_batch_commit(b), 0);
			b = begin(s, 0);
		}
	}
	add_name(b, sid, at, "file", sid, f->file, S_IFREG);
	put_session(b, f, STORE_CACHE);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(check(f->path, false, &invariants).found, 0);
}

/* A number from which no more can be given out. */
static void a_number_too_high_does_not_lock_the_store(void **state)
{
	struct fixture *f = *state;
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1};
	uint8_t body[RECORD_MAX] = {0};
	size_t len = record_encode(&inode_schema, &inode, body + 1);
	put_raw(f->path, key_make(sid, (struct store_ino){UINT64_C(1) << 54}, KIND_INODE, 0), body, len + 1, true);
	repair_to_the_end(f->path, 2);
	len = record_put_uint(7, body);
	put_raw(f->path, key_front(KIND_ORPHAN, UINT64_MAX - 1), body, len, true);
	repair_to_the_end(f->path, 2);
	len = record_put_uint(UINT64_C(1) << 40, body);
	put_raw(f->path, key_front(KIND_ORPHAN, 7), body, len, true);
	repair_to_the_end(f->path, 3);
	assert_content(f, sid, f->file);
}

static void write_and_find_again(const struct fixture *f)
{
	static uint8_t have[SIZE];
	struct store *s = open_store(f->path);
	struct store_batch *b = begin(s, SIZE);
	store_batch_write(b, sid, f->file, 0, f->content, SIZE);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	s = open_store(f->path);
	assert_int_equal(store_read(s, sid, f->file, 0, have, SIZE), 0);
	assert_memory_equal(have, f->content, SIZE);
	assert_int_equal(store_close(s), 0);
}

/* Warm seems to have every log that is to come; each would be thrown away. */
static void the_last_generation_hides_no_log(void **state)
{
	static const uint8_t minus_one = 0xff;
	struct fixture *f = *state;
	put_raw(f->path, key_front(KIND_FLUSHED, 0), &minus_one, 1, true);
	repair_to_the_end(f->path, 3);
	memset(f->content, 'a', SIZE);
	write_and_find_again(f);

	const uint64_t generation = UINT64_MAX, published = 4096;
	char path[80];
	snprintf(path, sizeof path, "%s/hot.0", f->path);
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, &generation, sizeof generation, 16), sizeof generation);
	assert_int_equal(pwrite(fd, &published, sizeof published, 56), sizeof published);
	close(fd);
	memset(f->content, 'b', SIZE);
	write_and_find_again(f);
}

static void what_cannot_be_opened_is_not_clean(void **state)
{
	struct fixture *f = *state;
	struct super super;
	struct store_check_result result;
	uint64_t invariants;
	get_super(f->path, &super);
	super.ino_limit = UINT64_C(1) << 60;
	put_super(f->path, &super);
	assert_int_equal(try_check(f->path, false, &invariants, &result), STORE_DAMAGED);
	assert_int_equal(invariants, 0);
}

static void a_newer_store_that_is_mounted_is_not_judged(void **state)
{
	struct fixture *f = *state;
	struct super super;
	struct store_check_result result;
	uint64_t invariants;
	char path[80];
	get_super(f->path, &super);
	super.format = STORE_FORMAT + 1;
	put_super(f->path, &super);
	snprintf(path, sizeof path, "%s/lock", f->path);
	int fd = open(path, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(try_check(f->path, false, &invariants, &result), STORE_NEWER);
	assert_int_equal(invariants, 0);
	close(fd);
}

/* Whoever reads what is found may do so on a terminal. */
static void a_finding_is_one_line(void **state)
{
	struct fixture *f = *state;
	uint64_t invariants;
	struct store *s = open_store(f->path);
	struct store_batch *b = begin(s, 0);
	add_name(b, sid, f->top, "\033[31mred\nline", sid, (struct store_ino){9000}, S_IFREG);
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 7};
	store_batch_put_inode(b, sid, (struct store_ino){9000}, &inode);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	assert_true(check(f->path, false, &invariants).found > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_outlives_the_record_of_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(events_outlive_the_record_of_their_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(the_damaged_file_is_the_one_of_the_beginning, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_keeps_what_a_newer_version_said, setup, teardown),
		cmocka_unit_test_setup_teardown(what_root_repairs_stays_its_users, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_and_found_does_not_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deep_tree_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_too_high_does_not_lock_the_store, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_generation_hides_no_log, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_not_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(a_newer_store_that_is_mounted_is_not_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(a_finding_is_one_line, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
