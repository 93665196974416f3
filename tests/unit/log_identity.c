/*
 * log_identity - logs that lie beside the data.mdb of another store, or beside none, or that a newer program wrote, are
 * not taken in and lose nothing; stores of older formats, which have no identity, get one when they are written.
 */
#include <fcntl.h>

#include "store/codec.h"
#include "store/hot.h"
#include "store/record.h"
#include "store/warm.h"
#include "tests/unit/stored.h"

static const struct store_sid sid = {1};
static const struct store_ino ino = {100};
static const struct key super_at = {{0, (uint64_t)KIND_SUPER << 32, KEY_VERSION_MASK}};
static const struct store_options writing = {.create = true, .level = 3, .commit = 3600, .hot_size = HOT_SIZE_MIN},
				  reading = {.read_only = true, .commit = 3600};
enum { SYNCED = 1, THIS_BOOT = 2 };

struct fixture {
	char base[DIR_SIZE];
	char ours[64], other[64], mixed[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->base);
	snprintf(f->ours, sizeof f->ours, "%s/ours", f->base);
	snprintf(f->other, sizeof f->other, "%s/other", f->base);
	snprintf(f->mixed, sizeof f->mixed, "%s/mixed", f->base);
	shell("mkdir %s %s %s", f->ours, f->other, f->mixed);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	shell("rm -rf %s", f->base);
	free(f);
	return 0;
}

static void put(struct store *s, int64_t mtime)
{
	struct store_inode inode = {.mode = S_IFREG | 0644, .nlink = 1, .mtime = mtime};
	struct store_batch *b = begin(s, 0);
	store_batch_put_inode(b, sid, ino, &inode);
	assert_int_equal(store_batch_commit(b), 0);
}

static int64_t get(const char *dir)
{
	struct store_inode inode = {0};
	struct store *s = open_with(dir, &writing);
	if (store_get_inode(s, sid, ino, &inode))
		inode.mtime = 0;
	store_inode_release(&inode);
	assert_int_equal(store_close(s), 0);
	return inode.mtime;
}

/* Writes bytes of a log's file. */
static void patch(const char *dir, const char *name, const void *data, size_t len, off_t at)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static struct hot_header header_of(const char *dir, const char *name)
{
	struct hot_header header;
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
	close(fd);
	return header;
}

/* A store as it is found after its daemon was killed: with `mtime` in its log only. */
static void make_killed(struct fixture *f, const char *dir, int64_t mtime, int how)
{
	static const struct hot_boot other_boot = {{0x5a}};
	char live[64];
	snprintf(live, sizeof live, "%s/live", f->base);
	shell("mkdir %s", live);
	struct store *s = open_with(live, &writing);
	put(s, mtime);
	if (how & SYNCED)
		assert_int_equal(store_sync(s), 0);
	shell("cp %s/data.mdb %s/hot.* %s", live, live, dir);
	assert_int_equal(store_close(s), 0);
	shell("rm -r %s", live);
	if (!(how & THIS_BOOT))
		patch(dir, "hot.0", &other_boot, sizeof other_boot, offsetof(struct hot_header, boot));
}

/* The data.mdb of one store beside the logs of the other. */
static void mix(struct fixture *f, const char *data, const char *logs)
{
	shell("cp %s/data.mdb %s && cp %s/hot.* %s", data, f->mixed, logs, f->mixed);
}

static void assert_refused(const char *dir)
{
	struct store_open_info info;
	struct store *s;
	shell("cd %s && md5sum data.mdb hot.* >../before", dir);
	assert_int_equal(store_open(dir, &writing, &s, &info), STORE_FOREIGN);
	assert_string_equal(info.what, "hot.0");
	assert_int_equal(info.foreign, 1);
	assert_int_equal(store_open(dir, &reading, &s, &info), STORE_FOREIGN);
	shell("cd %s && md5sum --quiet -c ../before", dir);
}

static void count(void *arg, unsigned invariant, const char *text)
{
	(void)text;
	*(unsigned *)arg += invariant == 24;
}

