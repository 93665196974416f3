/*
 * event_text.c - see event_text.h.
 */
#include "fs/event_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/event.h"
#include "fs/utf8.h"

#define PREFIX "sessfs.part."

enum {
	BATCH_BYTES = 1 << 16, /* of lines: a batch is to be quick */
	BATCH_LINES = 1000,
	LEFT_MAX = 16, /* parts taken from the store in one go */
};

/* ---- making ------------------------------------------------------------------------------------------------------ */

static bool is_object(const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	/* Most lines of text are none at the first look. */
	return len && *line == '{' && json_is_object_text(line, len);
}

static void add_text(struct event_text *t, json_t *time, const char *text, size_t len, bool goes_on)
{
	json_t *object = json_object();

	set_value(object, "time", json_incref(time));
	set_value(object, "event", text_value("text"));
	set_value(object, "text", bytes_value(text, len));
	if (goes_on)
		set_value(object, "goes_on", json_true());
	json_long_line(&t->lines, object);
	t->count++;
}

static void add_line(struct event_text *t, json_t *time, const char *line, size_t len)
{
	if (!is_object(line, len)) {
		add_text(t, time, line, len, false);
		return;
	}
	json_long_bytes(&t->lines, line, len);
	json_long_bytes(&t->lines, "\n", 1);
	t->count++;
}

static void make_lines(struct event_text *t, json_t *time, const char *text, size_t len, bool ends)
{
	while (t->taken < len && t->count < BATCH_LINES && t->lines.len < BATCH_BYTES) {
		const char *line = text + t->taken, *end = memchr(line, '\n', len - t->taken);
		size_t line_len = end ? (size_t)(end - line) : len - t->taken;

		if (line_len > EVENT_TEXT_MAX) {
			size_t slice = utf8_cut(line, EVENT_TEXT_MAX);

			add_text(t, time, line, slice, true);
			t->taken += slice;
			continue;
		}
		if (!end && !ends && !is_object(line, line_len)) {
			t->all = true;
			return;
		}
		if (line_len)
			add_line(t, time, line, line_len);
		t->taken += line_len + (end ? 1 : 0);
	}
	t->all = t->taken == len;
}

int event_text_make(const char *text, size_t len, bool ends, struct event_text *ret)
{
	struct event_text t = {.count = 0};
	json_t *time;

	json_begin();
	time = time_value(fs_now());
	make_lines(&t, time, text, len, ends);
	json_decref(time);
	if (json_is_incomplete()) {
		event_text_release(&t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void event_text_release(struct event_text *t)
{
	free(t->lines.text);
	t->lines.text = NULL;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

struct part_name {
	char text[64];
};

static struct part_name name_of(const struct fs *fs, const struct event_part *part)
{
	struct part_name name;

	snprintf(name.text, sizeof(name.text), PREFIX "%llx.%llx", (unsigned long long)fs->started,
		(unsigned long long)part->file);
	return name;
}

static void put_part(struct change *c, struct node *top, const char *name, const struct event_part *part)
{
	struct store_sid sid = c->session->sid;

	if (part->len) {
		store_batch_put_xattr(c->batch, sid, top->ino, name, part->text, part->len);
		change_inode(c, top)->flags |= STORE_INODE_HAS_XATTR;
	} else if (part->was) {
		store_batch_delete_xattr(c->batch, sid, top->ino, name);
	}
}

static int add(struct session *session, enum change_kind kind, const struct event_text *t, const char *name,
	const struct event_part *part)
{
	NODE_AUTO top = NULL;
	CHANGE_AUTO(c);
	int r;

	if (session->removed)
		return ENOENT;
	if (!t->count && !part->len && !part->was)
		return 0;
	r = node_load(session->fs, session->sid, session->record.root, &top);
	if (!r)
		r = event_begin(&c, kind, session, t->count, t->lines.len, part->len);
	if (!r && !c.session)
		return EPERM;
	if (!r && t->count)
		r = event_put_lines(&c, t->lines.text, t->lines.len, t->count);
	if (r)
		return r;
	put_part(&c, top, name, part);
	return change_commit(&c);
}

int event_text_add(struct session *session, enum change_kind kind, const struct event_text *t,
	const struct event_part *part)
{
	return add(session, kind, t, name_of(session->fs, part).text, part);
}

/* ---- what is left of a line -------------------------------------------------------------------------------------- */

static int end_part(struct session *session, const char *name, const char *text, size_t len)
{
	struct event_part none = {.was = true};
	struct event_text t = {.count = 0};
	int r = event_text_make(text, len, true, &t);

	if (!r)
		r = add(session, CHANGE_UPKEEP, &t, name, &none);
	event_text_release(&t);
	return r;
}

void event_text_end(struct session *session, const struct event_part *part)
{
	(void)end_part(session, name_of(session->fs, part).text, part->text, part->len);
}

struct left {
	char own[64]; /* how the names of this mount begin */
	unsigned count;
	char names[LEFT_MAX][STORE_XATTR_NAME_MAX + 1];
};

static bool take_left(void *arg, const char *name, size_t len)
{
	struct left *left = arg;
	char *taken = left->names[left->count];

	if (len > STORE_XATTR_NAME_MAX)
		return false;
	memcpy(taken, name, len);
	taken[len] = '\0';
	if (strncmp(taken, PREFIX, strlen(PREFIX)) == 0 && strncmp(taken, left->own, strlen(left->own)) != 0)
		left->count++;
	return left->count == LEFT_MAX;
}

static int mend(struct session *session, const char *name)
{
	struct store *store = session->fs->store;
	void *text;
	size_t len;
	int r = error_of_store(store_get_xattr(store, session->sid, session->record.root, name, &text, &len));

	if (r)
		return r;
	r = end_part(session, name, text, len);
	free(text);
	return r;
}

/* Some of them; false if there are no more, or they cannot be mended now. */
static bool mend_some(struct session *session)
{
	struct fs *fs = session->fs;
	struct left left = {.count = 0};

	snprintf(left.own, sizeof(left.own), PREFIX "%llx.", (unsigned long long)fs->started);
	if (store_scan_xattrs(fs->store, session->sid, session->record.root, take_left, &left))
		return false;
	for (unsigned i = 0; i < left.count; i++)
		if (mend(session, left.names[i]))
			return false;
	return left.count == LEFT_MAX;
}

void event_text_mend(struct session *session)
{
	NODE_AUTO top = NULL;

	if (session->mended || session->fs->options.read_only || session->removed)
		return;
	session->mended = true;
	if (node_load(session->fs, session->sid, session->record.root, &top)
	    || !(top->inode.flags & STORE_INODE_HAS_XATTR))
		return;
	while (mend_some(session))
		;
}
