/*
 * life.h - the life of a session: its status, how long it stays, its end, the trash. Everything here is called with
 * fs->lock held, and returns results as of error.h.
 *
 *   active -> paused | completed | failed | archived      paused, failed -> active      completed, failed -> archived
 *
 *   alive --expired or removed--> in the trash --grace over, or space needed--> dropped; a store_ending remains
 *              ^-------- taken back ----/
 */
#pragma once

#include "fs/session.h"

/* Why a session ended; the numbers are kept in the store. */
enum life_rule {
	LIFE_NO_RULE,
	LIFE_TTL,        /* no write for `ttl`, active or failed */
	LIFE_RETAIN,     /* no write for `retain`, completed or archived */
	LIFE_KEEP,       /* more than `keep` newer ones */
	LIFE_EXPIRES_AT, /* its own expires_at */
	LIFE_REMOVED,    /* by somebody */
	LIFE_RULES,
};
/* "ttl", "retain", "keep", "expires_at", "removed"; "none" */
const char *life_rule_name(enum life_rule);

/* What keeps it, whatever its age; in the order in which it is told. */
enum life_guard {
	LIFE_UNGUARDED,
	LIFE_PINNED,
	LIFE_PAUSED,
	LIFE_CURRENT,
	LIFE_IN_USE,
	LIFE_READ_ONLY, /* the mount: nothing ends */
	LIFE_GUARDS
};
/* "pinned", "paused", "current", "in use", "mounted read-only"; "none" */
const char *life_guard_name(enum life_guard);

/* What will become of a session, as far as it is known now. */
struct life_outlook {
	enum life_rule rule;   /* that will end it, were it not guarded; LIFE_NO_RULE: none */
	int64_t expires;       /* when, in the time of the clock on the wall; STORE_NEVER */
	enum life_guard guard; /* LIFE_IN_USE only where `expires` has passed */
	int64_t last_write;    /* from which its age counts */
	uint64_t newer;        /* of LIFE_KEEP: sessions that are newer than it */
};
struct life_outlook life_outlook(struct fs *, const struct store_session *);

/* ---- status ------------------------------------------------------------------------------------------------------ */

/* "active", "paused", ... */
const char *life_status_name(enum store_status);
/* False if there is no such word. */
bool life_status_parse(const char *word, enum store_status *ret);
/* Changes are answered EROFS: by its status, or because it is in the trash. */
bool life_is_read_only(const struct store_session *);
/*
 * It was active when the daemon died or the machine went down, and its status has not been written since. One in the
 * trash was not at work; what had interrupted it before stays told.
 */
bool life_is_interrupted(const struct fs *, const struct store_session *);
/*
 * EINVAL if the status cannot follow the present one: *ret_why, static, says it in a sentence. `reason`, or NULL, is
 * told in the event.
 */
int life_set_status(struct session *, enum store_status, const char *reason, const char **ret_why);

/* The reason of a session that has failed, which is told too. */
int life_set_reason(struct session *, const char *reason);

/* ---- settings, written also while it is read-only ---------------------------------------------------------------- */

int life_set_pinned(struct session *, bool);
/* A time, STORE_NEVER, or 0: by the rules again. */
int life_set_expires(struct session *, int64_t);
int life_set_progress(struct session *, uint32_t millionths);

/* The one that was set, which that guards, else the newest; 0 if there is none. */
struct store_sid life_current(const struct fs *);
/* 0 unsets. ENOENT. */
int life_set_current(struct fs *, struct store_sid);

/* ---- sessions alive, and in the trash ---------------------------------------------------------------------------- */

/*
 * Numbers of the living ones, or of those in the trash, in ascending order, behind `after`: at most `max` into `ret`;
 * how many is returned, 0 only when there are no more. From memory, without asking the store. A living one whose time
 * is over is left out.
 * With `after` others are let to the lock first (fs_pause), as it is asked in slices.
 */
unsigned life_list(struct fs *, bool trash, uint32_t after, struct store_sid *ret, unsigned max);
/*
 * The name in .sessfs/trash, which no other one there has, and which stays: the session's, or, where that was taken
 * when it came, NAME~NUMBER. name has STORE_NAME_MAX + 1 bytes.
 */
int life_trash_name(struct fs *, struct store_sid, char *name);
/* ENOENT. */
int life_trash_find(struct fs *, const char *name, struct store_sid *ret);
/* Moves a living session to the trash. EBUSY: it is the current one. */
int life_end(struct session *, enum life_rule);
/* Out of the trash, by a name that is free in the root: EEXIST. */
int life_take_back(struct session *, const char *name);
/* Drops one in the trash at once. */
int life_drop(struct session *);
/* It was dropped, and is only still there because it was open: it does not come back into the trash. */
bool life_is_dropped(const struct store_session *);
