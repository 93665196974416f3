/*
 * expiry.c - see expiry.h.
 */
#include "fs/expiry.h"

#include <errno.h>
#include <sys/stat.h>
#include <syslog.h>

#include "fs/due.h"
#include "fs/in_use.h"
#include "fs/keeper.h"
#include "fs/roster.h"
#include "fs/rules.h"
#include "fs/trash.h"
#include "fs/visit.h"

#define TICK_NS (20 * INT64_C(1000000)) /* the kernel counts in ticks, and rounds up */

/* Ends it by the rule that says so. What cannot be ended stays for now. */
static enum expiry end(struct fs *fs, struct store_sid sid, int64_t now)
{
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (!r) {
		r = life_end(session, life_outlook(fs, &session->record).rule);
		if (!r)
			visit_announce(fs->root, session->record.name, session->record.root, S_IFDIR);
		session_put(session);
	}
	if (!r)
		return EXPIRY_GONE;
	fs_log(LOG_WARNING, "warning: a session whose time is over could not be ended: error %d", r);
	due_put_off(fs, sid, now);
	return EXPIRY_STAYS;
}

enum expiry expiry_lookup(struct fs *fs, struct store_sid sid, struct store_ino top)
{
	int64_t now = fs_age_now(fs);

	if (fs->options.read_only || !due_is_over(fs, sid, now))
		return EXPIRY_STAYS;
	switch (in_use_looked_up(fs, in_use_session(fs, sid), top)) {
	case IN_USE_NO:
		return end(fs, sid, now);
	case IN_USE_DOUBT:
		return EXPIRY_ASK_AGAIN;
	case IN_USE_YES:
		break;
	}
	due_found_in_use(fs, sid, now);
	return EXPIRY_STAYS;
}

static bool hides(struct fs *fs, struct store_sid sid, int64_t now)
{
	if (fs->options.read_only || !due_is_over(fs, sid, now))
		return false;
	keeper_wake(fs);
	switch (in_use_session(fs, sid)) {
	case IN_USE_NO:
		return true;
	case IN_USE_YES:
		due_found_in_use(fs, sid, now);
		break;
	case IN_USE_DOUBT:
		break;
	}
	return false;
}

bool expiry_hides(struct fs *fs, struct store_sid sid)
{
	return hides(fs, sid, fs_age_now(fs));
}

bool expiry_clear_doubts(struct fs *fs, const struct store_sid *sids, unsigned count, int64_t *budget)
{
	int64_t now = fs_age_now(fs), begun;
	unsigned doubts = 0;

	if (fs->options.read_only || *budget <= 0 || !due_has_over(fs, now))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (due_is_over(fs, sids[i], now) && in_use_session(fs, sids[i]) == IN_USE_DOUBT)
			doubts += visit_look_up(fs, sids[i]);
	if (!doubts)
		return false;
	begun = fs_now();
	visit_wait(fs, *budget);
	*budget -= fs_now() - begun;
	return true;
}

bool expiry_leaves_out(struct fs *fs, struct store_sid sid, int64_t now, int64_t *until)
{
	bool hidden = hides(fs, sid, now);

	if (hidden && *until && fs_now() >= *until)
		*until = 0;
	if (hidden && *until)
		end(fs, sid, now);
	return hidden;
}

double expiry_brief(struct fs *fs, int64_t end)
{
	int64_t now;
	double left;

	if (end == STORE_NEVER)
		return RULES_BRIEF;
	now = fs_age_now(fs);
	left = end > now + TICK_NS ? (double)(end - now - TICK_NS) / (double)FS_SECOND : 0;
	return left < RULES_BRIEF ? left : RULES_BRIEF;
}

double expiry_timeout(struct fs *fs, struct store_sid sid)
{
	return expiry_brief(fs, roster_end(fs, sid));
}

static void drop(struct fs *fs, struct store_sid sid, int64_t now)
{
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (!r) {
		r = trash_drop(session);
		session_put(session);
	}
	if (r && r != ENOENT)
		due_put_off(fs, sid, now); /* once more, later */
	else
		roster_remove(fs, sid);
}

/* False if it is in doubt, and the keeper was asked to find out. */
static bool end_one(struct fs *fs, struct store_sid sid, int64_t now)
{
	switch (in_use_session(fs, sid)) {
	case IN_USE_NO:
		end(fs, sid, now);
		return true;
	case IN_USE_DOUBT:
		if (visit_look_up(fs, sid))
			return false;
		due_put_off(fs, sid, now);
		return true;
	case IN_USE_YES:
		break;
	}
	due_found_in_use(fs, sid, now);
	return true;
}

bool expiry_step(struct fs *fs)
{
	int64_t now = fs_age_now(fs), begun = now;
	struct store_sid sid;

	while (!fs->options.read_only && !fs_held_enough(fs, fs_now() - begun)) {
		switch (due_next(fs, now, &sid)) {
		case DUE_NOTHING:
			return false;
		case DUE_ENDS:
			if (!end_one(fs, sid, now))
				return true;
			break;
		case DUE_DROPS:
			drop(fs, sid, now);
			break;
		}
	}
	return !fs->options.read_only;
}
