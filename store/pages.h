/*
 * pages.h - reads the pages of data.mdb itself, taking nothing in them on trust.
 *
 * LMDB believes its pages: a flipped bit in one makes it read or write outside of memory. So small reads descend the
 * tree here, each access checked against its bounds, under the protection of an LMDB transaction that keeps the pages
 * from being reused. And what LMDB will touch when it changes a key is verified first (struct guard). The layout is
 * that of LMDB 0.9 on 64-bit little-endian machines; FORMAT.md has it in short.
 *
 * A search that finds nothing proves it: a key is absent only between two neighbours in one sound leaf, or at the edge
 * of two leaves that lie where the branches say. Otherwise a flipped bit in a key would make a file vanish, or a chunk
 * read as zeros.
 */
#pragma once

#include "store/key.h"

struct pages;

/* Bytes of every page, and of every record in a leaf, which also takes two in a list of the page's records. */
enum { PAGE_HEADER = 16, NODE_HEADER = 8 };

struct page_value {
	const uint8_t *data;
	size_t len;
};

/* The trees as of one transaction. */
struct tree {
	uint64_t root, free_root; /* page numbers; PAGE_NONE: an empty tree */
	uint64_t last;            /* highest page number in use */
	uint64_t count;           /* pages that are in the file */
	uint64_t txnid;
	uint64_t entries;
	unsigned depth, free_depth;
};
#define PAGE_NONE UINT64_MAX
enum { TREE_DEPTH_MAX = 32 };

/*
 * Looks at the heads of data.mdb in directory path before LMDB does. 0 also if it is not there or empty; STORE_DAMAGED,
 * -errno.
 */
int pages_inspect(const char *path);
/*
 * Overwrites the one damaged head with the sound one, a transaction older or the same. 0, STORE_DAMAGED if both are,
 * -errno.
 */
int pages_mend_heads(const char *path);

/* Maps data.mdb, room for it to grow to map_size. Any thread may use it. -errno, STORE_DAMAGED. */
int pages_open(const char *path, uint64_t map_size, struct pages **ret);
void pages_close(struct pages *);
size_t pages_size(const struct pages *); /* bytes of one */

/*
 * The trees of a transaction that a reader holds. STORE_ABSENT: its head was overwritten, take a newer transaction.
 * -EIO.
 */
int pages_tree(struct pages *, uint64_t txnid, struct tree *ret);

/* From the root to a record; void, with depth 0, once its transaction ended. */
struct level {
	const uint8_t *page;
	unsigned count, index;
};
struct path {
	unsigned depth;
	struct level at[TREE_DEPTH_MAX];
};
/*
 * First record with a key >= key; the path, to another of the same transaction or of depth 0, moves to it.
 * STORE_ABSENT, -EIO.
 */
int pages_seek(struct pages *, const struct tree *, const struct key *, struct path *, struct key *ret_key,
	struct page_value *ret);
/* First record with a key > key: one step if the path leads to key. */
int pages_after(struct pages *, const struct tree *, const struct key *, struct path *, struct key *ret_key,
	struct page_value *ret);

/* Whether a record may have the key (invariant 2). */
bool key_is_plausible(const struct key *);

/* Pages on the free list. -EIO if it is damaged. */
int pages_count_free(struct pages *, const struct tree *, uint64_t *ret);

/* ---- before LMDB changes something ---------------------------------------------------------------------------- */

/*
 * Verifies, for one write transaction, the free list at once and then what a change of a key may touch in the tree as
 * it was before: the pages on the way to its leaf and, as LMDB merges pages that got empty with their neighbours, those
 * around them.
 */
struct guard;
int guard_new(struct pages *, const struct tree *, struct guard **ret); /* -EIO, -ENOMEM */
void guard_free(struct guard *);
int guard_admit(struct guard *, const struct key *); /* -EIO */
/*
 * Admits the keys from first to last that one leaf, the first one with any, had before the transaction, and lists them.
 * STORE_ABSENT, -EIO.
 */
enum { LEAF_KEYS_MAX = 1024 };
int guard_admit_leaf(struct guard *, const struct key *first, const struct key *last, struct key keys[LEAF_KEYS_MAX],
	unsigned *ret_count);

/* ---- all of it -------------------------------------------------------------------------------------------------- */

struct walk {
	/* Every record that can be reached in bounds, in the order of the tree; `sound` tells if its page is. */
	void (*record)(void *arg, const struct key *, const struct page_value *, bool sound);
	void (*damage)(void *arg, uint64_t page, const char *what);
	void *arg;
};
/* Reads both trees, and finds pages that are used twice, or free and used. -ENOMEM. */
int pages_walk(struct pages *, const struct tree *, const struct walk *);
