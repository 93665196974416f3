/*
 * operation.h - the kinds of request by name, and what they cost.
 */
#pragma once

#include "fs/core.h"

/* The kernel's name for a kind of request, as in linux/fuse.h, in lower case. */
const char *operation_name(unsigned code);
/* Counts one of a kind that took so long. Any thread. */
void operation_count(struct fs *, unsigned code, uint64_t ns);

/* What one kind of request cost so far. */
struct operation_figures {
	uint64_t count, total_ns, min_ns, max_ns;
	/* how many took no longer than operation_bound(bucket), and longer than the one before */
	uint64_t buckets[FS_BUCKETS];
};
void operation_figures(const struct fs *, unsigned code, struct operation_figures *ret);
/* Four bounds to each power of two: what is told by them is less than 1/4 too high. The last bucket has none. */
uint64_t operation_bound(unsigned bucket);
/* So much of the requests (0 to 1) took no longer than this. */
uint64_t operation_quantile(const struct operation_figures *, double part);
/* How many took no longer than 2^power ns. */
uint64_t operation_within(const struct operation_figures *, unsigned power);
