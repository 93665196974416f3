/*
 * control_stream.c - events.jsonl: it grows while it is open, and what was read of it stays as it was.
 *
 * The place of a byte in the file is its position (event.h) less that of the first one there was at the lookup. Lines
 * that go meanwhile read as newlines, but for those that are being read: where the kernel stands in its caching, and a
 * program in its buffer, is within the last two reads.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/control_node.h"
#include "fs/event.h"
#include "fs/event_text.h"

void control_stream_begin(struct control_node *node)
{
	event_text_mend(node->session);
	node->base = event_first(&node->session->record);
	node->known = control_stream_size(node);
	node->seen = node->known;
}

uint64_t control_stream_size(const struct control_node *node)
{
	return event_end(&node->session->record) - node->base;
}

/* What was kept, of the place of what is gone. */
static void put_kept(const struct control_node *node, uint64_t pos, char *buf, size_t len)
{
	uint64_t from = pos > node->kept_from ? pos : node->kept_from;
	uint64_t to = node->kept_from + node->kept_len < pos + len ? node->kept_from + node->kept_len : pos + len;

	if (node->kept && from < to)
		memcpy(buf + (from - pos), node->kept + (from - node->kept_from), (size_t)(to - from));
}

static int read_from(const struct control_node *node, uint64_t pos, char *buf, size_t len, size_t *ret)
{
	const struct store_session *record = &node->session->record;
	uint64_t first = event_first(record), end = event_end(record);
	size_t gone = 0, got = 0;
	int r = 0;

	if (pos >= end)
		len = 0;
	else if (len > end - pos)
		len = (size_t)(end - pos);
	if (pos < first)
		gone = first - pos < len ? (size_t)(first - pos) : len;
	memset(buf, '\n', gone);
	put_kept(node, pos, buf, gone);
	if (len > gone)
		r = event_read(node->session->fs->store, record, pos + gone, buf + gone, len - gone, &got);
	if (!r)
		*ret = gone + got;
	return r;
}

int control_stream_read(struct control_node *node, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	uint64_t pos = node->base + offset;
	int r = read_from(node, pos, buf, len, ret);

	if (r || !*ret)
		return r;
	node->asked[0] = node->given ? node->asked[1] : pos;
	node->asked[1] = pos;
	node->given = pos + *ret;
	if (!node->session->fs->options.writeback && node->seen < offset + *ret)
		node->seen = offset + *ret;
	node->asked_at = session_clock();
	return 0;
}

/* ---- what is being read ------------------------------------------------------------------------------------------ */

enum { KEPT_REACH = 512 << 10 }; /* bytes on either side in which the ends of a line are looked for: none is longer */
#define KEPT_NS (10 * FS_SECOND) /* who has read nothing for so long is at rest */

static uint64_t asked_from(const struct control_node *node)
{
	return node->asked[0] < node->asked[1] ? node->asked[0] : node->asked[1];
}

/* Whole lines, as they read now. */
static void keep(struct control_node *node)
{
	uint64_t from = asked_from(node), low = from > node->base + KEPT_REACH ? from - KEPT_REACH : node->base;
	size_t last = (size_t)(node->given - low - 1), len = 0;
	char *text = malloc(last + KEPT_REACH), *start, *end;

	if (!text || read_from(node, low, text, last + KEPT_REACH, &len) || last >= len) {
		free(text);
		return;
	}
	start = memrchr(text, '\n', (size_t)(from - low));
	start = start ? start + 1 : text;
	end = memchr(text + last, '\n', len - last);
	node->kept_from = low + (uint64_t)(start - text);
	node->kept_len = (size_t)((end ? end + 1 : text + len) - start);
	memmove(text, start, node->kept_len);
	free(node->kept);
	node->kept = text;
}

