/*
 * serve.h - the connection to the kernel: mount, threads, end. fs_mount, fs_serve and fs_stop are here too.
 */
#pragma once

#include "fs/node.h"

struct server;

int serve_new(struct fs *, struct server **ret);
/* Unmounts if it is mounted. NULL is fine. */
void serve_free(struct server *);
/*
 * The kernel is to write what it holds changed of a file, and then to forget its content. Returns when that is done, for
 * which other threads must serve: no lock may be held.
 */
void serve_forget_content(struct fs *, struct fs_id);
