/*
 * event.c - see event.h.
 */
#include "fs/event.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/control.h"
#include "fs/error.h"
#include "fs/json.h"
#include "fs/utf8.h"

enum {
	SHORTEST = 16,        /* characters that are left of a value, whatever else is in the line */
	PIECE = 65536,        /* bytes read at once to find the end of a line */
};

/* ---- one line ---------------------------------------------------------------------------------------------------- */

/* Text of at most `max` bytes, with an ellipsis where some were cut off. */
static json_t *short_value(const char *text, size_t max)
{
	size_t len = strlen(text);
	char *cut;
	json_t *value;

	if (len <= max)
		return text_value(text);
	len = utf8_cut(text, max);
	cut = malloc(len + sizeof("\xE2\x80\xA6"));
	if (!cut)
		return NULL;
	memcpy(cut, text, len);
	memcpy(cut + len, "\xE2\x80\xA6", sizeof("\xE2\x80\xA6"));
	value = text_value(cut);
	free(cut);
	return value;
}

/* The line of an event, with its newline, for the caller to free. */
static int make_line(int64_t now, const char *kind, const struct event_member *members, size_t max, char **ret,
	size_t *ret_len)
{
	json_t *object = json_object();
	char *text;
	size_t len;
	int r;

	json_begin();
	set_value(object, "time", time_value(now));
	set_value(object, "event", text_value(kind));
	for (; members && members->name; members++)
		set_value(object, members->name, short_value(members->value ? members->value : "", max));
	r = json_text(object, 0, &text, &len);
	json_decref(object);
	if (r)
		return r;
	text[len++] = '\n'; /* in the place of the zero */
	*ret = text;
	*ret_len = len;
	return 0;
}