void control_stream_keep(struct session *session, uint64_t cut)
{
	uint64_t first = event_first(&session->record);
	int64_t now = session_clock();
	struct control_node *node;

	LIST_FOREACH(node, &session->controls, siblings)
		if (node->row->kind == CONTENT_STREAM && node->given > first && asked_from(node) < cut
		    && node->given - asked_from(node) <= KEPT_REACH && now - node->asked_at < KEPT_NS)
			keep(node);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* What was written, behind the part of a line that came before it. */
static int join(struct control_node *node, const char *data, size_t len, char **ret)
{
	char *text = malloc(node->len + len);

	if (!text)
		return -ENOMEM;
	if (node->len)
		memcpy(text, node->text, node->len);
	memcpy(text + node->len, data, len);
	*ret = text;
	return 0;
}

/* Lines that were made of the text, and what is left of it if that is the beginning of one. */
static int take(struct control_node *node, const struct event_text *lines, const char *rest, size_t len)
{
	struct event_part part = {.file = node->id, .text = rest, .len = lines->all ? len : 0, .was = node->len != 0};
	char *held = part.len ? malloc(part.len) : NULL;
	int r;

	if (part.len && !held)
		return -ENOMEM;
	if (held)
		memcpy(held, rest, part.len);
	r = event_text_add(node->session, CHANGE_SETTING, lines, &part);
	if (r) {
		free(held);
		return r;
	}
	free(node->text);
	node->text = held;
	node->len = part.len;
	return 0;
}

/* One batch after the other. They are made without the lock: each line costs some microseconds. */
static int write_text(struct control_node *node, const char *text, size_t len, size_t *ret)
{
	struct fs *fs = node->session->fs;
	struct event_text lines = {.all = false};
	size_t done = 0;
	int r = 0;

	while (!r && !lines.all) {
		fs_unlock(fs);
		r = event_text_make(text + done, len - done, false, &lines);
		fs_lock(fs);
		if (r)
			break;
		r = take(node, &lines, text + done + lines.taken, len - done - lines.taken);
		if (!r)
			done += lines.all ? len - done : lines.taken;
		event_text_release(&lines);
	}
	*ret = done;
	return r;
}

/* Every write appends, at whatever offset: all of it or, where the store has no room for more, some of its lines. */
static int write_new(struct control_node *node, const char *data, size_t len, size_t *ret)
{
	size_t held = node->len, done = 0;
	char *text = NULL;
	int r = change_check(node->session, CHANGE_CONTENT);

	if (!r)
		r = join(node, data, len, &text);
	if (r)
		return r;
	r = write_text(node, text, held + len, &done);
	free(text);
	if (r && done <= held)
		return r;
	*ret = done - held;
	return 0;
}

/* The lock is let go meanwhile, and writes to one file follow one another. */
static int write_in_turn(struct control_node *node, const char *data, size_t len, size_t *ret)
{
	struct fs *fs = node->session->fs;
	int r;

	while (node->writing) {
		fs_unlock(fs);
		fs_give_way();
		fs_lock(fs);
	}
	node->writing = true;
	r = write_new(node, data, len, ret);
	node->writing = false;
	return r;
}

/* With writeback the kernel writes whole pages: what it has from us, or gave us before, is in front of what is new. */
int control_stream_write(struct control_node *node, uint64_t offset, const char *data, size_t len, size_t *ret)
{
	size_t old = 0, done = 0;
	int r;

	node->written = true;
	node->followed = false;
	if (node->session->fs->options.writeback && offset < node->known)
		old = node->known - offset < len ? (size_t)(node->known - offset) : len;
	r = len > old ? write_in_turn(node, data + old, len - old, &done) : 0;
	if (r)
		done = len - old; /* refused for good */
	if (offset + old + done > node->known)
		node->known = offset + old + done;
	if (!r)
		*ret = old + done;
	return r;
}

void control_stream_end(struct control_node *node)
{
	const struct event_part part = {.file = node->id, .text = node->text, .len = node->len};

	if (node->len && !node->session->removed)
		event_text_end(node->session, &part);
	node->len = 0;
}
