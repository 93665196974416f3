/*
 * keeper.h - the quiet thread: ends and drops sessions when their time comes and nobody looks, sends a process for what
 * is to be done on the mount itself (visit.h), and notes each hour that the mount is alive.
 */
#pragma once

#include "fs/core.h"

struct keeper;

/* Starts it, as fs->keeper, and fs->visits. 0 or negative. */
int keeper_new(struct fs *);
/* Ends it, while requests are still answered or the connection is gone. NULL is fine. */
void keeper_free(struct keeper *);
/* Something may be due earlier than it thinks. fs->lock is held. */
void keeper_wake(struct fs *);
