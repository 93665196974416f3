/*
 * pieces.c - content that is cut so that it fills pages: how, that it does, that it is found again whatever is written
 * over it, and what a missing piece costs.
 */
#include "store/pieces.h"
#include "store/record.h"
#include "tests/unit/stored.h"

enum { FILES = 4, FILE_MAX = 700000, PIECES_FOUND = 23, CONTENT_FOUND = 3 };

static const struct store_sid sid = {1};

struct file {
	struct store_ino ino;
	uint8_t data[FILE_MAX];
	uint64_t size;
};

struct fixture {
	char path[DIR_SIZE];
	uint64_t random;
	struct store *store;
	struct store_ino top;
	struct file files[FILES];
};

static uint64_t next_random(struct fixture *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static void fill(struct fixture *f, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(next_random(f) >> 32);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->path);
	f->random = 88172645463325252;
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

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static const struct warm_fit page = {.page = 4096, .header = 16, .record = 34, .value_max = 2006};

static struct pieces plan(size_t len, size_t room)
{
	struct warm_fit fit = page;
	fit.room = room;
	return pieces_plan(&fit, len);
}

static void what_a_plan_is(void **state)
{
	(void)state;
	for (size_t len = 14; len < CHUNK_ENCODED_MAX; len += 1 + len / 50) {
		for (size_t room = 0; room < 4080; room += 7) {
			struct pieces p = plan(len, room);
			size_t sum = 0;
			assert_in_range(p.count, 1, KEY_PIECES);
			for (unsigned i = 0; i < p.count; i++) {
				size_t record = p.lens[i] + (i + 1 == p.count ? PIECE_MAIN_HEADER : PIECE_HEADER);
				bool fills = (record + page.header) % page.page == 0;
				sum += p.lens[i];
				assert_true(p.count == 1 || record <= page.value_max || (i == 0 && fills));
				assert_true(p.count == 1 || p.lens[i] >= CHUNK_HEADER_SIZE);
			}
			assert_int_equal(sum, len);
		}
	}
}

static void what_plans_save(void **state)
{
	(void)state;
	assert_int_equal(plan(200, 0).count, 1);
	assert_int_equal(plan(2000, 2034).count, 1);
	assert_int_equal(plan(4070, 0).count, 1);
	assert_int_equal(plan(7 * 4096 - 30, 0).count, 1);
	struct pieces p = plan(7 * 4096 + 100, 0);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.lens[0], 7 * 4096 - 16 - PIECE_HEADER);
	p = plan(3000, 0);
	assert_int_equal(p.count, 2);
	p = plan(1500, 1000);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.lens[0] + PIECE_HEADER + page.record, 1000);
}

/* ---- filling pages ----------------------------------------------------------------------------------------------- */

static struct key key_of(unsigned i)
{
	return key_make(sid, (struct store_ino){100 + i}, KIND_CHUNK, 0);
}

static uint64_t used(struct warm *w)
{
	struct warm_space space;
	assert_int_equal(warm_space(w, &space), 0);
	return space.used;
}

static void seal(struct key key, uint8_t *value, size_t len)
{
	uint32_t sum = htole32(codec_check(key, value + CODEC_CHECK_SIZE, len - CODEC_CHECK_SIZE));
	memcpy(value, &sum, sizeof sum);
}

/* Small and large ones, with something small between, as files come; how many bytes per byte they take. */
static double put_many(struct fixture *f, struct warm *w, bool cut)
{
	enum { COUNT = 4000 };
	static uint8_t value[40000];
	uint64_t bytes = 0, before = used(w);
	struct warm_txn *t;
	f->random = 4711;
	fill(f, value, sizeof value);
	assert_int_equal(warm_begin(w, &t), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		struct key inode = key_make(sid, (struct store_ino){100 + i}, KIND_INODE, 0), key = key_of(i);
		size_t len = 20 + (next_random(f) >> 20) % (i % 4 ? 6000 : 39000);
		value[CODEC_CHECK_SIZE] = CODEC_RAW;
		seal(inode, value, 50);
		assert_int_equal(warm_put(t, &inode, value, 50), 0);
		seal(key, value, len);
		assert_int_equal(pieces_put(t, &key, value, len, cut), 0);
		bytes += len + 50;
	}
	assert_int_equal(warm_commit(t), 0);
	return (double)(used(w) - before) / (double)bytes;
}

