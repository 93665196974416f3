/*
 * content_mount.c - version, config.json and sessions.json.
 */
#include <errno.h>
#include <stdio.h>

#include "fs/content.h"
#include "fs/content_life.h"
#include "fs/error.h"
#include "fs/json.h"
#include "fs/node.h"

int content_version(struct session *root, char **ret, size_t *ret_len)
{
	int len = asprintf(ret, "sessfs %s\nstore format %u\n", SESSFS_VERSION, STORE_FORMAT);

	(void)root;
	if (len < 0)
		return -ENOMEM;
	*ret_len = (size_t)len;
	return 0;
}

/* What is a number or a switch in the option table is one in JSON too; sizes and durations are text with their unit. */
static json_t *setting_value(const char *value)
{
	size_t digits = value ? strspn(value, "0123456789") : 0;

	if (!value)
		return json_null();
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return json_boolean(value[0] == 't');
	if (digits && digits < 16 && !value[digits])
		return json_integer(strtoll(value, NULL, 10));
	return text_value(value);
}

int content_config(struct session *session, json_t *object)
{
	const struct fs_options *options = &session->fs->options;
	const struct fs_setting *setting;

	set_value(object, "store", text_value(options->store_path));
	set_value(object, "mount", text_value(options->mount_path));
	for (setting = options->settings; setting && setting->name; setting++)
		set_value(object, setting->name, setting_value(setting->value));
	return 0;
}

/* ---- sessions.json ----------------------------------------------------------------------------------------------- */

enum { SLICE = 128 }; /* sessions of one slice: a few milliseconds */

int content_each_session(struct fs *fs, bool trash, void (*each)(void *arg, const struct store_session *), void *arg)
{
	struct store_sid sids[SLICE];
	uint32_t after = 0;
	unsigned count;

	while ((count = life_list(fs, trash, after, sids, SLICE))) {
		for (unsigned i = 0; i < count; i++) {
			struct store_session record;
			int r = session_show(fs, sids[i], true, &record);

			if (r == ENOENT)
				continue;
			if (r)
				return r;
			each(arg, &record);
			store_session_release(&record);
		}
		after = sids[count - 1].n;
	}
	return 0;
}

json_t *content_expires(const struct life_outlook *outlook)
{
	return outlook->guard == LIFE_UNGUARDED ? moment_value(outlook->expires) : json_null();
}

json_t *content_guard(const struct life_outlook *outlook)
{
	return optional_value(outlook->guard == LIFE_UNGUARDED ? NULL : life_guard_name(outlook->guard));
}

struct session_list {
	struct fs *fs;
	struct store_sid current;
	struct json_long doc;
};

static void list_session(void *arg, const struct store_session *record)
{
	struct session_list *list = arg;
	struct life_outlook outlook = life_outlook(list->fs, record);
	json_t *item = json_object();

	set_value(item, "id", text_value(record->name));
	set_number(item, "number", record->sid.n);
	set_value(item, "path", content_path(list->fs, record->name));
	set_value(item, "status", text_value(life_status_name(record->status)));
	set_value(item, "interrupted", json_boolean(life_is_interrupted(list->fs, record)));
	set_value(item, "creation_time", time_value(record->created));
	set_value(item, "modified_at", time_value(record->modified));
	set_value(item, "last_write_at", time_value(record->last_write));
	set_value(item, "expires_at", content_expires(&outlook));
	set_value(item, "protected_by", content_guard(&outlook));
	set_value(item, "pinned", json_boolean(record->flags & STORE_SESSION_PINNED));
	set_value(item, "is_current", json_boolean(record->sid.n == list->current.n));
	set_number(item, "files", session_files(record));
	set_number(item, "size_bytes", record->logical);
	set_number(item, "stored_bytes", record->stored);
	set_value(item, "compression_ratio", ratio_value(record->logical, record->stored));
	json_long_element(&list->doc, item);
}

/* The current session's name, or null. */
static int current_value(struct fs *fs, struct store_sid current, json_t **ret)
{
	struct session *session;
	int r = current.n ? session_get(fs, current, &session) : ENOENT;

	if (r && r != ENOENT)
		return r;
	*ret = r ? json_null() : text_value(session->record.name);
	if (!r)
		session_put(session);
	return 0;
}

int content_sessions(struct session *root, char **ret, size_t *ret_len)
{
	struct session_list list = {.fs = root->fs, .current = life_current(root->fs)};
	json_t *head, *current;
	int r = current_value(root->fs, list.current, &current);

	if (r)
		return r;
	json_begin();
	head = json_object();
	set_value(head, "current_session_id", current);
	set_value(head, "mount_path", text_value(root->fs->options.mount_path));
	json_long_begin(&list.doc, head, "sessions");
	r = content_each_session(root->fs, false, list_session, &list);
	json_long_end(&list.doc);
	return json_long_take(&list.doc, r, ret, ret_len);
}
