/*
 * content_mount.c - what is in the files of .sessfs.
 */
#include <errno.h>
#include <stdio.h>

#include "fs/content.h"
#include "fs/error.h"
#include "fs/json.h"
#include "fs/node.h"
#include "fs/operation.h"

int content_version(struct session *root, char **ret, size_t *ret_len)
{
	int len = asprintf(ret, "sessfs %s\nstore format %u\n", SESSFS_VERSION, STORE_FORMAT);

	(void)root;
	if (len < 0)
		return -ENOMEM;
	*ret_len = (size_t)len;
	return 0;
}

int content_config(struct session *session, json_t *object)
{
	const struct fs_options *options = &session->fs->options;
	const struct fs_setting *setting;

	set_value(object, "store", text_value(options->store_path));
	set_value(object, "mount", text_value(options->mount_path));
	for (setting = options->settings; setting && setting->name; setting++)
		set_value(object, setting->name, setting->value ? text_value(setting->value) : json_null());
	return 0;
}

struct session_list {
	struct fs *fs;
	struct store_sid current;
	json_t *object, *array;
};

static bool list_session(void *arg, const struct store_session *record)
{
	struct session_list *list = arg;
	bool is_current = record->sid.n == list->current.n;
	json_t *item = json_object();

	if (is_current)
		set_value(list->object, "current_session_id", text_value(record->name));
	set_value(item, "id", text_value(record->name));
	set_number(item, "number", record->sid.n);
	set_value(item, "path", content_path(list->fs, record->name));
	set_value(item, "creation_time", time_value(record->created));
	set_value(item, "modified_at", time_value(record->modified));
	set_number(item, "size_bytes", record->logical);
	set_number(item, "stored_bytes", record->stored);
	set_value(item, "is_current", json_boolean(is_current));
	add_value(list->array, item);
	return json_is_incomplete();
}

int content_sessions(struct session *root, json_t *object)
{
	struct session_list list = {.fs = root->fs, .object = object, .array = json_array()};
	int r = content_current(root->fs, &list.current);

	set_value(object, "current_session_id", json_null());
	set_value(object, "mount_path", text_value(root->fs->options.mount_path));
	set_value(object, "sessions", list.array);
	return r ? r : error_of_store(store_scan_sessions(root->fs->store, 0, list_session, &list));
}

static json_t *operations_value(struct fs *fs)
{
	json_t *all = json_object();

	for (unsigned code = 0; code < FS_OPERATIONS; code++) {
		const struct fs_operation *operation = &fs->operations[code];
		uint64_t count = atomic_load_explicit(&operation->count, memory_order_relaxed);
		json_t *one;

		if (!count)
			continue;
		one = json_object();
		set_number(one, "count", count);
		set_number(one, "avg_ns", atomic_load_explicit(&operation->total_ns, memory_order_relaxed) / count);
		set_number(one, "min_ns", atomic_load_explicit(&operation->min_ns, memory_order_relaxed));
		set_number(one, "max_ns", atomic_load_explicit(&operation->max_ns, memory_order_relaxed));
		set_value(all, operation_name(code), one);
	}
	return all;
}

struct totals {
	uint64_t sessions, logical, stored;
};

static bool add_session(void *arg, const struct store_session *record)
{
	struct totals *totals = arg;

	totals->sessions++;
	totals->logical += record->logical;
	totals->stored += record->stored;
	return false;
}

int content_stats(struct session *root, json_t *object)
{
	struct fs *fs = root->fs;
	struct totals totals = {0};
	struct store_stats stats;
	int r = error_of_store(store_scan_sessions(fs->store, 0, add_session, &totals));

	store_stats(fs->store, &stats);
	set_value(object, "started_at", time_value(fs->started));
	set_value(object, "operations", operations_value(fs));
	set_number(object, "sessions", totals.sessions);
	set_number(object, "total_size_bytes", totals.logical);
	set_number(object, "stored_bytes", totals.stored);
	set_value(object, "compression_ratio", ratio_value(totals.logical, totals.stored));
	set_number(object, "space_bytes", stats.total);
	set_number(object, "free_bytes", stats.free);
	set_number(object, "hot_bytes", stats.hot_bytes);
	set_number(object, "hot_size", stats.hot_size);
	set_number(object, "warm_bytes", stats.warm_bytes);
	set_number(object, "unsaved_bytes", stats.unsaved_bytes);
	set_value(object, "last_saved_at", time_value(stats.saved_at));
	set_number(object, "flushes", stats.flushes);
	set_number(object, "flush_last_ns", stats.flush_last_ns);
	set_number(object, "flush_longest_ns", stats.flush_longest_ns);
	set_number(object, "batches", stats.batches);
	set_number(object, "syncs", stats.syncs);
	set_number(object, "chunk_hits", stats.chunk_hits);
	set_number(object, "chunk_misses", stats.chunk_misses);
	set_number(object, "inodes_in_memory", HASH_COUNT(fs->nodes));
	set_value(object, "last_error", json_integer(stats.last_error));
	return r;
}
