/*
 * ops.h - between the files that know FUSE: the table of operations, and what they need of the thread that
 * serves.
 */
#pragma once

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct fs;

extern const struct fuse_lowlevel_ops ops_table;

/* The connection; NULL before fs_mount, and when the mount has ended. */
struct fuse_session *serve_session(const struct fs *);
/* The request that this thread is serving asks for the set-user-ID bits to go; libfuse does not pass it on. */
bool serve_kills_suidgid(void);
/* The number of the open file for which this thread is asked to tell when poll(2) has news; 0: nobody waits. */
uint64_t serve_poll_handle(void);
/*
 * The node and, where there is one, the name (else NULL) that the request which this thread is serving asks for; 0 on
 * another thread. The name lives as long as the request.
 */
uint64_t serve_request(const char **ret_name);
/* Room of this thread for an answer of size bytes, or NULL. */
char *serve_buffer(size_t size);