static void pieces_fill_pages(void **state)
{
	struct fixture *f = *state;
	static uint8_t joined[CHUNK_ENCODED_MAX];
	struct warm *w;
	struct warm_snapshot *s;
	struct warm_value v;
	const uint8_t *body;
	size_t len;
	assert_int_equal(warm_open(f->path, false, &w), 0);
	assert_true(put_many(f, w, true) < 1.05);
	assert_int_equal(warm_snapshot_new(w, &s), 0);
	for (unsigned i = 0; i < 4000; i++) {
		struct key key = key_of(i), other = key;
		assert_int_equal(pieces_get(s, &key, joined, &v), 0);
		assert_int_equal(codec_open(key, v.data, v.len, &body, &len), 0);
		other.w[2] += UINT64_C(1) << 32;
		assert_int_equal(pieces_get(s, &other, joined, &v), STORE_ABSENT);
	}
	warm_snapshot_free(s);
	warm_close(w);
	teardown(state);
	setup(state);
	f = *state;
	assert_int_equal(warm_open(f->path, false, &w), 0);
	assert_true(put_many(f, w, false) > 1.15);
	warm_close(w);
}

/* ---- in a store -------------------------------------------------------------------------------------------------- */

static void open_store(struct fixture *f)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 16u << 20};
	f->store = open_with(f->path, &options);
}

static void close_store(struct fixture *f)
{
	assert_int_equal(store_close(f->store), 0);
	f->store = NULL;
}

static void put_session(struct fixture *f, struct store_batch *b)
{
	struct store_session session = {.sid = sid, .root = f->top, .name = "s", .name_len = 1};
	for (int i = 0; i < FILES; i++)
		session.logical += f->files[i].size;
	store_batch_put_session(b, &session);
}

static void put_file(struct store_batch *b, const struct file *file)
{
	struct store_inode inode = {.mode = S_IFREG | 0600, .size = file->size};
	store_batch_put_inode(b, sid, file->ino, &inode);
}

/* A session whose files have no names. */
static void make_session(struct fixture *f)
{
	struct store_inode dir = {.mode = S_IFDIR | 0755, .nlink = 2, .parent = STORE_ROOT_INO.n};
	struct store_inode root = {.mode = S_IFDIR | 0755, .nlink = 3, .size = 1};
	struct store_dirent d = {.session = sid, .type = S_IFDIR, .name = "s", .name_len = 1};
	struct store_batch *b = begin(f->store, 0);
	assert_int_equal(store_new_sid(b).n, sid.n);
	d.ino = f->top = store_new_ino(b);
	store_batch_put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, &root);
	store_batch_put_inode(b, sid, f->top, &dir);
	store_batch_add_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, &d);
	for (int i = 0; i < FILES; i++) {
		f->files[i].ino = store_new_ino(b);
		put_file(b, &f->files[i]);
		store_batch_put_orphan(b, sid, f->files[i].ino);
	}
	put_session(f, b);
	assert_int_equal(store_batch_commit(b), 0);
}

static void write_file(struct fixture *f, struct file *file, uint64_t at, const uint8_t *data, size_t len)
{
	memcpy(file->data + at, data, len);
	file->size = at + len > file->size ? at + len : file->size;
	struct store_batch *b = begin(f->store, len);
	put_file(b, file);
	put_session(f, b);
	store_batch_write(b, sid, file->ino, at, data, len);
	assert_int_equal(store_batch_commit(b), 0);
}

static void cut_file(struct fixture *f, struct file *file, uint64_t size)
{
	struct store_batch *b;
	if (size >= file->size)
		return;
	assert_int_equal(store_batch_begin(f->store, STORE_SHRINK, 0, &b), 0);
	store_batch_punch(b, sid, file->ino, size, UINT64_MAX - size);
	memset(file->data + size, 0, file->size - size);
	file->size = size;
	put_file(b, file);
	put_session(f, b);
	assert_int_equal(store_batch_commit(b), 0);
}

static void expect_files(struct fixture *f)
{
	static uint8_t have[FILE_MAX];
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(store_read(f->store, sid, f->files[i].ino, 0, have, f->files[i].size), 0);
		assert_memory_equal(have, f->files[i].data, f->files[i].size);
	}
}

static void note_finding(void *arg, unsigned invariant, const char *text)
{
	assert_true(*text && invariant < 64);
	*(uint64_t *)arg |= UINT64_C(1) << invariant;
}

