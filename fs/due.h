/*
 * due.h - whose time has come: of the sessions in the roster those whose time is over or that are beyond `keep`, those
 * that were long enough in the trash, and those in whose cache/ a file may be due. One that turns out to be in use is
 * put off and comes again.
 *
 * fs->lock is held for all of it. A moment `now` is of the clock of the wall (fs_age_now).
 */
#pragma once

#include "fs/roster.h"

/* What due_next found. */
enum due {
	DUE_NOTHING,
	DUE_ENDS,  /* a living session's time is over, unless it is in use */
	DUE_DROPS, /* one in the trash has been there for long enough */
};
/*
 * The next session whose time is over. Takes the time of a comparison when there is none. What was found is to be
 * ended, dropped, or told to due_found_in_use; else it is found again.
 */
enum due due_next(struct fs *, int64_t now, struct store_sid *ret);
/* A living session's time is over, unless it is in use; not for a second after due_found_in_use. */
bool due_is_over(struct fs *, struct store_sid, int64_t now);
/* Some may be over, beside those that were found in use. */
bool due_has_over(const struct fs *, int64_t now);
/* It is beyond `keep`: at least so many unguarded ones are newer. */
bool due_is_excess(struct fs *, struct store_sid);

/* It is in use: it stays for a second, and due_next comes back to it after some time. */
void due_found_in_use(struct fs *, struct store_sid, int64_t now);
/* The same for one that could not be ended, or of which it could not be found out. */
void due_put_off(struct fs *, struct store_sid, int64_t now);
/* It was found in use when it was asked for last. */
bool due_is_in_use(const struct fs *, struct store_sid);

/* The next session below whose cache/ a file may be due; to be told to roster_note, or to due_defer_cache. */
bool due_next_cache(struct fs *, int64_t now, struct store_sid *ret);
/* session->cache_grew was set. */
void due_cache_grew(struct fs *, struct store_sid);
void due_defer_cache(struct fs *, struct store_sid, int64_t moment);
