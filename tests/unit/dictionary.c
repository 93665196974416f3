/* dictionary.c - small files share a dictionary: learnt in a flush, kept twice, found again, missed where it is gone */
#include <fcntl.h>
#include <sys/mman.h>

#include "store/codec.h"
#include "tests/unit/stored.h"

enum { FILES = 2000, FILES_MAX = 4000, BATCH = 100, SIZE_MAX_OF_FILE = 1024 };

static const struct store_sid sid = {1};
static struct store_ino top;
static struct store_ino files[FILES_MAX];

static struct store *open_store(const char *path)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 16u << 20};
	return open_with(path, &options);
}

static size_t fill(uint64_t number, char *out)
{
	uint64_t x = number * 0x9e3779b97f4a7c15u + 1;
	size_t n = (size_t)sprintf(out, "{\"id\": \"%016llx\", \"sequence\": %u, \"type\": \"tool_result\", ",
		(unsigned long long)x, (unsigned)number);
	n += (size_t)sprintf(out + n, "\"content\": \"");
	for (int i = 0; i < 40; i++, x ^= x << 13, x ^= x >> 7, x ^= x << 17)
		n += (size_t)sprintf(out + n, "word%u ", (unsigned)(x >> 40) % 3000);
	return n + (size_t)sprintf(out + n, "\"}\n");
}

static void add_session(struct store *s)
{
	struct store_inode dir = {.mode = S_IFDIR | 0755, .nlink = 2, .parent = STORE_ROOT_INO.n};
	struct store_inode root = {.mode = S_IFDIR | 0755, .nlink = 3, .size = 1};
	struct store_batch *b = begin(s, 0);
	assert_int_equal(store_new_sid(b).n, sid.n);
	top = store_new_ino(b);
	struct store_session session = {.sid = sid, .root = top, .name = "s", .name_len = 1};
	store_batch_put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, &root);
	store_batch_put_inode(b, sid, top, &dir);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", sid, top, S_IFDIR);
	store_batch_put_session(b, &session);
	assert_int_equal(store_batch_commit(b), 0);
}

/* Files `from` to `to`, and the counters that are then right. */
static void add_files(struct store *s, unsigned from, unsigned to)
{
	char text[SIZE_MAX_OF_FILE], name[32];
	struct store_batch *b = NULL;
	struct store_session session;
	assert_int_equal(store_get_session(s, sid, &session), 0);
	for (unsigned i = from; i < to; i++) {
		size_t len = fill(i, text);
		if (i % BATCH == 0)
			b = begin(s, BATCH * SIZE_MAX_OF_FILE);
		struct store_ino ino = store_new_ino(b);
		struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = len};
		files[i] = ino;
		sprintf(name, "%u.json", i);
		store_batch_new_inode(b, sid, ino, &inode);
		add_name(b, sid, top, name, sid, ino, S_IFREG);
		store_batch_write(b, sid, ino, 0, text, len);
		session.files[STORE_OTHER]++;
		session.logical += len;
		if (i % BATCH == BATCH - 1) {
			struct store_inode dir = {
				.mode = S_IFDIR | 0755, .nlink = 2, .size = i + 1, .parent = STORE_ROOT_INO.n};
			store_batch_put_inode(b, sid, top, &dir);
			store_batch_put_session(b, &session);
			assert_int_equal(store_batch_commit(b), 0);
		}
	}
	store_session_release(&session);
	assert_int_equal(store_flush(s), 0);
}

/* How many of the files read as EIO; all others have their content. */
static unsigned count_lost(struct store *s, unsigned count)
{
	char want[SIZE_MAX_OF_FILE], have[SIZE_MAX_OF_FILE];
	unsigned lost = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t len = fill(i, want);
		int r = store_read(s, sid, files[i], 0, have, len);
		lost += r == -EIO;
		if (r != -EIO)
			assert_true(r == 0 && memcmp(want, have, len) == 0);
	}
	return lost;
}

static uint64_t stored(struct store *s)
{
	struct store_session session;
	assert_int_equal(store_get_session(s, sid, &session), 0);
	store_session_release(&session);
	return session.stored;
}

/* Flips a bit in some of the dictionaries that data.mdb has, in order; returns how many there are. */
static unsigned damage(const char *dir, unsigned which)
{
	static const uint8_t magic[] = {0x37, 0xa4, 0x30, 0xec};
	char path[128];
	struct stat st;
	unsigned found = 0;
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	uint8_t *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *at = map;
	assert_ptr_not_equal(map, MAP_FAILED);
	while ((at = memmem(at, (size_t)(map + st.st_size - at), magic, sizeof magic))) {
		if (which >> found++ & 1)
			at[40000] ^= 4;
		at += sizeof magic;
	}
	munmap(map, (size_t)st.st_size);
	close(fd);
	return found;
}

static void count_findings(void *arg, unsigned invariant, const char *text)
{
	(void)invariant;
	(void)text;
	++*(unsigned *)arg;
}

