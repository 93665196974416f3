/*
 * life_trash.c - the end of a session: into the trash, out of it, and its space given back.
 *
 * A session that is to be dropped while the kernel knows nodes of it waits in fs->dropping, so that what is open stays
 * readable, and goes with the last forget. The mount after a crash does not show it either.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fs.h>

#include "fs/control.h"
#include "fs/dir.h"
#include "fs/errand.h"
#include "fs/event.h"
#include "fs/history.h"
#include "fs/keeper.h"
#include "fs/launder.h"
#include "fs/life.h"
#include "fs/prune.h"
#include "fs/serve.h"
#include "fs/trash.h"

/* In place of the number of a mount: no end of one interrupts it. */
enum { AT_REST = INT32_MAX };

enum { PRUNED_AT_ONCE = 64 };

static const char *const rules[LIFE_RULES] = {"none", "ttl", "retain", "keep", "expires_at", "removed"};
static const char *const guards[LIFE_GUARDS] = {"none", "pinned", "paused", "current", "in use", "mounted read-only"};

const char *life_rule_name(enum life_rule rule)
{
	return rules[rule < LIFE_RULES ? rule : LIFE_NO_RULE];
}

const char *life_guard_name(enum life_guard guard)
{
	return guards[guard < LIFE_GUARDS ? guard : LIFE_UNGUARDED];
}

/* Brings the figure of stored bytes, which the store keeps, up to date. */
static int refresh_stored(struct session *session)
{
	struct store_session record;
	int r = session_show(session->fs, session->sid, false, &record);

	if (r)
		return r;
	session->record.stored = record.stored;
	store_session_release(&record);
	return 0;
}

/* ---- into the trash ---------------------------------------------------------------------------------------------- */

static int64_t grace_end(const struct fs *fs, int64_t now)
{
	uint64_t room = (uint64_t)(STORE_NEVER - now) / FS_SECOND;

	return fs->options.grace < room ? now + (int64_t)fs->options.grace * FS_SECOND : STORE_NEVER;
}

/* The record as it will be, before the change that makes it so. */
static struct store_session ended_record(const struct session *session, enum life_rule rule, const char *name)
{
	struct store_session record = session->record;

	record.ended = fs_now();
	/* From here on the skew is that of `until`; the age stays as it is. */
	record.last_write = age_add(record.last_write, age_sub(session->fs->clock.skew, record.skew));
	record.skew = session->fs->clock.skew;
	record.until = grace_end(session->fs, record.ended);
	record.ending = rule;
	if (!life_is_interrupted(session->fs, &record))
		record.run = AT_REST;
	record.flags |= trash_has_name(session->fs, name) ? STORE_SESSION_NUMBERED : 0;
	session_set_name(&record, name);
	return record;
}

static int commit_end(struct session *session, struct node *top, const struct store_dirent *entry,
	const struct store_session *record)
{
	struct fs *fs = session->fs;
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, EVENT_MAX);

	if (r)
		return r;
	c.record.ended = record->ended;
	c.record.until = record->until;
	c.record.ending = record->ending;
	c.record.flags = record->flags;
	c.record.run = record->run;
	c.record.last_write = record->last_write;
	c.record.skew = record->skew;
	session_set_name(&c.record, record->name);
	store_batch_delete_dirent(c.batch, STORE_ROOT_SID, fs->root->ino, entry->cookie);
	change_names(&c, fs->root, -1, -1);
	change_inode(&c, top)->ctime = c.now;
	history_put(&c, record, record->ending, record->until);
	r = event_add(&c, "ended", (struct event_member[]){{"rule", life_rule_name(record->ending)}, {NULL, NULL}});
	return r ? r : change_commit(&c);
}

static int end(struct session *session, enum life_rule rule, const char *name)
{
	struct fs *fs = session->fs;
	struct store_session record;
	struct store_dirent entry;
	NODE_AUTO top = NULL;
	bool was_read_only = life_is_read_only(&session->record);
	int r = session->record.ended || session->removed ? ENOENT : 0;

	if (!r)
		r = session_check_current(session);
	if (!r)
		r = dir_find_name(fs->root, session->record.name, &entry);
	if (!r)
		r = refresh_stored(session);
	if (!r)
		r = node_load(fs, session->sid, session->record.root, &top);
	if (r)
		return r;
	record = ended_record(session, rule, name);
	r = trash_add(fs, &record);
	if (r)
		return r;
	r = commit_end(session, top, &entry, &record);
	if (r) {
		trash_remove(fs, session->sid);
		return r;
	}
	history_note(fs, session->sid, record.ended);
	if (!was_read_only)
		launder_session(session);
	return 0;
}

int life_end(struct session *session, enum life_rule rule)
{
	int r = end(session, rule, session->record.name);

	if (!r && !session->fs->options.grace)
		r = life_drop(session);
	return r;
}

/* ---- out of it --------------------------------------------------------------------------------------------------- */

