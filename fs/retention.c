/*
 * retention.c - see retention.h.
 */
#include "fs/retention.h"

#include <stddef.h>

#include "fs/core.h"

/* Which option holds for which status. Which statuses guard is a matter of retention_guard. */
static const struct {
	size_t option; /* in struct fs_options, seconds; 0: never */
	enum life_rule rule;
} limits[STORE_STATUSES] = {
	[STORE_ACTIVE] = {offsetof(struct fs_options, ttl), LIFE_TTL},
	[STORE_PAUSED] = {offsetof(struct fs_options, ttl), LIFE_TTL},
	[STORE_COMPLETED] = {offsetof(struct fs_options, retain), LIFE_RETAIN},
	[STORE_FAILED] = {offsetof(struct fs_options, ttl), LIFE_TTL},
	[STORE_ARCHIVED] = {offsetof(struct fs_options, retain), LIFE_RETAIN},
};

static int64_t span_of(uint64_t seconds)
{
	return seconds < (uint64_t)(INT64_MAX / FS_SECOND) ? (int64_t)seconds * FS_SECOND : INT64_MAX;
}

enum life_rule retention_rule(const struct fs_options *options, const struct retention_subject *subject, int64_t skew,
	int64_t *ret_expires)
{
	unsigned status = subject->status < STORE_STATUSES ? subject->status : STORE_ARCHIVED;
	uint64_t limit = *(const uint64_t *)((const char *)options + limits[status].option);

	*ret_expires = STORE_NEVER;
	if (subject->expires) {
		*ret_expires = subject->expires;
		return subject->expires == STORE_NEVER ? LIFE_NO_RULE : LIFE_EXPIRES_AT;
	}
	if (!limit)
		return LIFE_NO_RULE;
	*ret_expires = age_add(age_add(subject->written, span_of(limit)), skew);
	return limits[status].rule;
}

enum life_guard retention_guard(const struct retention_subject *subject)
{
	if (subject->flags & STORE_SESSION_PINNED)
		return LIFE_PINNED;
	return subject->status == STORE_PAUSED ? LIFE_PAUSED : LIFE_UNGUARDED;
}

bool retention_may_change(const struct retention_subject *subject)
{
	return subject->status == STORE_ACTIVE || subject->status == STORE_FAILED;
}

int64_t retention_cache(const struct fs_options *options, int64_t mtime, int64_t jumped)
{
	if (!options->cache_ttl)
		return STORE_NEVER;
	return age_add(mtime > jumped ? mtime : jumped, span_of(options->cache_ttl));
}
