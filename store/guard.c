/* guard.c - verifies, before LMDB changes a key, the pages that it will believe; and the free list. */
#include "store/pages_internal.h"

#include <errno.h>
#include <stdlib.h>

/*
 * How many leaves to each side LMDB may come to when it merges the one of a key: one, and one more where that is nearly
 * empty.
 */
enum { LEAVES_AROUND = 2 };

struct guard {
	struct pages *pages;
	struct tree tree;
	uint8_t *seen, *free;      /* bits by page: verified; on the free list */
	struct level leaf;         /* verified last, */
	const uint8_t *low, *high; /* and the keys it is for; NULL: no bound */
};

/* ---- the free list ---------------------------------------------------------------------------------------------- */

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static bool path_is_sound(const struct pages *p, const struct tree *t, const struct path *path, unsigned key_len)
{
	for (unsigned i = 0; i < path->depth; i++)
		if (!page_is_sound(p, t, path->at[i].page, path->at[i].count, key_len))
			return false;
	return true;
}

static int each_free_of_leaf(const struct pages *p, const struct tree *t, const struct level *leaf,
	int (*each)(void *, const uint8_t *, size_t), void *arg)
{
	struct node n;
	struct page_value v;
	for (unsigned i = 0; i < leaf->count; i++) {
		if (!node_at(p, leaf->page, i, &n) || !free_value(p, t, &n, &v) || v.len < sizeof(uint64_t))
			return -EIO;
		uint64_t count = get_u64(v.data);
		if (count > v.len / sizeof count - 1)
			return -EIO;
		int r = each(arg, v.data + sizeof count, count);
		if (r)
			return r;
	}
	return 0;
}

int each_free(const struct pages *p, const struct tree *t, int (*each)(void *, const uint8_t *, size_t), void *arg)
{
	struct tree list = *t;
	struct path path = {.depth = t->free_depth};
	uint64_t number = list.root = t->free_root;
	list.depth = t->free_depth;
	int r = 0;
	if (number == PAGE_NONE)
		return 0;
	for (unsigned i = 0; i < path.depth; i++)
		if (path_enter(p, &list, &path, i, number) ||
			(i + 1 < path.depth && path_child(p, &path.at[i], &number)))
			return -EIO;
	while (r == 0) {
		if (!path_is_sound(p, &list, &path, FREE_KEY_SIZE))
			return -EIO;
		r = each_free_of_leaf(p, t, &path.at[path.depth - 1], each, arg);
		r = r ? r : path_step(p, &list, &path, path.depth - 1, 1);
	}
	return r == STORE_ABSENT ? 0 : r;
}

static int count_free(void *arg, const uint8_t *ids, size_t count)
{
	(void)ids;
	*(uint64_t *)arg += count;
	return 0;
}

int pages_count_free(struct pages *p, const struct tree *t, uint64_t *ret)
{
	*ret = 0;
	return each_free(p, t, count_free, ret);
}

