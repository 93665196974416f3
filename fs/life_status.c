/*
 * life_status.c - the status of a session, and its other settings.
 */
#include <errno.h>

#include "fs/event.h"
#include "fs/launder.h"
#include "fs/life.h"
#include "fs/text.h"

static const char *const words[STORE_STATUSES] = {"active", "paused", "completed", "failed", "archived"};

/* What may follow each status, and what to say of the rest. */
static const struct {
	bool to[STORE_STATUSES];
	const char *refusal;
} transitions[STORE_STATUSES] = {
	[STORE_ACTIVE] = {
		{[STORE_PAUSED] = true, [STORE_COMPLETED] = true, [STORE_FAILED] = true, [STORE_ARCHIVED] = true},
		"the session is active already"},
	[STORE_PAUSED] = {{[STORE_ACTIVE] = true}, "a paused session can only be made active again"},
	[STORE_COMPLETED] = {{[STORE_ARCHIVED] = true}, "a completed session cannot be resumed, only archived"},
	[STORE_FAILED] = {
		{[STORE_ACTIVE] = true, [STORE_ARCHIVED] = true},
		"a failed session can only be made active again, or archived"},
	[STORE_ARCHIVED] = {{0}, "an archived session stays archived"},
};

const char *life_status_name(enum store_status status)
{
	return words[status < STORE_STATUSES ? status : STORE_ACTIVE];
}

bool life_status_parse(const char *word, enum store_status *ret)
{
	for (unsigned status = 0; status < STORE_STATUSES; status++)
		if (strcmp(words[status], word) == 0) {
			*ret = (enum store_status)status;
			return true;
		}
	return false;
}

bool life_is_read_only(const struct store_session *record)
{
	return record->ended || (record->status != STORE_ACTIVE && record->status != STORE_FAILED);
}

bool life_is_interrupted(const struct fs *fs, const struct store_session *record)
{
	return record->status == STORE_ACTIVE && fs->run.crashed && record->run <= fs->run.crashed;
}

static bool may_follow(const struct session *session, enum store_status to)
{
	const struct store_session *record = &session->record;

	if (to == STORE_ACTIVE && life_is_interrupted(session->fs, record))
		return true;
	return record->status < STORE_STATUSES && transitions[record->status].to[to];
}

static int tell(struct change *c, enum store_status from, enum store_status to, const char *reason)
{
	const struct event_member members[] = {
		{"from", life_status_name(from)}, {"to", life_status_name(to)},
		{reason ? "reason" : NULL, reason}, {NULL, NULL},
	};

	return event_add(c, "status", members);
}

int life_set_status(struct session *session, enum store_status status, const char *reason, const char **ret_why)
{
	enum store_status before = session->record.status < STORE_STATUSES ? session->record.status : STORE_ACTIVE;
	bool was_read_only = life_is_read_only(&session->record);
	size_t reason_len = reason ? strlen(reason) : 0;
	NODE_AUTO top = NULL;
	CHANGE_AUTO(c);
	int r;

	if (!session->record.ended && !may_follow(session, status)) {
		*ret_why = transitions[before].refusal;
		return EINVAL;
	}
	r = node_load(session->fs, session->sid, session->record.root, &top);
	if (!r)
		r = change_begin_as(&c, CHANGE_SETTING, session, STORE_SHRINK, EVENT_MAX + reason_len);
	if (r)
		return r;
	text_put(&c, top, TEXT_REASON, reason, reason_len);
	c.record.status = status;
	c.record.status_at = c.now;
	c.record.run = session->fs->run.number;
	r = tell(&c, before, status, reason);
	if (!r)
		r = change_commit(&c);
	if (!r && !was_read_only && life_is_read_only(&session->record))
		launder_session(session);
	return r;
}

int life_set_reason(struct session *session, const char *reason)
{
	enum store_status status = (enum store_status)session->record.status;
	NODE_AUTO top = NULL;
	CHANGE_AUTO(c);
	int r = node_load(session->fs, session->sid, session->record.root, &top);

	if (!r)
		r = change_begin_as(&c, CHANGE_SETTING, session, STORE_SHRINK, EVENT_MAX + strlen(reason));
	if (r)
		return r;
	text_put(&c, top, TEXT_REASON, reason, strlen(reason));
	r = tell(&c, status, status, reason);
	return r ? r : change_commit(&c);
}

int life_set_pinned(struct session *session, bool pinned)
{
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_SETTING, session, STORE_SHRINK, 0);

	if (r)
		return r;
	c.record.flags &= ~(uint32_t)STORE_SESSION_PINNED;
	c.record.flags |= pinned ? STORE_SESSION_PINNED : 0;
	return change_commit(&c);
}

int life_set_expires(struct session *session, int64_t expires)
{
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_SETTING, session, STORE_SHRINK, 0);

	if (r)
		return r;
	c.record.expires = expires;
	return change_commit(&c);
}

int life_set_progress(struct session *session, uint32_t millionths)
{
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_SETTING, session, STORE_SHRINK, 0);

	if (r)
		return r;
	c.record.progress = millionths;
	return change_commit(&c);
}
