/* seek.c - from the root to a key, trusting nothing on the way; and what proves that a key is not there. */
#include "store/pages_internal.h"

#include "store/codec.h"

#include <errno.h>
#include <stddef.h>

/* Remembers what it found sound: pages that are written later are our own. What is not is looked at again each time. */
static bool is_good(struct pages *p, const struct tree *t, const struct level *l, bool leaf)
{
	_Atomic uint8_t *known = &p->known[(uint64_t)(l->page - p->map) / p->page_size];
	if (atomic_load_explicit(known, memory_order_relaxed))
		return true;
	if (!page_is_sound(p, t, l->page, l->count, KEY_SIZE) || (leaf && !leaf_holds(p, l->page, l->count)))
		return false;
	atomic_store_explicit(known, 1, memory_order_relaxed);
	return true;
}

static bool leaf_is_good(struct pages *p, const struct tree *t, const struct level *leaf)
{
	return is_good(p, t, leaf, true);
}

static bool path_is_good(struct pages *p, const struct tree *t, const struct path *path)
{
	for (unsigned i = 0; i < path->depth; i++)
		if (!is_good(p, t, &path->at[i], i + 1 == path->depth))
			return false;
	return true;
}

bool compare_at(const struct pages *p, const struct level *l, unsigned i, const uint8_t key[KEY_SIZE], int *ret)
{
	struct node n;
	if (!node_at(p, l->page, i, &n) || n.key_len != KEY_SIZE)
		return false;
	*ret = memcmp(n.key, key, KEY_SIZE);
	return true;
}

/* As compare_at, for the inner loop. */
static inline bool compare_words(const uint8_t *page, uint32_t page_size, unsigned i, const struct key *key, int *ret)
{
	uint16_t at, key_len;
	uint64_t word;
	memcpy(&at, page + PAGE_HEADER + 2 * i, sizeof at);
	if (at > page_size - sizeof(struct node_header) - KEY_SIZE)
		return false;
	memcpy(&key_len, page + at + offsetof(struct node_header, key_len), sizeof key_len);
	if (key_len != KEY_SIZE)
		return false;
	*ret = 0;
	for (unsigned k = 0; k < 3 && *ret == 0; k++) {
		memcpy(&word, page + at + sizeof(struct node_header) + 8 * k, sizeof word);
		word = be64toh(word);
		*ret = (word > key->w[k]) - (word < key->w[k]);
	}
	return true;
}

bool search_page(const struct pages *p, struct level *l, const struct key *key, bool branch)
{
	unsigned low = branch ? 1 : 0, high = l->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int c;
		if (!compare_words(l->page, p->page_size, middle, key, &c))
			return false;
		if (c < 0 || (branch && c == 0))
			low = middle + 1;
		else
			high = middle;
	}
	l->index = branch ? low - 1 : low;
	return true;
}

int path_enter(const struct pages *p, const struct tree *t, struct path *path, unsigned level, uint64_t number)
{
	struct level *l = &path->at[level];
	l->page = page_at(p, t, number, level + 1 == path->depth ? PAGE_LEAF : PAGE_BRANCH, &l->count);
	l->index = 0;
	return l->page && l->count ? 0 : -EIO;
}

int path_child(const struct pages *p, const struct level *l, uint64_t *ret)
{
	struct node n;
	if (!node_at(p, l->page, l->index, &n))
		return -EIO;
	*ret = n.child;
	return 0;
}

int path_find(const struct pages *p, const struct tree *t, const struct key *key, struct path *path)
{
	uint64_t number = t->root;
	path->depth = t->depth;
	for (unsigned i = 0; i < path->depth; i++) {
		bool branch = i + 1 < path->depth;
		if (path_enter(p, t, path, i, number) || !search_page(p, &path->at[i], key, branch))
			return -EIO;
		if (branch && path_child(p, &path->at[i], &number))
			return -EIO;
	}
	return 0;
}

