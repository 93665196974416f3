/*
 * text.h - what a session says of itself: query, phase, notes, project, tags, and why it failed. Kept as attributes of
 * its directory's inode whose names ("sessfs.query") no program can reach; store_session.texts says which there are, by
 * bits of enum text. Called with fs->lock held.
 */
#pragma once

#include "fs/change.h"
#include "fs/session.h"

enum text { TEXT_QUERY, TEXT_PHASE, TEXT_NOTES, TEXT_PROJECT, TEXT_TAGS, TEXT_REASON, TEXTS };

/* "query", ... */
const char *text_name(enum text);
/* *ret is for the caller to free, zero-terminated; "" where nothing was set. Costs nothing for a session without. */
int text_get(struct fs *, const struct store_session *, enum text, char **ret, size_t *ret_len);
/*
 * len at most STORE_XATTR_SIZE_MAX, else E2BIG; 0 takes it away. Works while the session is read-only, not while it is
 * in the trash: EROFS. A change of the session as any other: its age begins anew.
 */
int text_set(struct session *, enum text, const char *text, size_t len);
/* The same as part of a change of the session that has begun; `top` is its directory. */
void text_put(struct change *, struct node *top, enum text, const char *text, size_t len);
