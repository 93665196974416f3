/*
 * run.c - see run.h.
 *
 * The value, as text: run=7 clean=1 crashed=5
 */
#include "fs/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/values.h"

#define RUN_VALUE "sessfs.run"

/* What a store was left with; a value that cannot be read is as none. */
static int load(struct fs *fs, struct fs_run *run, bool *ret_clean)
{
	char *text;
	unsigned clean;
	int r = value_get(fs, RUN_VALUE, &text);

	*run = (struct fs_run){0};
	*ret_clean = true;
	if (r)
		return r == ENOENT ? 0 : r;
	if (sscanf(text, "run=%" SCNu32 " clean=%u crashed=%" SCNu32, &run->number, &clean, &run->crashed) == 3)
		*ret_clean = clean != 0;
	free(text);
	return 0;
}

static int save(struct fs *fs, bool clean)
{
	const struct fs_run *run = &fs->run;
	char text[64];

	snprintf(text, sizeof(text), "run=%" PRIu32 " clean=%u crashed=%" PRIu32, run->number, clean, run->crashed);
	return value_set(fs, RUN_VALUE, text);
}

int run_begin(struct fs *fs)
{
	bool clean;
	int r = load(fs, &fs->run, &clean);

	if (r)
		return r;
	if (!clean)
		fs->run.crashed = fs->run.number;
	if (fs->options.read_only)
		return 0;
	fs->run.number++;
	r = save(fs, false);
	return r ? r : error_of_store(store_sync(fs->store));
}

int run_end(struct fs *fs)
{
	return fs->options.read_only ? 0 : save(fs, true);
}
