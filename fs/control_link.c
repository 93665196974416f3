/*
 * control_link.c - see control_link.h.
 */
#include "fs/control_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/dir.h"
#include "fs/fault.h"
#include "fs/life.h"

#define CURRENT "current"

enum { LINKS_MAX = 16 }; /* in memory; beyond that the oldest goes */

int control_current(struct session *root, char *ret, size_t size)
{
	struct store_sid sid = life_current(root->fs);
	struct session *session;
	int r = sid.n ? session_get(root->fs, sid, &session) : ENOENT;

	if (r)
		return r;
	snprintf(ret, size, "../%s", session->record.name);
	session_put(session);
	return 0;
}

/* The name of the session that a target leads to: NAME, ../NAME, or a path below the mount. */
static const char *name_of_target(const struct fs *fs, const char *target, size_t *ret_len)
{
	size_t mount = strlen(fs->options.mount_path), len;

	if (strncmp(target, fs->options.mount_path, mount) == 0 && target[mount] == '/')
		target += mount;
	else if (strncmp(target, "../", 3) == 0)
		target += 2;
	target += strspn(target, "/");
	for (len = strlen(target); len && target[len - 1] == '/';)
		len--;
	*ret_len = len;
	return target;
}

static int set_current(struct fs *fs, const char *target)
{
	struct store_dirent entry;
	char name[STORE_NAME_MAX + 1];
	size_t len;
	const char *found = name_of_target(fs, target, &len);
	int r = len && len <= STORE_NAME_MAX && !memchr(found, '/', len) ? 0 : ENOENT;

	if (!r) {
		memcpy(name, found, len);
		name[len] = '\0';
		r = dir_find_name(fs->root, name, &entry);
	}
	if (r == ENOENT)
		fault_explain("ln -sfn NAME .sessfs/current", "current leads to a session of this mount");
	return r ? r : life_set_current(fs, entry.session);
}

int control_link_find(struct fs *fs, const char *name, struct control_link **ret)
{
	for (struct control_link *link = fs->links; link; link = link->next)
		if (strcmp(link->name, name) == 0) {
			*ret = link;
			return 0;
		}
	return ENOENT;
}

static void drop(struct control_link **at)
{
	struct control_link *link = *at;

	*at = link->next;
	free(link->target);
	free(link);
}

/* The newest is first. */
static void drop_oldest(struct fs *fs)
{
	struct control_link **at = &fs->links;

	for (unsigned n = 1; *at; n++)
		if (n >= LINKS_MAX)
			drop(at);
		else
			at = &(*at)->next;
}

int control_link_make(struct fs *fs, const char *name, const char *target)
{
	struct control_link *link;

	if (strcmp(name, CURRENT) == 0)
		return set_current(fs, target);
	if (control_link_find(fs, name, &link) == 0)
		return EEXIST;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->target = strdup(target);
	if (!link->target) {
		free(link);
		return -ENOMEM;
	}
	snprintf(link->name, sizeof(link->name), "%s", name);
	drop_oldest(fs);
	link->next = fs->links;
	fs->links = link;
	return 0;
}

static int remove_other(struct fs *fs, const char *name)
{
	for (struct control_link **at = &fs->links; *at; at = &(*at)->next)
		if (strcmp((*at)->name, name) == 0) {
			drop(at);
			return 0;
		}
	return ENOENT;
}

int control_link_remove(struct fs *fs, const char *name)
{
	return strcmp(name, CURRENT) == 0 ? life_set_current(fs, (struct store_sid){0}) : remove_other(fs, name);
}

int control_link_rename(struct fs *fs, const char *name, const char *to_name)
{
	struct control_link *link;
	int r = control_link_find(fs, name, &link);

	if (r)
		return strcmp(name, CURRENT) == 0 ? control_refuse() : r;
	if (strcmp(name, to_name) == 0)
		return 0;
	if (strcmp(to_name, CURRENT) == 0) {
		r = set_current(fs, link->target);
		return r ? r : remove_other(fs, name);
	}
	remove_other(fs, to_name);
	snprintf(link->name, sizeof(link->name), "%s", to_name);
	return 0;
}

void control_link_free_all(struct fs *fs)
{
	while (fs->links)
		drop(&fs->links);
}
