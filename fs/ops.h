/*
 * ops.h - between the two files that know FUSE: the table of operations, and what they need of the thread that serves.
 */
#pragma once

#include <fuse_lowlevel.h>
#include <stdbool.h>

extern const struct fuse_lowlevel_ops ops_table;

/* The request that this thread is serving asks for the set-user-ID bits to go; libfuse does not pass it on. */
bool serve_kills_suidgid(void);
/* Room of this thread for an answer of size bytes, or NULL. */
char *serve_buffer(size_t size);
