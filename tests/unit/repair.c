/* repair.c - what a repair keeps, and whose it is; and what check must not take for damage, or for none. */
#include <fcntl.h>
#include <sys/file.h>

#include "store/codec.h"
#include "store/record.h"
#include "store/warm.h"
#include "tests/unit/stored.h"

enum { USER = 4711, DEEP = 5000, SIZE = 300000 };

static const struct store_sid sid = {1};

struct fixture {
	char path[DIR_SIZE];
	struct store_ino top, file;
	uint64_t cookie; /* of its name */
	uint8_t content[SIZE]; /* of the file */
};

static struct store *open_store(const char *path)
{
	const struct store_options options = {.create = true, .level = 0, .commit = 3600, .hot_size = 4u << 20};
	return open_with(path, &options);
}

static void put_dir(struct store_batch *b, struct store_sid at, struct store_ino ino, uint32_t nlink, uint64_t size,
	uint64_t parent)
{
	struct store_inode i = {.mode = S_IFDIR | 0755, .nlink = nlink, .size = size, .parent = parent};
	store_batch_put_inode(b, at, ino, &i);
}

static void put_session(struct store_batch *b, const struct fixture *f, enum store_view view)
{
	struct store_session record = {
		.sid = sid, .root = f->top, .name = "s", .name_len = 1, .created = 1000, .logical = SIZE};
	record.files[view] = 1;
	store_batch_put_session(b, &record);
}

/* /s/file, of some chunks that do not repeat */
static void make_tree(struct fixture *f, struct store *s)
{
	struct store_batch *b = begin(s, SIZE);
	assert_int_equal(store_new_sid(b).n, sid.n);
	f->top = store_new_ino(b);
	f->file = store_new_ino(b);
	for (unsigned i = 0; i < SIZE; i++)
		f->content[i] = (uint8_t)(i * 2654435761u >> 16 | 1);
	put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 3, 1, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", sid, f->top, S_IFDIR);
	put_dir(b, sid, f->top, 2, 1, STORE_ROOT_INO.n);
	add_name(b, sid, f->top, "file", sid, f->file, S_IFREG);
	struct store_inode file = {.mode = S_IFREG | 0644, .nlink = 1, .size = SIZE};
	store_batch_put_inode(b, sid, f->file, &file);
	store_batch_write(b, sid, f->file, 0, f->content, SIZE);
	put_session(b, f, STORE_OTHER);
	assert_int_equal(store_batch_commit(b), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->path);
	struct store *s = open_store(f->path);
	make_tree(f, s);
	assert_int_equal(store_close(s), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	shell("rm -rf %s", f->path);
	free(f);
	return 0;
}

static void note_finding(void *arg, unsigned invariant, const char *text)
{
	uint64_t *found = arg;
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 127);
	*found |= UINT64_C(1) << invariant;
}

static int try_check(const char *path, bool repair, uint64_t *ret_invariants, struct store_check_result *ret)
{
	struct store_open_info info;
	*ret_invariants = 0;
	struct store_check_options options = {.repair = repair, .report = note_finding, .arg = ret_invariants};
	return store_check(path, &options, ret, &info);
}

static struct store_check_result check(const char *path, bool repair, uint64_t *ret_invariants)
{
	struct store_check_result result = {0};
	assert_int_equal(try_check(path, repair, ret_invariants, &result), 0);
	return result;
}

static void repair_to_the_end(const char *path, unsigned invariant)
{
	uint64_t invariants;
	assert_true(check(path, false, &invariants).found > 0);
	assert_true(invariants >> invariant & 1);
	struct store_check_result r = check(path, true, &invariants);
	assert_int_equal(r.repaired, r.found);
	assert_int_equal(check(path, false, &invariants).found, 0);
}

