/*
 * forget.c - the end of a node: the kernel gives back its references, and an unlinked inode goes with the last of them.
 *
 *   linked, known --unlink--> orphan (nlink 0, orphan record) --last forget--> dead --rules_settle--> deleted
 *                                        \--crash, unmount--> deleted when the store is mounted next
 *
 * A kernel that removes a tree forgets one file after each unlink: the dead gather, as many cost one batch hardly more
 * than one does.
 */
#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#include "fs/change.h"
#include "fs/control.h"
#include "fs/dir.h"
#include "fs/errand.h"
#include "fs/error.h"
#include "fs/trash.h"

enum { ORPHANS_AT_ONCE = 64, SLICE = 256 };

void forget_settle(struct fs *fs)
{
	struct node **dead = fs->dead;
	CHANGE_AUTO(c);
	int r;

	fs_assert_locked(fs);
	if (!fs->dead_count)
		return;
	r = change_begin_as(&c, CHANGE_UPKEEP, dead[0]->session, STORE_SHRINK, 0);
	if (!r) {
		for (unsigned i = 0; i < fs->dead_count; i++) {
			change_delete(&c, dead[i]);
			store_batch_delete_orphan(c.batch, dead[i]->ino);
		}
		r = change_commit(&c);
	}
	if (r)
		fs_log(LOG_WARNING, "warning: unlinked files stay in the store until the next mount: error %d", r);
	while (fs->dead_count)
		node_put(dead[--fs->dead_count]);
}

static bool is_orphan(const struct node *node)
{
	return node->inode.nlink == 0 && !node->gone && !node->session->fs->options.read_only;
}

static void settle_later(struct node *node)
{
	struct fs *fs = node->session->fs;

	if (fs->dead_count && fs->dead[0]->session != node->session)
		forget_settle(fs);
	node->pins++;
	fs->dead[fs->dead_count++] = node;
	if (fs->dead_count == FS_DEAD_MAX)
		forget_settle(fs);
}

static void forget_one(struct fs *fs, const struct forget_item *item)
{
	struct node *node;

	if (control_is_id(item->id)) {
		control_forget(fs, item->id, item->count);
		return;
	}
	if (node_find(fs, item->id, &node))
		return;
	node->nlookup -= item->count < node->nlookup ? item->count : node->nlookup;
	if (node->nlookup)
		return;
	node->pins++;
	if (is_orphan(node))
		settle_later(node);
	node_put(node);
}

void forget_locked(struct fs *fs, const struct forget_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		forget_one(fs, &items[i]);
	if (!TAILQ_EMPTY(&fs->dropping)) {
		forget_settle(fs);
		trash_drop_forgotten(fs);
	}
}

void rules_forget(struct fs *fs, const struct forget_item *items, size_t count)
{
	FS_GUARD(fs);

	forget_locked(fs, items, count);
}

struct many {
	struct forget_item *items;
	size_t count;
};

static int forget_slices(struct fs *fs, void *subject)
{
	struct many *many = subject;

	for (size_t at = 0, n; at < many->count; at += n) {
		n = many->count - at < SLICE ? many->count - at : SLICE;
		rules_forget(fs, many->items + at, n);
		rules_settle(fs);
		fs_give_way();
	}
	free(many->items);
	free(many);
	return 0;
}

void rules_forget_many(struct fs *fs, struct forget_item *items, size_t count)
{
	struct many *many = malloc(sizeof(*many));

	if (many)
		*many = (struct many){items, count};
	if (many && errand_add(fs->chores, forget_slices, many, NULL, NULL))
		return;
	free(many);
	rules_forget(fs, items, count);
	free(items);
}

void rules_settle(struct fs *fs)
{
	FS_GUARD(fs);

	forget_settle(fs);
}

void rules_collect_live_orphans(struct fs *fs)
{
	FS_GUARD(fs);
	struct node *node, *next;

	forget_settle(fs);

	for (unsigned i = 0; i < FS_TABLES; i++)
		HASH_ITER(hh, fs->nodes[i], node, next)
			if (is_orphan(node))
				settle_later(node);
	forget_settle(fs);
}

struct orphans {
	unsigned count;
	struct store_sid sids[ORPHANS_AT_ONCE];
	struct store_ino inos[ORPHANS_AT_ONCE];
};

static bool note_orphan(void *arg, struct store_sid sid, struct store_ino ino)
{
	struct orphans *orphans = arg;

	orphans->sids[orphans->count] = sid;
	orphans->inos[orphans->count] = ino;
	return ++orphans->count == ORPHANS_AT_ONCE;
}

/* The store deletes it with all that belongs to its session. */
static bool is_dropped(struct fs *fs, struct store_sid sid)
{
	__attribute__((cleanup(store_session_release))) struct store_session record = {0};

	return store_get_session(fs->store, sid, &record) == 0 && record.flags & STORE_SESSION_DROPPED;
}

/* An orphan whose session, or whose own record, is gone. */
static int collect_stray(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	struct store_batch *batch;
	int r;

	if (is_dropped(fs, sid))
		return 0;
	r = error_of_store(store_batch_begin(fs->store, STORE_SHRINK, 0, &batch));
	if (r)
		return r;
	store_batch_delete_xattrs(batch, sid, ino);
	store_batch_delete_inode(batch, sid, ino);
	store_batch_delete_orphan(batch, ino);
	return error_of_store(store_batch_commit(batch));
}

static int collect_orphan(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	NODE_AUTO node = NULL;
	int r = node_load(fs, sid, ino, &node);

	if (r == -ENOMEM)
		return r; /* it may be whole, and is counted by its session */
	if (r)
		return collect_stray(fs, sid, ino);
	if (!is_orphan(node))
		return 0;
	settle_later(node);
	return 0;
}

int rules_collect_orphans(struct fs *fs)
{
	FS_GUARD(fs);
	struct orphans orphans;
	uint64_t after = 0;
	int r;

	do {
		orphans.count = 0;
		r = error_of_store(store_scan_orphans(fs->store, after, note_orphan, &orphans));
		for (unsigned i = 0; !r && i < orphans.count; i++) {
			r = collect_orphan(fs, orphans.sids[i], orphans.inos[i]);
			after = orphans.inos[i].n;
		}
	} while (!r && orphans.count);
	forget_settle(fs);
	return r;
}
