/* verb_status.c - `sessfs status`: all that is known of one session. */
#include <inttypes.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"
#include "mount/told.h"

static const struct table_column columns[] = {{"WHAT", 0}, {"VALUE", TABLE_WRAP}, {NULL, 0}};

__attribute__((format(printf, 3, 4))) static void add(struct table *table, const char *what, const char *format, ...)
{
	char value[4096];
	const char *cells[] = {what, value};
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof value, format, args);
	va_end(args);
	if (*value)
		table_add(table, cells);
}

/* A row for each line. */
static void add_lines(struct table *table, const char *what, const char *text)
{
	for (; *text; what = "") {
		size_t len = strcspn(text, "\n");

		add(table, what, "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void put_ago(int64_t when, int64_t now, char *buf, size_t size)
{
	char local[MOMENT_TEXT], ago[NUMBER_TEXT];

	moment_format_local(when, local);
	number_say_duration(moment_seconds(when, now), ago);
	snprintf(buf, size, "%s (%s ago)", local, ago);
}

static void add_times(struct table *table, const struct told *t, const json_t *info, int64_t now)
{
	const int64_t saved = json_get_time(info, "last_saved_at"), unsaved = json_get_number(info, "unsaved_bytes");
	char text[128], number[NUMBER_TEXT];

	put_ago(t->created, now, text, sizeof text);
	add(table, "made", "%s", text);
	put_ago(t->written, now, text, sizeof text);
	add(table, "last write", "%s", text);
	number_say_size(unsaved > 0 ? (uint64_t)unsaved : 0, number);
	if (unsaved > 0)
		add(table, "on disk", "%s not saved yet", number);
	number_say_duration(moment_seconds(saved, now), number);
	if (unsaved <= 0 && saved)
		add(table, "on disk", "saved %s ago", number);
}

static void add_expiry(struct table *table, const struct told *t, int64_t now)
{
	char when[MOMENT_TEXT], left[NUMBER_TEXT];
	moment_format_local(t->expires, when);
	number_say_duration(moment_seconds(now, t->expires), left);
	if (*t->guard)
		add(table, "expires", "not while it is %s", t->guard);
	else if (t->expires == 0)
		add(table, "expires", "never");
	else if (t->expires <= now)
		add(table, "expires", "now (since %s)", when);
	else
		add(table, "expires", "in %s (%s)", left, when);
}

static void add_sizes(struct table *table, const struct told *t, const json_t *info)
{
	const json_t *counts = json_object_get(info, "file_counts"), *count;
	char size[NUMBER_TEXT], stored[NUMBER_TEXT], views[512] = "";
	const char *view;
	size_t used = 0;

	json_object_foreach((json_t *)counts, view, count)
		if (json_integer_value(count) > 0 && used < sizeof views)
			used += (size_t)snprintf(views + used, sizeof views - used, "%s%.64s %" PRId64,
				used ? ", " : ": ", view, (int64_t)json_integer_value(count));
	add(table, "files", "%" PRIu64 "%s", t->files, views);
	number_say_size(t->size, size);
	number_say_size(t->stored, stored);
	add(table, "size", "%s, stored in %s (%.1f : 1)", size, stored, t->ratio);
}

static void add_owner(struct table *table, const json_t *owner)
{
	const int64_t uid = json_get_number(owner, "uid"), gid = json_get_number(owner, "gid");
	const struct passwd *user = getpwuid((uid_t)uid);
	const struct group *group = getgrgid((gid_t)gid);

	if (!owner)
		return;
	add(table, "owner", "%s (%" PRId64 "), group %s (%" PRId64 ")", user ? user->pw_name : "?", uid,
		group ? group->gr_name : "?", gid);
}

static void add_texts(struct table *table, const json_t *info)
{
	static const char *const names[] = {"project", "query", "phase", "notes"};
	const json_t *tags = json_object_get(info, "tags"), *tag;
	double progress = json_number_value(json_object_get(info, "progress"));
	char list[1024] = "";
	size_t i, used = 0;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		add_lines(table, names[i], json_get_text(info, names[i]));
	json_array_foreach(tags, i, tag)
		if (json_is_string(tag) && used < sizeof list)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
				json_string_value(tag));
	add(table, "tags", "%s", list);
	if (progress > 0 && progress <= 1)
		add(table, "progress", "%.0f %%", progress * 100);
}

static void print(const json_t *info)
{
	struct table *table = table_new(columns, false);
	int64_t now = moment_now();
	struct told t;

	told_one(info, &t);
	add(table, "session", "%s%s", t.name, t.current ? " (current)" : "");
	add(table, "path", "%s", t.path);
	add(table, "status", "%s%s", t.status,
		t.interrupted ? ", interrupted: it was active when the daemon or the machine died" : "");
	add_lines(table, "reason", json_get_text(info, "reason"));
	add_times(table, &t, info, now);
	add_expiry(table, &t, now);
	add_sizes(table, &t, info);
	add_texts(table, info);
	add_owner(table, json_object_get(info, "owner"));
	table_print(table);
}

static int run_status(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct verb_line line;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	if (status == VERB_GO_ON)
		status = place_find(&line, line.count ? line.words[0] : NULL, &place);
	if (status != VERB_GO_ON)
		return status;
	json_t *info = controls_read(&place, "info.json");
	if (!info)
		return VERB_NOT_DONE;
	if (line.json) {
		json_print(info);
	} else {
		print(info);
		json_decref(info);
	}
	return VERB_DONE;
}

static const struct verb_option options[] = {VERB_OPTION_JSON, VERB_OPTION_MOUNT, VERB_NO_OPTION};

const struct verb verb_status = {
	.name = "status",
	.group = VERB_SESSION,
	.run = run_status,
	.options = options,
	.words = "[NAME]",
	.word = VERB_A_SESSION,
	.max_words = 1,
	.summary = "show all that is known of a session",
	.help = "Without a name: the session of the working directory, or $SESSFS_SESSION.\n"
		"--json prints its info.json.\n",
	.usage_status = VERB_USAGE,
};