/* Writes a record of warm as it is, or with its checksum. */
static void put_raw(const char *path, struct key key, const void *body, size_t len, bool sealed)
{
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX] = {0};
	struct warm *w;
	struct warm_txn *t;
	memcpy(value + CODEC_CHECK_SIZE, body, len);
	size_t all = sealed ? codec_seal(key, value, len) : CODEC_CHECK_SIZE + len;
	assert_int_equal(warm_open(path, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	assert_int_equal(warm_put(t, &key, value, all), 0);
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
}

static void get_super(const char *path, struct super *ret)
{
	const struct key key = key_front(KIND_SUPER, 0);
	struct warm_snapshot *snapshot;
	struct warm_value value;
	struct warm *w;
	const uint8_t *body;
	size_t len;
	assert_int_equal(warm_open(path, true, &w), 0);
	assert_int_equal(warm_snapshot_new(w, &snapshot), 0);
	assert_int_equal(warm_get(snapshot, &key, &value), 0);
	assert_int_equal(codec_open(key, value.data, value.len, &body, &len), 0);
	assert_int_equal(record_decode(&super_schema, body, len, ret), 0);
	warm_snapshot_free(snapshot);
	warm_close(w);
}

static void put_super(const char *path, const struct super *super)
{
	uint8_t body[RECORD_MAX];
	put_raw(path, key_front(KIND_SUPER, 0), body, record_encode(&super_schema, super, body), true);
}

static void damage_inode(const struct fixture *f, struct store_ino ino)
{
	put_raw(f->path, key_make(sid, ino, KIND_INODE, 0), "damaged", 7, false);
}

static void assert_content(const struct fixture *f, struct store_sid at, struct store_ino ino)
{
	static uint8_t have[SIZE];
	struct store_inode inode;
	struct store *s = open_store(f->path);
	assert_int_equal(store_get_inode(s, at, ino, &inode), 0);
	assert_int_equal(inode.mode & S_IFMT, S_IFREG);
	assert_int_equal(inode.size, SIZE);
	store_inode_release(&inode);
	assert_int_equal(store_read(s, at, ino, 0, have, SIZE), 0);
	assert_memory_equal(have, f->content, SIZE);
	assert_int_equal(store_close(s), 0);
}

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

/* ---- what else check finds, one thing at a time ------------------------------------------------------------------ */

static void put_settings(struct store_batch *b, const struct fixture *f, struct store_session record)
{
	record.sid = sid;
	record.root = f->top;
	record.name[0] = 's';
	record.name_len = 1;
	record.created = 1000;
	record.logical = SIZE;
	record.files[STORE_OTHER] = 1;
	store_batch_put_session(b, &record);
}

static void unknown_status(struct store_batch *b, const struct fixture *f)
{
	put_settings(b, f, (struct store_session){.status = STORE_STATUSES});
}

static void unknown_flags(struct store_batch *b, const struct fixture *f)
{
	put_settings(b, f, (struct store_session){.flags = 64});
}

static void too_much_progress(struct store_batch *b, const struct fixture *f)
{
	put_settings(b, f, (struct store_session){.progress = 1000001});
}

static void links_of_a_directory(struct store_batch *b, const struct fixture *f)
{
	put_dir(b, sid, f->top, 7, 1, STORE_ROOT_INO.n);
}

static void directory_with_two_names(struct store_batch *b, const struct fixture *f)
{
	struct store_ino dir = store_new_ino(b);
	put_dir(b, sid, dir, 2, 0, f->top.n);
	add_name(b, sid, f->top, "one", sid, dir, S_IFDIR);
	add_name(b, sid, f->top, "two", sid, dir, S_IFDIR);
	put_dir(b, sid, f->top, 4, 3, STORE_ROOT_INO.n);
}

static void file_without_a_name(struct store_batch *b, const struct fixture *f)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1};
	store_batch_new_inode(b, sid, store_new_ino(b), &inode);
	(void)f;
}

static void name_in_a_file(struct store_batch *b, const struct fixture *f)
{
	add_name(b, sid, f->file, "name", sid, f->file, S_IFREG);
}

static void name_of_another_type(struct store_batch *b, const struct fixture *f)
{
	struct store_dirent entry = {
		.cookie = f->cookie, .ino = f->file, .session = sid, .type = S_IFLNK, .name = "file", .name_len = 4};
	store_batch_put_dirent(b, sid, f->top, &entry);
}

#define SINGLE(make, invariant) {make, #make, invariant}

static const struct {
	void (*make)(struct store_batch *, const struct fixture *);
	const char *what;
	unsigned invariant;
} single[] = {
	SINGLE(unknown_status, 18),
	SINGLE(unknown_flags, 18),
	SINGLE(too_much_progress, 18),
	SINGLE(links_of_a_directory, 5),
	SINGLE(directory_with_two_names, 5),
	SINGLE(file_without_a_name, 5),
	SINGLE(name_in_a_file, 4),
	SINGLE(name_of_another_type, 4),
};

static void each_is_found_by_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
		struct fixture *f;
		struct store_dirent entry;
		setup((void **)&f);
		struct store *s = open_store(f->path);
		assert_int_equal(store_lookup(s, sid, f->top, "file", 4, &entry), 0);
		f->cookie = entry.cookie;
		struct store_batch *b = begin(s, 0);
		single[i].make(b, f);
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_close(s), 0);
		print_message("%s\n", single[i].what);
		repair_to_the_end(f->path, single[i].invariant);
		teardown((void **)&f);
	}
}

static void a_wrong_account(void **state)
{
	struct fixture *f = *state;
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = SIZE};
	uint8_t body[RECORD_MAX];
	size_t len = record_put_uint(SIZE / 2, body);
	len += record_encode(&inode_schema, &inode, body + len);
	put_raw(f->path, key_make(sid, f->file, KIND_INODE, 0), body, len, true);
	repair_to_the_end(f->path, 8);
	assert_content(f, sid, f->file);
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
		cmocka_unit_test(each_is_found_by_itself),
		cmocka_unit_test_setup_teardown(a_wrong_account, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
