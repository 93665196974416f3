/*
 * node.c - the table of inodes in memory. What the kernel's forget means for an unlinked inode is in forget.c.
 */
#include "fs/node.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/control.h"
#include "fs/error.h"
#include "fs/fault.h"
#include "fs/trash.h"

int node_find(struct fs *fs, struct fs_id id, struct node **ret)
{
	struct node *node = NULL;

	fs_assert_locked(fs);
	if (control_is_id(id)) {
		fault_explain(NULL, "control files can be read and written, and nothing else");
		return EPERM;
	}
	HASH_FIND(hh, FS_TABLE(fs->nodes, id.n), &id.n, sizeof(id.n), node);
	if (!node)
		return ESTALE;
	*ret = node;
	return 0;
}

int node_new(struct session *session, struct store_ino ino, const struct store_inode *inode, struct node **ret)
{
	struct fs *fs = session->fs;
	struct node *node = calloc(1, sizeof(*node));

	fs_assert_locked(fs);
	if (!node)
		return -ENOMEM;
	node->ino = ino;
	HASH_ADD(hh, FS_TABLE(fs->nodes, ino.n), ino, sizeof(node->ino), node);
	if (!node->hh.tbl) {
		free(node);
		return -ENOMEM;
	}
	node->session = session_ref(session);
	LIST_INSERT_HEAD(&session->nodes, node, siblings);
	node->pins = 1;
	node->inode = *inode;
	*ret = node;
	return 0;
}

static int load(struct session *session, struct store_ino ino, struct node **ret)
{
	uint64_t epoch = store_epoch(session->fs->store);
	struct store_inode inode;
	struct node *node;
	int r;

	r = error_of_store(store_get_inode(session->fs->store, session->sid, ino, &inode));
	if (r) /* a name whose inode is missing is damage, not an absence */
		return r == ENOENT ? -EIO : r;
	r = node_new(session, ino, &inode, &node);
	if (r) {
		store_inode_release(&inode);
		return r;
	}
	node->stored_epoch = epoch;
	*ret = node;
	return 0;
}

int node_load(struct fs *fs, struct store_sid sid, struct store_ino ino, struct node **ret)
{
	struct session *session;
	struct node *node = NULL;
	int r;

	fs_assert_locked(fs);
	HASH_FIND(hh, FS_TABLE(fs->nodes, ino.n), &ino, sizeof(ino), node);
	if (node) {
		node->pins++;
		*ret = node;
		return 0;
	}
	r = session_get(fs, sid, &session);
	if (r)
		return r == ENOENT ? -EIO : r;
	r = load(session, ino, ret);
	session_put(session);
	return r;
}

static void node_free(struct node *node)
{
	HASH_DEL(FS_TABLE(node->session->fs->nodes, node->ino.n), node);
	LIST_REMOVE(node, siblings);
	if (node->session->drops && LIST_EMPTY(&node->session->nodes))
		trash_forgotten(node->session);
	store_inode_release(&node->inode);
	session_put(node->session);
	free(node);
}

void node_put(struct node *node)
{
	if (!node)
		return;
	fs_assert_locked(node->session->fs);
	assert(node->pins);
	if (--node->pins == 0 && node->nlookup == 0)
		node_free(node);
}

void node_free_all(struct fs *fs)
{
	struct node *node, *next;

	fs_assert_locked(fs);
	for (unsigned i = 0; i < FS_TABLES; i++)
		HASH_ITER(hh, fs->nodes[i], node, next)
			node_free(node);
}

bool node_is_dirty(const struct node *node)
{
	/* A flush that was running at the time of the write does not cover it; the one after that does. */
	return node->written_epoch && store_epoch(node->session->fs->store) < node->written_epoch + 2;
}

int node_stored(struct node *node, uint64_t *ret)
{
	struct fs *fs = node->session->fs;
	uint64_t epoch = store_epoch(fs->store), stored;
	int r;

	if (node->stored_epoch != epoch && !node->gone && S_ISREG(node->inode.mode)) {
		r = error_of_store(store_stored(fs->store, node->session->sid, node->ino, &stored));
		if (r == ENOENT)
			stored = 0;
		else if (r)
			return r;
		node->inode.stored = stored;
		node->stored_epoch = epoch;
	}
	*ret = node->inode.stored;
	return 0;
}

static const char *const view_names[STORE_OTHER] = {"research_data", "intermediate_results", "cache", "logs"};

enum store_view view_of_name(const char *name)
{
	unsigned view;

	for (view = 0; view < STORE_OTHER && strcmp(name, view_names[view]); view++)
		;
	return (enum store_view)view;
}

const char *view_name(enum store_view view)
{
	return view < STORE_OTHER ? view_names[view] : "other";
}

/* Where the walk up from dir ends: its top-level ancestor, or an ancestor whose view is known. Pinned. */
static int view_holder(struct node *dir, struct node **ret)
{
	struct session *session = dir->session;
	struct node *at = dir, *parent;
	int r;

	at->pins++;
	for (unsigned depth = 0; at->view_epoch != session->view_epoch && !node_is_session(at)
	     && at->inode.parent != session->record.root.n; depth++) {
		struct store_ino up = {at->inode.parent};

		r = depth < NODE_DEPTH_MAX ? node_load(session->fs, session->sid, up, &parent) : -EIO;
		node_put(at);
		if (r)
			return r;
		at = parent;
	}
	*ret = at;
	return 0;
}

int node_view(struct node *dir, enum store_view *ret)
{
	uint32_t epoch = dir->session->view_epoch;
	NODE_AUTO at = NULL;
	int r = view_holder(dir, &at);

	if (r)
		return r;
	if (at->view_epoch != epoch) {
		/* 0, no view, and what is none become a large number */
		at->view = (uint8_t)(at->inode.view - 1 < STORE_OTHER ? at->inode.view - 1 : STORE_OTHER);
		at->view_epoch = epoch;
	}
	dir->view = at->view;
	dir->view_epoch = epoch;
	*ret = (enum store_view)dir->view;
	return 0;
}
