/*
 * sync.h - fsync beside the threads that serve: they go on while one thread waits for the device, once for all who
 * ask meanwhile.
 */
#pragma once

struct fs;
struct sync;

int sync_new(struct fs *, struct sync **ret);
/* Answers who still waits. NULL is fine. */
void sync_free(struct sync *);
/*
 * Calls done with a result of the rules once everything committed before the call is durable; from any thread,
 * perhaps at once.
 */
void sync_request(struct sync *, void (*done)(void *arg, int result), void *arg);
