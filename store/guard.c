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
	uint8_t *seen, *free;      /* bits by page: verified; on the free list, or of it */
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

/* The keys of the list are numbers of transactions. LMDB seeks among them, and must never meet one twice. */
static bool keys_are_in_place(const struct pages *p, const struct tree *t, const struct path *path, uint64_t *before)
{
	const struct level *leaf = &path->at[path->depth - 1];
	const uint8_t *low, *high;
	struct node first, last;
	if (!path_bounds(p, path, FREE_KEY_SIZE, &low, &high) || !node_at(p, leaf->page, 0, &first) ||
		!node_at(p, leaf->page, leaf->count - 1, &last))
		return false;
	uint64_t from = get_u64(first.key), to = get_u64(last.key);
	if (from <= *before || to > t->txnid || (low && from < get_u64(low)) || (high && to >= get_u64(high)))
		return false;
	*before = to;
	return true;
}

/* The pages of the path that the one before did not have. */
static int visit_path(const struct pages *p, const struct tree *t, const struct path *path, const struct path *before,
	const struct free_visit *visit)
{
	int r = 0;
	for (unsigned i = 0; i < path->depth && r == 0; i++) {
		const uint8_t *page = path->at[i].page;
		if (page == before->at[i].page)
			continue;
		r = page_is_sound(p, t, page, path->at[i].count, FREE_KEY_SIZE) ? 0 : -EIO;
		r = r ? r : visit->own(visit->arg, (uint64_t)(page - p->map) / p->page_size, 1);
	}
	return r;
}

static int visit_leaf(
	const struct pages *p, const struct tree *t, const struct level *leaf, const struct free_visit *visit)
{
	struct node n;
	struct page_value v;
	uint64_t pages;
	for (unsigned i = 0; i < leaf->count; i++) {
		if (!node_at(p, leaf->page, i, &n) || !free_value(p, t, &n, &v, &pages) || v.len < sizeof(uint64_t))
			return -EIO;
		uint64_t count = get_u64(v.data);
		if (count > v.len / sizeof count - 1)
			return -EIO;
		int r = pages ? visit->own(visit->arg, n.child, pages) : 0;
		r = r ? r : visit->ids(visit->arg, v.data + sizeof count, count);
		if (r)
			return r;
	}
	return 0;
}

int each_free(const struct pages *p, const struct tree *t, const struct free_visit *visit)
{
	struct tree list = *t;
	struct path path = {.depth = t->free_depth}, before = {0};
	uint64_t number = list.root = t->free_root, last = 0;
	list.depth = t->free_depth;
	int r = 0;
	if (number == PAGE_NONE)
		return 0;
	for (unsigned i = 0; i < path.depth; i++)
		if (path_enter(p, &list, &path, i, number) ||
			(i + 1 < path.depth && path_child(p, &path.at[i], &number)))
			return -EIO;
	while (r == 0) {
		r = visit_path(p, &list, &path, &before, visit);
		r = r || keys_are_in_place(p, &list, &path, &last) ? r : -EIO;
		r = r ? r : visit_leaf(p, t, &path.at[path.depth - 1], visit);
		before = path;
		r = r ? r : path_step(p, &list, &path, path.depth - 1, 1);
	}
	return r == STORE_ABSENT ? 0 : r;
}

static int count_ids(void *arg, const uint8_t *ids, size_t count)
{
	(void)ids;
	*(uint64_t *)arg += count;
	return 0;
}

static int ignore_own(void *arg, uint64_t first, uint64_t count)
{
	(void)arg, (void)first, (void)count;
	return 0;
}

int pages_count_free(struct pages *p, const struct tree *t, uint64_t *ret)
{
	struct free_visit visit = {count_ids, ignore_own, ret};
	*ret = 0;
	return each_free(p, t, &visit);
}

/* LMDB keeps the numbers of a record in descending order, and allocates by that. */
static int note_ids(void *arg, const uint8_t *ids, size_t count)
{
	struct guard *g = arg;
	uint64_t before = g->tree.last + 1;
	for (size_t i = 0; i < count; i++) {
		uint64_t number = get_u64(ids + 8 * i);
		if (number < HEADS || number >= before || bit_test(g->free, number))
			return -EIO;
		bit_set(g->free, number);
		before = number;
	}
	return 0;
}

/* A page of the list that the list names as free would be given away, and then be read as the list. */
static int note_own(void *arg, uint64_t first, uint64_t count)
{
	struct guard *g = arg;
	for (uint64_t i = first; i < first + count; i++) {
		if (bit_test(g->free, i))
			return -EIO;
		bit_set(g->free, i);
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
	struct free_visit visit = {note_ids, note_own, g};
	int r = g->seen && g->free ? each_free(p, t, &visit) : -ENOMEM;
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
	return path_bounds(g->pages, &path, KEY_SIZE, &g->low, &g->high) ? 0 : -EIO;
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
