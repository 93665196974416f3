/*
 * serve.h - the connection to the kernel: mount, threads, end. fs_mount, fs_serve and fs_stop are here too.
 */
#pragma once

struct fs;
struct server;

int serve_new(struct fs *, struct server **ret);
/* Unmounts if it is mounted. NULL is fine. */
void serve_free(struct server *);
