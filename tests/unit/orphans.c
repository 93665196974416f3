/* orphans.c - a file unlinked before a crash is collected whole; without the memory for it no mount begins */
#include "tests/unit/mounted.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

int main(void)
{
	puts("sanitizers have an allocator of their own, which does not fail");
	return 77;
}

#else

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static bool counts;
static unsigned before, refused; /* so many allocations succeed, if it counts */

static bool fails(void)
{
	if (!counts)
		return false;
	if (before) {
		before--;
		return false;
	}
	refused++;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

static int setup(void **state)
{
	(void)state;
	new_fs(&(struct fs_options){0});
	forget(make(root_id(), "s", S_IFDIR | 0755));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_fs();
}

static uint64_t logical(void)
{
	struct store_session record = {0};
	uint64_t ret;

	assert_int_equal(store_get_session(store, number_of("s"), &record), 0);
	ret = record.logical;
	store_session_release(&record);
	return ret;
}

static struct fs_id look(struct fs_id dir, const char *name)
{
	struct entry entry;

	assert_int_equal(dir_lookup(fs, dir, name, &entry), 0);
	return entry.id;
}

/* A file of 1000 bytes, unlinked while the kernel knows it, when the mount ends. */
static void leave_orphan(void)
{
	struct fs_id logs = look(look(root_id(), "s"), "logs"), file = make(logs, "f", S_IFREG | 0644);
	char data[1000] = "";
	size_t len;

	assert_int_equal(file_write(fs, file, 0, data, sizeof(data), 0, &len), 0);
	assert_int_equal(dir_unlink(fs, logs, "f"), 0);
	assert_int_equal(logical(), sizeof(data));
	close_fs();
}

static void without_memory(void **state)
{
	const struct store_options options = {.level = 3, .commit = 3600, .hot_size = 32 << 20};
	int r;

	(void)state;
	for (unsigned n = 0; n == 0 || refused; n++) {
		leave_orphan();
		store = open_with(mounted.path, &options);
		before = n;
		refused = 0;
		counts = true;
		r = fs_new(store, &mounted.options, &fs);
		counts = false;
		if (r) {
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(store_close(store), 0);
			open_fs();
		}
		assert_int_equal(logical(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