/* How many findings there are of the invariant; after a repair none is left of any. */
static unsigned check(const char *dir, bool repair)
{
	unsigned findings = 0;
	struct store_check_options options = {.repair = repair, .report = count, .arg = &findings};
	struct store_check_result result;
	struct store_open_info info;
	assert_int_equal(store_check(dir, &options, &result, &info), 0);
	if (repair)
		assert_int_equal(result.repaired, result.found);
	return findings;
}

static void assert_kept(struct fixture *f, int how)
{
	make_killed(f, f->ours, 1, how);
	make_killed(f, f->other, 2, how);
	mix(f, f->ours, f->other);
	assert_refused(f->mixed);
	mix(f, f->other, f->ours);
	assert_refused(f->mixed);
	mix(f, f->ours, f->ours);
	assert_int_equal(get(f->mixed), 1);
	mix(f, f->other, f->other);
	assert_int_equal(get(f->mixed), 2);
}

static void logs_of_another_store_are_refused(void **state)
{
	assert_kept(*state, THIS_BOOT);
}

static void also_after_another_boot(void **state)
{
	assert_kept(*state, SYNCED);
}

static void what_counts_nowhere_is_no_hindrance(void **state)
{
	struct fixture *f = *state;
	make_killed(f, f->ours, 1, 0);
	make_killed(f, f->other, 2, 0);
	mix(f, f->ours, f->other);
	assert_int_equal(get(f->mixed), 0);
	assert_int_equal(check(f->mixed, false), 0);
}

static void nor_are_logs_that_were_saved(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_close(open_with(f->ours, &writing)), 0);
	struct store *s = open_with(f->other, &writing);
	put(s, 2);
	assert_int_equal(store_close(s), 0);
	mix(f, f->ours, f->other);
	assert_int_equal(get(f->mixed), 0);
	mix(f, f->other, f->ours);
	assert_int_equal(get(f->mixed), 2);
}

static void a_repair_keeps_them_aside(void **state)
{
	struct fixture *f = *state;
	make_killed(f, f->ours, 1, SYNCED);
	make_killed(f, f->other, 2, SYNCED);
	for (int n = 1; n <= 2; n++) {
		mix(f, f->ours, f->other);
		assert_int_equal(check(f->mixed, false), 1);
		assert_int_equal(check(f->mixed, true), 1);
		assert_int_equal(get(f->mixed), 0);
	}
	shell("cmp %s/hot.0.foreign %s/hot.0", f->mixed, f->other);
	shell("cmp %s/hot.0.foreign.2 %s/hot.0", f->mixed, f->other);
	shell("mv %s/hot.0.foreign %s/hot.0 && cp %s/data.mdb %s", f->mixed, f->mixed, f->other, f->mixed);
	assert_int_equal(get(f->mixed), 2);
}

static void logs_without_data_are_no_place_for_a_store(void **state)
{
	struct fixture *f = *state;
	struct store_check_options repair = {.repair = true};
	struct store_check_result result;
	struct store_open_info info;
	struct store *s;
	make_killed(f, f->ours, 1, SYNCED);
	shell("mv %s/data.mdb %s", f->ours, f->mixed);
	assert_int_equal(store_open(f->ours, &writing, &s, &info), STORE_HEADLESS);
	assert_int_equal(store_open(f->ours, &reading, &s, &info), STORE_HEADLESS);
	assert_int_equal(store_check(f->ours, &repair, &result, &info), STORE_HEADLESS);
	shell("mv %s/data.mdb %s", f->mixed, f->ours);
	assert_int_equal(get(f->ours), 1);
}

static void logs_of_a_newer_program_are_refused(void **state)
{
	struct fixture *f = *state;
	const uint32_t newer = HOT_FORMAT + 1, ours = HOT_FORMAT;
	const struct store_options *const ways[] = {&writing, &reading};
	struct store_check_options repair = {.repair = true};
	struct store_check_result result;
	struct store_open_info info;
	struct store *s;
	make_killed(f, f->ours, 1, SYNCED);
	patch(f->ours, "hot.0", &newer, sizeof newer, offsetof(struct hot_header, format));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_open(f->ours, ways[i], &s, &info), STORE_NEWER);
		assert_true(info.newer_log);
		assert_int_equal(info.format, newer);
		assert_string_equal(info.what, "hot.0");
	}
	assert_int_equal(store_check(f->ours, &repair, &result, &info), STORE_NEWER);
	patch(f->ours, "hot.0", &ours, sizeof ours, offsetof(struct hot_header, format));
	assert_int_equal(get(f->ours), 1);
}

