/*
 * mounted.h - for unit tests of fs/: a filesystem over a store of its own, which is asked what a kernel would ask.
 */
#pragma once

#include "fs/rules.h"
#include "tests/unit/stored.h"

static struct {
	char path[DIR_SIZE];
	uint64_t max_size; /* of the store; 0: any */
	struct fs_options options;
} mounted;
static struct store *store;
static struct fs *fs;

static inline void open_fs(void)
{
	struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 32 << 20,
		.max_size = mounted.max_size};

	mounted.options.store_path = mounted.path;
	mounted.options.mount_path = "/mnt";
	store = open_with(mounted.path, &options);
	assert_int_equal(fs_new(store, &mounted.options, &fs), 0);
}

static inline void close_fs(void)
{
	fs_free(fs);
	assert_int_equal(store_close(store), 0);
}

static inline void reopen_fs(void)
{
	close_fs();
	open_fs();
}

/* Over an empty store. */
static inline void new_fs(const struct fs_options *options)
{
	new_dir(mounted.path);
	mounted.options = *options;
	open_fs();
}

static inline int remove_fs(void)
{
	close_fs();
	shell("rm -rf %s", mounted.path);
	return 0;
}

static inline struct fs_id root_id(void)
{
	return fs_id_of_ino(STORE_ROOT_INO);
}

static inline bool in_no_group(const struct caller *caller, gid_t gid)
{
	(void)caller, (void)gid;
	return false;
}

/* A name that the kernel makes, and knows until it forgets it. */
static inline struct fs_id make(struct fs_id dir, const char *name, mode_t mode)
{
	struct caller caller = {.in_group = in_no_group};
	struct entry entry;

	assert_int_equal(dir_make(fs, &caller, dir, name, &(struct creation){.mode = mode}, &entry), 0);
	return entry.id;
}

static inline void forget(struct fs_id id)
{
	rules_forget(fs, &(struct forget_item){id, 1}, 1);
}

/* The number of the session of that name. */
static inline struct store_sid number_of(const char *name)
{
	struct store_dirent found;

	assert_int_equal(store_lookup(store, STORE_ROOT_SID, STORE_ROOT_INO, name, strlen(name), &found), 0);
	return found.session;
}

/* Its mtime is so many seconds ago. */
static inline void set_age(struct fs_id id, int64_t seconds)
{
	struct stat attr = {.st_mtim.tv_sec = fs_now() / FS_SECOND - seconds};
	double timeout;

	assert_int_equal(attr_set(fs, id, ATTR_MTIME, &attr, &attr, &timeout), 0);
}
