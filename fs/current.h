/*
 * current.h - the current session, as life.h has it, taken up from the store. Called with fs->lock held.
 */
#pragma once

struct fs;

/* Which one was set, if it is still there. */
int current_load(struct fs *);
