/* store.c - the store against a plain model of it: random operations, flushes, reopening, and processes that die. */
#include <sys/wait.h>

#include "tests/unit/stored.h"

enum { FILES = 6, FILE_MAX = 700000 };

static const struct store_sid sid = { 7 };

struct fixture {
	char dir[DIR_SIZE];
	struct store *store;
	struct store_ino ino[FILES];
	uint8_t *content[FILES];
	uint64_t size[FILES];
	unsigned seed;
};

static struct store *open_store(const char *dir)
{
	const struct store_options options = { .create = true, .level = 3, .commit = 1, .hot_size = 4u << 20 };
	return open_with(dir, &options);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->dir);
	f->store = open_store(f->dir);
	f->seed = 4711;
	for (int i = 0; i < FILES; i++)
		f->content[i] = calloc(1, FILE_MAX);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_close(f->store), 0);
	shell("rm -rf %s", f->dir);
	for (int i = 0; i < FILES; i++)
		free(f->content[i]);
	free(f);
	return 0;
}

static void put_file(struct store_batch *b, struct fixture *f, int i)
{
	struct store_inode inode = { .mode = S_IFREG | 0644, .nlink = 1, .size = f->size[i] };
	store_batch_put_inode(b, sid, f->ino[i], &inode);
}

static void make_files(struct fixture *f)
{
	struct store_session session = { .sid = sid, .name = "s", .name_len = 1, .root = { 1 } };
	struct store_batch *b = begin(f->store, 0);
	store_batch_put_session(b, &session);
	for (int i = 0; i < FILES; i++) {
		struct store_inode inode = { .mode = S_IFREG | 0644, .nlink = 1 };
		f->ino[i] = store_new_ino(b);
		store_batch_new_inode(b, sid, f->ino[i], &inode);
	}
	assert_int_equal(store_batch_commit(b), 0);
}

static void random_write(struct fixture *f, int i)
{
	static uint8_t data[300000];
	uint64_t offset = (uint64_t)rand_r(&f->seed) % (FILE_MAX - 1);
	size_t len = 1 + (size_t)rand_r(&f->seed) % (rand_r(&f->seed) % 4 ? 3000 : sizeof data);
	if (offset + len > FILE_MAX)
		len = FILE_MAX - offset;
	uint8_t byte = (uint8_t)rand_r(&f->seed);
	for (size_t k = 0; k < len; k++)
		data[k] = (uint8_t)(byte + k / 64);
	struct store_batch *b = begin(f->store, len);
	store_batch_write(b, sid, f->ino[i], offset, data, len);
	memcpy(f->content[i] + offset, data, len);
	f->size[i] = f->size[i] > offset + len ? f->size[i] : offset + len;
	put_file(b, f, i);
	assert_int_equal(store_batch_commit(b), 0);
}

static void random_punch(struct fixture *f, int i, bool to_end)
{
	uint64_t offset = (uint64_t)rand_r(&f->seed) % FILE_MAX;
	uint64_t len = to_end ? UINT64_MAX : (uint64_t)rand_r(&f->seed) % (FILE_MAX - offset);
	struct store_batch *b;
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	store_batch_punch(b, sid, f->ino[i], offset, len);
	memset(f->content[i] + offset, 0, to_end ? FILE_MAX - offset : len);
	if (to_end)
		f->size[i] = f->size[i] < offset ? f->size[i] : offset;
	put_file(b, f, i);
	assert_int_equal(store_batch_commit(b), 0);
}

static void replace_file(struct fixture *f, int i)
{
	struct store_batch *b;
	struct store_inode inode = { .mode = S_IFREG | 0644, .nlink = 1 };
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	store_batch_delete_inode(b, sid, f->ino[i]);
	f->ino[i] = store_new_ino(b);
	store_batch_new_inode(b, sid, f->ino[i], &inode);
	assert_int_equal(store_batch_commit(b), 0);
	memset(f->content[i], 0, FILE_MAX);
	f->size[i] = 0;
}

