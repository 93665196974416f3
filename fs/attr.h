/*
 * attr.h - what the rules share about attributes.
 */
#pragma once

#include "fs/change.h"
#include "fs/rules.h"

/* What stat(2) tells of a node, and for how long the kernel may keep it. */
void attr_fill(struct node *, struct stat *ret, double *ret_timeout);
/*
 * Drops the set-user-ID bit, and the set-group-ID bit where it means execution, as writing and changing the owner do.
 */
mode_t attr_without_suid(mode_t);

/* The inode was read: notes it as relatime of mount(8) does, and where it cannot be noted leaves it. */
void attr_accessed(struct node *);

static inline struct timespec attr_time(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / FS_SECOND, .tv_nsec = ns % FS_SECOND};

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += FS_SECOND;
	}
	return ts;
}