/* What is there when the making is cut off before data.mdb: LMDB makes its table of readers first. */
static void a_store_whose_making_was_cut_off(void **state)
{
	struct fixture *f = *state;
	shell("cd %s && touch lock lock.mdb", f->ours);
	assert_int_equal(get(f->ours), 0);
}

static struct super super_of(const char *dir, const struct super *put)
{
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX];
	struct super super;
	struct warm *w;
	struct warm_txn *t;
	struct warm_value v;
	assert_int_equal(warm_open(dir, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	if (put) {
		size_t len = record_encode(&super_schema, put, value + CODEC_CHECK_SIZE);
		assert_int_equal(warm_put(t, &super_at, value, codec_seal(super_at, value, len)), 0);
	}
	assert_int_equal(warm_txn_get(t, &super_at, &v), 0);
	assert_int_equal(
		record_decode(&super_schema, v.data + CODEC_CHECK_SIZE, v.len - CODEC_CHECK_SIZE, &super), 0);
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
	return super;
}

static const uint64_t none[2];

/* As a program of format 2 would have left it. */
static void make_older(struct fixture *f)
{
	make_killed(f, f->ours, 1, SYNCED);
	struct super super = super_of(f->ours, NULL);
	super.format = 2;
	memset(super.identity, 0, sizeof super.identity);
	super_of(f->ours, &super);
	patch(f->ours, "hot.0", none, sizeof none, offsetof(struct hot_header, identity));
}

static void an_older_store_gets_an_identity(void **state)
{
	struct fixture *f = *state;
	make_older(f);
	assert_int_equal(check(f->ours, false), 0);
	struct store *s = open_with(f->ours, &reading);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(super_of(f->ours, NULL).format, 2);
	assert_int_equal(get(f->ours), 1);
	struct super super = super_of(f->ours, NULL);
	assert_int_equal(super.format, STORE_FORMAT);
	assert_memory_not_equal(super.identity, none, sizeof none);
	s = open_with(f->ours, &writing);
	assert_memory_equal(header_of(f->ours, "hot.0").identity, super.identity, sizeof none);
	put(s, 3);
	shell("cp %s/data.mdb %s/hot.* %s", f->ours, f->ours, f->mixed);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(get(f->mixed), 3);
	assert_memory_equal(super_of(f->mixed, NULL).identity, super.identity, sizeof none);
	assert_int_equal(check(f->mixed, false), 0);
}

static void older_and_newer_logs_are_told_apart(void **state)
{
	struct fixture *f = *state;
	make_older(f);
	make_killed(f, f->other, 2, SYNCED);
	mix(f, f->ours, f->other);
	assert_refused(f->mixed);
	mix(f, f->other, f->ours);
	assert_refused(f->mixed);
}

static void a_store_that_lost_its_identity(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_close(open_with(f->ours, &writing)), 0);
	struct super super = super_of(f->ours, NULL);
	memset(super.identity, 0, sizeof super.identity);
	super_of(f->ours, &super);
	assert_int_equal(check(f->ours, false), 1);
	assert_int_equal(check(f->ours, true), 1);
	assert_int_equal(check(f->ours, false), 0);
	assert_memory_not_equal(super_of(f->ours, NULL).identity, none, sizeof none);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(logs_of_another_store_are_refused),
		TEST(also_after_another_boot),
		TEST(what_counts_nowhere_is_no_hindrance),
		TEST(nor_are_logs_that_were_saved),
		TEST(a_repair_keeps_them_aside),
		TEST(logs_without_data_are_no_place_for_a_store),
		TEST(logs_of_a_newer_program_are_refused),
		TEST(a_store_whose_making_was_cut_off),
		TEST(an_older_store_gets_an_identity),
		TEST(older_and_newer_logs_are_told_apart),
		TEST(a_store_that_lost_its_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