static void compare(struct fixture *f, int i)
{
	static uint8_t got[FILE_MAX];
	struct store_inode inode;
	assert_int_equal(store_get_inode(f->store, sid, f->ino[i], &inode), 0);
	assert_int_equal(inode.size, f->size[i]);
	store_inode_release(&inode);
	memset(got, 0xee, sizeof got);
	uint64_t from = (uint64_t)rand_r(&f->seed) % FILE_MAX;
	assert_int_equal(store_read(f->store, sid, f->ino[i], from, got + from, FILE_MAX - from), 0);
	assert_int_equal(store_read(f->store, sid, f->ino[i], 0, got, from), 0);
	for (size_t k = 0; k < FILE_MAX; k++)
		if (got[k] != f->content[i][k])
			fail_msg("file %d differs at %zu: %02x, not %02x", i, k, got[k], f->content[i][k]);
}

/* What store_seek calls a hole must read as zeros. */
static void compare_holes(struct fixture *f, int i)
{
	uint64_t at = 0, data;
	while (store_seek(f->store, sid, f->ino[i], at, FILE_MAX, true, &data) == 0) {
		for (; at < data; at++)
			assert_int_equal(f->content[i][at], 0);
		if (store_seek(f->store, sid, f->ino[i], data, FILE_MAX, false, &at))
			return;
		assert_true(at > data);
	}
	for (; at < FILE_MAX; at++)
		assert_int_equal(f->content[i][at], 0);
}

static void step(struct fixture *f)
{
	int i = rand_r(&f->seed) % FILES, what = rand_r(&f->seed) % 100;
	if (what < 70)
		random_write(f, i);
	else if (what < 80)
		random_punch(f, i, false);
	else if (what < 88)
		random_punch(f, i, true);
	else if (what < 91)
		replace_file(f, i);
	else if (what < 94)
		assert_int_equal(store_flush(f->store), 0);
	else if (what < 96)
		assert_int_equal(store_sync(f->store), 0);
	else
		compare(f, i);
}

static void content_matches_model(void **state)
{
	struct fixture *f = *state;
	make_files(f);
	for (int round = 0; round < 12; round++) {
		for (int n = 0; n < 100; n++)
			step(f);
		for (int i = 0; i < FILES; i++) {
			compare(f, i);
			compare_holes(f, i);
		}
		if (round % 3 == 2) {
			assert_int_equal(store_close(f->store), 0);
			f->store = open_store(f->dir);
		}
	}
}

/* The account of an inode equals what its chunks occupy: nothing is left of it once all is punched. */
static void account_returns_to_zero(void **state)
{
	struct fixture *f = *state;
	uint64_t stored;
	make_files(f);
	for (int n = 0; n < 60; n++)
		step(f);
	assert_int_equal(store_flush(f->store), 0);
	for (int i = 0; i < FILES; i++) {
		struct store_batch *b;
		assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
		store_batch_punch(b, sid, f->ino[i], 0, i % 2 ? UINT64_MAX : 2 * STORE_CHUNK_SIZE);
		store_batch_punch(b, sid, f->ino[i], 2 * STORE_CHUNK_SIZE, 6 * STORE_CHUNK_SIZE);
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_stored(f->store, sid, f->ino[i], &stored), 0);
	}
	assert_int_equal(store_flush(f->store), 0);
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(store_stored(f->store, sid, f->ino[i], &stored), 0);
		assert_int_equal(stored, 0);
	}
	struct store_session session;
	assert_int_equal(store_get_session(f->store, sid, &session), 0);
	assert_int_equal(session.stored, 0);
	store_session_release(&session);
}

static uint64_t sum_of_session(struct fixture *f)
{
	struct store_sum sum = { 0 };
	do
		assert_int_equal(store_sum_stored(f->store, sid, &sum), 0);
	while (!sum.done);
	return sum.stored;
}

