/*
 * roster.h - all sessions, alive and in the trash, as far as it matters when each is to end: a table in memory, so that
 * nothing is scanned to find out whose time has come.
 *
 * What it knows of a session is right, or a lower bound: a session that is written to comes nearer to its end by
 * nothing, so writes do not touch the table. The true record is in memory then (fs->sessions); when the moment that the
 * table knows has come, it is looked at and put back. When a session leaves memory, its entry becomes right.
 *
 * Whatever can bring an end nearer is told to roster_note after its commit: change_commit does it for changes of the
 * staged record; a record that is put in another way is told by who puts it. All is protected by fs->lock. Whose time
 * has come is in due.h.
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

/* As life_list, with those whose time is over. */
unsigned roster_list(const struct fs *, bool trash, uint32_t after, struct store_sid *ret, unsigned max);
/* The living one with the highest number; 0: there is none. */
struct store_sid roster_newest(const struct fs *);

/* The skew changed, and with it all deadlines by age. */
void roster_clock_jumped(struct fs *);

/* It was set as the current one, or is that no more. */
void roster_guard_changed(struct fs *, struct store_sid);
/* When it ends, or before; a moment in the past for one that was found in use; STORE_NEVER. */
int64_t roster_end(const struct fs *, struct store_sid);

/*
 * The earliest moment at which due_next or due_next_cache has something to say; 0: now; STORE_NEVER. When it
 * becomes an earlier one, the keeper is woken.
 */
int64_t roster_moment(struct fs *);
