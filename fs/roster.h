/*
 * roster.h - all sessions, alive and in the trash, as far as it matters when each is to end: a table in memory, so that
 * nothing is scanned to find out whose time has come.
 *
 * What it knows of a session is right, or a lower bound: a session that is written to comes nearer to its end by
 * nothing, so writes do not touch the table. The true record is in memory then (fs->sessions); when the moment that the
 * table knows has come, it is looked at and put back. When a session leaves memory, its entry becomes right.
 *
 * Whatever can bring an end nearer is told to roster_note after its commit: change_commit does it for changes of the
 * staged record; a record that is put in another way is told by who puts it. All is protected by fs->lock.
 */
#pragma once

#include "fs/life.h"

struct roster;

/* Reads the records of all sessions into fs->roster, to be freed in any case, and of the ended ones into fs->trash. */
int roster_new(struct fs *);
void roster_free(struct roster *);

/* Makes sure that the next roster_add does not fail: to be called before the commit. -ENOMEM. */
int roster_reserve(struct fs *);
/* A session was made. */
void roster_add(struct fs *, const struct store_session *);
/* Its record is this now. Nothing happens for a session that is not in the table. */
void roster_note(struct fs *, const struct store_session *);
/* When its last change was saved; 0: it was not changed in this mount. NULL if it is not in the table. */
int64_t *roster_saved(struct fs *, struct store_sid);
/* Its record is gone, or carries STORE_SESSION_DROPPED. */
void roster_remove(struct fs *, struct store_sid);

/* As life_list and life_count. */
unsigned roster_list(const struct fs *, bool trash, uint32_t after, struct store_sid *ret, unsigned max);
/* The living one with the highest number; 0: there is none. */
struct store_sid roster_newest(const struct fs *);
uint64_t roster_count(const struct fs *, bool trash);

/* The skew changed, and with it all deadlines by age. */
void roster_clock_jumped(struct fs *);

/* It was set as the current one, or is that no more. */
void roster_guard_changed(struct fs *, struct store_sid);
/* When it ends, or before; a moment in the past for one that was found in use; STORE_NEVER. */
int64_t roster_end(const struct fs *, struct store_sid);

/* ---- whose time has come ----------------------------------------------------------------------------------------- */

/* What roster_next found. */
enum roster_matter {
	ROSTER_NOTHING,
	ROSTER_ENDS,  /* a living session's time is over, unless it is in use */
	ROSTER_DROPS, /* one in the trash has been there for long enough */
};
/*
 * The next session whose time is over. Takes the time of a comparison when there is none. What was found is to be
 * ended, dropped, or told to roster_found_in_use; else it is found again.
 */
enum roster_matter roster_next(struct fs *, int64_t now, struct store_sid *ret);
/* A living session's time is over, unless it is in use; not for a second after roster_found_in_use. */
bool roster_is_over(struct fs *, struct store_sid, int64_t now);
/* Some may be over, beside those that were found in use. */
bool roster_has_over(const struct fs *, int64_t now);
/* It is in use: it stays for a second, and roster_next comes back to it after some time. */
void roster_found_in_use(struct fs *, struct store_sid, int64_t now);
/* The same for one that could not be ended, or of which it could not be found out. */
void roster_put_off(struct fs *, struct store_sid, int64_t now);
/* It was found in use when it was asked for last. */
bool roster_is_in_use(const struct fs *, struct store_sid);
/* It is beyond `keep`. *ret_newer: at least so many unguarded ones are newer. */
bool roster_is_excess(struct fs *, struct store_sid, uint64_t *ret_newer);

/* The next session below whose cache/ a file may be due; to be told to roster_note, or to roster_defer_cache. */
bool roster_next_cache(struct fs *, int64_t now, struct store_sid *ret);
/* session->cache_grew was set. */
void roster_cache_grew(struct fs *, struct store_sid);
void roster_defer_cache(struct fs *, struct store_sid, int64_t moment);
/*
 * The earliest moment at which roster_next or roster_next_cache has something to say; 0: now; STORE_NEVER. When it
 * becomes an earlier one, the keeper is woken.
 */
int64_t roster_moment(struct fs *);