static uint64_t sum_of_files(struct fixture *f, const struct store_ino *inos, int count)
{
	uint64_t sum = 0, stored;
	for (int i = 0; i < count; i++)
		sum += store_stored(f->store, sid, inos[i], &stored) ? 0 : stored;
	return sum;
}

/* At any moment: written, written over, punched, dropped, in one log or both, in warm or not. */
static void sum_is_that_of_the_files(void **state)
{
	struct fixture *f = *state;
	struct store_batch *b;
	make_files(f);
	for (int n = 0; n < 400; n++) {
		step(f);
		assert_int_equal(sum_of_session(f), sum_of_files(f, f->ino, FILES));
	}
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	for (int i = 0; i < FILES; i += 2)
		store_batch_delete_inode(b, sid, f->ino[i]);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(sum_of_session(f), sum_of_files(f, f->ino, FILES));
	assert_int_equal(store_flush(f->store), 0);
	assert_int_equal(sum_of_session(f), sum_of_files(f, f->ino, FILES));
}

/* More files, and more names, than one step looks at. */
static void sum_of_many_files(void **state)
{
	enum { MANY = 5000 };
	static struct store_ino inos[MANY];
	struct store_inode inode = { .mode = S_IFREG | 0644, .nlink = 1, .size = 9 };
	struct fixture *f = *state;
	make_files(f);
	for (int i = 0; i < MANY; i++) {
		struct store_dirent entry = { .session = sid, .type = S_IFREG };
		struct store_batch *b = begin(f->store, 9);
		entry.ino = inos[i] = store_new_ino(b);
		entry.name_len = (uint32_t)sprintf(entry.name, "%d", i);
		store_batch_new_inode(b, sid, inos[i], &inode);
		store_batch_add_dirent(b, sid, f->ino[0], &entry);
		store_batch_write(b, sid, inos[i], 0, "some text", 9);
		assert_int_equal(store_batch_commit(b), 0);
		if (i == MANY / 2)
			assert_int_equal(store_flush(f->store), 0);
	}
	assert_int_equal(sum_of_session(f), sum_of_files(f, inos, MANY));
	assert_int_equal(store_flush(f->store), 0);
	assert_int_equal(sum_of_session(f), sum_of_files(f, inos, MANY));
}

static FILE *model_file(struct fixture *f, const char *mode)
{
	char name[96];
	snprintf(name, sizeof name, "%s.model", f->dir);
	FILE *file = fopen(name, mode);
	assert_non_null(file);
	return file;
}

static void write_model(struct fixture *f)
{
	FILE *out = model_file(f, "w");
	fwrite(f, sizeof *f, 1, out);
	for (int i = 0; i < FILES; i++)
		fwrite(f->content[i], 1, FILE_MAX, out);
	fclose(out);
}

static void read_model(struct fixture *f)
{
	uint8_t *content[FILES];
	FILE *in = model_file(f, "r");
	memcpy(content, f->content, sizeof content);
	assert_int_equal(fread(f, sizeof *f, 1, in), 1);
	memcpy(f->content, content, sizeof content);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(fread(f->content[i], 1, FILE_MAX, in), FILE_MAX);
	fclose(in);
	char name[96];
	snprintf(name, sizeof name, "%s.model", f->dir);
	unlink(name);
}

/* A process that dies with everything in the logs, and hands its model over first. */
static void survives_death(void **state)
{
	struct fixture *f = *state;
	make_files(f);
	for (int death = 0; death < 8; death++) {
		int steps = 20 + 13 * death;
		assert_int_equal(store_close(f->store), 0);
		f->store = NULL;
		pid_t pid = fork();
		if (pid == 0) {
			f->store = open_store(f->dir);
			while (steps--)
				step(f);
			write_model(f);
			_exit(0);
		}
		int status;
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
		read_model(f);
		f->store = open_store(f->dir);
		for (int i = 0; i < FILES; i++)
			compare(f, i);
	}
}

struct listing {
	unsigned count;
	uint64_t last;
	bool seen[2000];
};

