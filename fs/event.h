/*
 * event.h - the events of a session: lines of JSON in its events.jsonl, kept in the store as content of the session
 * directory's inode. The oldest lines go beyond 10,000 lines or 4 MiB. Called with fs->lock held.
 */
#pragma once

#include "fs/change.h"

/* JSON members of an event besides `time` and `event`; values are text. Ends with a NULL name. */
struct event_member {
	const char *name, *value;
};

/*
 * Adds a line to a change that has been begun for the session (whose record it has staged), so that the event is told
 * if and only if what it tells happened. kind: "created", "status", "expired file", ...
 */
void event_add(struct change *, const char *kind, const struct event_member *);
/* The most bytes that event_add adds to a batch: to be allowed for in change_begin. */
#define EVENT_MAX 4096
