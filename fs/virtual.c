/*
 * virtual.c - see virtual.h.
 */
#include "fs/virtual.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "fs/content.h"
#include "fs/fault.h"
#include "fs/json.h"
#include "fs/life.h"

#define PREFIX "user.sessfs."

enum { VALUE_MAX = STORE_NAME_MAX + 1 };

/* One of the two: a row of .session, or a function that writes the value. */
struct attribute {
	const char *name;
	bool of_session; /* else of what lies in it */
	const char *row;
	int (*show)(struct node *, char value[VALUE_MAX]);
	bool sums; /* by session_show */
};

static int show_stored(struct node *node, char value[VALUE_MAX])
{
	uint64_t stored;
	int r = node_stored(node, &stored);

	if (!r)
		snprintf(value, VALUE_MAX, "%llu", (unsigned long long)stored);
	return r;
}

static int show_name(struct node *node, char value[VALUE_MAX])
{
	memcpy(value, node->session->record.name, node->session->record.name_len + 1);
	return 0;
}

static int show_trash_name(struct node *node, char value[VALUE_MAX])
{
	int r = life_trash_name(node->session->fs, node->session->sid, value);

	return r == ENOENT ? ENODATA : r;
}

static int session_figures(const struct session *session, uint64_t *ret_logical, uint64_t *ret_stored)
{
	struct store_session record;
	int r = session_show(session->fs, session->sid, true, &record);

	if (r)
		return r;
	*ret_logical = record.logical;
	*ret_stored = record.stored;
	store_session_release(&record);
	return 0;
}

static int show_session_stored(struct node *node, char value[VALUE_MAX])
{
	uint64_t logical, stored;
	int r = session_figures(node->session, &logical, &stored);

	if (!r)
		snprintf(value, VALUE_MAX, "%llu", (unsigned long long)stored);
	return r;
}

/* A number or a string as in JSON. */
static int show_json(json_t *shown, char value[VALUE_MAX])
{
	int r = shown ? 0 : -ENOMEM;

	if (json_is_string(shown))
		snprintf(value, VALUE_MAX, "%s", json_string_value(shown));
	else if (shown)
		snprintf(value, VALUE_MAX, "%.10g", json_number_value(shown));
	json_decref(shown);
	return r;
}

static int show_ratio(struct node *node, char value[VALUE_MAX])
{
	uint64_t logical, stored;
	int r = session_figures(node->session, &logical, &stored);

	return r ? r : show_json(ratio_value(logical, stored), value);
}

static int show_created(struct node *node, char value[VALUE_MAX])
{
	return show_json(time_value(node->inode.btime), value);
}

static int show_maker(struct node *node, char value[VALUE_MAX])
{
	const struct store_inode *inode = &node->inode;
	char command[sizeof(inode->maker) + 1] = "";

	for (size_t i = 0; i < sizeof(inode->maker); i++)
		command[i] = (char)(inode->maker[i / 8] >> i % 8 * 8);
	if (!inode->maker_pid && !*command)
		return ENODATA;
	snprintf(value, VALUE_MAX, "%u %u %s", inode->maker_pid, inode->maker_uid, command);
	return 0;
}

static const struct attribute attributes[] = {
	{"status", true, "status", NULL, false},
	{"expires_at", true, "expires_at", NULL, false},
	{"pin", true, "pin", NULL, false},
	{"name", true, NULL, show_name, false},
	{"trash_name", true, NULL, show_trash_name, false},
	{"stored_bytes", true, NULL, show_session_stored, true},
	{"compression_ratio", true, NULL, show_ratio, true},
	{"created_at", false, NULL, show_created, false},
	{"created_by", false, NULL, show_maker, false},
	{"stored_bytes", false, NULL, show_stored, false},
};

bool virtual_is_name(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

static const struct attribute *find(const struct node *node, const char *name)
{
	if (node_is_root(node) || node->session->removed)
		return NULL;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		if (attributes[i].of_session == node_is_session(node)
		    && strcmp(attributes[i].name, name + strlen(PREFIX)) == 0)
			return &attributes[i];
	return NULL;
}

bool virtual_is_slow(const struct node *node, const char *name)
{
	const struct attribute *attribute = find(node, name);

	return attribute && attribute->sums && session_is_large(node->session);
}

static int show_row(struct node *node, const char *name, char value[VALUE_MAX])
{
	char *text;
	size_t len;
	int r = content_make(content_find(&content_session_dir, name), node->session, &text, &len);

	if (r)
		return r;
	snprintf(value, VALUE_MAX, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return 0;
}

int virtual_get(struct node *node, const char *name, char *buf, size_t size, size_t *ret)
{
	const struct attribute *attribute = find(node, name);
	char value[VALUE_MAX];
	int r = !attribute ? ENODATA : attribute->row ? show_row(node, attribute->row, value)
						      : attribute->show(node, value);

	if (r)
		return r;
	if (size && strlen(value) > size)
		return ERANGE;
	*ret = strlen(value);
	if (size)
		memcpy(buf, value, *ret);
	return 0;
}

/* The value as text, which has no zero within. */
static int set_row(struct session *session, const char *name, const char *value, size_t len)
{
	char *text = strndup(value, len);
	int r = !text ? -ENOMEM : strlen(text) != len ? EINVAL : 0;

	if (!r)
		r = content_find(&content_session_dir, name)->set(session, text, len);
	free(text);
	return r;
}

/* As with the control files, which are their owner's: the kernel asks only whether the directory may be written. */
static int check_caller(const struct node *node, const struct caller *caller)
{
	if (caller->uid == 0 || caller->uid == node->inode.uid)
		return 0;
	fault_explain("ask its owner", "a session's status, expires_at and pin are its owner's to set");
	return EACCES;
}

int virtual_set(struct node *node, const struct caller *caller, const char *name, const char *value, size_t len,
	int flags)
{
	const struct attribute *attribute = find(node, name);
	int r;

	if (!attribute || !attribute->row) {
		fault_explain("of a session, user.sessfs.status, expires_at and pin can be set",
			"attributes named user.sessfs.* are the filesystem's own");
		return EPERM;
	}
	r = check_caller(node, caller);
	if (r)
		return r;
	if (flags & XATTR_CREATE)
		return EEXIST;
	return set_row(node->session, attribute->row, value, len);
}
