/*
 * content.c - what is in the control files: one line in the table and one function for each file.
 */
#include "fs/content.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/node.h"
#include "fs/operation.h"

struct content_file {
	bool root; /* in .sessfs, else in .session */
	const char *name;
	int (*text)(struct session *, char **ret); /* one of the two */
	int (*json)(struct session *, json_t *object);
};

static _Thread_local bool incomplete; /* memory ran out since content_make began */

/* Adds a member and takes the value over; NULL for either, where memory ran out, is noted. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		incomplete = true;
}

static void set_number(json_t *object, const char *key, uint64_t n)
{
	set(object, key, json_integer((json_int_t)n));
}

/* Text in any bytes: what is not UTF-8 is shown as U+FFFD. */
static json_t *text_value(const char *text)
{
	json_t *value;
	char *shown, *to;

	errno = 0;
	value = json_string(text);
	if (value || errno == ENOMEM)
		return value;
	shown = to = malloc(3 * strlen(text) + 1);
	if (!shown)
		return NULL;
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80) {
			*to++ = *text;
		} else {
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
		}
	}
	*to = '\0';
	value = json_string(shown);
	free(shown);
	return value;
}

/* ISO 8601 in UTC, with milliseconds; 0 is null. */
static json_t *time_value(int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char day[32], text[48];
	struct tm tm;

	if (ns <= 0 || !gmtime_r(&seconds, &tm))
		return json_null();
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(ns / 1000000 % 1000));
	return json_string(text);
}

/* Logical by stored bytes, to three digits; 1 for nothing. */
static json_t *ratio_value(uint64_t logical, uint64_t stored)
{
	double ratio = stored ? (double)logical / (double)stored : 1;

	return json_real((double)(uint64_t)(ratio * 1000 + 0.5) / 1000);
}

static json_t *path_value(const struct fs *fs, const char *name)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/%s", fs->options.mount_path, name);
	return text_value(path);
}

static json_t *counts_value(const struct store_session *record)
{
	static const char *const names[STORE_VIEWS] = {"research_data", "intermediate_results", "cache", "logs",
		"other"};
	json_t *counts = json_object();

	for (unsigned view = 0; view < STORE_VIEWS; view++)
		set_number(counts, names[view], record->files[view]);
	return counts;
}

static json_t *owner_value(const struct store_inode *inode)
{
	json_t *owner = json_object();

	set_number(owner, "uid", inode->uid);
	set_number(owner, "gid", inode->gid);
	return owner;
}

struct newest {
	struct store_sid sid;
	int64_t created;
};

static bool compare_session(void *arg, const struct store_session *record)
{
	struct newest *newest = arg;

	if (!newest->sid.n || record->created >= newest->created)
		*newest = (struct newest){record->sid, record->created};
	return false;
}

/* The session that was made last; 0 if there is none. */
static int find_current(struct fs *fs, struct store_sid *ret)
{
	struct newest newest = {STORE_ROOT_SID, 0};
	int r = fs->current.n ? 0 : error_of_store(store_scan_sessions(fs->store, 0, compare_session, &newest));

	if (r)
		return r;
	if (!fs->current.n)
		fs->current = newest.sid;
	*ret = fs->current;
	return 0;
}

static int session_info(struct session *session, json_t *object)
{
	struct fs *fs = session->fs;
	__attribute__((cleanup(store_session_release))) struct store_session record = {0};
	struct store_stats stats;
	struct store_sid current;
	NODE_AUTO top = NULL;
	int r = error_of_store(store_get_session(fs->store, session->sid, &record));

	if (!r)
		r = node_load(fs, session->sid, record.root, &top);
	if (!r)
		r = find_current(fs, &current);
	if (r)
		return r;
	store_stats(fs->store, &stats);
	set(object, "session_id", text_value(record.name));
	set_number(object, "number", record.sid.n);
	set(object, "is_current", json_boolean(record.sid.n == current.n));
	set(object, "created_at", time_value(record.created));
	set(object, "modified_at", time_value(record.modified));
	set(object, "last_write_at", time_value(record.last_write));
	set(object, "last_saved_at", time_value(stats.saved_at));
	set_number(object, "unsaved_bytes", stats.unsaved_bytes);
	set(object, "file_counts", counts_value(&record));
	set_number(object, "total_size_bytes", record.logical);
	set_number(object, "stored_bytes", record.stored);
	set(object, "compression_ratio", ratio_value(record.logical, record.stored));
	set(object, "path", path_value(fs, record.name));
	set(object, "owner", owner_value(&top->inode));
	return 0;
}

static int version(struct session *session, char **ret)
{
	(void)session;
	return asprintf(ret, "sessfs %s\nstore format %u\n", SESSFS_VERSION, STORE_FORMAT) < 0 ? -ENOMEM : 0;
}

