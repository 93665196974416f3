/*
 * head.c - the last write of a commit fails, that of LMDB's head, after which LMDB refuses to go on: the store goes on,
 * whichever head the file has then, also when it is opened anew, and nothing is counted twice.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 by their own names */
#include "store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { HEADS_END = 2 * 4096, SIZE = 8 };

static const struct store_sid sid = {1};

/* Writes of the head that are to fail, and whether the first of them is done all the same. */
static struct {
	int left;
	bool done;
} failing;

/* Takes the place of libc's also for LMDB. */
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	/* At 0 only the lock file is written. */
	bool fails = failing.left && offset > 0 && offset < HEADS_END && len < 4096;
	if (fails && failing.done)
		(void)syscall(SYS_pwrite64, fd, data, len, offset);
	failing.left -= fails;
	failing.done &= !fails;
	errno = EIO;
	return fails ? -1 : syscall(SYS_pwrite64, fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	return pwrite(fd, data, len, offset);
}

struct fixture {
	char path[64];
	struct store *store;
	struct store_ino top, file[2];
};

static int setup(void **state)
{
	struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 4u << 20};
	struct store_open_info info;
	struct fixture *f = calloc(1, sizeof *f);
	strcpy(f->path, "sessfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(store_open(f->path, &options, &f->store, &info), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", f->path);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void add_name(struct store_batch *b, struct store_sid at, struct store_ino dir, const char *name,
	struct store_ino ino, uint32_t type)
{
	struct store_dirent d = {.ino = ino, .session = sid, .type = type, .name_len = (uint32_t)strlen(name)};
	memcpy(d.name, name, d.name_len);
	store_batch_add_dirent(b, at, dir, &d);
}

static void put_dir(struct store_batch *b, struct store_sid at, struct store_ino ino, uint64_t size, uint64_t parent)
{
	struct store_inode i = {.mode = S_IFDIR | 0755, .nlink = 2 + !parent, .size = size, .parent = parent};
	store_batch_put_inode(b, at, ino, &i);
}

/* The n-th file of the session, which is made with the first. */
static void make_file(struct fixture *f, unsigned n)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = SIZE};
	const char *name = n ? "second" : "first";
	struct store_batch *b;
	assert_int_equal(store_batch_begin(f->store, STORE_GROW, SIZE, &b), 0);
	if (!n) {
		assert_int_equal(store_new_sid(b).n, sid.n);
		f->top = store_new_ino(b);
		put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 1, 0);
		add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", f->top, S_IFDIR);
	}
	f->file[n] = store_new_ino(b);
	put_dir(b, sid, f->top, n + 1, STORE_ROOT_INO.n);
	store_batch_new_inode(b, sid, f->file[n], &inode);
	add_name(b, sid, f->top, name, f->file[n], S_IFREG);
	store_batch_write(b, sid, f->file[n], 0, "contents", SIZE);
	struct store_session record = {.sid = sid,
		.root = f->top,
		.name = "s",
		.name_len = 1,
		.created = 1000,
		.files = {[STORE_OTHER] = n + 1},
		.logical = (n + 1) * SIZE};
	store_batch_put_session(b, &record);
	assert_int_equal(store_batch_commit(b), 0);
}

static void assert_content(struct fixture *f, unsigned n)
{
	char data[SIZE];
	assert_int_equal(store_read(f->store, sid, f->file[n], 0, data, SIZE), 0);
	assert_memory_equal(data, "contents", SIZE);
}

static void print_finding(void *arg, unsigned invariant, const char *text)
{
	(void)arg;
	print_error("%u: %s\n", invariant, text);
}

static void assert_clean(const char *path)
{
	struct store_check_options options = {.report = print_finding};
	struct store_check_result result = {0};
	struct store_open_info info;
	assert_int_equal(store_check(path, &options, &result, &info), 0);
	assert_int_equal(result.found, 0);
	assert_int_equal(result.chunks, 2);
}

/* As a kill leaves it. */
static void assert_opens(struct fixture *f)
{
	struct store_options options = {.level = 3, .commit = 3600, .hot_size = 4u << 20};
	struct fixture killed = *f;
	struct store_open_info info;
	char command[256];
	strcat(killed.path, "/killed");
	snprintf(command, sizeof command, "cd %s && mkdir killed && cp data.mdb hot.* lock killed", f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(store_open(killed.path, &options, &killed.store, &info), 0);
	assert_content(&killed, 0);
	assert_content(&killed, 1);
	assert_int_equal(store_close(killed.store), 0);
	assert_clean(killed.path);
}

static void assert_goes_on(struct fixture *f, int writes, bool done)
{
	make_file(f, 0);
	assert_int_equal(store_flush(f->store), 0);
	make_file(f, 1);
	failing.left = writes;
	failing.done = done;
	assert_int_equal(store_flush(f->store), -EIO);
	assert_int_equal(failing.left, 0);
	assert_opens(f);
	assert_content(f, 0);
	assert_content(f, 1);
	assert_int_equal(store_flush(f->store), 0);
	assert_content(f, 0);
	assert_content(f, 1);
	assert_clean(f->path);
	assert_int_equal(store_close(f->store), 0);
}

static void the_head_was_not_written(void **state)
{
	assert_goes_on(*state, 1, false);
}

/* Nor could LMDB put back the head that was there before. */
static void the_head_was_written_all_the_same(void **state)
{
	assert_goes_on(*state, 2, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_head_was_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(the_head_was_written_all_the_same, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
