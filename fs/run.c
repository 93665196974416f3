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
#include <syslog.h>

#include "fs/error.h"
#include "fs/event.h"
#include "fs/life.h"
#include "fs/values.h"

#define RUN_VALUE "sessfs.run"

enum { SLICE = 32 }; /* sessions told in one go */

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
	struct fs_run *run = &fs->run;
	bool clean;
	int r = load(fs, run, &clean);

	if (r)
		return r;
	if (!clean)
		run->crashed = run->number;
	if (fs->options.read_only)
		return 0;
	run->number++;
	run->tells = !clean;
	r = save(fs, false);
	if (!r)
		r = error_of_store(store_sync(fs->store));
	run->open = !r;
	if (r == ENOSPC) /* a full store is mounted nevertheless */
		return 0;
	return r;
}

void run_end(struct fs *fs)
{
	if (!fs->run.open)
		return;
	fs->run.open = false;
	if (save(fs, true))
		fs_log(LOG_WARNING, "warning: the next mount will take active sessions for interrupted");
}

static int tell(struct session *session)
{
	CHANGE_AUTO(c);
	int r;

	if (session->removed || !life_is_interrupted(session->fs, &session->record))
		return 0;
	r = change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, EVENT_MAX);
	c.returns = true;
	if (!r)
		r = event_add(&c, "interrupted", NULL);
	return r ? r : change_commit(&c);
}

bool run_tell_interrupted(struct fs *fs)
{
	struct fs_run *run = &fs->run;
	struct store_sid sids[SLICE];
	struct session *session;
	unsigned count = run->tells ? life_list(fs, false, run->told.n, sids, SLICE) : 0;

	for (unsigned i = 0; i < count; i++) {
		run->told = sids[i];
		if (session_get(fs, sids[i], &session))
			continue;
		(void)tell(session); /* what cannot be told now, its status tells */
		session_put(session);
	}
	run->tells = count != 0;
	return run->tells;
}
