/*
 * control_write.c - writing control files. How it comes about without an open and a close is drawn in control.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "fs/control_node.h"
#include "fs/control_set.h"
#include "fs/fault.h"

enum { VALUE_MAX = 65536 }; /* bytes of a value */

/* Whether the file takes values at all. */
static int check(const struct control_node *node)
{
	if (node->row->kind == CONTENT_DIR)
		return EISDIR;
	if (node->row->kind != CONTENT_TEXT && node->row->kind != CONTENT_STREAM && !node->row->set) {
		fault_explain("what can be written is status, query, phase, notes, project, tags, progress, pin and "
			"expires_at", "%s is only read", node->row->name);
		return EPERM;
	}
	if (node->session->removed)
		return ENOENT;
	return change_check(node->session, CHANGE_SETTING);
}

static int set_value_of(const struct control_node *node, const char *text, size_t len, bool goes_on)
{
	const struct content_row *row = node->row;

	if (strlen(text) != len) {
		fault_explain("write text", "%s takes no zero bytes", row->name);
		return EINVAL;
	}
	if (goes_on && row->go_on)
		return row->go_on(node->session, text, len);
	return row->set ? row->set(node->session, text, len) : content_set_text(node->session, row->which, text, len);
}

/* The text is another one: a write behind its end goes on with it if it was `taken`. */
static void take_over(struct control_node *node, char *text, size_t len, bool taken)
{
	free(node->text);
	node->text = text;
	node->len = len;
	node->taken = taken;
}

/* A write after truncating was refused: the value comes back. The node is empty, for the next write. */
static void put_back(struct control_node *node)
{
	if (!node->before)
		return;
	if (node->row->kind == CONTENT_TEXT && (node->before_len || node->taken))
		set_value_of(node, node->before, node->before_len, false);
	*node->text = '\0';
	node->len = 0;
	node->taken = false;
}

static int refuse_long(const struct control_node *node)
{
	fault_explain("keep what is longer in a file of the session", "%s takes at most %d bytes", node->row->name,
		VALUE_MAX);
	return EFBIG;
}

/* The node's text with data in it at offset; zeros, which no value has, where nothing was written. */
static int with_data(const struct control_node *node, uint64_t offset, const char *data, size_t len, char **ret,
	size_t *ret_len)
{
	size_t size;
	char *text;

	if (offset > VALUE_MAX || len > VALUE_MAX - offset)
		return refuse_long(node);
	size = offset + len > node->len ? (size_t)offset + len : node->len;
	text = calloc(1, size + 1);
	if (!text)
		return -ENOMEM;
	if (node->len)
		memcpy(text, node->text, node->len);
	memcpy(text + offset, data, len);
	*ret = text;
	*ret_len = size;
	return 0;
}

/* Of what is kept of a text now: not always what was written (control_set.c). 0: there is no memory to find out. */
static uint64_t hash_of_kept(const struct control_node *node)
{
	char *text;
	size_t len;
	uint64_t hash;

	if (node->row->kind != CONTENT_TEXT || content_make(node->row, node->session, &text, &len))
		return 0;
	hash = XXH3_64bits(text, len);
	free(text);
	return hash;
}

/*
 * Who appends (`echo TAG >> tags`) does so to what the text was at his lookup, or when he wrote last: what others wrote
 * since then is taken along, or of two who append one would undo what the other did.
 */
static int catch_up(struct control_node *node, uint64_t offset)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	if (node->row->kind != CONTENT_TEXT || node->before
	    || (offset != node->len && offset + node->shift != node->len))
		return 0;
	if (node->taken && node->kept_hash == hash_of_kept(node))
		return 0;
	r = content_make(node->row, node->session, &text, &len);
	if (r)
		return r;
	node->shift = (uint64_t)len - offset;
	take_over(node, text, len, false);
	return 0;
}

/* With writeback the kernel writes whole pages: how much of a text it has from us, in front of what is appended. */
static size_t known_part(const struct control_node *node, uint64_t offset, const char *data, size_t len)
{
	uint64_t known = node->len - node->shift;
	size_t old = (size_t)(known - offset);

	if (!node->session->fs->options.writeback || node->row->kind != CONTENT_TEXT || node->before || offset >= known
	    || len <= known - offset)
		return 0;
	return node->shift || memcmp(node->text + offset, data, old) == 0 ? old : 0;
}

static int write_value(struct control_node *node, uint64_t offset, const char *data, size_t len)
{
	size_t old = known_part(node, offset, data, len);
	char *text = NULL;
	size_t size = 0;
	bool goes_on;
	int r = catch_up(node, offset + old);

	if (r)
		return r;
	offset += old;
	if (offset != node->len && offset + node->shift == node->len)
		offset = node->len;
	goes_on = node->taken && offset == node->len;
	r = with_data(node, offset, data + old, len - old, &text, &size);
	if (!r)
		r = set_value_of(node, text, size, goes_on);
	if (r) {
		free(text);
		put_back(node);
		return r;
	}
	take_over(node, text, size, true);
	node->kept_hash = hash_of_kept(node);
	return 0;
}

int control_write(struct fs *fs, struct fs_id id, uint64_t offset, const char *data, size_t len, size_t *ret)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	if (!r)
		r = check(node);
	if (r)
		return r;
	*ret = len;
	if (!len)
		return 0;
	return node->row->kind == CONTENT_STREAM ? control_stream_write(node, offset, data, len, ret)
						 : write_value(node, offset, data, len);
}

/* Truncated to nothing: a text is empty now, other values stay until the next write. */
static int clear(struct control_node *node)
{
	char *text = calloc(1, 1);
	int r = text ? 0 : -ENOMEM;

	if (!r && node->len && node->row->kind == CONTENT_TEXT)
		r = set_value_of(node, text, 0, false);
	if (r) {
		free(text);
		return r;
	}
	if (node->len || !node->before) {
		free(node->before);
		node->before = node->text;
		node->before_len = node->len;
		node->text = NULL;
	}
	take_over(node, text, 0, false);
	node->shift = 0;
	return 0;
}

static int shorten(struct control_node *node, size_t size)
{
	char *text = strndup(node->text, size);
	int r = text ? set_value_of(node, text, strlen(text), false) : -ENOMEM;

	if (r) {
		free(text);
		return r;
	}
	take_over(node, text, size, false);
	node->shift = 0;
	return 0;
}

static int truncate_value(struct control_node *node, uint64_t size)
{
	if (node->row->kind == CONTENT_STREAM) {
		fault_explain("open it with >> (O_APPEND)", "%s is only appended to", node->row->name);
		return EPERM;
	}
	if (size && size == node->len)
		return 0;
	if (size > VALUE_MAX)
		return refuse_long(node);
	if (size > node->len) {
		fault_explain("write what it is to say", "%s cannot be made longer by truncating it", node->row->name);
		return EINVAL;
	}
	return size ? shorten(node, (size_t)size) : clear(node);
}

int control_set_attr(struct fs *fs, struct fs_id id, unsigned fields, const struct stat *attr)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	if (r)
		return r;
	if (fields & (ATTR_MODE | ATTR_UID | ATTR_GID)) {
		fault_explain("change those of the session's directory",
			"owner and mode of control files follow their session");
		return EPERM;
	}
	if (!(fields & ATTR_SIZE))
		return 0; /* times are what they are */
	r = check(node);
	if (!r)
		r = attr->st_size < 0 ? EINVAL : truncate_value(node, (uint64_t)attr->st_size);
	return r;
}
