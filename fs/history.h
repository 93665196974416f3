/*
 * history.h - tombstones: what remains in the store of sessions that ended, the last HISTORY_MAX of them. Called with
 * fs->lock held.
 */
#pragma once

#include "fs/change.h"

enum { HISTORY_MAX = 1000 };

/* Finds out which there are. */
int history_load(struct fs *);
void history_free(struct history *);

/* Adds a tombstone to a change that ends the session: why, and until when it can be taken back (0: not at all). */
void history_put(struct change *, const struct store_session *, uint32_t ending, int64_t until);
/* Once that change is committed. */
void history_note(struct fs *, struct store_sid, int64_t ended);
/* The session cannot be taken back any more: its tombstone, if it has one still, says so. */
void history_close(struct change *, const struct store_session *);
/*
 * Before a session is taken back: which other one in the trash is to have a tombstone then. There were so many that the
 * oldest went, and what is in the trash has one while there is room. False: none.
 */
bool history_heir(const struct fs *, struct store_sid, struct store_sid *ret);
/*
 * The session is back: takes its tombstone away, and, once that is committed, forgets it. The heir, or NULL, gets its
 * own.
 */
void history_delete(struct change *, struct store_sid, const struct store_session *heir);
void history_forget(struct fs *, struct store_sid, const struct store_session *heir);