int path_step(const struct pages *p, const struct tree *t, struct path *path, unsigned level, int direction)
{
	unsigned up = level;
	uint64_t number;
	while (up > 0) {
		struct level *l = &path->at[up - 1];
		if (direction > 0 ? l->index + 1 < l->count : l->index > 0) {
			l->index += (unsigned)direction;
			break;
		}
		up--;
	}
	if (up == 0)
		return STORE_ABSENT;
	for (; up <= level; up++) {
		if (path_child(p, &path->at[up - 1], &number) || path_enter(p, t, path, up, number))
			return -EIO;
		path->at[up].index = direction > 0 ? 0 : path->at[up].count - 1;
	}
	return 0;
}

bool path_bounds(const struct pages *p, const struct path *path, unsigned key_len, const uint8_t **ret_low,
	const uint8_t **ret_high)
{
	struct node n;
	*ret_low = *ret_high = NULL;
	for (unsigned i = path->depth - 1; i-- > 0;) {
		const struct level *l = &path->at[i];
		if (!*ret_low && l->index > 0) {
			if (!node_at(p, l->page, l->index, &n) || n.key_len != key_len)
				return false;
			*ret_low = n.key;
		}
		if (!*ret_high && l->index + 1 < l->count) {
			if (!node_at(p, l->page, l->index + 1, &n) || n.key_len != key_len)
				return false;
			*ret_high = n.key;
		}
	}
	return true;
}

bool leaf_is_in_place(const struct pages *p, const struct path *path)
{
	const struct level *leaf = &path->at[path->depth - 1];
	const uint8_t *low, *high;
	int c;
	if (!path_bounds(p, path, KEY_SIZE, &low, &high))
		return false;
	if (low && (!compare_at(p, leaf, 0, low, &c) || c < 0))
		return false;
	return !high || (compare_at(p, leaf, leaf->count - 1, high, &c) && c < 0);
}

static int take(const struct pages *p, const struct tree *t, const struct level *leaf, struct key *ret_key,
	struct page_value *ret)
{
	struct node n;
	struct page_value value;
	if (!node_at(p, leaf->page, leaf->index, &n) || n.key_len != KEY_SIZE || !node_value(p, t, &n, &value))
		return -EIO;
	*ret_key = key_from_bytes(n.key);
	*ret = value;
	return 0;
}

/* In a leaf that is not sound only what is there to the bit counts. */
static int seek_damaged(const struct pages *p, const struct tree *t, struct level *leaf, const uint8_t key[KEY_SIZE],
	struct key *ret_key, struct page_value *ret)
{
	int c;
	for (leaf->index = 0; leaf->index < leaf->count; leaf->index++)
		if (compare_at(p, leaf, leaf->index, key, &c) && c == 0)
			return take(p, t, leaf, ret_key, ret);
	return -EIO;
}

/*
 * Whether the node before or behind a place where nothing was found may stand there. Its key may be the one sought,
 * with a bit flipped that does not break the order; if it has a large value of that kind, the checksum tells. Looked at
 * once, as the leaves are.
 */
static bool neighbour_holds(
	struct pages *p, const struct tree *t, const struct level *leaf, unsigned index, enum kind kind)
{
	struct node n;
	struct page_value v;
	const uint8_t *body;
	size_t len;
	if (!node_at(p, leaf->page, index, &n))
		return false;
	struct key key = key_from_bytes(n.key);
	if (n.flags != NODE_BIG || key_kind(key) != kind)
		return true;
	if (!node_value(p, t, &n, &v))
		return false;
	_Atomic uint8_t *known = &p->known[n.child];
	if (atomic_load_explicit(known, memory_order_relaxed))
		return true;
	if (codec_open(key, v.data, v.len, &body, &len))
		return false;
	atomic_store_explicit(known, 1, memory_order_relaxed);
	return true;
}

static int verify_previous(
	struct pages *p, const struct tree *t, struct path path, const uint8_t key[KEY_SIZE], enum kind kind)
{
	struct level *leaf = &path.at[path.depth - 1];
	int c;
	int r = path_step(p, t, &path, path.depth - 1, -1);
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	if (!path_is_good(p, t, &path) || !compare_at(p, leaf, leaf->count - 1, key, &c) || c >= 0)
		return -EIO;
	return neighbour_holds(p, t, leaf, leaf->count - 1, kind) ? 0 : -EIO;
}

