/*
 * content_session.c - what is in the files of .session.
 */
#include <errno.h>
#include <stdio.h>

#include "fs/content.h"
#include "fs/error.h"
#include "fs/json.h"
#include "fs/node.h"

json_t *content_path(const struct fs *fs, const char *name)
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
int content_current(struct fs *fs, struct store_sid *ret)
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

int content_info(struct session *session, json_t *object)
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
		r = content_current(fs, &current);
	if (r)
		return r;
	store_stats(fs->store, &stats);
	set_value(object, "session_id", text_value(record.name));
	set_number(object, "number", record.sid.n);
	set_value(object, "is_current", json_boolean(record.sid.n == current.n));
	set_value(object, "created_at", time_value(record.created));
	set_value(object, "modified_at", time_value(record.modified));
	set_value(object, "last_write_at", time_value(record.last_write));
	set_value(object, "last_saved_at", time_value(stats.saved_at));
	set_number(object, "unsaved_bytes", stats.unsaved_bytes);
	set_value(object, "file_counts", counts_value(&record));
	set_number(object, "total_size_bytes", record.logical);
	set_number(object, "stored_bytes", record.stored);
	set_value(object, "compression_ratio", ratio_value(record.logical, record.stored));
	set_value(object, "path", content_path(fs, record.name));
	set_value(object, "owner", owner_value(&top->inode));
	return 0;
}
