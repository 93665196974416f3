/*
 * pages_internal.h - what pages.c, page.c, seek.c, guard.c and walk.c share: LMDB's pages, and a path from the root to
 * a leaf.
 */
#pragma once

#include "store/pages.h"

#include <stdatomic.h>

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_META = 8 };
enum { NODE_BIG = 1, FREE_KEY_SIZE = 8, PAGE_SIZE_MIN = 512, PAGE_SIZE_MAX = 32768, HEADS = 2 };

struct page_header {
	uint64_t pgno;
	uint16_t pad, flags;
	uint16_t lower, upper; /* of an overflow: together the number of its pages */
};

struct node_header {
	uint16_t lo, hi; /* of a leaf: length of the value; of a branch, with flags: the child */
	uint16_t flags;
	uint16_t key_len;
};
_Static_assert(sizeof(struct page_header) == PAGE_HEADER && sizeof(struct node_header) == NODE_HEADER,
	"the sizes that others count with are those of LMDB");

struct node {
	const uint8_t *key;
	uint32_t key_len, flags;
	uint32_t size;  /* in the page, header included */
	uint64_t child; /* of a branch; or the first page of a large value */
	const uint8_t *data;
	size_t len;
};

struct pages {
	int fd;
	uint8_t *map;
	uint64_t map_size;
	uint32_t page_size;
	_Atomic uint8_t *known; /* by page: a leaf that was found sound */
	uint64_t known_size;
};

/* The page if it is of that kind; of a branch or leaf also its number of nodes. NULL: damaged. */
const uint8_t *page_at(const struct pages *, const struct tree *, uint64_t number, unsigned flags, unsigned *ret_count);
/* Node i < count within the bounds of its page. */
bool node_at(const struct pages *, const uint8_t *page, unsigned i, struct node *ret);
/* The bytes of a node's value, wherever they are. */
bool node_value(const struct pages *, const struct tree *, const struct node *, struct page_value *ret);
/*
 * The same of the free list, whose records LMDB writes before it knows how many pages writing them takes: one that then
 * got shorter keeps the pages it has. *ret_pages, from its child on, go with it; 0: it is in the leaf.
 */
bool free_value(const struct pages *, const struct tree *, const struct node *, struct page_value *ret,
	uint64_t *ret_pages);
bool big_is_in_file(const struct pages *, const struct tree *, const struct node *);
uint64_t overflow_pages(const struct pages *, size_t len);
/* Structure and order of a branch or leaf, not its place in the tree. */
bool page_is_sound(const struct pages *, const struct tree *, const uint8_t *page, unsigned count, unsigned key_len);
/*
 * Whether a leaf of a sound page holds what it should: small values prove their keys by their checksums; of large ones,
 * whose bytes are elsewhere, at least what a key may be (invariant 2).
 */
bool leaf_holds(const struct pages *, const uint8_t *page, unsigned count);

/* Compares the key of node i; false if it has none of ours. */
bool compare_at(const struct pages *, const struct level *, unsigned i, const uint8_t key[KEY_SIZE], int *ret);
/*
 * To the first node with a key >= the one given (of a leaf), or the last with a key <= it (of a branch, whose first has
 * none).
 */
bool search_page(const struct pages *, struct level *, const struct key *, bool branch);

int path_find(const struct pages *, const struct tree *, const struct key *, struct path *ret);
int path_enter(const struct pages *, const struct tree *, struct path *, unsigned level, uint64_t number);
int path_child(const struct pages *, const struct level *, uint64_t *ret);
/* To the next (1) or previous (-1) page of a level; of it the first or last node. STORE_ABSENT at the end, -EIO. */
int path_step(const struct pages *, const struct tree *, struct path *, unsigned level, int direction);
/* The keys between which the branches put the leaf's; NULL where there is no bound. False: damaged. */
bool path_bounds(const struct pages *, const struct path *, unsigned key_len, const uint8_t **ret_low,
	const uint8_t **ret_high);
bool leaf_is_in_place(const struct pages *, const struct path *);

/*
 * Visits the free list: the page numbers of each record, count of them and not aligned; and the pages that the list
 * itself takes, each once. Ends with what a visit returned, if not 0. -EIO: it is not one that LMDB may be given.
 */
struct free_visit {
	int (*ids)(void *arg, const uint8_t *ids, size_t count);
	int (*own)(void *arg, uint64_t first, uint64_t count);
	void *arg;
};
int each_free(const struct pages *, const struct tree *, const struct free_visit *);

/* Bits by page number. */
static inline bool bit_test(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}
static inline void bit_set(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= (uint8_t)(1u << (i % 8));
}
