/*
 * sync.c - see sync.h.
 */
#include "fs/sync.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "fs/errand.h"
#include "fs/rules.h"

enum {
	QUICK_NS = 1000000, /* others may wait this long: handing a sync to the thread costs more then than it gains */
	QUICK_BYTES = 1 << 20,
};

static int sync_now(struct fs *fs, void *subject)
{
	struct timespec begun, ended;
	int r;

	(void)subject;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	r = file_sync(fs);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	atomic_store(&fs->syncs_quickly,
		(ended.tv_sec - begun.tv_sec) * FS_SECOND + ended.tv_nsec - begun.tv_nsec < QUICK_NS);
	return r;
}

void sync_request(struct fs *fs, void (*done)(void *arg, int result), void *arg)
{
	bool at_once = atomic_load(&fs->syncs_quickly) && store_unsynced(fs->store) < QUICK_BYTES;

	if (at_once || !errand_add(fs->syncs, sync_now, NULL, done, arg))
		done(arg, sync_now(fs, NULL));
}
