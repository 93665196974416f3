/*
 * check_life.c - what the record of a session says of its life: its status and texts, where its events are, whether it
 * is in the trash; and the endings that remain of sessions.
 */
#include "store/check.h"

#include <inttypes.h>

enum { PROGRESS_MAX = 1000000, FLAGS = STORE_SESSION_PINNED | STORE_SESSION_DROPPED | STORE_SESSION_NUMBERED };

/* The oldest endings go where there are more, those of sessions in the trash too. */
enum { ENDINGS_KEPT = 1000 };

/* In the order of the bits of store_session.texts. */
static const char *const texts[] = {"query", "phase", "notes", "project", "tags", "reason"};
enum { TEXTS = sizeof texts / sizeof *texts, TEXTS_MASK = (1 << TEXTS) - 1 };

uint32_t check_text_bit(const char *name, size_t len)
{
	static const char prefix[] = "sessfs.";
	const size_t skip = sizeof prefix - 1;
	if (len < skip || memcmp(name, prefix, skip) != 0)
		return 0;
	for (unsigned i = 0; i < TEXTS; i++)
		if (strlen(texts[i]) == len - skip && memcmp(texts[i], name + skip, len - skip) == 0)
			return 1u << i;
	return 0;
}

bool check_correct(const struct checked_session *s, const struct checked_inode *root, struct store_session *record)
{
	struct store_session was;
	memcpy(&was, record, sizeof was);
	memcpy(record->files, s->files, sizeof record->files);
	record->logical = s->logical;
	record->flags &= FLAGS;
	if (s->named)
		record->ended = record->until = record->ending = 0;
	if (!record->ended)
		record->flags &= ~(uint32_t)STORE_SESSION_NUMBERED;
	if (record->status >= STORE_STATUSES)
		record->status = STORE_ACTIVE;
	if (record->progress > PROGRESS_MAX)
		record->progress = PROGRESS_MAX;
	record->texts = (record->texts & ~(uint32_t)TEXTS_MASK) | root->texts;
	if (record->end_event > STORE_FILE_MAX)
		record->first_event = record->end_event = 0;
	if (record->first_event >= record->end_event) {
		record->first_event = record->end_event;
		record->event_lines = 0;
	} else if (!record->event_lines) {
		record->event_lines = 1;
	}
	if (record->cache_oldest > s->cache_oldest)
		record->cache_oldest = s->cache_oldest;
	return memcmp(&was, record, sizeof was) != 0;
}

bool check_lacks_ending(struct check *c, const struct checked_session *s)
{
	uint32_t sid = s->record.sid.n;
	return s->record.ended && c->endings.count < ENDINGS_KEPT && !check_ending(c, sid) && !check_is_dropped(c, sid);
}

static void check_settings(struct check *c, const struct store_session *s, const char *name)
{
	if (s->status >= STORE_STATUSES)
		check_finding(c, 18, "%s: its status is %" PRIu32 ", which none is", name, s->status);
	if (s->progress > PROGRESS_MAX)
		check_finding(c, 18, "%s: its progress is %" PRIu32 " millionths", name, s->progress);
	if (s->flags & ~(uint32_t)FLAGS)
		check_finding(c, 18, "%s: it has unknown flags %" PRIx32, name, s->flags);
	if (s->flags & STORE_SESSION_NUMBERED && !s->ended)
		check_finding(c, 18, "%s: is not in the trash, but numbered there", name);
}

static void check_texts(struct check *c, const struct checked_session *s, const char *name)
{
	const struct checked_inode *root = check_inode(c, s->record.sid.n, s->record.root.n);
	uint32_t wrong = root ? (s->record.texts & TEXTS_MASK) ^ root->texts : 0;
	for (unsigned i = 0; i < TEXTS; i++)
		if (wrong >> i & 1)
			check_finding(c, 19, "%s: it %s, but says otherwise", name,
				root->texts >> i & 1 ? "has a text among its attributes" : "lacks a text");
}

static void check_events(struct check *c, const struct store_session *s, const char *name)
{
	bool empty = s->first_event == s->end_event;
	if (s->first_event > s->end_event || s->end_event > STORE_FILE_MAX || empty != (s->event_lines == 0))
		check_finding(c, 20, "%s: %" PRIu32 " events from %" PRIu64 " to %" PRIu64, name, s->event_lines,
			s->first_event, s->end_event);
}

static void check_session_life(struct check *c, const struct checked_session *s)
{
	char name[CHECK_TEXT];
	check_describe_session(c, s->record.sid.n, name);
	check_settings(c, &s->record, name);
	check_texts(c, s, name);
	check_events(c, &s->record, name);
	if (s->record.cache_oldest > s->cache_oldest)
		check_finding(c, 21, "%s: a file in its cache is older than the oldest that it knows of", name);
	if (check_lacks_ending(c, s))
		check_finding(c, 17, "%s: is in the trash, but has no ending", name);
}

void check_life(struct check *c)
{
	char name[CHECK_TEXT];
	for (size_t k = 0; k < c->sessions.count; k++)
		if (!check_is_dropped(c, c->sessions.list[k].record.sid.n))
			check_session_life(c, &c->sessions.list[k]);
	for (size_t k = 0; k < c->endings.count; k++) {
		const struct checked_session *s = check_session(c, c->endings.list[k].sid);
		if (s && !s->record.ended && !check_is_dropped(c, s->record.sid.n))
			check_finding(c, 17, "%s: is alive, but has an ending",
				check_describe_session(c, s->record.sid.n, name));
	}
}
