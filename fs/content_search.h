/*
 * content_search.h - which sessions by-status, by-tag and search name. Called with fs->lock held. What has no texts
 * (store_session.texts) costs no lookup.
 */
#pragma once

#include "fs/session.h"

struct search;

/* Prepares to look for a text, whatever its case: letters of all scripts, as far as they are UTF-8. -ENOMEM. */
int search_new(const char *text, struct search **ret);
void search_free(struct search *);
/* Whether name, query, notes, project or a tag of the session contain it. An empty text is contained in all. */
int search_matches(struct fs *, const struct store_session *, const struct search *, bool *ret);

/* Whether the session has this tag, exactly. */
int search_has_tag(struct fs *, const struct store_session *, const char *tag, bool *ret);
/* Calls each() with the session's tags, in their order, until it returns true. They live for the call. */
int search_each_tag(struct fs *, const struct store_session *, bool (*each)(void *arg, const char *tag), void *arg);
