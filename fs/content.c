/*
 * content.c - the tables of the control files. What is in them is made in content_session.c and content_mount.c, what
 * may be written is in control_set.c, which names are made up in control_names.c.
 */
#include "fs/content.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/control_link.h"
#include "fs/control_names.h"
#include "fs/control_set.h"
#include "fs/core.h"
#include "fs/json.h"

static const struct content_row session_rows[] = {
	{.name = "info.json", .flags = CONTENT_SUMS, .json = content_info},
	{.name = "status", .text = content_status, .set = content_set_status,
		.go_on = content_go_on_status},
	{.name = "query", .kind = CONTENT_TEXT, .which = TEXT_QUERY},
	{.name = "phase", .kind = CONTENT_TEXT, .which = TEXT_PHASE},
	{.name = "notes", .kind = CONTENT_TEXT, .which = TEXT_NOTES},
	{.name = "project", .kind = CONTENT_TEXT, .which = TEXT_PROJECT},
	{.name = "tags", .kind = CONTENT_TEXT, .which = TEXT_TAGS, .set = content_set_tags},
	{.name = "progress", .text = content_progress, .set = content_set_progress},
	{.name = "pin", .text = content_pin, .set = content_set_pin},
	{.name = "expires_at", .text = content_expires_at, .set = content_set_expires_at},
	{.name = "files.jsonl", .flags = CONTENT_SLOW, .text = content_files},
	{.name = "events.jsonl", .kind = CONTENT_STREAM},
	{.name = "errors.jsonl", .text = content_errors},
	{.name = NULL},
};

#define STATUS_ROW(word) {.name = (word), .kind = CONTENT_DIR, .flags = CONTENT_SLOW, .names = &control_one_status}

static const struct content_row status_rows[] = {
	STATUS_ROW("active"), STATUS_ROW("paused"), STATUS_ROW("completed"), STATUS_ROW("failed"),
	STATUS_ROW("archived"),
	{.name = NULL},
};

static const struct content_row root_rows[] = {
	{.name = "version", .text = content_version},
	{.name = "config.json", .json = content_config},
	{.name = "current", .kind = CONTENT_LINK, .target = control_current},
	{.name = "by-status", .kind = CONTENT_DIR, .rows = status_rows},
	{.name = "by-tag", .kind = CONTENT_DIR, .flags = CONTENT_SLOW, .names = &control_tags},
	{.name = "search", .kind = CONTENT_DIR, .names = &control_searches},
	{.name = "trash", .kind = CONTENT_DIR, .flags = CONTENT_SHARED, .names = &control_trash},
	{.name = "sessions.json", .flags = CONTENT_SLOW, .text = content_sessions},
	{.name = "history.json", .json = content_history},
	{.name = "endings.jsonl", .flags = CONTENT_SLOW, .text = content_endings},
	{.name = "expiring.json", .flags = CONTENT_SLOW, .text = content_expiring},
	{.name = "stats.json", .flags = CONTENT_SLOW, .json = content_stats},
	{.name = "metrics", .flags = CONTENT_SLOW, .text = content_metrics},
	{.name = "errors.jsonl", .text = content_errors},
	{.name = NULL},
};

static_assert(sizeof(session_rows) / sizeof(*session_rows) <= CONTENT_ROWS, "inode numbers of .session");
static_assert(sizeof(root_rows) / sizeof(*root_rows) <= CONTENT_ROWS, "inode numbers of .sessfs");

const struct content_row content_session_dir = {.name = ".session", .kind = CONTENT_DIR, .rows = session_rows};
const struct content_row content_root_dir = {.name = ".sessfs", .kind = CONTENT_DIR, .rows = root_rows};

const struct content_row *content_find(const struct content_row *dir, const char *name)
{
	for (const struct content_row *row = dir->rows; row && row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static int end_line(char *text, char **ret, size_t *len)
{
	char *longer = realloc(text, *len + 2);

	if (!longer) {
		free(text);
		return -ENOMEM;
	}
	memcpy(longer + *len, "\n", 2);
	*ret = longer;
	(*len)++;
	return 0;
}

static int make_json(const struct content_row *row, struct session *session, char **ret, size_t *ret_len)
{
	json_t *object;
	char *text;
	int r;

	json_begin();
	object = json_object();
	r = row->json(session, object);
	if (!r)
		r = json_text(object, JSON_INDENT(2), &text, ret_len);
	json_decref(object);
	return r ? r : end_line(text, ret, ret_len);
}

int content_make(const struct content_row *row, struct session *session, char **ret, size_t *ret_len)
{
	if (row->kind == CONTENT_TEXT)
		return text_get(session->fs, &session->record, row->which, ret, ret_len);
	return row->text ? row->text(session, ret, ret_len) : make_json(row, session, ret, ret_len);
}
