/*
 * forget.c - the end of a node: the kernel gives back its references, and an unlinked inode goes with the last of them.
 *
 *   linked, known --unlink--> orphan (nlink 0, orphan record) --last forget--> deleted, with its orphan record
 *                                        \--crash, unmount--> deleted when the store is mounted next
 */
#include <errno.h>
#include <syslog.h>

#include "fs/change.h"
#include "fs/control.h"
#include "fs/dir.h"
#include "fs/error.h"
#include "fs/trash.h"

/* Inodes deleted in one batch, so that no request waits long. */
enum { COLLECT_MAX = CHANGE_NODES };

/* Nodes of one session to be deleted together. Each is pinned. */
struct collection {
	unsigned count;
	struct node *nodes[COLLECT_MAX];
};

static void collect(struct collection *collection)
{
	struct node **nodes = collection->nodes;
	CHANGE_AUTO(c);
	int r;

	if (!collection->count)
		return;
	r = change_begin_as(&c, CHANGE_UPKEEP, nodes[0]->session, STORE_SHRINK, 0);
	if (!r) {
		for (unsigned i = 0; i < collection->count; i++) {
			change_delete(&c, nodes[i]);
			store_batch_delete_orphan(c.batch, nodes[i]->ino);
		}
		r = change_commit(&c);
	}
	if (r)
		fs_log(LOG_WARNING, "warning: unlinked files stay in the store until the next mount: error %d", r);
	while (collection->count)
		node_put(nodes[--collection->count]);
}

static bool is_orphan(const struct node *node)
{
	return node->inode.nlink == 0 && !node->gone && !node->session->fs->options.read_only;
}

static void collect_later(struct collection *collection, struct node *node)
{
	if (collection->count && collection->nodes[0]->session != node->session)
		collect(collection);
	node->pins++;
	collection->nodes[collection->count++] = node;
	if (collection->count == COLLECT_MAX)
		collect(collection);
}

static void forget_one(struct fs *fs, const struct forget_item *item, struct collection *collection)
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
		collect_later(collection, node);
	node_put(node);
}

void forget_locked(struct fs *fs, const struct forget_item *items, size_t count)
{
	struct collection collection = {0};

	for (size_t i = 0; i < count; i++)
		forget_one(fs, &items[i], &collection);
	collect(&collection);
	if (!LIST_EMPTY(&fs->dropping))
		trash_drop_forgotten(fs);
}

void rules_forget(struct fs *fs, const struct forget_item *items, size_t count)
{
	FS_GUARD(fs);

	forget_locked(fs, items, count);
}

void rules_collect_live_orphans(struct fs *fs)
{
	FS_GUARD(fs);
	struct collection collection = {0};
	struct node *node, *next;

	HASH_ITER(hh, fs->nodes, node, next)
		if (is_orphan(node))
			collect_later(&collection, node);
	collect(&collection);
}

struct orphans {
	unsigned count;
	struct store_sid sids[COLLECT_MAX];
	struct store_ino inos[COLLECT_MAX];
};

static bool note_orphan(void *arg, struct store_sid sid, struct store_ino ino)
{
	struct orphans *orphans = arg;

	orphans->sids[orphans->count] = sid;
	orphans->inos[orphans->count] = ino;
	return ++orphans->count == COLLECT_MAX;
}

/* An orphan whose session, or whose own record, is gone. */
static int collect_stray(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	struct store_batch *batch;
	int r = error_of_store(store_batch_begin(fs->store, STORE_SHRINK, 0, &batch));

	if (r)
		return r;
	store_batch_delete_inode(batch, sid, ino);
	store_batch_delete_orphan(batch, ino);
	return error_of_store(store_batch_commit(batch));
}

static int collect_orphan(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	struct collection collection = {0};
	NODE_AUTO node = NULL;

	if (node_load(fs, sid, ino, &node))
		return collect_stray(fs, sid, ino);
	if (!is_orphan(node))
		return 0;
	collect_later(&collection, node);
	collect(&collection);
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
	return r;
}
