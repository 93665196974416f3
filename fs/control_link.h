/*
 * control_link.h - the symlink .sessfs/current, and others beside it, which live in memory until they are renamed to
 * it: `ln -sfn` makes one by another name first.
 */
#pragma once

#include "fs/control_node.h"

struct control_link {
	struct control_link *next;
	char *target;
	char name[STORE_NAME_MAX + 1];
};

/* Where .sessfs/current leads. ENOENT. */
int control_current(struct session *root, char *ret, size_t size);

/* A link other than current. ENOENT. */
int control_link_find(struct fs *, const char *name, struct control_link **ret);
/* ENOENT: the target of current is no session. */
int control_link_make(struct fs *, const char *name, const char *target);
/* Of current: unsets it. ENOENT. */
int control_link_remove(struct fs *, const char *name);
int control_link_rename(struct fs *, const char *name, const char *to_name);
void control_link_free_all(struct fs *);
