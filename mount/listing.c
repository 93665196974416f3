/* listing.c - see listing.h. */
#include "mount/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"

enum { NAME, STATUS, AGE, EXPIRES, FILES, SIZE, STORED, RATIO, MARKS, COLUMNS };

static const struct table_column columns[COLUMNS + 1] = {
	{"NAME", TABLE_SHORTEN},
	{"STATUS", 0},
	{"AGE", TABLE_RIGHT},
	{"EXPIRES", TABLE_RIGHT},
	{"FILES", TABLE_RIGHT},
	{"SIZE", TABLE_RIGHT},
	{"STORED", TABLE_RIGHT},
	{"RATIO", TABLE_RIGHT},
	{"MARKS", 0},
	{NULL, 0},
};

static const struct {
	const char *status, *color;
} colors[] = {{"paused", "yellow"}, {"completed", "green"}, {"failed", "red"}, {"archived", "gray"}, {"trash", "gray"}};

struct cells {
	char text[COLUMNS][NUMBER_TEXT * 2];
	const char *cells[COLUMNS];
};

static bool is_in_use(const struct told *t)
{
	return strcmp(t->guard, "in use") == 0;
}

static void put_marks(const struct told *t, char *buf, size_t size)
{
	const struct {
		bool holds;
		const char *text;
	} marks[] = {{t->current, "current"}, {t->pinned, "pinned"}, {t->interrupted, "interrupted"},
		{is_in_use(t), "in use"}, {t->ended != 0, t->rule}};
	size_t used = 0;

	buf[0] = 0;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (marks[i].holds && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", marks[i].text);
}

static void put_moment(int64_t when, int64_t now, char buf[NUMBER_TEXT])
{
	if (when == 0)
		snprintf(buf, NUMBER_TEXT, "never");
	else if (when <= now)
		snprintf(buf, NUMBER_TEXT, "now");
	else
		number_rough_duration(moment_seconds(now, when), buf);
}

struct table *listing_new(void)
{
	return table_new(columns, true);
}

void listing_add(struct table *table, const struct told *t, int64_t now)
{
	const char *status = t->ended ? "trash" : t->status;
	struct cells c = {0};

	for (int i = 0; i < COLUMNS; i++)
		c.cells[i] = c.text[i];
	c.cells[NAME] = t->name;
	c.cells[STATUS] = status;
	number_rough_duration(moment_seconds(t->written ? t->written : t->created, now), c.text[AGE]);
	put_moment(t->ended ? t->until : t->expires, now, c.text[EXPIRES]);
	snprintf(c.text[FILES], sizeof c.text[FILES], "%" PRIu64, t->files);
	number_rough_size(t->size, c.text[SIZE]);
	number_rough_size(t->stored, c.text[STORED]);
	if (t->stored > 0)
		snprintf(c.text[RATIO], sizeof c.text[RATIO], "%.1f", t->ratio);
	put_marks(t, c.text[MARKS], sizeof c.text[MARKS]);
	table_add(table, c.cells);
	for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
		if (strcmp(colors[i].status, status) == 0)
			table_color(table, STATUS, colors[i].color);
}

json_t *listing_object(const struct told *t)
{
	json_t *o = json_object();

	json_add(o, "name", json_from_text(t->name));
	json_add(o, "status", json_from_text(t->status));
	json_add(o, "path", json_from_text(t->path));
	json_add(o, "created_at", json_from_time(t->created));
	json_add(o, "last_write_at", json_from_time(t->written));
	json_add(o, "files", json_integer((json_int_t)t->files));
	json_add(o, "size_bytes", json_integer((json_int_t)t->size));
	json_add(o, "stored_bytes", json_integer((json_int_t)t->stored));
	json_add(o, "compression_ratio", json_real(t->ratio));
	if (t->ended) {
		json_add(o, "rule", json_from_text(t->rule));
		json_add(o, "ended_at", json_from_time(t->ended));
		json_add(o, "until", json_from_time(t->until));
		return o;
	}
	json_add(o, "expires_at", json_from_time(t->expires));
	json_add(o, "is_current", json_boolean(t->current));
	json_add(o, "pinned", json_boolean(t->pinned));
	json_add(o, "interrupted", json_boolean(t->interrupted));
	json_add(o, "protected_by", *t->guard ? json_from_text(t->guard) : json_null());
	json_add(o, "in_use", json_boolean(is_in_use(t)));
	return o;
}

void listing_say_hidden(const struct told_list *list, const char *where)
{
	if (list->hidden > 0)
		message_note("%zu more %s: only their owners may look at them", list->hidden, where);
}
