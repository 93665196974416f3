/*
 * node.h - the inodes in memory: those the kernel knows (their lookup count is above 0) and those an operation is
 * using.
 *
 * Lock order, the only one in fs/: fs->lock, then what the store locks inside (store/internal.h), or the lock of
 * errand.c, a leaf, which is also taken without it. What takes a lock of the kernel's that waits for us is told with
 * fs->lock released (serve.h). Replies to the kernel are sent, and file content is read, with fs->lock released.
 * Everything below is protected by fs->lock.
 */
#pragma once

#include "fs/core.h"
#include "fs/session.h"

/*
 * The kernel's number of a node: an inode number, or that of a control node (above all inode numbers, see control.h).
 */
struct fs_id {
	uint64_t n;
};

static inline struct fs_id fs_id_of_ino(struct store_ino ino)
{
	return (struct fs_id){ino.n};
}

/* Of directories; beyond it the parents of a damaged store run in a circle. */
enum { NODE_DEPTH_MAX = 1 << 20 };

struct node {
	struct store_ino ino; /* key */
	UT_hash_handle hh;
	struct session *session;
	LIST_ENTRY(node) siblings; /* in session->nodes */
	uint64_t nlookup; /* references of the kernel; only a forget takes them back */
	uint32_t pins;    /* operations that hold it */
	uint32_t view_epoch; /* session->view_epoch as of which view is right */
	uint8_t view;     /* of a directory: enum store_view */
	/* the thread that was told its attributes since these changed, see change.c; -1: several, or not known */
	pid_t told;
	bool taken;       /* the kernel was seen to hold it since it was told of it last, see in_use.c */
	bool gone;        /* the store has no record of it any more */
	bool late_times;  /* the kernel may still hold times of it, see launder.h */
	int refused;      /* with writeback: the result of appends until it is cut, see cut.h; 0: it need not be */
	uint64_t written_epoch; /* store_epoch when content was last written; 0: not since it was loaded */
	uint64_t stored_epoch;  /* store_epoch for which inode.stored is right; 0: it is not */
	struct store_inode inode; /* as the store has it */
};

/*
 * The node the kernel means: ESTALE if it is not known, EPERM for a control node. Not pinned: valid while the lock is
 * held.
 */
int node_find(struct fs *, struct fs_id, struct node **ret);
/* Finds or loads an inode and pins it. */
int node_load(struct fs *, struct store_sid, struct store_ino, struct node **ret);
/* A pinned node for an inode that is being made. The record is taken over on success. */
int node_new(struct session *, struct store_ino, const struct store_inode *, struct node **ret);
/* Unpins; a node that nobody knows any more goes. NULL is fine. */
void node_put(struct node *);
void node_free_all(struct fs *);

/* Fresh figure of the bytes its content occupies. */
int node_stored(struct node *, uint64_t *ret);
/* Content was written lately, so that what it occupies changes with the next flush. */
bool node_is_dirty(const struct node *);
/* The view that names in this directory count for. */
int node_view(struct node *dir, enum store_view *ret);
/* The view of a directory of that name at a session's top. */
enum store_view view_of_name(const char *name);
/* "research_data", ..., "other" */
const char *view_name(enum store_view);

static inline void node_putp(struct node **node)
{
	node_put(*node);
}
#define NODE_AUTO __attribute__((cleanup(node_putp))) struct node *

static inline bool node_is_root(const struct node *node)
{
	return node->ino.n == STORE_ROOT_INO.n;
}

/* A session's directory. */
static inline bool node_is_session(const struct node *node)
{
	return !session_is_root(node->session) && node->ino.n == node->session->record.root.n;
}
