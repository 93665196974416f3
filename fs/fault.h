/*
 * fault.h - the errors the filesystem answered with, for errors.jsonl: the last of them, in memory, with cause and
 * advice.
 */
#pragma once

#include "fs/node.h"

struct fault_ring;

/*
 * The cause of the error that the operation of this thread is about to answer, in a sentence: for errors whose number
 * alone does not tell it (a bad value, a read-only state). Forgotten with the operation.
 */
__attribute__((format(printf, 1, 2))) void fault_explain(const char *format, ...);
/*
 * Takes down an answer, unless it is one that programs ask for (no such name, no such attribute). id: the node that was
 * asked; takes fs->lock by itself.
 */
void fault_note(struct fs *, const char *operation, struct fs_id, const char *name, int error);
