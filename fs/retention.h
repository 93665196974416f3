/*
 * retention.h - the rules of how long a session stays, and nothing else: no store, no clock, no memory.
 */
#pragma once

#include "fs/fs.h"
#include "fs/life.h"

/* What the rules look at. */
struct retention_subject {
	uint32_t status, flags; /* as in struct store_session */
	int64_t written; /* its last write, in the clock of ages (age_clock.h) */
	int64_t expires; /* as in struct store_session: by the clock of the wall */
};

/*
 * The rule that ends it, were it not guarded, and when, by the clock of the wall, which is ahead of the clock of ages
 * by `skew`: LIFE_NO_RULE and STORE_NEVER if none does.
 */
enum life_rule retention_rule(const struct fs_options *, const struct retention_subject *, int64_t skew,
	int64_t *ret_expires);
/* What guards it by itself: LIFE_PINNED, LIFE_PAUSED, or nothing. */
enum life_guard retention_guard(const struct retention_subject *);
/* Its status lets its content change. */
bool retention_may_change(const struct retention_subject *);
/* When a file in cache/ goes; a moment in the past for one that is due. STORE_NEVER. */
int64_t retention_cache(const struct fs_options *, int64_t mtime, int64_t jumped);

static inline struct retention_subject retention_subject_of(const struct store_session *record)
{
	return (struct retention_subject){.status = record->status, .flags = record->flags,
		.written = age_sub(record->last_write, record->skew), .expires = record->expires};
}
