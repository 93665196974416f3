/*
 * trace.h - the file in which preload_power.c records what a daemon does to the files of its store, for powercut.c.
 *
 * A sequence of events, each followed by `length` bytes where the table says so. Files are numbered in the order of
 * their first TRACE_FILE. All writes are unsynced until a later TRACE_SYNC of the file that covers them; TRACE_DURABLE
 * are writes through an O_DSYNC descriptor.
 */
#pragma once

#include <stdint.h>

enum trace_type {
	TRACE_FILE,    /* offset: 1 if it was created by this open; bytes: its name in the store's directory */
	TRACE_WRITE,   /* offset; bytes: what was written */
	TRACE_DURABLE, /* likewise */
	TRACE_SIZE,    /* offset: the new size */
	TRACE_ALLOC,   /* offset: the size it has at least from now on */
	/* covers: number of the first event that it does not cover; of a part of the file only: offset, and `end` */
	TRACE_SYNC,
	TRACE_UNLINK,  /* bytes: the name */
	TRACE_RENAME,  /* bytes: old name, zero, new name */
	TRACE_MOMENT,  /* nothing happened: all mapped files were looked at */
};

struct trace_event {
	int64_t time; /* CLOCK_MONOTONIC, ns; later than all that the event describes, earlier than the call's return */
	uint32_t type, file;
	uint64_t offset, end, covers;
	uint64_t length; /* of the bytes that follow; padded to 8 */
};

enum { TRACE_SECTOR = 512 };

static inline uint64_t trace_padded(uint64_t length)
{
	return (length + 7) & ~UINT64_C(7);
}