/* LMDB keeps the numbers of a record in descending order, and allocates by that. */
static int note_free(void *arg, const uint8_t *ids, size_t count)
{
	struct guard *g = arg;
	uint64_t before = g->tree.last + 1;
	for (size_t i = 0; i < count; i++) {
		uint64_t number = get_u64(ids + 8 * i);
		if (number < 2 || number >= before || bit_test(g->free, number))
			return -EIO;
		bit_set(g->free, number);
		before = number;
	}
	return 0;
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

int guard_new(struct pages *p, const struct tree *t, struct guard **ret)
{
	struct guard *g = calloc(1, sizeof *g);
	if (!g)
		return -ENOMEM;
	g->pages = p;
	g->tree = *t;
	g->seen = calloc(1, t->last / 8 + 1);
	g->free = calloc(1, t->last / 8 + 1);
	int r = g->seen && g->free ? each_free(p, t, note_free, g) : -ENOMEM;
	if (r) {
		guard_free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	free(g->seen);
	free(g->free);
	free(g);
}

static bool verify_page(struct guard *g, const struct level *l)
{
	uint64_t number = (uint64_t)(l->page - g->pages->map) / g->pages->page_size;
	if (bit_test(g->seen, number))
		return true;
	if (bit_test(g->free, number) || !page_is_sound(g->pages, &g->tree, l->page, l->count, KEY_SIZE))
		return false;
	bit_set(g->seen, number);
	return true;
}

static bool verify_path(struct guard *g, const struct path *path)
{
	for (unsigned i = 0; i < path->depth; i++)
		if (!verify_page(g, &path->at[i]))
			return false;
	return true;
}

static int verify_leaves(struct guard *g, struct path path, int direction)
{
	for (int i = 0; i < LEAVES_AROUND; i++) {
		int r = path_step(g->pages, &g->tree, &path, path.depth - 1, direction);
		if (r)
			return r < 0 ? r : 0;
		if (!verify_path(g, &path))
			return -EIO;
	}
	return 0;
}

/* Branches that merge ask for the lowest key below them. */
static int verify_branch(struct guard *g, struct path path, unsigned level, int direction)
{
	uint64_t number;
	int r = direction ? path_step(g->pages, &g->tree, &path, level, direction) : 0;
	if (r)
		return r < 0 ? r : 0;
	path.at[level].index = 0;
	for (unsigned i = level; i + 1 < path.depth; i++)
		if (path_child(g->pages, &path.at[i], &number) || path_enter(g->pages, &g->tree, &path, i + 1, number))
			return -EIO;
	return verify_path(g, &path) ? 0 : -EIO;
}

/* The pages on the path, and around it. */
static int verify_around(struct guard *g, const struct path *path)
{
	int r = 0;
	if (!verify_path(g, path) || !leaf_is_in_place(g->pages, path))
		return -EIO;
	for (int direction = -1; direction <= 1 && r == 0; direction++) {
		r = direction ? verify_leaves(g, *path, direction) : 0;
		for (unsigned level = 0; r == 0 && level + 1 < path->depth; level++)
			r = verify_branch(g, *path, level, direction);
	}
	return r;
}

static int verify_leaf_of(struct guard *g, const struct key *key)
{
	struct path path;
	int r = path_find(g->pages, &g->tree, key, &path);
	r = r ? r : verify_around(g, &path);
	if (r)
		return r;
	g->leaf = path.at[path.depth - 1];
	return path_bounds(g->pages, &path, &g->low, &g->high) ? 0 : -EIO;
}

/* The pages of a large value, which LMDB frees by the number that their head tells. */
static int verify_node(struct guard *g, const struct level *leaf, unsigned i, struct node *ret)
{
	struct page_value v;
	if (!node_at(g->pages, leaf->page, i, ret) || !node_value(g->pages, &g->tree, ret, &v))
		return -EIO;
	for (uint64_t k = 0; ret->flags == NODE_BIG && k < overflow_pages(g->pages, ret->len); k++)
		if (bit_test(g->free, ret->child + k))
			return -EIO;
	return 0;
}

static int verify_value(struct guard *g, const struct key *key, const uint8_t bytes[KEY_SIZE])
{
	struct node n;
	int c;
	if (!search_page(g->pages, &g->leaf, key, false))
		return -EIO;
	if (g->leaf.index == g->leaf.count || !compare_at(g->pages, &g->leaf, g->leaf.index, bytes, &c) || c != 0)
		return 0;
	return verify_node(g, &g->leaf, g->leaf.index, &n);
}

int guard_admit(struct guard *g, const struct key *key)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	if (g->tree.root == PAGE_NONE)
		return 0;
	bool known = g->leaf.page && (!g->low || memcmp(g->low, bytes, KEY_SIZE) <= 0) &&
		     (!g->high || memcmp(bytes, g->high, KEY_SIZE) < 0);
	int r = known ? 0 : verify_leaf_of(g, key);
	return r ? r : verify_value(g, key, bytes);
}

int guard_admit_leaf(struct guard *g, const struct key *first, const struct key *last, struct key keys[LEAF_KEYS_MAX],
	unsigned *ret_count)
{
	struct path path;
	if (g->tree.root == PAGE_NONE)
		return STORE_ABSENT;
	int r = path_find(g->pages, &g->tree, first, &path);
	struct level *leaf = &path.at[path.depth - 1];
	if (r == 0 && leaf->index == leaf->count)
		r = path_step(g->pages, &g->tree, &path, path.depth - 1, 1);
	r = r ? r : verify_around(g, &path);
	unsigned count = 0;
	for (; r == 0 && leaf->index < leaf->count && count < LEAF_KEYS_MAX; leaf->index++) {
		struct node n;
		r = verify_node(g, leaf, leaf->index, &n);
		if (r == 0)
			keys[count] = key_from_bytes(n.key);
		if (r || key_cmp(&keys[count], last) > 0)
			break;
		count++;
	}
	if (r == 0)
		*ret_count = count;
	return r ? r : count ? 0 : STORE_ABSENT;
}
