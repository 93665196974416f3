/*
 * control_stream.c - events.jsonl: it grows while it is open, and what was read of it stays as it was.
 *
 * The place of a byte in the file is its position (event.h) less that of the first one there was at the lookup. Lines
 * that go meanwhile read as newlines.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/control_node.h"
#include "fs/event.h"
#include "fs/fault.h"

void control_stream_begin(struct control_node *node)
{
	node->base = event_first(&node->session->record);
	node->known = control_stream_size(node);
}

uint64_t control_stream_size(const struct control_node *node)
{
	return event_end(&node->session->record) - node->base;
}

int control_stream_read(struct control_node *node, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	const struct store_session *record = &node->session->record;
	uint64_t size = control_stream_size(node), first = event_first(record), pos = node->base + offset;
	size_t gone = 0, got = 0;
	int r = 0;

	if (offset >= size)
		len = 0;
	else if (len > size - offset)
		len = (size_t)(size - offset);
	if (pos < first)
		gone = first - pos < len ? (size_t)(first - pos) : len;
	memset(buf, '\n', gone);
	if (len > gone)
		r = event_read(node->session->fs->store, record, pos + gone, buf + gone, len - gone, &got);
	if (!r)
		*ret = gone + got;
	return r;
}

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

/* The part of a line that is left waits for its newline, or for the end of the node. */
static int hold(struct control_node *node, const char *part, size_t len)
{
	char *held = NULL;

	if (len) {
		held = malloc(len);
		if (!held)
			return -ENOMEM;
		memcpy(held, part, len);
	}
	free(node->text);
	node->text = held;
	node->len = len;
	return 0;
}

/* Whole lines, all or, where a batch has no room for more, some of them. */
static int append(struct session *session, const char *text, size_t len, size_t *ret)
{
	size_t done = 0;

	while (done < len) {
		size_t taken = 0;
		int r = event_append_text(session, text + done, len - done, &taken);

		if (r && !done)
			return r;
		if (r || !taken)
			break;
		done += taken;
	}
	*ret = done;
	return 0;
}

static bool is_whole(const char *part, size_t len)
{
	json_t *value = json_loadb(part, len, 0, NULL);
	bool is = json_is_object(value);

	json_decref(value);
	return is;
}

/* How much of the text is lines; a last one that lacks its newline counts if nothing can follow. */
static size_t lines_of(const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len);
	size_t whole = end ? (size_t)(end - text) + 1 : 0;

	return whole < len && is_whole(text + whole, len - whole) ? len : whole;
}

static int write_lines(struct control_node *node, const char *text, size_t len, size_t *ret)
{
	size_t whole = lines_of(text, len), done = 0;
	int r = 0;

	if (len - whole > EVENT_TEXT_MAX) {
		fault_explain("write shorter lines, each with its newline", "a line of %s has at most %d bytes", node->row->name,
			EVENT_TEXT_MAX);
		return EINVAL;
	}
	r = append(node->session, text, whole, &done);
	if (r)
		return r;
	*ret = done == whole ? len : done;
	return hold(node, text + whole, done == whole ? len - whole : 0);
}

/* Every write appends, at whatever offset. */
static int write_new(struct control_node *node, const char *data, size_t len, size_t *ret)
{
	size_t held = node->len, done = 0;
	char *text = NULL;
	int r = change_check(node->session, CHANGE_CONTENT);

	if (!r)
		r = join(node, data, len, &text);
	if (r)
		return r;
	r = write_lines(node, text, held + len, &done);
	if (!r)
		*ret = done > held ? done - held : len;
	else if (r == EINVAL)
		hold(node, NULL, 0); /* the whole line is refused */
	free(text);
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
	r = len > old ? write_new(node, data + old, len - old, &done) : 0;
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
	size_t done = 0;

	if (node->len && !node->session->removed)
		append(node->session, node->text, node->len, &done);
	node->len = 0;
}