/* Moves a path that points behind its leaf's end to the next leaf, and proves that nothing was missed there. */
static int cross_to_next(struct pages *p, const struct tree *t, struct path *path, const uint8_t key[KEY_SIZE])
{
	struct level *leaf = &path->at[path->depth - 1];
	int c;
	int r = path_step(p, t, path, path->depth - 1, 1);
	if (r)
		return r;
	if (!path_is_good(p, t, path) || !leaf_is_in_place(p, path) || !compare_at(p, leaf, 0, key, &c) || c < 0)
		return -EIO;
	return 0;
}

/*
 * The key is not in the sound leaf that the path leads to: proves that it is nowhere, and goes to the first one behind
 * it.
 */
static int prove_absent(
	struct pages *p, const struct tree *t, struct path *path, const uint8_t bytes[KEY_SIZE], enum kind kind)
{
	struct level *leaf = &path->at[path->depth - 1];
	bool first = leaf->index == 0, last = leaf->index == leaf->count;
	int r = 0;
	if ((first || last) && (!path_is_good(p, t, path) || !leaf_is_in_place(p, path)))
		return -EIO;
	if (first)
		r = verify_previous(p, t, *path, bytes, kind);
	else if (!neighbour_holds(p, t, leaf, leaf->index - 1, kind))
		r = -EIO;
	if (r == 0 && last)
		r = cross_to_next(p, t, path, bytes);
	return r ? r : neighbour_holds(p, t, leaf, leaf->index, kind) ? 0 : -EIO;
}

/*
 * Whether the key lies between the first and the last one of the leaf that the path leads to: then no other can have
 * it.
 */
static bool is_near(const struct pages *p, const struct path *path, const struct key *key)
{
	const struct level *leaf = path->depth ? &path->at[path->depth - 1] : NULL;
	int first, last;
	return leaf && compare_words(leaf->page, p->page_size, 0, key, &first) && first <= 0 &&
	       compare_words(leaf->page, p->page_size, leaf->count - 1, key, &last) && last >= 0;
}

int pages_seek(struct pages *p, const struct tree *t, const struct key *key, struct path *path, struct key *ret_key,
	struct page_value *ret)
{
	uint8_t bytes[KEY_SIZE];
	int c = 1;
	bool near = is_near(p, path, key);
	if (t->root == PAGE_NONE)
		return STORE_ABSENT;
	int r = near ? 0 : path_find(p, t, key, path);
	struct level *leaf = &path->at[path->depth - 1];
	if (r == 0 && near && !search_page(p, leaf, key, false))
		r = -EIO;
	if (r == 0 && !near && !leaf_is_good(p, t, leaf)) {
		path->depth = 0;
		key_to_bytes(*key, bytes);
		return seek_damaged(p, t, leaf, bytes, ret_key, ret);
	}
	if (r == 0 && leaf->index < leaf->count && !compare_words(leaf->page, p->page_size, leaf->index, key, &c))
		r = -EIO;
	if (r == 0 && c != 0) {
		key_to_bytes(*key, bytes);
		r = prove_absent(p, t, path, bytes, key_kind(*key));
	}
	r = r ? r : take(p, t, leaf, ret_key, ret);
	if (r)
		path->depth = 0;
	return r;
}

/*
 * In one leaf, and from one to the next: whether the key of the record that the path leads to is true, the checksum of
 * its value tells who reads that.
 */
int pages_after(struct pages *p, const struct tree *t, const struct key *key, struct path *path, struct key *ret_key,
	struct page_value *ret)
{
	struct key next = key_after(*key);
	uint8_t bytes[KEY_SIZE];
	int c = 1;
	key_to_bytes(*key, bytes);
	struct level *leaf = path->depth ? &path->at[path->depth - 1] : NULL;
	bool there = leaf && compare_at(p, leaf, leaf->index, bytes, &c) && c == 0;
	if (there && ++leaf->index < leaf->count)
		return take(p, t, leaf, ret_key, ret);
	if (!there)
		return pages_seek(p, t, &next, path, ret_key, ret);
	key_to_bytes(next, bytes);
	int r = path_is_good(p, t, path) && leaf_is_in_place(p, path) ? cross_to_next(p, t, path, bytes) : -EIO;
	r = r ? r : take(p, t, leaf, ret_key, ret);
	if (r)
		path->depth = 0;
	return r;
}
