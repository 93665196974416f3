/*
 * content_session.c - info.json.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/content_life.h"
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
	json_t *counts = json_object();

	for (unsigned view = 0; view < STORE_VIEWS; view++)
		set_number(counts, view_name(view), record->files[view]);
	return counts;
}

static json_t *owner_value(const struct store_inode *inode)
{
	json_t *owner = json_object();

	set_number(owner, "uid", inode->uid);
	set_number(owner, "gid", inode->gid);
	return owner;
}

/* Texts, as text, and tags as an array. */
static int set_texts(struct fs *fs, const struct store_session *record, json_t *object)
{
	for (unsigned which = 0; which < TEXTS; which++) {
		json_t *tags = json_array();
		char *text, *rest, *tag;
		size_t len;
		int r = text_get(fs, record, which, &text, &len);

		if (r) {
			json_decref(tags);
			return r;
		}
		if (len && text[len - 1] == '\n') /* of `echo` */
			text[len - 1] = '\0';
		for (rest = text; which == TEXT_TAGS && (tag = strsep(&rest, "\n"));)
			if (*tag)
				add_value(tags, text_value(tag));
		if (which == TEXT_TAGS)
			set_value(object, text_name(which), json_incref(tags));
		else
			set_value(object, text_name(which), text_value(text));
		json_decref(tags);
		free(text);
	}
	return 0;
}

static void set_times(struct session *session, const struct store_session *record, json_t *object)
{
	int64_t saved;
	uint64_t unsaved = session_unsaved(session, &saved);

	set_value(object, "created_at", time_value(record->created));
	set_value(object, "modified_at", time_value(record->modified));
	set_value(object, "last_write_at", time_value(record->last_write));
	set_value(object, "last_saved_at", moment_value(saved));
	set_number(object, "unsaved_bytes", unsaved);
}

/* What will become of it; or, in the trash, what became of it. */
static void set_outlook(const struct store_session *record, const struct life_outlook *outlook, json_t *object)
{
	bool ended = record->ended != 0;

	set_value(object, "expires_at", ended ? json_null() : content_expires(outlook));
	set_value(object, "rule", optional_value(ended ? life_rule_name(record->ending)
		: outlook->rule ? life_rule_name(outlook->rule) : NULL));
	set_value(object, "protected_by", ended ? json_null() : content_guard(outlook));
	set_value(object, "pinned", json_boolean(record->flags & STORE_SESSION_PINNED));
	set_value(object, "ended_at", moment_value(record->ended));
	set_value(object, "until", moment_value(ended ? record->until : 0));
}

static void set_figures(const struct store_session *record, json_t *object)
{
	set_value(object, "file_counts", counts_value(record));
	set_number(object, "total_size_bytes", record->logical);
	set_number(object, "stored_bytes", record->stored);
	set_value(object, "compression_ratio", ratio_value(record->logical, record->stored));
	set_number(object, "files_created", record->creations);
	set_number(object, "files_modified", record->modifications);
	set_number(object, "operations", record->operations);
}

static int set_path(struct fs *fs, const struct store_session *record, json_t *object)
{
	char name[STORE_NAME_MAX + 32] = ".sessfs/trash/";
	size_t above = strlen(name);
	int r = 0;

	if (record->ended)
		r = life_trash_name(fs, record->sid, name + above);
	if (!r)
		set_value(object, "path", content_path(fs, record->ended ? name : record->name));
	return r;
}

int content_info(struct session *session, json_t *object)
{
	struct fs *fs = session->fs;
	__attribute__((cleanup(store_session_release))) struct store_session record = {0};
	struct life_outlook outlook;
	NODE_AUTO top = NULL;
	int r = session_show(fs, session->sid, true, &record);

	if (!r)
		r = node_load(fs, session->sid, record.root, &top);
	if (r)
		return r;
	outlook = life_outlook(fs, &record);
	set_value(object, "session_id", text_value(record.name));
	set_number(object, "number", record.sid.n);
	set_value(object, "status", text_value(life_status_name(record.status)));
	set_value(object, "status_at", time_value(record.status_at ? record.status_at : record.created));
	set_value(object, "interrupted", json_boolean(life_is_interrupted(fs, &record)));
	set_value(object, "read_only", json_boolean(life_is_read_only(&record) || fs->options.read_only));
	set_value(object, "is_current", json_boolean(record.sid.n == life_current(fs).n));
	set_times(session, &record, object);
	set_outlook(&record, &outlook, object);
	set_value(object, "progress", json_real(record.progress / 1e6));
	set_value(object, "owner", owner_value(&top->inode));
	set_figures(&record, object);
	r = set_texts(fs, &record, object);
	return r ? r : set_path(fs, &record, object);
}
