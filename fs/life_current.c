/*
 * life_current.c - the current session: the one that was set, else the newest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/current.h"
#include "fs/life.h"
#include "fs/roster.h"
#include "fs/values.h"

#define CURRENT_VALUE "sessfs.current"

/* Numbers of sessions grow with time, whatever the clock says. */
struct store_sid life_current(const struct fs *fs)
{
	fs_assert_locked(fs);
	return fs->chosen.n ? fs->chosen : roster_newest(fs);
}

static int check_living(struct fs *fs, struct store_sid sid)
{
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (r)
		return r;
	r = session->removed || session->record.ended ? ENOENT : 0;
	session_put(session);
	return r;
}

int life_set_current(struct fs *fs, struct store_sid sid)
{
	char text[16];
	int r = sid.n ? check_living(fs, sid) : 0;

	snprintf(text, sizeof(text), "%u", sid.n);
	if (!r)
		r = value_set(fs, CURRENT_VALUE, sid.n ? text : NULL);
	if (!r) {
		struct store_sid before = fs->chosen;

		fs->chosen = sid;
		roster_guard_changed(fs, before);
		roster_guard_changed(fs, sid);
	}
	return r;
}

int current_load(struct fs *fs)
{
	struct store_sid sid;
	char *text;
	int r = value_get(fs, CURRENT_VALUE, &text);

	if (r)
		return r == ENOENT ? 0 : r;
	sid.n = (uint32_t)strtoul(text, NULL, 10);
	free(text);
	r = sid.n ? check_living(fs, sid) : ENOENT;
	if (!r) {
		fs->chosen = sid;
		roster_guard_changed(fs, sid);
	}
	return r == ENOENT ? 0 : r;
}