/* The same, of at most `max` bytes: the values are cut until it fits. */
static int make_short_line(int64_t now, const char *kind, const struct event_member *members, size_t max, char **ret,
	size_t *ret_len)
{
	int r = make_line(now, kind, members, max, ret, ret_len);

	for (size_t limit = max / 2; !r && *ret_len > max && limit >= SHORTEST; limit /= 2) {
		free(*ret);
		r = make_line(now, kind, members, limit, ret, ret_len);
	}
	return r;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

/* Its content changed, whatever memory knows of it. */
static void touch_top(struct fs *fs, const struct store_session *record)
{
	struct node *node;

	if (node_find(fs, fs_id_of_ino(record->root), &node))
		return;
	node->written_epoch = store_epoch(fs->store);
	node->stored_epoch = 0;
}

static void write_lines(struct change *c, struct store_session *record, const char *text, size_t len, uint32_t lines)
{
	store_batch_write(c->batch, record->sid, record->root, record->end_event, text, len);
	record->end_event += len;
	record->event_lines += lines;
}

/* What was made up so far is written before the first line that is added. */
static int write_creation(struct change *c, struct store_session *record)
{
	char *line;
	size_t len;
	int r;

	if (record->end_event)
		return 0;
	r = make_line(record->created, "created", NULL, EVENT_MAX, &line, &len);
	if (r)
		return r;
	write_lines(c, record, line, len, 1);
	free(line);
	return 0;
}

int event_put(struct change *c, struct store_session *record, const char *kind, const struct event_member *members)
{
	char *line;
	size_t len;
	int r = write_creation(c, record);

	if (!r)
		r = make_short_line(c->now, kind, members, EVENT_MAX / 2, &line, &len);
	if (r)
		return r;
	write_lines(c, record, line, len, 1);
	free(line);
	touch_top(c->fs, record);
	return 0;
}

int event_add(struct change *c, const char *kind, const struct event_member *members)
{
	return c->session ? event_put(c, &c->record, kind, members) : 0;
}

/* ---- lines that are made elsewhere ------------------------------------------------------------------------------- */

int event_begin(struct change *c, enum change_kind kind, struct session *session, uint32_t lines, size_t bytes,
	size_t more)
{
	struct event_cut cut = {0};
	int r;

	event_find_cut(session->fs->store, &session->record, lines, bytes, &cut);
	control_stream_keep(session, cut.position);
	r = change_begin_as(c, kind, session, STORE_GROW, bytes + more + EVENT_MAX);
	if (!r)
		event_apply_cut(c, &cut);
	return r;
}

int event_put_lines(struct change *c, const char *text, size_t len, uint32_t lines)
{
	int r = write_creation(c, &c->record);

	if (r)
		return r;
	write_lines(c, &c->record, text, len, lines);
	touch_top(c->fs, &c->record);
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

uint64_t event_first(const struct store_session *record)
{
	return record->first_event;
}

uint64_t event_end(const struct store_session *record)
{
	char *line;
	size_t len = 0;

	if (record->end_event)
		return record->end_event;
	if (!make_line(record->created, "created", NULL, EVENT_MAX, &line, &len))
		free(line);
	return len;
}

/* The line of the creation, which is not in the store. */
static int read_creation(const struct store_session *record, uint64_t pos, char *buf, size_t len, size_t *ret)
{
	char *line;
	size_t line_len;
	int r = make_line(record->created, "created", NULL, EVENT_MAX, &line, &line_len);

	if (r)
		return r;
	if (pos > line_len)
		pos = line_len;
	*ret = len < line_len - pos ? len : line_len - (size_t)pos;
	memcpy(buf, line + pos, *ret);
	free(line);
	return 0;
}

int event_read(struct store *store, const struct store_session *record, uint64_t pos, char *buf, size_t len,
	size_t *ret)
{
	uint64_t end = record->end_event;
	int r;

	if (!end)
		return read_creation(record, pos, buf, len, ret);
	if (pos < record->first_event || pos > end)
		pos = end;
	if (len > end - pos)
		len = (size_t)(end - pos);
	r = len ? error_of_store(store_read(store, record->sid, record->root, pos, buf, len)) : 0;
	if (!r)
		*ret = len;
	return r;
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static uint64_t at_least(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Goes behind the first line end at which at least so many lines and bytes lie before it. */
static int find_line(struct store *store, const struct store_session *record, uint64_t lines, uint64_t bytes,
	char *buf, struct event_cut *ret)
{
	uint64_t pos = record->first_event, goal = pos + bytes, seen = 0;

	while (pos < record->end_event) {
		size_t len, at = 0;
		const char *end;
		int r = event_read(store, record, pos, buf, PIECE, &len);

		if (r)
			return r;
		while ((end = memchr(buf + at, '\n', len - at))) {
			at = (size_t)(end - buf) + 1;
			seen++;
			if (seen < lines || pos + at < goal)
				continue;
			ret->position = pos + at;
			ret->left = record->event_lines > seen ? record->event_lines - (uint32_t)seen : 0;
			return 0;
		}
		pos += len;
	}
	return ENOENT;
}

void event_find_cut(struct store *store, const struct store_session *record, uint32_t lines, uint64_t bytes,
	struct event_cut *ret)
{
	uint64_t have = record->end_event - record->first_event, cut_lines = 0, cut_bytes = 0;
	char *buf;
	int r;

	lines += EVENT_PER_CHANGE;
	bytes += EVENT_PER_CHANGE * EVENT_MAX;
	if (record->event_lines + lines > EVENT_LINES)
		cut_lines = at_least(EVENT_LINES / 8, record->event_lines + lines - EVENT_LINES);
	if (have + bytes > EVENT_BYTES)
		cut_bytes = at_least(EVENT_BYTES / 8, have + bytes - EVENT_BYTES);
	if (!cut_lines && !cut_bytes)
		return;
	buf = malloc(PIECE);
	if (!buf)
		return;
	r = find_line(store, record, cut_lines, cut_bytes, buf, ret);
	if (r && r != -ENOMEM)
		*ret = (struct event_cut){.position = record->end_event};
	free(buf);
}

void event_apply_cut(struct change *c, const struct event_cut *cut)
{
	uint64_t chunk = c->record.first_event / STORE_CHUNK_SIZE, last = cut->position / STORE_CHUNK_SIZE;

	if (!c->session || cut->position <= c->record.first_event)
		return;
	c->record.first_event = cut->position;
	c->record.event_lines = cut->left;
	if (last > chunk)
		store_batch_punch(c->batch, c->record.sid, c->record.root, chunk * STORE_CHUNK_SIZE,
			(last - chunk) * STORE_CHUNK_SIZE);
	touch_top(c->fs, &c->record);
}