static uint64_t check(struct fixture *f, bool repair)
{
	struct store_check_result result;
	struct store_open_info info;
	uint64_t found = 0;
	struct store_check_options options = {.repair = repair, .report = note_finding, .arg = &found};
	assert_int_equal(store_check(f->path, &options, &result, &info), 0);
	return found;
}

static void change_something(struct fixture *f)
{
	static uint8_t data[200000];
	struct file *file = &f->files[next_random(f) % FILES];
	uint64_t at = next_random(f) % (FILE_MAX - sizeof data), len = next_random(f) % sizeof data + 1;
	if (next_random(f) % 4 == 0) {
		cut_file(f, file, next_random(f) % (file->size + 1));
		return;
	}
	fill(f, data, len);
	if (next_random(f) % 2)
		memset(data, 'a', len - len / (2 + next_random(f) % 40));
	write_file(f, file, next_random(f) % 3 ? at : 0, data, len);
}

/* Whole values become pieces, more or fewer of them, nothing, and pieces again; inside the tree and at its end. */
static void changes_leave_nothing_behind(void **state)
{
	struct fixture *f = *state;
	open_store(f);
	make_session(f);
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 6; i++)
			change_something(f);
		assert_int_equal(store_flush(f->store), 0);
		expect_files(f);
		if (round % 5 == 4) {
			close_store(f);
			assert_int_equal(check(f, false), 0);
			open_store(f);
			expect_files(f);
		}
	}
	for (int i = 0; i < FILES; i++) {
		uint64_t stored;
		cut_file(f, &f->files[i], 0);
		assert_int_equal(store_stored(f->store, sid, f->files[i].ino, &stored), 0);
		assert_int_equal(stored, 0);
	}
	close_store(f);
	assert_int_equal(check(f, false), 0);
}