static bool list_one(void *arg, const struct store_dirent *d)
{
	struct listing *l = arg;
	assert_true(d->cookie > l->last && d->cookie >= STORE_COOKIE_MIN);
	l->last = d->cookie;
	l->seen[atoi(d->name + 1)] = true;
	return ++l->count % 37 == 0;
}

static void add_numbered(struct fixture *f, unsigned n, struct store_ino dir)
{
	struct store_dirent d = { .ino = { n + 100 }, .session = sid, .type = S_IFREG }, found;
	d.name_len = (uint32_t)snprintf(d.name, sizeof d.name, "n%u", n);
	assert_int_equal(store_lookup(f->store, sid, dir, d.name, d.name_len, &found), STORE_ABSENT);
	struct store_batch *b = begin(f->store, 0);
	store_batch_add_dirent(b, sid, dir, &d);
	assert_int_equal(store_batch_commit(b), 0);
}

static void names_are_listed_once(void **state)
{
	struct fixture *f = *state;
	struct store_ino dir = { 5 };
	struct listing l = { 0 };
	for (unsigned n = 0; n < 2000; n++) {
		add_numbered(f, n, dir);
		if (n % 700 == 699)
			assert_int_equal(store_flush(f->store), 0);
	}
	for (unsigned n = 0; n < 2000; n += 3) {
		char name[16];
		struct store_dirent d;
		struct store_batch *b;
		size_t len = (size_t)snprintf(name, sizeof name, "n%u", n);
		assert_int_equal(store_lookup(f->store, sid, dir, name, len, &d), 0);
		assert_int_equal(d.ino.n, n + 100);
		assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
		store_batch_delete_dirent(b, sid, dir, d.cookie);
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_lookup(f->store, sid, dir, name, len, &d), STORE_ABSENT);
	}
	for (unsigned before = 1; before != l.count;) {
		before = l.count;
		assert_int_equal(store_scan_dirents(f->store, sid, dir, l.last, list_one, &l), 0);
	}
	assert_int_equal(l.count, 2000 - 667);
	for (unsigned n = 0; n < 2000; n++)
		assert_int_equal(l.seen[n], n % 3 != 0);
}

static void aborted_batch_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_inode inode = { .mode = S_IFREG, .nlink = 1 };
	struct store_batch *b = begin(f->store, 0);
	struct store_ino ino = store_new_ino(b);
	store_batch_new_inode(b, sid, ino, &inode);
	store_batch_write(b, sid, ino, 0, "abc", 3);
	store_batch_put_xattr(b, sid, ino, "user.x", "v", 1);
	store_batch_abort(b);
	assert_int_equal(store_get_inode(f->store, sid, ino, &inode), STORE_ABSENT);
	assert_int_equal(store_batch_begin(f->store, STORE_GROW, 0, &b), 0);
	assert_true(store_new_ino(b).n >= ino.n);
	assert_int_equal(store_batch_commit(b), 0);
	uint8_t got[3] = "zzz";
	assert_int_equal(store_read(f->store, sid, ino, 0, got, 3), 0);
	assert_memory_equal(got, "\0\0\0", 3);
}

/* As a session's directory has a view that is called as the session is. */
static void one_batch_adds_a_name_twice(void **state)
{
	struct fixture *f = *state;
	struct store_dirent d = { .ino = { 9 }, .session = sid, .type = S_IFDIR, .name = "logs", .name_len = 4 }, found;
	struct store_batch *b = begin(f->store, 0);
	store_batch_add_dirent(b, sid, (struct store_ino){ 5 }, &d);
	store_batch_add_dirent(b, sid, (struct store_ino){ 6 }, &d);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_lookup(f->store, sid, (struct store_ino){ 5 }, "logs", 4, &found), 0);
	assert_int_equal(store_lookup(f->store, sid, (struct store_ino){ 6 }, "logs", 4, &found), 0);
}

