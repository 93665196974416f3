/*
 * cache_expiry.c - see cache_expiry.h: one file, when it is looked up or listed, how it goes, and how that is told.
 */
#include "fs/cache_expiry.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/event.h"
#include "fs/in_use.h"
#include "fs/keeper.h"
#include "fs/retention.h"
#include "fs/serve.h"
#include "fs/visit.h"

#define TOLD_NS (60 * FS_SECOND)

enum {
	TOLD_MAX = 16,        /* files told by name, in TOLD_NS */
	TOLD_TOGETHER = 1024, /* of the rest, told by one line at most */
};

/* ---- one file ---------------------------------------------------------------------------------------------------- */

uint64_t cache_expiry_size(const struct node *node)
{
	return S_ISREG(node->inode.mode) ? node->inode.size : 0;
}

bool cache_expiry_holds(struct node *dir)
{
	enum store_view view;

	return !node_view(dir, &view) && view == STORE_CACHE;
}

bool cache_expiry_applies(struct node *dir)
{
	const struct fs *fs = dir->session->fs;

	return fs->options.cache_ttl && !fs->options.read_only && !session_is_root(dir->session)
		&& cache_expiry_holds(dir);
}

bool cache_expiry_is_due(const struct fs *fs, int64_t mtime, int64_t now)
{
	return now >= fs->clock.hold && now >= retention_cache(&fs->options, mtime, fs->clock.jumped);
}

static bool may_be_due(struct node *dir, int64_t now)
{
	const struct store_session *record = &dir->session->record;

	return cache_expiry_is_due(dir->session->fs, record->cache_oldest, now) && !life_is_read_only(record)
		&& cache_expiry_applies(dir);
}

/* The file of that name in dir, pinned, if it is due; else NULL. */
static struct node *load_due(struct node *dir, const struct store_dirent *entry)
{
	struct fs *fs = dir->session->fs;
	int64_t now = fs_age_now(fs);
	struct node *node;

	if (entry->type == S_IFDIR || !may_be_due(dir, now) || node_load(fs, dir->session->sid, entry->ino, &node))
		return NULL;
	if (cache_expiry_is_due(fs, node->inode.mtime, now))
		return node;
	node_put(node);
	return NULL;
}

/* ---- what is told of them: the first in a minute by name, of the rest how many, to push out little else ---------- */

static void begin_telling(struct session *session)
{
	int64_t now = fs_now();

	if (now - session->expired.since < TOLD_NS && now >= session->expired.since)
		return;
	session->expired.since = now;
	session->expired.told = 0;
}

static bool is_told_by_name(const struct session *session)
{
	return session->expired.told < TOLD_MAX;
}

/* The path below the session, in the buffer; the name alone where that is too long. */
static const char *path_of(struct node *dir, const char *name, char path[PATH_MAX])
{
	size_t at = PATH_MAX - strlen(name) - 1;
	const char *below;

	memcpy(path + at, name, strlen(name) + 1);
	if (!visit_put_path(dir, path, &at))
		return name;
	below = strchr(path + at, '/');
	return below ? below + 1 : name;
}

static int tell_file(struct change *c, const char *path)
{
	const struct event_member members[] = {{"path", path}, {NULL, NULL}};

	return event_add(c, "expired file", members);
}

static int tell_together(struct change *c)
{
	char numbers[2][24];
	const struct event_member members[] = {{"count", numbers[0]}, {"size_bytes", numbers[1]}, {NULL, NULL}};

	snprintf(numbers[0], sizeof(numbers[0]), "%llu", (unsigned long long)c->record.untold);
	snprintf(numbers[1], sizeof(numbers[1]), "%llu", (unsigned long long)c->record.untold_bytes);
	c->record.untold = c->record.untold_bytes = 0;
	return event_add(c, "expired files", members);
}

/* Those that were not told so far, also by the mount before. */
void cache_expiry_tell_rest(struct session *session)
{
	CHANGE_AUTO(c);

	if (!session->record.untold || session->removed
	    || change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, EVENT_MAX))
		return;
	if (!tell_together(&c))
		(void)change_commit(&c);
}

/* Part of the change by which it goes; `path` if it is told by name. */
static int tell(struct change *c, const struct node *node, const char *path)
{
	if (path)
		return tell_file(c, path);
	c->record.untold++;
	c->record.untold_bytes += cache_expiry_size(node);
	return c->record.untold < TOLD_TOGETHER ? 0 : tell_together(c);
}

/* ---- one file goes ----------------------------------------------------------------------------------------------- */

int cache_expiry_remove(struct node *dir, const struct store_dirent *entry, struct node *node)
{
	struct fs *fs = dir->session->fs;
	char buffer[PATH_MAX];
	const char *path;
	CHANGE_AUTO(c);
	int r;

	begin_telling(dir->session);
	path = is_told_by_name(dir->session) ? path_of(dir, entry->name, buffer) : NULL;
	r = change_begin_as(&c, CHANGE_UPKEEP, dir->session, STORE_SHRINK, EVENT_MAX);
	if (r)
		return r;
	store_batch_delete_dirent(c.batch, dir->session->sid, dir->ino, entry->cookie);
	change_names(&c, dir, -1, 0);
	change_unlink(&c, node);
	c.record.files[STORE_CACHE]--;
	r = tell(&c, node, path);
	if (!r)
		r = change_commit(&c);
	if (r)
		return r;
	dir->session->expired.told += path != NULL;
	visit_announce(dir, entry->name, node->ino, node->inode.mode);
	serve_forget_listing(fs, fs_id_of_ino(dir->ino));
	return 0;
}

enum expiry cache_expiry_lookup(struct node *dir, const struct store_dirent *entry)
{
	NODE_AUTO node = load_due(dir, entry);

	if (!node)
		return EXPIRY_STAYS;
	switch (in_use_looked_up(dir->session->fs, in_use_file(node), node->ino)) {
	case IN_USE_NO:
		return cache_expiry_remove(dir, entry, node) ? EXPIRY_STAYS : EXPIRY_GONE;
	case IN_USE_DOUBT:
		return EXPIRY_ASK_AGAIN;
	case IN_USE_YES:
		break;
	}
	return EXPIRY_STAYS;
}

bool cache_expiry_leaves_out(struct node *dir, const struct store_dirent *entry, int64_t until)
{
	NODE_AUTO node = load_due(dir, entry);

	if (!node)
		return false;
	keeper_wake(dir->session->fs);
	if (in_use_file(node) != IN_USE_NO)
		return false;
	if (fs_now() < until)
		cache_expiry_remove(dir, entry, node); /* where it fails the keeper tries again */
	return true;
}

double cache_expiry_timeout(struct node *dir, const struct node *node)
{
	struct fs *fs = dir->session->fs;

	if (S_ISDIR(node->inode.mode) || !cache_expiry_applies(dir))
		return RULES_FOREVER;
	return expiry_brief(fs, retention_cache(&fs->options, node->inode.mtime, fs->clock.jumped));
}
