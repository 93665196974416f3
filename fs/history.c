/*
 * history.c - see history.h. In memory are the numbers alone, in the order in which the sessions ended.
 */
#include "fs/history.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/trash.h"

struct tombstone {
	int64_t ended;
	struct store_sid sid;
};

struct history {
	unsigned count;
	struct tombstone list[HISTORY_MAX];
};

static unsigned find(const struct history *h, struct store_sid sid)
{
	unsigned i;

	for (i = 0; i < h->count && h->list[i].sid.n != sid.n; i++)
		;
	return i;
}

static void take_out(struct history *h, unsigned i)
{
	h->count--;
	memmove(h->list + i, h->list + i + 1, (h->count - i) * sizeof(*h->list));
}

/* The oldest makes room. */
static void insert(struct history *h, struct store_sid sid, int64_t ended)
{
	unsigned i = find(h, sid);

	if (i < h->count)
		take_out(h, i);
	else if (h->count == HISTORY_MAX)
		take_out(h, 0);
	for (i = h->count; i > 0 && h->list[i - 1].ended > ended; i--)
		;
	memmove(h->list + i + 1, h->list + i, (h->count - i) * sizeof(*h->list));
	h->list[i] = (struct tombstone){ended, sid};
	h->count++;
}

static bool note_ending(void *arg, const struct store_ending *ending)
{
	insert(arg, ending->sid, ending->ended);
	return false;
}

int history_load(struct fs *fs)
{
	fs->history = calloc(1, sizeof(*fs->history));
	if (!fs->history)
		return -ENOMEM;
	return error_of_store(store_scan_endings(fs->store, 0, note_ending, fs->history));
}

void history_free(struct history *history)
{
	free(history);
}

static void put(struct change *c, const struct store_session *record, uint32_t ending, int64_t until)
{
	struct store_ending tombstone = {
		.sid = record->sid, .name_len = record->name_len, .created = record->created,
		.ended = record->ended ? record->ended : c->now, .until = until, .ending = ending,
		.status = record->status, .files = session_files(record), .logical = record->logical,
		.stored = record->stored, .creations = record->creations, .modifications = record->modifications,
		.operations = record->operations,
	};

	memcpy(tombstone.name, record->name, record->name_len + 1);
	store_batch_put_ending(c->batch, &tombstone);
}

static bool has(const struct history *h, struct store_sid sid)
{
	return find(h, sid) < h->count;
}

void history_put(struct change *c, const struct store_session *record, uint32_t ending, int64_t until)
{
	const struct history *h = c->fs->history;

	put(c, record, ending, until);
	if (h->count == HISTORY_MAX && !has(h, record->sid))
		store_batch_delete_ending(c->batch, h->list[0].sid);
}

void history_note(struct fs *fs, struct store_sid sid, int64_t ended)
{
	insert(fs->history, sid, ended);
}

void history_close(struct change *c, const struct store_session *record)
{
	if (has(c->fs->history, record->sid))
		put(c, record, record->ending, 0);
}

bool history_heir(const struct fs *fs, struct store_sid sid, struct store_sid *ret)
{
	const struct history *h = fs->history;

	return h->count == HISTORY_MAX && has(h, sid) && trash_before(fs, h->list[0].ended, ret);
}

void history_delete(struct change *c, struct store_sid sid, const struct store_session *heir)
{
	store_batch_delete_ending(c->batch, sid);
	if (heir)
		put(c, heir, heir->ending, heir->until);
}

void history_forget(struct fs *fs, struct store_sid sid, const struct store_session *heir)
{
	unsigned i = find(fs->history, sid);

	if (i < fs->history->count)
		take_out(fs->history, i);
	if (heir)
		insert(fs->history, heir->sid, heir->ended);
}
