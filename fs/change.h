/*
 * change.h - one operation that changes the store: a batch, and beside it what memory will hold once the batch is
 * committed.
 *
 * Nodes and the session are staged as copies; the operation edits the copies; commit writes them with the batch and
 * only then to memory. So a failure at any point leaves both as they were. The caller holds fs->lock from begin to
 * end, and between them asks the store for nothing: what an operation has to know it finds out before.
 */
#pragma once

#include "fs/node.h"

/* Most are staged in a collection of orphans: all of fs->dead. */
enum { CHANGE_NODES = FS_DEAD_MAX };

struct change_node {
	struct node *node;
	bool gone;    /* deleted by this change */
	bool written; /* its content changed */
	bool made;    /* made by this change */
	struct store_inode inode;
};

struct change {
	struct fs *fs;
	struct store_batch *batch; /* for content, names and attributes */
	int64_t now;
	bool returns; /* what a power cut takes of it is done again by the next mount: nothing is unsaved */
	bool tells; /* it may change which sessions there are, or what one says of itself */
	unsigned count;
	struct change_node nodes[CHANGE_NODES];
	size_t size; /* bytes of log, once it is committed */
	struct session *session; /* NULL: none to be written */
	struct store_session record; /* its copy, to be edited */
};

/* What a change is for. */
enum change_kind {
	CHANGE_CONTENT, /* what is in the session: refused with EROFS while it is read-only */
	CHANGE_SETTING, /* its status and what it says of itself: refused only in the trash */
	CHANGE_UPKEEP,  /* our own doing: its end and its return, events, collection of orphans */
};

/* EROFS if the session refuses such a change. */
int change_check(const struct session *, enum change_kind);
/*
 * Begins. The session's record is staged, with its newest change now (but for upkeep), unless it is the root's or
 * removed. `bytes` as of store_batch_begin. What was not committed is undone by change_end.
 */
int change_begin_as(struct change *, enum change_kind, struct session *, enum store_batch_flag, size_t bytes);

static inline int change_begin(struct change *c, struct session *session, enum store_batch_flag flag, size_t bytes)
{
	return change_begin_as(c, CHANGE_CONTENT, session, flag, bytes);
}

/* The session was changed at this moment: its age begins anew. */
static inline void change_renew(const struct fs *fs, struct store_session *record, int64_t now)
{
	record->modified = record->last_write = now;
	record->skew = fs->clock.skew;
}

/* The copy of a node's inode, staged at the first call. */
struct store_inode *change_inode(struct change *, struct node *);
/* A new inode. The node is pinned for the caller, and worthless if the change is not committed. */
int change_new(struct change *, struct session *, const struct store_inode *, struct node **ret);
void change_written(struct change *, struct node *);
void change_delete(struct change *, struct node *);
/* Takes one name from a file; with the last it becomes an orphan, or goes at once if the kernel does not know it. */
void change_unlink(struct change *, struct node *);
/* Adds to (or takes from) the number of names in a directory, of which `dirs` are directories. */
void change_names(struct change *, struct node *dir, int names, int dirs);
/* A file's size, in the inode and in the session's sum. */
void change_size(struct change *, struct node *, uint64_t size);
int change_commit(struct change *);
void change_end(struct change *);

/* Declares a change that ends with the block, whether it was begun or not. */
#define CHANGE_AUTO(c)                                          \
	__attribute__((cleanup(change_end))) struct change c;   \
	c.batch = NULL;                                         \
	c.count = 0
