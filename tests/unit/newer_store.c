/* newer_store.c - a store whose format is newer than ours is refused, by number and in words, and is not touched. */
#include "store/codec.h"
#include "store/record.h"
#include "store/store.h"
#include "store/warm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NEWER = STORE_FORMAT + 1 };

static const struct key super_at = {{0, (uint64_t)KIND_SUPER << 32, KEY_VERSION_MASK}};

/* Makes a store and gives it the newer format. */
static void make_newer(const char *dir)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 5, .hot_size = 4u << 20};
	struct super super = {.format = NEWER, .seed = 1, .ino_limit = 2, .sid_limit = 1};
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX];
	struct store_open_info info;
	struct store *store;
	struct warm *warm;
	struct warm_txn *txn;

	assert_int_equal(store_open(dir, &options, &store, &info), 0);
	assert_int_equal(store_close(store), 0);
	assert_int_equal(warm_open(dir, false, &warm), 0);
	assert_int_equal(warm_begin(warm, &txn), 0);
	size_t len = record_encode(&super_schema, &super, value + CODEC_CHECK_SIZE);
	assert_int_equal(warm_put(txn, &super_at, value, codec_seal(super_at, value, len)), 0);
	assert_int_equal(warm_commit(txn), 0);
	warm_close(warm);
}

/* First line of a command's output. */
static void first_line(const char *command, char *line, size_t size, int *ret_status)
{
	FILE *out = popen(command, "r");

	assert_non_null(out);
	line[0] = 0;
	(void)!fgets(line, (int)size, out);
	*ret_status = pclose(out);
}

static void refused(void **state)
{
	char dir[] = "sessfs-newer.XXXXXX", command[256], before[128], after[128];
	const struct store_options options = {.create = true, .level = 3, .commit = 5},
				   read_only = {.read_only = true, .commit = 5};
	struct store_open_info info;
	struct store *store;
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_newer(dir);
	snprintf(command, sizeof command, "cd %s && cat data.mdb hot.0 hot.1 | md5sum && rm -f lock.mdb", dir);
	first_line(command, before, sizeof before, &status);
	assert_int_equal(store_open(dir, &options, &store, &info), STORE_NEWER);
	assert_int_equal(info.format, NEWER);
	assert_int_equal(store_open(dir, &read_only, &store, &info), STORE_NEWER);
	first_line(command, after, sizeof after, &status);
	assert_string_equal(before, after);

	const char *program = getenv("SESSFS");
	if (program) {
		char line[512], wanted[64];
		snprintf(wanted, sizeof wanted, "format %u, which a newer sessfs wrote", NEWER);
		snprintf(command, sizeof command, "mkdir %s.mnt; %s mount %s %s.mnt 2>&1", dir, program, dir, dir);
		first_line(command, line, sizeof line, &status);
		assert_non_null(strstr(line, wanted));
	}
	snprintf(command, sizeof command, "rm -rf %s %s.mnt", dir, dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
