/*
 * text.c - see text.h.
 */
#include "fs/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/error.h"

static const char *const names[TEXTS] = {
	[TEXT_QUERY] = "query", [TEXT_PHASE] = "phase", [TEXT_NOTES] = "notes", [TEXT_PROJECT] = "project",
	[TEXT_TAGS] = "tags", [TEXT_REASON] = "reason",
};

const char *text_name(enum text text)
{
	return names[text];
}

struct attribute {
	char name[32];
};

static struct attribute attribute_of(enum text text)
{
	struct attribute attribute;

	snprintf(attribute.name, sizeof(attribute.name), "sessfs.%s", names[text]);
	return attribute;
}

static int load(struct fs *fs, const struct store_session *record, enum text text, void **ret, size_t *ret_len)
{
	if (!(record->texts & 1u << text))
		return ENOENT;
	return error_of_store(store_get_xattr(fs->store, record->sid, record->root, attribute_of(text).name, ret,
		ret_len));
}

int text_get(struct fs *fs, const struct store_session *record, enum text text, char **ret, size_t *ret_len)
{
	void *data = NULL;
	size_t len = 0;
	char *whole;
	int r = load(fs, record, text, &data, &len);

	if (r && r != ENOENT)
		return r;
	whole = realloc(data, len + 1);
	if (!whole) {
		free(data);
		return -ENOMEM;
	}
	whole[len] = '\0';
	*ret = whole;
	*ret_len = len;
	return 0;
}

void text_put(struct change *c, struct node *top, enum text text, const char *value, size_t len)
{
	struct store_sid sid = c->session->sid;

	if (len) {
		store_batch_put_xattr(c->batch, sid, top->ino, attribute_of(text).name, value, len);
		change_inode(c, top)->flags |= STORE_INODE_HAS_XATTR;
		c->record.texts |= 1u << text;
	} else if (c->record.texts & 1u << text) {
		store_batch_delete_xattr(c->batch, sid, top->ino, attribute_of(text).name);
		c->record.texts &= ~(1u << text);
	}
}

int text_set(struct session *session, enum text text, const char *value, size_t len)
{
	NODE_AUTO top = NULL;
	CHANGE_AUTO(c);
	int r = len > STORE_XATTR_SIZE_MAX ? E2BIG : session->removed ? ENOENT : 0;

	if (!r)
		r = node_load(session->fs, session->sid, session->record.root, &top);
	if (!r)
		r = change_begin_as(&c, CHANGE_SETTING, session, len ? STORE_GROW : STORE_SHRINK, len);
	if (r)
		return r;
	text_put(&c, top, text, value, len);
	return change_commit(&c);
}
