/*
 * sync.h - fsync beside the threads that serve: they go on while one thread (fs->syncs) waits for the device, once for
 * all who ask meanwhile.
 */
#pragma once

struct fs;

/*
 * Calls done with a result of the rules once everything committed before the call is durable; from any thread,
 * perhaps at once.
 */
void sync_request(struct fs *, void (*done)(void *arg, int result), void *arg);
