/*
 * serve_threads.h - the threads that take the kernel's requests, for serve.c, which begins and ends with them.
 */
#pragma once

#include <stdbool.h>

struct fs;
struct fuse_session;
struct fuse_custom_io;
struct serve_threads;

/* How they read the device, and answer. */
extern const struct fuse_custom_io serve_io;

/* 0 or negative. */
int serve_threads_new(struct fs *, struct serve_threads **ret);
/* None may run. NULL is fine. */
void serve_threads_free(struct serve_threads *);
/* Starts as many as can be had, at least one; `ready` as of fs_serve. 0 or negative. */
int serve_threads_start(struct serve_threads *, struct fuse_session *, void (*ready)(void *arg), void *arg);
/*
 * Whether the last one left within the time (-1: any), or, with until_woken, serve_threads_wake was called before then
 * or meanwhile.
 */
bool serve_threads_wait(struct serve_threads *, int ms, bool until_woken);
/* Async-signal-safe. */
void serve_threads_wake(struct serve_threads *);
/* Some have not left. */
bool serve_threads_are_running(const struct serve_threads *);
/* errno with which one ended; 0. */
int serve_threads_error(const struct serve_threads *);
/* They finish the requests they are at, and leave. */
void serve_threads_join(struct serve_threads *);