static void a_chunk_in_pieces_tells_its_length(void **state)
{
	struct fixture *f = *state;
	static uint8_t data[9000];
	uint64_t hole, stored;
	open_store(f);
	make_session(f);
	fill(f, data, sizeof data);
	write_file(f, &f->files[0], 0, data, sizeof data);
	write_file(f, &f->files[0], 5 * STORE_CHUNK_SIZE, data, sizeof data);
	assert_int_equal(store_flush(f->store), 0);
	assert_int_equal(store_seek(f->store, sid, f->files[0].ino, 0, FILE_MAX + 100000, false, &hole), 0);
	assert_int_equal(hole, 12288);
	assert_int_equal(store_seek(f->store, sid, f->files[0].ino, hole, FILE_MAX + 100000, true, &hole), 0);
	assert_int_equal(hole, 5 * STORE_CHUNK_SIZE);
	assert_int_equal(store_stored(f->store, sid, f->files[0].ino, &stored), 0);
	assert_int_equal(stored, 2 * (CHUNK_HEADER_SIZE + sizeof data));
	close_store(f);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* A file of four chunks, each in pieces. */
static void make_file_of_pieces(struct fixture *f)
{
	static uint8_t data[4 * STORE_CHUNK_SIZE];
	open_store(f);
	make_session(f);
	for (int i = 0; i < 4; i++)
		fill(f, data + i * STORE_CHUNK_SIZE, 9000);
	write_file(f, &f->files[0], 0, data, sizeof data);
	close_store(f);
}

static struct key second_chunk(struct fixture *f)
{
	return key_make(sid, f->files[0].ino, KIND_CHUNK, 1);
}

/* Deletes one piece, counted from the main one; false: there is no such piece. */
static bool lose(struct fixture *f, unsigned piece)
{
	struct key key = key_with_piece(second_chunk(f), KEY_MAIN - piece);
	struct warm *w;
	struct warm_txn *t;
	assert_int_equal(warm_open(f->path, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	int r = warm_delete(t, &key);
	assert_true(r == 0 || r == STORE_ABSENT);
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
	return r == 0;
}

static int read_chunk(struct fixture *f, unsigned i)
{
	static uint8_t have[STORE_CHUNK_SIZE];
	const uint8_t *want = f->files[0].data + i * STORE_CHUNK_SIZE;
	int r = store_read(f->store, sid, f->files[0].ino, i * (uint64_t)STORE_CHUNK_SIZE, have, sizeof have);
	return r ? r : memcmp(have, want, sizeof have) ? STORE_DAMAGED : 0;
}

static void expect_second_chunk(struct fixture *f, int result)
{
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(read_chunk(f, i), i == 1 ? result : 0);
}

static void lose_piece(void **state, unsigned piece)
{
	struct fixture *f = *state;
	make_file_of_pieces(f);
	assert_true(lose(f, piece));
	assert_true(check(f, false) & UINT64_C(1) << PIECES_FOUND);
	open_store(f);
	expect_second_chunk(f, -EIO);
	/* What is written into it cannot be joined with anything, so that it stays what it is; */
	store_flush(f->store);
	static uint8_t data[STORE_CHUNK_SIZE];
	uint8_t was[100];
	memcpy(was, f->files[0].data + STORE_CHUNK_SIZE, sizeof was);
	write_file(f, &f->files[0], STORE_CHUNK_SIZE, data, sizeof was);
	assert_int_equal(store_flush(f->store), 0);
	expect_second_chunk(f, -EIO);
	/* what replaces all of it heals it. */
	fill(f, data, 9000);
	write_file(f, &f->files[0], STORE_CHUNK_SIZE, data, sizeof data);
	assert_int_equal(store_flush(f->store), 0);
	expect_second_chunk(f, 0);
	close_store(f);
	assert_int_equal(check(f, false) & UINT64_C(1) << PIECES_FOUND, 0);
}

static void without_a_piece(void **state)
{
	lose_piece(state, 1);
}

static void without_the_main_piece(void **state)
{
	lose_piece(state, 0);
}

static void mended(void **state)
{
	struct fixture *f = *state;
	for (unsigned piece = 0; piece < 2; piece++) {
		make_file_of_pieces(f);
		assert_true(lose(f, piece));
		assert_true(check(f, true) & UINT64_C(1) << PIECES_FOUND);
		assert_int_equal(check(f, false), 0);
		memset(f->files[0].data + STORE_CHUNK_SIZE, 0, STORE_CHUNK_SIZE);
		open_store(f);
		expect_second_chunk(f, 0);
		close_store(f);
		teardown(state);
		setup(state);
		f = *state;
	}
}

/* ---- format 1 ---------------------------------------------------------------------------------------------------- */

static struct key super_key(void)
{
	return key_front(KIND_SUPER, 0);
}

/* The store's own record; of a format, if one is given. */
static struct super super_of(struct fixture *f, uint32_t format)
{
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX];
	struct key key = super_key();
	struct super super;
	struct warm *w;
	struct warm_txn *t;
	struct warm_value v;
	assert_int_equal(warm_open(f->path, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	assert_int_equal(warm_txn_get(t, &key, &v), 0);
	assert_int_equal(
		record_decode(&super_schema, v.data + CODEC_CHECK_SIZE, v.len - CODEC_CHECK_SIZE, &super), 0);
	if (format) {
		super.format = format;
		size_t len = CODEC_CHECK_SIZE + record_encode(&super_schema, &super, value + CODEC_CHECK_SIZE);
		seal(key, value, len);
		assert_int_equal(warm_put(t, &key, value, len), 0);
	}
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
	return super;
}

static void an_older_store_is_raised_when_it_is_written(void **state)
{
	struct fixture *f = *state;
	const struct store_options options = {.read_only = true, .level = 3, .commit = 3600};
	open_store(f);
	close_store(f);
	super_of(f, 1);
	assert_int_equal(check(f, false), 0);
	f->store = open_with(f->path, &options);
	close_store(f);
	assert_int_equal(super_of(f, 0).format, 1);
	open_store(f);
	assert_int_equal(super_of(f, 0).format, STORE_FORMAT);
	make_session(f);
	close_store(f);
	assert_int_equal(super_of(f, 0).format, STORE_FORMAT);
	assert_int_equal(check(f, false), 0);
}

static void pieces_in_an_older_store(void **state)
{
	struct fixture *f = *state;
	make_file_of_pieces(f);
	super_of(f, 1);
	assert_int_equal(check(f, false), UINT64_C(1) << PIECES_FOUND | UINT64_C(1) << CONTENT_FOUND);
	assert_int_equal(check(f, true), UINT64_C(1) << PIECES_FOUND | UINT64_C(1) << CONTENT_FOUND);
	assert_int_equal(check(f, false), 0);
	open_store(f);
	expect_second_chunk(f, 0);
	close_store(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_plan_is),
		cmocka_unit_test(what_plans_save),
		cmocka_unit_test_setup_teardown(pieces_fill_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_leave_nothing_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chunk_in_pieces_tells_its_length, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(without_the_main_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(mended, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_store_is_raised_when_it_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_in_an_older_store, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
