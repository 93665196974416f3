/*
 * told.h - what the control files tell of sessions, as structs: the only place that knows their members. Whatever they
 * hold, nothing worse comes of it than empty texts and zeros.
 */
#pragma once

#include "mount/controls.h"

struct told {
	const char *name, *status, *path;
	uint64_t number; /* grows with each session made */
	int64_t created, written; /* its last write, from which its age counts */
	int64_t expires;          /* 0: it does not */
	uint64_t files, size, stored;
	double ratio;
	bool current, pinned, interrupted;
	const char *guard; /* what keeps it whatever its age: "pinned", "paused", "current", "in use", or "" */
	/* of one that ended, or will: by which rule, when, and until when it can be taken back (0: not) */
	const char *rule;
	int64_t ended, until;
	/* of one in expiring.json: it would go now; seconds since its last write and newer ones, and how many may be */
	bool due;
	uint64_t age, limit, newer, keep;
	uint64_t creations, modifications, operations; /* of one that ended */
	const json_t *cost;
};

struct told_list {
	json_t *document; /* holds what the texts point to */
	struct told *items;
	size_t count;
	size_t hidden; /* more that there are, which this user may not look at */
};

/* One, from info.json or from an element of a list; the texts point into it. */
void told_one(const json_t *object, struct told *ret);
/* False: the reason was said. Release the list in either case. */
bool told_sessions(const struct place *, struct told_list *ret); /* newest first */
bool told_trash(const struct place *, struct told_list *ret);    /* last ended first */
bool told_history(const struct place *, struct told_list *ret);  /* last ended first */
/* Those in which a text is found, which is a file name; newest first. */
bool told_found(const struct place *, const char *text, struct told_list *ret);
/* What goes by a rule, the next first, and what stays; the document is the first list's. */
bool told_expiring(const struct place *, struct told_list *ret, struct told_list *ret_staying);
void told_release(struct told_list *);
#define TOLD_AUTO __attribute__((cleanup(told_release))) struct told_list
