/*
 * session.c - the table of sessions in memory.
 */
#include "fs/session.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/control.h"
#include "fs/error.h"
#include "fs/roster.h"

enum { NOTICED_AT_ONCE = 64 };

static struct session *session_new(struct fs *fs, struct store_sid sid)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fs = fs;
	s->sid = sid;
	s->view_epoch = 1;
	HASH_ADD(hh, FS_TABLE(fs->sessions, sid.n), sid, sizeof(s->sid), s);
	if (!s->hh.tbl) {
		free(s);
		return NULL;
	}
	return s;
}

static void session_free(struct session *s)
{
	roster_note(s->fs, &s->record);
	HASH_DEL(FS_TABLE(s->fs->sessions, s->sid.n), s);
	store_session_release(&s->record);
	free(s);
}

struct session *session_find(const struct fs *fs, struct store_sid sid)
{
	struct session *s = NULL;

	fs_assert_locked(fs);
	HASH_FIND(hh, FS_TABLE(fs->sessions, sid.n), &sid, sizeof(sid), s);
	return s;
}

int session_get(struct fs *fs, struct store_sid sid, struct session **ret)
{
	struct session *s = session_find(fs, sid);
	int r = 0;

	if (s) {
		*ret = session_ref(s);
		return 0;
	}
	s = session_new(fs, sid);
	if (!s)
		return -ENOMEM;
	if (!session_is_root(s))
		r = error_of_store(store_get_session(fs->store, sid, &s->record));
	if (!r && s->record.flags & STORE_SESSION_DROPPED)
		r = ENOENT; /* what is left of it is the store's */
	if (r) {
		session_free(s);
		return r;
	}
	*ret = session_ref(s);
	return 0;
}

int session_make(struct fs *fs, const struct store_session *record, struct session **ret)
{
	struct session *s = session_new(fs, record->sid);

	fs_assert_locked(fs);
	if (!s)
		return -ENOMEM;
	s->record = *record;
	*ret = session_ref(s);
	return 0;
}

void session_set_name(struct store_session *record, const char *name)
{
	record->name_len = (uint32_t)strlen(name);
	memcpy(record->name, name, record->name_len + 1);
}

uint64_t session_files(const struct store_session *record)
{
	uint64_t files = 0;

	for (unsigned view = 0; view < STORE_VIEWS; view++)
		files += record->files[view];
	return files;
}

bool session_is_large(const struct session *s)
{
	enum { MANY = 2000 };

	return session_files(&s->record) > MANY;
}

/* ---- what is not saved yet --------------------------------------------------------------------------------------- */

static void leave_unsaved(struct session *s)
{
	TAILQ_REMOVE(&s->fs->unsaved, s, next_unsaved);
	s->unsaved = false;
	s->unsaved_bytes = 0;
	session_put(s);
}

void session_leave_unsaved(struct fs *fs)
{
	while (!TAILQ_EMPTY(&fs->unsaved))
		leave_unsaved(TAILQ_FIRST(&fs->unsaved));
}

static bool notice_saved(struct session *s, uint64_t durable)
{
	int64_t *saved;

	if (s->position > durable)
		return false;
	saved = roster_saved(s->fs, s->sid);
	if (saved)
		*saved = store_saved_at(s->fs->store);
	leave_unsaved(s);
	return true;
}

/*
 * Those that are saved by now. Asked after each change, and a save comes after a change, so the moment of the last save
 * is that of the first one that has theirs. Of a hundred thousand that one save has covered each change notices some.
 */
static void find_saved(struct fs *fs)
{
	uint64_t durable = store_durable(fs->store);
	struct session *first;

	for (unsigned n = 0; n < NOTICED_AT_ONCE && (first = TAILQ_FIRST(&fs->unsaved)); n++)
		if (!notice_saved(first, durable))
			break;
}

void session_changed(struct session *s, size_t bytes)
{
	struct fs *fs = s->fs;

	find_saved(fs);
	if (s->removed)
		return;
	if (s->unsaved)
		TAILQ_REMOVE(&fs->unsaved, s, next_unsaved);
	else
		session_ref(s);
	s->unsaved = true;
	s->unsaved_bytes += bytes;
	s->position = store_position(fs->store);
	TAILQ_INSERT_TAIL(&fs->unsaved, s, next_unsaved);
}

uint64_t session_unsaved(struct session *s, int64_t *ret_saved)
{
	struct fs *fs = s->fs;
	int64_t *saved;

	if (s->unsaved)
		notice_saved(s, store_durable(fs->store));
	saved = roster_saved(fs, s->sid);
	if (s->unsaved)
		*ret_saved = store_saved_at(fs->store);
	else
		*ret_saved = saved && *saved ? *saved : fs->started;
	return s->unsaved_bytes;
}

void session_set_removed(struct session *s)
{
	s->removed = true;
	control_poll_tell_all(s);
	roster_remove(s->fs, s->sid);
	if (s->unsaved)
		leave_unsaved(s); /* who removes it holds it too */
}

/* ---- as it is shown ---------------------------------------------------------------------------------------------- */

/* Events are content too, of the session's directory, but no file's. */
static int take_sum(struct fs *fs, struct store_session *record, const struct store_sum *sum)
{
	uint64_t events;
	int r = error_of_store(store_stored(fs->store, record->sid, record->root, &events));

	if (sum->done)
		record->stored = sum->stored;
	if (!r)
		record->stored -= events < record->stored ? events : record->stored;
	return r;
}

int session_show(struct fs *fs, struct store_sid sid, bool pauses, struct store_session *ret)
{
	struct store_sum sum = {0};
	struct store_session record;
	int r = error_of_store(store_sum_stored(fs->store, sid, &sum));

	while (!r && !sum.done && pauses) {
		fs_pause(fs);
		r = error_of_store(store_sum_stored(fs->store, sid, &sum));
	}
	if (!r)
		r = error_of_store(store_get_session(fs->store, sid, &record));
	if (r)
		return r;
	r = take_sum(fs, &record, &sum);
	if (r)
		store_session_release(&record);
	else
		*ret = record;
	return r;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

struct session *session_ref(struct session *s)
{
	s->users++;
	return s;
}

void session_put(struct session *s)
{
	if (!s)
		return;
	fs_assert_locked(s->fs);
	assert(s->users);
	if (--s->users == 0)
		session_free(s);
}