static unsigned check(const char *dir, bool repair)
{
	unsigned found = 0;
	struct store_check_options options = {.repair = repair, .report = count_findings, .arg = &found};
	struct store_check_result result;
	struct store_open_info info;
	assert_int_equal(store_check(dir, &options, &result, &info), 0);
	return found;
}

static int setup(void **state)
{
	static char dir[DIR_SIZE];
	new_dir(dir);
	*state = dir;
	struct store *s = open_store(dir);
	add_session(s);
	add_files(s, 0, FILES);
	assert_int_equal(store_close(s), 0);
	return 0;
}

static int teardown(void **state)
{
	shell("rm -rf %s", (char *)*state);
	return 0;
}

static void small_files_take_little(void **state)
{
	struct store *s = open_store(*state);
	uint64_t before = stored(s);
	assert_true(before < FILES * 210u);
	assert_int_equal(count_lost(s, FILES), 0);
	add_files(s, FILES, FILES + 500);
	assert_int_equal(count_lost(s, FILES + 500), 0);
	assert_true((stored(s) - before) / 500 < 210);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(check(*state, false), 0);
	assert_int_equal(damage(*state, 0), 2);
}

/* Longer ones, of which some are compressed at two levels, use it too. */
static void longer_files_are_what_they_were(void **state)
{
	enum { COUNT = 60, TEXTS = 60 };
	static char text[COUNT][TEXTS * SIZE_MAX_OF_FILE], have[TEXTS * SIZE_MAX_OF_FILE];
	static size_t lens[COUNT];
	struct store_ino inos[COUNT];
	struct store *s = open_store(*state);
	uint64_t sum = 0, bytes = 0, one;
	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned k = 0; k < TEXTS; k++)
			lens[i] += fill(FILES + i * TEXTS + k, text[i] + lens[i]);
		struct store_batch *b = begin(s, lens[i]);
		inos[i] = store_new_ino(b);
		struct store_inode inode = {.mode = S_IFREG | 0644, .size = lens[i]};
		store_batch_new_inode(b, sid, inos[i], &inode);
		store_batch_put_orphan(b, sid, inos[i]);
		store_batch_write(b, sid, inos[i], 0, text[i], lens[i]);
		assert_int_equal(store_batch_commit(b), 0);
	}
	add_files(s, FILES, FILES + 500);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(store_read(s, sid, inos[i], 0, have, lens[i]), 0);
		assert_memory_equal(have, text[i], lens[i]);
		assert_int_equal(store_stored(s, sid, inos[i], &one), 0);
		sum += one;
		bytes += lens[i];
	}
	assert_true(sum < bytes / 3);
	assert_int_equal(store_close(s), 0);
}

static void learnt_over_many_flushes(void **state)
{
	struct store *s = open_store(*state);
	unsigned at = FILES;
	for (int i = 0; i < 4; i++, at += 300)
		add_files(s, at, at + 300);
	assert_int_equal(count_lost(s, at), 0);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(damage(*state, 0), 2);
}

static void one_copy_suffices(void **state)
{
	assert_int_equal(damage(*state, 1), 2);
	struct store *s = open_store(*state);
	assert_int_equal(count_lost(s, FILES), 0);
	assert_int_equal(store_close(s), 0);
	assert_true(check(*state, false) > 0);
	check(*state, true);
	assert_int_equal(check(*state, false), 0);
	assert_int_equal(damage(*state, 1), 2);
	s = open_store(*state);
	assert_int_equal(count_lost(s, FILES), 0);
	assert_int_equal(store_close(s), 0);
}

static void without_it_its_chunks_are_lost_and_nothing_else(void **state)
{
	char text[SIZE_MAX_OF_FILE];
	assert_int_equal(damage(*state, 3), 2);
	struct store *s = open_store(*state);
	assert_int_equal(count_lost(s, FILES), FILES);
	size_t len = fill(0, text);
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .size = len};
	struct store_batch *b = begin(s, len);
	struct store_ino ino = store_new_ino(b);
	store_batch_new_inode(b, sid, ino, &inode);
	store_batch_put_orphan(b, sid, ino);
	store_batch_write(b, sid, ino, 0, text, len);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_flush(s), 0);
	char have[SIZE_MAX_OF_FILE];
	assert_int_equal(store_read(s, sid, ino, 0, have, len), 0);
	assert_memory_equal(have, text, len);
	assert_int_equal(store_close(s), 0);
	assert_true(check(*state, false) >= FILES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_files_take_little, setup, teardown),
		cmocka_unit_test_setup_teardown(longer_files_are_what_they_were, setup, teardown),
		cmocka_unit_test_setup_teardown(learnt_over_many_flushes, setup, teardown),
		cmocka_unit_test_setup_teardown(one_copy_suffices, setup, teardown),
		cmocka_unit_test_setup_teardown(without_it_its_chunks_are_lost_and_nothing_else, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
