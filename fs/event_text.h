/*
 * event_text.h - what programs append to events.jsonl. A line that is a JSON object stays as it is, any other becomes
 * the text of an event.
 *
 * A write may end within a line. What is begun is kept with the session before the write is answered, as an attribute
 * of its directory that no program reaches ("sessfs.part.MOUNT.FILE"), until the same open file writes on. It becomes a
 * line of its own when nobody has that file any more, or, where the daemon died first, when the next mount looks.
 */
#pragma once

#include "fs/change.h"
#include "fs/json.h"

/* Bytes of a line of text, and of the beginning of one. */
enum { EVENT_TEXT_MAX = 65536 };

/* Lines for one batch. Begins all zero. */
struct event_text {
	struct json_long lines;
	uint32_t count;
	size_t taken; /* bytes of the text that they are */
	bool all;     /* nothing but the beginning of a line is left */
};

/*
 * Makes lines of what is at the front of the text; needs no lock. The last line's newline may lack: it counts as one if
 * it is an object, or if the text `ends` with it. A line longer than EVENT_TEXT_MAX becomes several, all but the last
 * with "goes_on". 0 or -ENOMEM.
 */
int event_text_make(const char *text, size_t len, bool ends, struct event_text *ret);
void event_text_release(struct event_text *);

/* The beginning of a line. */
struct event_part {
	uint64_t file; /* who writes it: unique in this mount */
	const char *text;
	size_t len; /* 0: there is none any more */
	bool was;   /* there was one */
};

/* Adds the lines and keeps the part, in one batch. ENOENT if the session is removed. fs->lock held, as below. */
int event_text_add(struct session *, enum change_kind, const struct event_text *, const struct event_part *);
/* What was begun in the file becomes a line. If that fails the next mount does it. */
void event_text_end(struct session *, const struct event_part *);
/* The same for what mounts before this one left. Costs nothing the next time. */
void event_text_mend(struct session *);
