/*
 * content_life.h - what the files that tell of many sessions share. Called with fs->lock held.
 */
#pragma once

#include "fs/content.h"
#include "fs/life.h"

/*
 * Calls each() with every living session, or every one in the trash, in the order of their numbers, in slices: what
 * comes or goes meanwhile may be missing. The record lives for the call.
 */
int content_each_session(struct fs *, bool trash, void (*each)(void *arg, const struct store_session *), void *arg);

/* When it goes, null if never, or as long as something guards it. */
json_t *content_expires(const struct life_outlook *);
/* What guards it, or null. */
json_t *content_guard(const struct life_outlook *);
/* Seconds between two moments, not less than 0. */
json_t *content_seconds(int64_t from, int64_t to);
