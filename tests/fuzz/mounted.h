/* mounted.h - for the fuzzers of fs/: a filesystem over a store in memory, asked as a kernel would ask. */
#pragma once

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/rules.h"

static struct store *store;
static struct fs *fs;
static char scratch[64];

static inline void remove_scratch(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	(void)!system(command);
}

/* A directory of our own, in memory if that can be had. */
static inline void make_scratch(void)
{
	bool in_memory = access("/dev/shm", W_OK) == 0;

	snprintf(scratch, sizeof(scratch), "%s/sessfs-fuzz-XXXXXX", in_memory ? "/dev/shm" : "/tmp");
	if (!mkdtemp(scratch))
		abort();
	atexit(remove_scratch);
}

/* False if the store cannot be opened. */
static inline bool mount_scratch(const struct store_options *options)
{
	static const struct fs_options of_fs = {.store_path = scratch, .mount_path = "/mnt", .grace = 3600};
	static const struct fs_options of_reader = {.store_path = scratch, .mount_path = "/mnt", .read_only = true};
	struct store_open_info info;

	if (store_open(scratch, options, &store, &info))
		return false;
	if (fs_new(store, options->read_only ? &of_reader : &of_fs, &fs) == 0)
		return true;
	store_close(store);
	fs = NULL;
	return false;
}

static inline void unmount_scratch(void)
{
	fs_free(fs);
	fs = NULL;
	store_close(store);
}

static inline void mount_new(void)
{
	make_scratch();
	if (!mount_scratch(&(struct store_options){.create = true, .level = 1, .commit = 3600, .hot_size = 8 << 20}))
		abort();
	atexit(unmount_scratch);
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

static inline bool find(struct fs_id dir, const char *name, struct entry *ret)
{
	return dir_lookup(fs, dir, name, ret) == 0 && ret->id.n;
}

/* As the kernel forgets what one lookup gave. */
static inline void forget(const struct entry *entry)
{
	rules_forget(fs, &(struct forget_item){entry->id, 1}, 1);
	rules_settle(fs);
}

static inline void make(struct fs_id dir, const char *name, mode_t mode)
{
	struct caller caller = {.in_group = in_no_group};
	struct entry entry;

	if (dir_make(fs, &caller, dir, name, &(struct creation){.mode = mode}, &entry) == 0)
		forget(&entry);
}

static inline size_t read_file(struct fs_id dir, const char *name, char *text, size_t room)
{
	struct entry file;
	size_t len = 0;

	if (!find(dir, name, &file))
		return 0;
	if (file_read(fs, file.id, 0, text, room, &len))
		len = 0;
	forget(&file);
	return len;
}
