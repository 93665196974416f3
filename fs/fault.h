/*
 * fault.h - the errors the filesystem answered with, for errors.jsonl: the last of them, in memory, with cause and
 * advice. The same memory serves all sessions; it is taken with the first error.
 */
#pragma once

#include "fs/node.h"

struct fault_ring;

struct fault {
	int64_t time;
	struct store_sid session; /* 0: of none */
	uint64_t number; /* over all; grows */
	uint64_t ino;    /* that was asked, 0: a control file */
	const char *operation;
	int error;
	char name[64];   /* that it was asked for, or "" */
	char cause[160]; /* "": what the errno says, */
	const char *advice; /* and its advice; NULL: none; static */
};

/*
 * The cause of the error that the operation of this thread is about to answer, in a sentence: for errors whose number
 * alone does not tell it (a bad value, a read-only state). advice: what to do about it, static, or NULL where the cause
 * says it. Forgotten with the operation.
 */
__attribute__((format(printf, 2, 3))) void fault_explain(const char *advice, const char *format, ...);
/* Before an operation: what was explained is forgotten. */
void fault_forget(void);

/*
 * Takes down an answer, unless it is one that programs ask for (no such name, no such attribute). id: the node that was
 * asked; name: or NULL; operation: static. Takes fs->lock by itself. An error that is not the program's own (EIO,
 * ENOSPC) also becomes an event of the session.
 */
void fault_note(struct fs *, const char *operation, struct fs_id, const char *name, int error);

/* The last `max` of a session, or (sid 0) of none: of the root and .sessfs. Oldest first. fs->lock held. */
void fault_each(const struct fs *, struct store_sid, unsigned max, void (*each)(void *arg, const struct fault *),
	void *arg);
/* How many there were. */
uint64_t fault_count(const struct fs *);
/* The sentence that was explained, else that of the errno. */
const char *fault_cause(const struct fault *);
/* What to do about it, or NULL. */
const char *fault_advice(const struct fault *);
/* "EINVAL" */
const char *fault_error_name(int error);
void fault_free(struct fs *);
