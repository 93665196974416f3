/*
 * findings.c - what the check finds, one thing at a time: where several are wrong at once one finding stands for all.
 */
#include <fcntl.h>

#include "tests/unit/one_file.h"

static struct store_session record_of(const struct fixture *f)
{
	return (struct store_session){.sid = sid, .root = f->top, .name = "s", .name_len = 1, .created = 1000,
		.logical = SIZE, .files = {[STORE_OTHER] = 1}};
}

static void unknown_status(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = record_of(f);
	record.status = STORE_STATUSES;
	store_batch_put_session(b, &record);
}

static void unknown_flags(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = record_of(f);
	record.flags = 64;
	store_batch_put_session(b, &record);
}

static void too_much_progress(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = record_of(f);
	record.progress = 1000001;
	store_batch_put_session(b, &record);
}

static void wrong_count_of_files(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = record_of(f);
	record.files[STORE_LOGS] = 1;
	store_batch_put_session(b, &record);
}

static void wrong_count_of_bytes(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = record_of(f);
	record.logical++;
	store_batch_put_session(b, &record);
}

static void session_without_a_name(struct store_batch *b, const struct fixture *f)
{
	put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 2, 0, 0);
	store_batch_delete_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, f->session_cookie);
}

static void session_with_two_names(struct store_batch *b, const struct fixture *f)
{
	put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 4, 2, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "t", sid, f->top, S_IFDIR);
}

static void session_without_its_directory(struct store_batch *b, const struct fixture *f)
{
	store_batch_delete_inode(b, sid, f->top);
}

static void name_of_what_is_no_session(struct store_batch *b, const struct fixture *f)
{
	put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 3, 2, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "t", sid, f->file, S_IFREG);
}

static void inode_of_no_session(struct store_batch *b, const struct fixture *f)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1};
	store_batch_new_inode(b, (struct store_sid){sid.n + 1}, store_new_ino(b), &inode);
	(void)f;
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
	SINGLE(wrong_count_of_files, 11),
	SINGLE(wrong_count_of_bytes, 11),
	SINGLE(session_without_a_name, 10),
	SINGLE(session_with_two_names, 10),
	SINGLE(session_without_its_directory, 10),
	SINGLE(name_of_what_is_no_session, 10),
	SINGLE(inode_of_no_session, 10),
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
		assert_int_equal(store_lookup(s, STORE_ROOT_SID, STORE_ROOT_INO, "s", 1, &entry), 0);
		f->session_cookie = entry.cookie;
		struct store_batch *b = begin(s, 0);
		single[i].make(b, f);
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_close(s), 0);
		print_message("%s\n", single[i].what);
		repair_to_the_end(f->path, single[i].invariant);
		teardown((void **)&f);
	}
}

static void wrong_accounts(void **state)
{
	struct fixture *f = *state;
	const struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = SIZE};
	const struct store_session record = record_of(f);
	uint8_t body[RECORD_MAX];
	size_t len = record_put_uint(SIZE / 2, body);
	put_raw(f->path, key_make(sid, f->file, KIND_INODE, 0), body,
		len + record_encode(&inode_schema, &inode, body + len), true);
	repair_to_the_end(f->path, 8);
	put_raw(f->path, key_front(KIND_SESSION, sid.n), body,
		len + record_encode(&session_schema, &record, body + len), true);
	repair_to_the_end(f->path, 9);
	assert_content(f, sid, f->file);
}

/* Of the two heads the older one, which a commit cut off by a power cut may leave. */
static void a_damaged_head(void **state)
{
	enum { PAGE = 4096, MAGIC_AT = 16, TRANSACTION_AT = 144 };
	const struct fixture *f = *state;
	uint64_t transactions[2], invariants;
	uint32_t magic = 0;
	char path[DIR_SIZE + 16];
	snprintf(path, sizeof path, "%s/data.mdb", f->path);
	int fd = open(path, O_RDWR);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pread(fd, &transactions[i], 8, i * PAGE + TRANSACTION_AT), 8);
	assert_int_not_equal(transactions[0], transactions[1]);
	assert_int_equal(pwrite(fd, &magic, 4, (transactions[0] > transactions[1]) * PAGE + MAGIC_AT), 4);
	close(fd);
	struct store_check_result r = check(f->path, true, &invariants);
	assert_int_equal(invariants, 1);
	assert_int_equal(r.found, 1);
	assert_int_equal(r.repaired, 1);
	assert_int_equal(check(f->path, false, &invariants).found, 0);
	assert_content(f, sid, f->file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_by_itself),
		cmocka_unit_test_setup_teardown(wrong_accounts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_head, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
