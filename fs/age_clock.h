/*
 * age_clock.h - the clock by which sessions age: that of the wall without its jumps.
 *
 * While mounted, CLOCK_REALTIME is watched against CLOCK_MONOTONIC. When they part by more than a minute (the clock was
 * set, the machine was suspended), the difference is a jump: it is added to the mount's skew, which is kept in the
 * store. A session's record carries the skew as of its last write, so `last_write - record.skew` and `now - skew` are
 * moments of one clock that never jumps, forwards or back. While the store is not mounted time counts as the wall has
 * it, but if that was for more than an hour, or the clock is found behind where it was left, it cannot be told from a
 * clock set wrong: then, and after each jump, nothing is ended by its age for an hour. Whoever set the clock wrong has
 * that long to set it right.
 *
 * Everything here is protected by fs->lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fs;

struct age_clock {
	int64_t skew;   /* sum of the jumps: subtracted from the wall's clock, it gives the clock of ages */
	int64_t hold;   /* before this moment of the wall's clock nothing is ended by its age */
	int64_t jumped; /* moment of the last jump, behind it; 0: none */
	int64_t looked; /* when the two clocks were compared last, by the wall's */
	int64_t apart;  /* by how much they differed then */
	int64_t saved;  /* when it was last written to the store */
};

/* Moments and spans; what lies beyond the ends of time is kept there. Records may hold any. */
static inline int64_t age_add(int64_t moment, int64_t span)
{
	int64_t sum;

	return __builtin_add_overflow(moment, span, &sum) ? span < 0 ? INT64_MIN : INT64_MAX : sum;
}

static inline int64_t age_sub(int64_t moment, int64_t span)
{
	int64_t difference;

	return __builtin_sub_overflow(moment, span, &difference) ? span < 0 ? INT64_MAX : INT64_MIN : difference;
}

/* Reads what the last mount left, and decides on the hour of patience. */
int age_clock_open(struct fs *);
/* Compares the clocks; a jump moves the deadlines of all sessions. */
void age_clock_look(struct fs *, int64_t now);
#define AGE_CLOCK_LOOK_NS (60 * INT64_C(1000000000))
/* It is time to look: a minute passed since, or the clock went back. */
static inline bool age_clock_wants_look(const struct age_clock *clock, int64_t now)
{
	return (uint64_t)(now - clock->looked) > (uint64_t)AGE_CLOCK_LOOK_NS;
}
/* Keeps in the store that the mount was alive at this moment. */
int age_clock_save(struct fs *);
