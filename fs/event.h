/*
 * event.h - the events of a session: lines of JSON in its events.jsonl, kept in the store as content of the session
 * directory's inode. Called with fs->lock held, but for event_read.
 *
 * Each byte has a position that it keeps; lines are added at the end. When there are more than EVENT_LINES or
 * EVENT_BYTES of them, an eighth goes from the front with the next change. Every session begins with the line of its
 * creation, which is made up until there is a second one: a session without events costs nothing.
 */
#pragma once

#include "fs/change.h"

/* JSON members of an event besides `time` and `event`; values are text. Ends with a NULL name. */
struct event_member {
	const char *name, *value;
};

/* What is kept of one session at most, and what one change may add by event_add. */
enum { EVENT_LINES = 10000, EVENT_BYTES = 4 << 20, EVENT_PER_CHANGE = 16 };

/* The most bytes that event_add adds to a batch: to be allowed for in change_begin. Longer values are cut. */
#define EVENT_MAX 4096

/*
 * Adds a line to a change that has been begun for the session (whose record it has staged), so that the event is told
 * if and only if what it tells happened. kind: "status", "expired file", ... 0 or -ENOMEM. members: or NULL.
 */
int event_add(struct change *, const char *kind, const struct event_member *members);
/* The same to a record that the caller puts into the batch. */
int event_put(struct change *, struct store_session *, const char *kind, const struct event_member *members);

/*
 * Begins a change that adds so many lines, of so many bytes, made elsewhere (event_text.c), and `more` bytes of
 * something else; and adds them.
 */
int event_begin(struct change *, enum change_kind, struct session *, uint32_t lines, size_t bytes, size_t more);
int event_put_lines(struct change *, const char *text, size_t len, uint32_t lines);

/* Positions between which there is something to be read; the line of the creation counts. */
uint64_t event_first(const struct store_session *);
uint64_t event_end(const struct store_session *);
/* Reads from pos on, of what the record covers; *ret is less than len at its end only, 0 before event_first. */
int event_read(struct store *, const struct store_session *, uint64_t pos, char *buf, size_t len, size_t *ret);

/* ---- of change.c ------------------------------------------------------------------------------------------------- */

/* Where the oldest lines end that go. */
struct event_cut {
	uint64_t position; /* 0: none go */
	uint32_t left;     /* lines behind it */
};

/* The next change has to cut. */
static inline bool event_is_full(const struct store_session *record)
{
	return record->event_lines > EVENT_LINES - EVENT_PER_CHANGE
		|| record->end_event - record->first_event > EVENT_BYTES - EVENT_PER_CHANGE * EVENT_MAX;
}

/* Before the change begins. Lines that cannot be read go. */
void event_find_cut(struct store *, const struct store_session *, uint32_t lines, uint64_t bytes,
	struct event_cut *ret);
void event_apply_cut(struct change *, const struct event_cut *);