static int config(struct session *session, json_t *object)
{
	const struct fs_options *options = &session->fs->options;
	const struct fs_setting *setting;

	set(object, "store", text_value(options->store_path));
	set(object, "mount", text_value(options->mount_path));
	for (setting = options->settings; setting && setting->name; setting++)
		set(object, setting->name, setting->value ? text_value(setting->value) : json_null());
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
		set(list->object, "current_session_id", text_value(record->name));
	set(item, "id", text_value(record->name));
	set_number(item, "number", record->sid.n);
	set(item, "path", path_value(list->fs, record->name));
	set(item, "creation_time", time_value(record->created));
	set(item, "modified_at", time_value(record->modified));
	set_number(item, "size_bytes", record->logical);
	set_number(item, "stored_bytes", record->stored);
	set(item, "is_current", json_boolean(is_current));
	if (json_array_append_new(list->array, item))
		incomplete = true;
	return incomplete;
}

static int sessions(struct session *root, json_t *object)
{
	struct session_list list = {.fs = root->fs, .object = object, .array = json_array()};
	int r = find_current(root->fs, &list.current);

	set(object, "current_session_id", json_null());
	set(object, "mount_path", text_value(root->fs->options.mount_path));
	set(object, "sessions", list.array);
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
		set(all, operation_name(code), one);
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

static int statistics(struct session *root, json_t *object)
{
	struct fs *fs = root->fs;
	struct totals totals = {0};
	struct store_stats stats;
	int r = error_of_store(store_scan_sessions(fs->store, 0, add_session, &totals));

	store_stats(fs->store, &stats);
	set(object, "started_at", time_value(fs->started));
	set(object, "operations", operations_value(fs));
	set_number(object, "sessions", totals.sessions);
	set_number(object, "total_size_bytes", totals.logical);
	set_number(object, "stored_bytes", totals.stored);
	set(object, "compression_ratio", ratio_value(totals.logical, totals.stored));
	set_number(object, "space_bytes", stats.total);
	set_number(object, "free_bytes", stats.free);
	set_number(object, "hot_bytes", stats.hot_bytes);
	set_number(object, "hot_size", stats.hot_size);
	set_number(object, "warm_bytes", stats.warm_bytes);
	set_number(object, "unsaved_bytes", stats.unsaved_bytes);
	set(object, "last_saved_at", time_value(stats.saved_at));
	set_number(object, "flushes", stats.flushes);
	set_number(object, "flush_last_ns", stats.flush_last_ns);
	set_number(object, "flush_longest_ns", stats.flush_longest_ns);
	set_number(object, "batches", stats.batches);
	set_number(object, "syncs", stats.syncs);
	set_number(object, "chunk_hits", stats.chunk_hits);
	set_number(object, "chunk_misses", stats.chunk_misses);
	set_number(object, "inodes_in_memory", HASH_COUNT(fs->nodes));
	set(object, "last_error", json_integer(stats.last_error));
	return r;
}

static const struct content_file files[] = {
	{false, "info.json", NULL, session_info},
	{true, "version", version, NULL},
	{true, "config.json", NULL, config},
	{true, "sessions.json", NULL, sessions},
	{true, "stats.json", NULL, statistics},
};

enum { FILES = sizeof(files) / sizeof(*files) };
static_assert((int)FILES <= (int)CONTENT_ROWS, "inode numbers of control files");

const struct content_file *content_find(bool root, const char *name)
{
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].root == root && strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

unsigned content_row(const struct content_file *file)
{
	return (unsigned)(file - files);
}

const char *content_name(bool root, unsigned n)
{
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].root == root && n-- == 0)
			return files[i].name;
	return NULL;
}

/* By json_dumpb, as json_dumps leaves out a key for which it has no memory. */
static int dump(json_t *object, char **ret)
{
	size_t len = json_dumpb(object, NULL, 0, JSON_INDENT(2));
	char *text = len ? malloc(len + 2) : NULL;

	if (!text || json_dumpb(object, text, len, JSON_INDENT(2)) != len) {
		free(text);
		return -ENOMEM;
	}
	memcpy(text + len, "\n", 2);
	*ret = text;
	return 0;
}

int content_make(const struct content_file *file, struct session *session, char **ret, size_t *ret_len)
{
	json_t *object = NULL;
	char *text = NULL;
	int r;

	if (file->text) {
		r = file->text(session, &text);
	} else {
		incomplete = false;
		object = json_object();
		r = file->json(session, object);
		if (!r)
			r = incomplete ? -ENOMEM : dump(object, &text);
		json_decref(object);
	}
	if (r)
		return r;
	*ret = text;
	*ret_len = strlen(text);
	return 0;
}
