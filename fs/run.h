/*
 * run.h - which mount of the store this is. A mount that ended in order says so; the next one finds out otherwise, and
 * knows that sessions whose status is older were interrupted. Called with fs->lock held.
 */
#pragma once

#include "fs/core.h"

/* Takes up what the last mount left; unless read-only, counts this one, durably. 0 or negative. */
int run_begin(struct fs *);
/* The mount ends, in order unless fs->run.open was taken back. */
void run_end(struct fs *);
/*
 * After a mount that did not end in order: tells the next few sessions that were active in it, by an event, that they
 * were interrupted. True while there may be more.
 */
bool run_tell_interrupted(struct fs *);