/* A batch that fails in its commit: one name twice in one directory. */
static void failed_batch_uses_up_no_numbers(void **state)
{
	struct fixture *f = *state;
	struct store_inode inode = { .mode = S_IFREG, .nlink = 1 };
	struct store_dirent d = { .ino = { 9 }, .session = sid, .type = S_IFREG, .name = "twin", .name_len = 4 };
	struct store_batch *b = begin(f->store, 0);
	store_new_ino(b);
	store_batch_add_dirent(b, sid, (struct store_ino){ 5 }, &d);
	store_batch_add_dirent(b, sid, (struct store_ino){ 5 }, &d);
	assert_int_equal(store_batch_commit(b), STORE_FULL);
	assert_int_equal(store_batch_begin(f->store, STORE_GROW, 0, &b), 0);
	struct store_ino ino = store_new_ino(b);
	store_batch_new_inode(b, sid, ino, &inode);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(f->store), 0);
	f->store = open_store(f->dir);
	assert_int_equal(store_batch_begin(f->store, STORE_GROW, 0, &b), 0);
	assert_true(store_new_ino(b).n > ino.n);
	store_batch_abort(b);
}

/* Chunks rewritten flush after flush, with nobody reading: the pages that become free are used again. */
static void data_file_stays_small(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;
	make_files(f);
	for (int n = 0; n < 60; n++) {
		random_write(f, n % FILES);
		assert_int_equal(store_flush(f->store), 0);
	}
	char path[96];
	struct stat st;
	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	store_stats(f->store, &stats);
	assert_true((uint64_t)st.st_size < 8 * stats.warm_bytes + (1 << 20));
}

static void xattrs_come_back(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[STORE_XATTR_SIZE_MAX];
	struct store_ino ino = { 9 };
	void *data;
	size_t len;
	struct store_batch *b;
	memset(big, 0xfe, sizeof big);
	for (int round = 0; round < 3; round++) {
		b = begin(f->store, 0);
		store_batch_put_xattr(b, sid, ino, "user.big", big, sizeof big);
		store_batch_put_xattr(b, sid, ino, "user.empty", "", 0);
		assert_int_equal(store_batch_commit(b), 0);
		assert_int_equal(store_flush(f->store), 0);
		assert_int_equal(store_get_xattr(f->store, sid, ino, "user.big", &data, &len), 0);
		assert_int_equal(len, sizeof big);
		assert_memory_equal(data, big, len);
		free(data);
		assert_int_equal(store_get_xattr(f->store, sid, ino, "user.empty", &data, &len), 0);
		assert_int_equal(len, 0);
		free(data);
	}
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	store_batch_delete_xattrs(b, sid, ino);
	store_batch_delete_inode(b, sid, ino);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_get_xattr(f->store, sid, ino, "user.big", &data, &len), STORE_ABSENT);
	assert_int_equal(store_flush(f->store), 0);
	assert_int_equal(store_get_xattr(f->store, sid, ino, "user.big", &data, &len), STORE_ABSENT);
}

static void second_open_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store_options options = { .create = true, .commit = 5 };
	struct store_open_info info;
	struct store *s;
	assert_int_equal(store_open(f->dir, &options, &s, &info), STORE_BUSY);
	assert_int_equal(info.pid, getpid());
	assert_int_equal(store_open("/nonexistent/x", &options, &s, &info), STORE_NO_DIR);
	assert_int_equal(store_open("/usr", &options, &s, &info), STORE_NOT_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_matches_model, setup, teardown),
		cmocka_unit_test_setup_teardown(account_returns_to_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(sum_is_that_of_the_files, setup, teardown),
		cmocka_unit_test_setup_teardown(sum_of_many_files, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_death, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_listed_once, setup, teardown),
		cmocka_unit_test_setup_teardown(aborted_batch_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(one_batch_adds_a_name_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_batch_uses_up_no_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(data_file_stays_small, setup, teardown),
		cmocka_unit_test_setup_teardown(xattrs_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(second_open_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
