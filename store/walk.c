/* walk.c - all pages of data.mdb, sound or not: for check, and to save what can be read of a damaged tree. */
#include "store/pages_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { USED = 1, FREE = 2 };

struct walker {
	struct pages *pages;
	struct tree tree;
	const struct walk *walk;
	uint8_t *state; /* by page */
	int error;
};

static bool claim(struct walker *w, uint64_t first, uint64_t count)
{
	bool twice = false;
	for (uint64_t i = first; i < first + count && i <= w->tree.last; i++) {
		twice = twice || w->state[i] & USED;
		w->state[i] |= USED;
	}
	return !twice;
}

/*
 * A page whose head is damaged may still have readable nodes: returns a copy with a head put together from what the
 * page must be, and from what its nodes say. *ret_copy is for the caller to free.
 */
static const uint8_t *page_anyway(
	struct walker *w, uint64_t number, unsigned flags, unsigned *ret_count, uint8_t **ret_copy)
{
	struct page_header h;
	uint32_t size = w->pages->page_size;
	const uint8_t *page = page_at(w->pages, &w->tree, number, flags, ret_count);
	*ret_copy = NULL;
	if (page)
		return page;
	w->walk->damage(w->walk->arg, number, "the head of the page is wrong");
	uint8_t *copy = malloc(size);
	if (!copy) {
		w->error = -ENOMEM;
		return NULL;
	}
	memcpy(copy, w->pages->map + number * size, size);
	memcpy(&h, copy, sizeof h);
	bool plausible = h.lower >= PAGE_HEADER && h.lower % 2 == 0 && h.lower <= h.upper && h.upper <= size;
	unsigned count = plausible ? (h.lower - PAGE_HEADER) / 2u : 0;
	for (uint16_t at; !plausible && PAGE_HEADER + 2 * count + 2 <= size; count++) {
		memcpy(&at, copy + PAGE_HEADER + 2 * count, sizeof at);
		if (at <= PAGE_HEADER + 2 * count || at >= size)
			break;
	}
	h = (struct page_header){.pgno = number,
		.flags = (uint16_t)flags,
		.lower = (uint16_t)(PAGE_HEADER + 2 * count),
		.upper = PAGE_HEADER};
	memcpy(copy, &h, sizeof h);
	*ret_count = count;
	return *ret_copy = copy;
}

static void walk_leaf(struct walker *w, uint64_t number, const struct level *l, bool sound)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct node n;
		struct page_value v;
		if (!node_at(w->pages, l->page, i, &n) || n.key_len != KEY_SIZE ||
			!node_value(w->pages, &w->tree, &n, &v)) {
			w->walk->damage(w->walk->arg, number,
				"a record of the page is out of bounds, or its large value is not where it should be");
			continue;
		}
		if (n.flags == NODE_BIG && !claim(w, n.child, overflow_pages(w->pages, n.len)))
			w->walk->damage(w->walk->arg, n.child, "the page is used twice");
		struct key key = key_from_bytes(n.key);
		w->walk->record(w->walk->arg, &key, &v, sound);
	}
}

/* keys of the page lie in [low, high); NULL: no bound */
static bool keys_are_within(
	struct walker *w, const struct level *l, bool branch, const uint8_t *low, const uint8_t *high)
{
	int c;
	for (unsigned i = branch; i < l->count; i++) {
		if (low && (!compare_at(w->pages, l, i, low, &c) || c < 0))
			return false;
		if (high && (!compare_at(w->pages, l, i, high, &c) || c >= 0))
			return false;
	}
	return true;
}

static void walk_page(struct walker *, uint64_t number, unsigned level, const uint8_t *low, const uint8_t *high);

static void walk_branch(
	struct walker *w, const struct level *l, unsigned level, const uint8_t *low, const uint8_t *high)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct node n, next;
		if (!node_at(w->pages, l->page, i, &n))
			continue;
		bool bounded = i + 1 < l->count && node_at(w->pages, l->page, i + 1, &next) && next.key_len == KEY_SIZE;
		walk_page(w, n.child, level + 1, i && n.key_len == KEY_SIZE ? n.key : low, bounded ? next.key : high);
	}
}

static void walk_page(struct walker *w, uint64_t number, unsigned level, const uint8_t *low, const uint8_t *high)
{
	bool branch = level + 1 < w->tree.depth;
	struct level l = {0};
	uint8_t *copy;
	if (number < 2 || number >= w->tree.count) {
		w->walk->damage(w->walk->arg, number, "the page lies behind the end of the file");
		return;
	}
	if (!claim(w, number, 1)) {
		w->walk->damage(w->walk->arg, number, "the page is used twice");
		return;
	}
	l.page = page_anyway(w, number, branch ? PAGE_BRANCH : PAGE_LEAF, &l.count, &copy);
	if (!l.page)
		return;
	bool sound = !copy && page_is_sound(w->pages, &w->tree, l.page, l.count, KEY_SIZE);
	if (!sound && !copy)
		w->walk->damage(w->walk->arg, number, "the page is not in order");
	else if (sound && !(sound = keys_are_within(w, &l, branch, low, high)))
		w->walk->damage(w->walk->arg, number, "the page is not where its keys belong");
	if (branch)
		walk_branch(w, &l, level, low, high);
	else
		walk_leaf(w, number, &l, sound);
	free(copy);
}

static int note_ids(void *arg, const uint8_t *ids, size_t count)
{
	struct walker *w = arg;
	uint64_t before = PAGE_NONE;
	for (size_t i = 0; i < count; i++) {
		uint64_t number;
		memcpy(&number, ids + 8 * i, sizeof number);
		if (number < 2 || number > w->tree.last || number >= before || w->state[number] & FREE)
			return -EIO;
		w->state[number] |= FREE;
		before = number;
	}
	return 0;
}

static int note_own(void *arg, uint64_t first, uint64_t count)
{
	struct walker *w = arg;
	return claim(w, first, count) ? 0 : -EIO;
}

static void walk_free(struct walker *w)
{
	struct free_visit visit = {note_ids, note_own, w};
	if (each_free(w->pages, &w->tree, &visit))
		w->walk->damage(w->walk->arg, w->tree.free_root, "the list of free pages is damaged");
	for (uint64_t i = HEADS; i < w->tree.count; i++)
		if (w->state[i] == (USED | FREE))
			w->walk->damage(w->walk->arg, i, "the page is used and free");
}

int pages_walk(struct pages *p, const struct tree *t, const struct walk *walk)
{
	struct walker w = {.pages = p, .tree = *t, .walk = walk, .state = calloc(1, t->last + 1)};
	if (!w.state)
		return -ENOMEM;
	if (t->root != PAGE_NONE)
		walk_page(&w, t->root, 0, NULL, NULL);
	walk_free(&w);
	free(w.state);
	return w.error;
}