static int check_back(struct session *session, const char *name)
{
	struct store_dirent entry;
	int r;

	if (!session->record.ended || session->removed || session->drops)
		return ENOENT;
	if (name[0] == '.')
		return dir_refuse_in_root();
	if (strlen(name) > STORE_NAME_MAX)
		return ENAMETOOLONG;
	r = dir_find_name(session->fs->root, name, &entry);
	return r == 0 ? EEXIST : r == ENOENT ? 0 : r;
}

static int commit_back(struct session *session, struct node *top, const char *name, const struct store_session *heir)
{
	struct store_dirent entry = dir_entry(top, name);
	struct fs *fs = session->fs;
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, EVENT_MAX);

	if (r)
		return r;
	session_set_name(&c.record, name);
	c.record.ended = c.record.until = 0;
	c.record.ending = LIFE_NO_RULE;
	if (c.record.run == AT_REST)
		c.record.run = fs->run.number;
	c.record.flags &= ~(uint32_t)STORE_SESSION_NUMBERED;
	change_renew(fs, &c.record, c.now); /* else it would be too old once more */
	if (c.record.expires <= c.now)
		c.record.expires = 0; /* its own time is over: the rules hold */
	store_batch_add_dirent(c.batch, STORE_ROOT_SID, fs->root->ino, &entry);
	change_names(&c, fs->root, 1, 1);
	change_inode(&c, top)->ctime = c.now;
	history_delete(&c, session->sid, heir);
	r = event_add(&c, "taken back", NULL);
	return r ? r : change_commit(&c);
}

int life_take_back(struct session *session, const char *name)
{
	struct fs *fs = session->fs;
	const struct store_session *heir = NULL;
	SESSION_AUTO other = NULL;
	NODE_AUTO top = NULL;
	struct store_sid sid;
	int r = check_back(session, name);

	if (!r)
		r = node_load(fs, session->sid, session->record.root, &top);
	if (!r && history_heir(fs, session->sid, &sid) && !session_get(fs, sid, &other))
		heir = &other->record;
	if (!r)
		r = commit_back(session, top, name, heir);
	if (r)
		return r;
	trash_remove(fs, session->sid);
	history_forget(fs, session->sid, heir);
	return 0;
}

/* ---- dropping ---------------------------------------------------------------------------------------------------- */

/* Whatever the kernel still knows of it is gone. */
static int drop_now(struct session *session)
{
	struct fs *fs = session->fs;
	struct node *node;
	CHANGE_AUTO(c);
	int r = change_begin(&c, fs->root->session, STORE_SHRINK, 0);

	if (r)
		return r;
	if (session->record.until > c.now)
		history_close(&c, &session->record);
	store_batch_drop_session(c.batch, &session->record);
	r = change_commit(&c);
	if (r)
		return r;
	LIST_FOREACH(node, &session->nodes, siblings)
		node->gone = true;
	trash_remove(fs, session->sid);
	session_set_removed(session);
	return 0;
}

/* Out of the trash at once, for good (life_is_dropped), and out of the store with the last forget. */
static int drop_later(struct session *session)
{
	struct fs *fs = session->fs;
	CHANGE_AUTO(c);
	int r = change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, 0);

	if (r)
		return r;
	if (c.record.until > c.now)
		history_close(&c, &c.record);
	c.record.until = c.record.ended;
	r = change_commit(&c);
	if (r)
		return r;
	trash_remove(fs, session->sid);
	session_ref(session)->drops = true;
	TAILQ_INSERT_TAIL(&fs->dropping, session, dropping);
	keeper_wake(fs);
	return 0;
}

int life_drop(struct session *session)
{
	if (!session->record.ended || session->removed)
		return ENOENT;
	if (session->drops)
		return 0;
	return LIST_EMPTY(&session->nodes) ? drop_now(session) : drop_later(session);
}

bool life_is_dropped(const struct store_session *record)
{
	return record->ended && record->until <= record->ended;
}

static void leave_dropping(struct session *session)
{
	TAILQ_REMOVE(&session->fs->dropping, session, dropping);
	session->drops = false;
	session_put(session);
}

void trash_forgotten(struct session *session)
{
	TAILQ_REMOVE(&session->fs->dropping, session, dropping);
	TAILQ_INSERT_HEAD(&session->fs->dropping, session, dropping);
}

void trash_drop_forgotten(struct fs *fs)
{
	struct session *session;

	while ((session = TAILQ_FIRST(&fs->dropping)) && LIST_EMPTY(&session->nodes) && !drop_now(session))
		leave_dropping(session);
}

bool trash_prune_waiting(struct fs *fs)
{
	struct session *session;

	trash_drop_forgotten(fs);
	for (unsigned n = 0; n < PRUNED_AT_ONCE; n++) {
		session = TAILQ_FIRST(&fs->dropping);
		if (!session || LIST_EMPTY(&session->nodes))
			break;
		TAILQ_REMOVE(&fs->dropping, session, dropping);
		TAILQ_INSERT_TAIL(&fs->dropping, session, dropping);
		if (!session->prunes)
			prune_session(session);
	}
	return !TAILQ_EMPTY(&fs->dropping);
}

