/*
 * session.h - the sessions in memory: one object for each session of which a node is in memory, loaded on demand.
 *
 * Session 0, the root directory, has one too, without a record; it stays as long as the fs.
 */
#pragma once

#include "fs/core.h"
#include "fs/uthash.h"

struct session {
	/* set once */
	struct fs *fs;
	struct store_sid sid; /* key */
	UT_hash_handle hh;
	/* protected by fs->lock */
	unsigned users;      /* nodes, control nodes and running operations */
	LIST_HEAD(, node) nodes; /* those in memory */
	LIST_HEAD(, control_node) controls; /* its control files that the kernel knows */
	bool removed;        /* its record is gone; nodes of it may live on */
	/* of one that is in fs->unsaved, and held by it: changed, and not found saved yet */
	bool unsaved;
	TAILQ_ENTRY(session) next_unsaved;
	uint64_t position;      /* store_position behind its last change */
	uint64_t unsaved_bytes; /* of log, of its changes since it was last found saved */
	int64_t referred;    /* when the kernel was last told a name of it, as of session_clock */
	int64_t error_told;  /* when an error of the store was last among its events */
	unsigned launders;   /* how often it was asked to, since it began; 0: it does not, see launder.h */
	struct node *laundered; /* while it does: it came to this node, which is pinned; NULL: it begins */
	unsigned prunes;     /* how often, at the moment, see prune.h */
	bool cache_grew;     /* since the keeper looked at its cache/ last */
	bool drops;          /* it is in fs->dropping, and held by it */
	TAILQ_ENTRY(session) dropping;
	bool followed;       /* with writeback: somebody read its events.jsonl, and may do so again */
	struct {
		int64_t since; /* a minute begins in which few are told by name */
		unsigned told;
	} expired; /* files of cache/, see cache_expiry.c */
	bool mended;         /* no mount before this one left a part of a line, see event_text.h */
	uint32_t view_epoch; /* grows when a directory may have come to another view */
	struct store_session record;
};

/* The one in memory, which is not held by that; NULL: none is. */
struct session *session_find(const struct fs *, struct store_sid);
/* Finds or loads it; the caller puts it back with session_put. ENOENT or negative. */
int session_get(struct fs *, struct store_sid, struct session **ret);
/* For a session that is being made; worthless if the change is not committed. The record is taken over. */
int session_make(struct fs *, const struct store_session *record, struct session **ret);
struct session *session_ref(struct session *);
void session_put(struct session *);

static inline void session_putp(struct session **s)
{
	session_put(*s);
}
#define SESSION_AUTO __attribute__((cleanup(session_putp))) struct session *

/* Nanoseconds of a clock that costs next to nothing, and is good to some milliseconds. */
static inline int64_t session_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * FS_SECOND + ts.tv_nsec;
}

/* A change of it, of so many bytes of log, was committed. */
void session_changed(struct session *, size_t bytes);
/*
 * Bytes of its changes that a power cut would lose, as the log has them. *ret_saved: when the store was saved last
 * before these; if there are none, when its last change was, or, if that is older than the mount, when that began.
 */
uint64_t session_unsaved(struct session *, int64_t *ret_saved);
/* At the end of the mount: none is held any more because it is not saved. */
void session_leave_unsaved(struct fs *);

/*
 * The record as it is to be shown: `stored` is what its files occupy now, the sum of what store_stored says of each.
 * The caller releases it. With `pauses` fs->lock is let go now and then; without, what was written since the last
 * flush is not counted where that is a great many files. ENOENT or negative.
 */
int session_show(struct fs *, struct store_sid, bool pauses, struct store_session *ret);

/* A name, of at most STORE_NAME_MAX bytes. */
void session_set_name(struct store_session *, const char *name);
/* How many names of files there are in all of its views. */
uint64_t session_files(const struct store_session *);
/* So many that session_show may take longer than a request should wait for another: about a microsecond each. */
bool session_is_large(const struct session *);

/* Its record is gone from the store. */
void session_set_removed(struct session *);

static inline bool session_is_root(const struct session *s)
{
	return s->sid.n == 0;
}
