/*
 * age_clock.c - see age_clock.h. Kept as a value of the mount: skew, moment of the last jump, and when the store was
 * last known to be mounted, each in nanoseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "fs/core.h"
#include "fs/roster.h"
#include "fs/values.h"

#define CLOCK_NAME "sessfs.clock"
#define JUMP (60 * FS_SECOND)
#define PATIENCE (3600 * FS_SECOND)

enum { CLOCK_TEXT = 128 };

/* By how much the wall's clock is ahead of the one that is never set and that sleeps with the machine. */
static int64_t clocks_apart(int64_t now)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return now - (ts.tv_sec * FS_SECOND + ts.tv_nsec);
}

int age_clock_save(struct fs *fs)
{
	struct age_clock *clock = &fs->clock;
	char text[CLOCK_TEXT];
	int64_t now = fs_now();
	int r;

	if (fs->options.read_only)
		return 0;
	snprintf(text, sizeof(text), "skew=%" PRId64 " jumped=%" PRId64 " seen=%" PRId64, clock->skew, clock->jumped,
		now);
	r = value_set(fs, CLOCK_NAME, text);
	if (!r)
		clock->saved = now;
	return r;
}

void age_clock_look(struct fs *fs, int64_t now)
{
	struct age_clock *clock = &fs->clock;
	int64_t apart = clocks_apart(now), jump = apart - clock->apart;

	fs_assert_locked(fs);
	clock->looked = now;
	if (jump < JUMP && jump > -JUMP)
		return;
	clock->apart = apart;
	clock->skew = age_add(clock->skew, jump);
	clock->jumped = now;
	clock->hold = now + PATIENCE;
	fs_log(LOG_NOTICE, "note: the clock jumped by %" PRId64 " seconds; the age of sessions does not count them",
		jump / FS_SECOND);
	roster_clock_jumped(fs);
	age_clock_save(fs); /* where it fails, the next one tells it */
}

/* What the last mount left; zeros for a store that never was mounted, or where it cannot be understood. */
static int load(struct fs *fs, struct age_clock *clock, int64_t *ret_seen)
{
	char *text;
	int r = value_get(fs, CLOCK_NAME, &text);

	*ret_seen = 0;
	if (r)
		return r == ENOENT ? 0 : r;
	if (sscanf(text, "skew=%" SCNd64 " jumped=%" SCNd64 " seen=%" SCNd64, &clock->skew, &clock->jumped, ret_seen)
	    != 3)
		clock->skew = clock->jumped = *ret_seen = 0;
	free(text);
	return 0;
}

int age_clock_open(struct fs *fs)
{
	struct age_clock *clock = &fs->clock;
	int64_t now = fs_now(), seen;
	int r = load(fs, clock, &seen);

	fs_assert_locked(fs);
	if (r)
		return r;
	clock->looked = now;
	clock->apart = clocks_apart(now);
	if (seen > now + JUMP) {
		/* It went back while nobody watched: ages go on from where they were. */
		clock->skew = age_add(clock->skew, now - seen);
		clock->jumped = now;
	}
	if (seen && (seen > now + JUMP || age_sub(now, seen) > PATIENCE))
		clock->hold = now + PATIENCE;
	r = age_clock_save(fs);
	return r < 0 ? r : 0; /* a full store is mounted nevertheless */
}