bool trash_drop_oldest(struct fs *fs)
{
	struct session *session = TAILQ_FIRST(&fs->dropping);
	struct store_sid sid;
	bool done;

	if (session) {
		done = !drop_now(session);
		if (done)
			leave_dropping(session);
		return done;
	}
	if (!trash_oldest(fs, &sid) || session_get(fs, sid, &session))
		return false;
	done = !drop_now(session);
	session_put(session);
	return done;
}

void trash_leave(struct fs *fs)
{
	while (!TAILQ_EMPTY(&fs->dropping))
		leave_dropping(TAILQ_FIRST(&fs->dropping));
}

/* ---- names of .sessfs/trash -------------------------------------------------------------------------------------- */

static int find_in_trash(struct fs *fs, const char *name, struct session **ret)
{
	struct store_sid sid;
	int r = life_trash_find(fs, name, &sid);

	return r ? r : session_get(fs, sid, ret);
}

/* A name in the trash of which the kernel thinks wrongly. */
struct misnomer {
	struct session *session; /* held */
	struct fs_id dir;
	char name[];
};

static bool is_pruned(struct fs *fs, const struct session *session)
{
	FS_GUARD(fs);

	return !session->prunes;
}

/* With all that it has below it, for which who wants to change the trash has to wait: when most of that is gone. */
static int forget_name(struct fs *fs, void *subject)
{
	struct misnomer *misnomer = subject;

	if (!is_pruned(fs, misnomer->session) && errand_add(fs->chores, forget_name, misnomer, NULL, NULL))
		return 0;
	serve_forget_name(fs, misnomer->dir, misnomer->name);
	fs_lock(fs);
	session_put(misnomer->session);
	fs_unlock(fs);
	free(misnomer);
	return 0;
}

/* The kernel remembers what it renamed under the new name: it got another one, or is not there any more. */
static void correct_kernel(struct session *session, struct fs_id trash, const char *to_name)
{
	struct fs *fs = session->fs;
	char shown[STORE_NAME_MAX + 1];
	struct misnomer *misnomer;

	if (!fs->chores || (!life_trash_name(fs, session->sid, shown) && strcmp(shown, to_name) == 0))
		return;
	misnomer = malloc(sizeof(*misnomer) + strlen(to_name) + 1);
	if (!misnomer)
		return; /* it asks again soon */
	*misnomer = (struct misnomer){.session = session_ref(session), .dir = trash};
	memcpy(misnomer->name, to_name, strlen(to_name) + 1);
	if (errand_add(fs->chores, forget_name, misnomer, NULL, NULL))
		return;
	session_put(session);
	free(misnomer);
}

/* A directory is held by names below it that are no nodes, of control files or found absent: they go with its own. */
static void forget_dropped(struct session *session, const char *name)
{
	prune_session(session);
	correct_kernel(session, control_trash_id(), name);
}

int trash_drop(struct session *session)
{
	char name[STORE_NAME_MAX + 1];
	int absent = life_trash_name(session->fs, session->sid, name), r = life_drop(session);

	if (session->drops && !absent)
		forget_dropped(session, name);
	return r;
}

int trash_rename_in(struct fs *fs, struct fs_id from, const char *name, struct fs_id trash, const char *to_name,
	unsigned flags)
{
	struct session *session;
	struct store_dirent entry;
	struct node *root;
	int r = flags & ~(unsigned)RENAME_NOREPLACE ? EINVAL : dir_find(fs, from, to_name, &root);

	if (!r)
		r = !node_is_root(root) ? EXDEV : to_name[0] == '.' ? dir_refuse_in_root() : 0;
	if (!r)
		r = dir_find_name(root, name, &entry);
	if (!r)
		r = session_get(fs, entry.session, &session);
	if (r)
		return r;
	r = end(session, LIFE_REMOVED, to_name);
	if (!r && !fs->options.grace)
		r = life_drop(session);
	if (!r) {
		prune_session(session);
		correct_kernel(session, trash, to_name);
	}
	session_put(session);
	return r;
}

int trash_rename_out(struct fs *fs, const char *name, struct fs_id to, const char *to_name, unsigned flags)
{
	struct session *session;
	struct node *root;
	int r = flags & ~(unsigned)RENAME_NOREPLACE ? EINVAL : dir_find(fs, to, to_name, &root);

	if (!r)
		r = node_is_root(root) ? find_in_trash(fs, name, &session) : EXDEV;
	if (r)
		return r;
	r = life_take_back(session, to_name);
	session_put(session);
	return r;
}

int trash_rmdir(struct fs *fs, const char *name)
{
	struct session *session;
	int r = find_in_trash(fs, name, &session);

	if (r)
		return r;
	r = life_drop(session);
	session_put(session);
	return r;
}
