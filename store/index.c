/* index.c - see index.h. Entries come from slabs that are freed at once when the log is emptied. */
#include "store/index.h"

#include <errno.h>
#include <stdlib.h>

enum { SLAB_ENTRIES = 512, RECENT = 32768 };

struct slab {
	struct slab *next;
	uint32_t used;
	struct entry entries[SLAB_ENTRIES];
};

static int entry_cmp(const struct entry *a, const struct entry *b)
{
	return key_cmp(&a->key, &b->key);
}

RB_GENERATE_INTERNAL(index_tree, entry, link, entry_cmp, __attribute__((unused)) static)

/* Where the entry of a key may be found without a search: those of an inode side by side, inodes in their order. */
static struct entry **recent_place(struct index *x, const struct key *key)
{
	uint64_t ino = key->w[1] >> 40, kind = key->w[1] >> 32, sub = key->w[2] >> 32;
	return &x->recent[(ino << 2 ^ (kind & 3) ^ sub ^ sub >> 8) % RECENT];
}

void index_init(struct index *x)
{
	*x = (struct index){ 0 };
	RB_INIT(&x->tree);
}

static void free_extents(struct index *x, struct entry *e)
{
	if (e->room > 1) {
		x->bytes -= e->room * sizeof *e->extents;
		free(e->extents);
	}
	e->room = 0;
}

void index_clear(struct index *x)
{
	while (x->slabs) {
		struct slab *s = x->slabs;
		x->slabs = s->next;
		for (uint32_t i = 0; i < s->used; i++)
			free_extents(x, &s->entries[i]);
		free(s);
	}
	free(x->recent);
	index_init(x);
}

static struct entry *entry_alloc(struct index *x)
{
	struct entry *e = x->unused;
	if (e) {
		x->unused = RB_LEFT(e, link);
		return e;
	}
	if (!x->recent && !(x->recent = calloc(RECENT, sizeof *x->recent)))
		return NULL;
	if (!x->slabs || x->slabs->used == SLAB_ENTRIES) {
		struct slab *s = malloc(sizeof *s);
		if (!s)
			return NULL;
		x->bytes += sizeof *s;
		s->used = 0;
		s->next = x->slabs;
		x->slabs = s;
	}
	return &x->slabs->entries[x->slabs->used++];
}

static void entry_free(struct index *x, struct entry *e)
{
	e->type = ENTRY_EMPTY;
	RB_LEFT(e, link) = x->unused;
	x->unused = e;
}

static void entry_remove(struct index *x, struct entry *e)
{
	struct entry **place = recent_place(x, &e->key);
	if (*place == e)
		*place = NULL;
	RB_REMOVE(index_tree, &x->tree, e);
	free_extents(x, e);
	entry_free(x, e);
	x->count--;
}

static struct entry *skip_empty(struct entry *e)
{
	while (e && e->type == ENTRY_EMPTY)
		e = RB_NEXT(index_tree, NULL, e);
	return e;
}

struct entry *index_seek(struct index *x, const struct key *key)
{
	struct entry *e = RB_ROOT(&x->tree), *best = NULL;
	while (e) {
		int c = key_cmp(key, &e->key);
		if (c == 0)
			return skip_empty(e);
		if (c < 0)
			best = e;
		e = c < 0 ? RB_LEFT(e, link) : RB_RIGHT(e, link);
	}
	return skip_empty(best);
}

static struct entry *find_recent(struct index *x, const struct key *key)
{
	struct entry *e = x->recent ? *recent_place(x, key) : NULL;
	return e && key_cmp(&e->key, key) == 0 ? e : NULL;
}

static struct entry *find_any(struct index *x, const struct key *key)
{
	struct entry *recent = find_recent(x, key), *e = RB_ROOT(&x->tree);
	if (recent)
		return recent;
	while (e) {
		int c = key_cmp(key, &e->key);
		if (c == 0)
			return e;
		e = c < 0 ? RB_LEFT(e, link) : RB_RIGHT(e, link);
	}
	return NULL;
}

struct entry *index_find(struct index *x, const struct key *key)
{
	struct entry *e = find_any(x, key);
	return e && e->type != ENTRY_EMPTY ? e : NULL;
}

bool index_is_pending(struct index *x, const struct key *key)
{
	struct entry *e = find_any(x, key);
	return e && e->type == ENTRY_EMPTY && e->reserved;
}

bool index_is_fresh(struct index *x, const struct key *key)
{
	struct entry *e = find_any(x, key);
	return e && e->fresh;
}

struct entry *index_next(struct entry *e)
{
	return skip_empty(RB_NEXT(index_tree, NULL, e));
}

const struct extent *entry_extents(const struct entry *e)
{
	return e->room > 1 ? e->extents : &e->one;
}

/* ---- changing --------------------------------------------------------------------------------------------------- */

static bool is_chunk_change(const struct change *c)
{
	return c->op == CHANGE_WRITE || c->op == CHANGE_ZERO;
}

/* Nothing older has content that it could hide: it is over as soon as it is applied, and has no place in the tree. */
static bool is_passing(const struct change *c)
{
	return c->op == CHANGE_DROP && c->flags & CHANGE_FRESH;
}

/* A change of a chunk adds one extent and may cut one in two. */
enum { EXTENTS_PER_CHANGE = 2 };

/* The first extent of a new chunk lives in its entry; everything later needs room on the heap. */
static int reserve_extents(struct index *x, struct entry *e)
{
	uint32_t have = e->type == ENTRY_CHUNK ? e->len : 0;
	uint32_t add = have + e->reserved == 0 ? 1 : EXTENTS_PER_CHANGE;
	uint32_t need = have + e->reserved + add;
	if (need > e->room && need > 1) {
		uint32_t room = need < 8 ? 8 : need + need / 2;
		struct extent *p = malloc(room * sizeof *p);
		if (!p)
			return -ENOMEM;
		if (have)
			memcpy(p, entry_extents(e), have * sizeof *p);
		free_extents(x, e);
		e->extents = p;
		e->room = room;
		x->bytes += room * sizeof *p;
	} else if (e->room == 0) {
		e->room = 1;
	}
	e->reserved += add;
	return 0;
}

static void init_entry(struct entry *e, const struct change *c)
{
	memset(e, 0, sizeof *e);
	e->key = c->key;
	e->fresh = c->flags & CHANGE_FRESH;
}

/* The entry of the change's key, made if there is none; NULL: no memory. */
static struct entry *find_or_make(struct index *x, const struct change *c)
{
	struct entry *e = is_passing(c) ? NULL : find_recent(x, &c->key);
	struct entry *made = e ? NULL : entry_alloc(x);
	if (!made)
		return e;
	init_entry(made, c);
	if (is_passing(c))
		return made;
	e = RB_INSERT(index_tree, &x->tree, made);
	if (e)
		entry_free(x, made);
	else
		x->count++;
	return *recent_place(x, &c->key) = e ? e : made;
}

int index_prepare(struct index *x, const struct change *c, struct entry **ret)
{
	struct entry *e = find_or_make(x, c);
	if (!e)
		return -ENOMEM;
	if (is_chunk_change(c)) {
		/*
		 * Chunk keys only ever carry chunk changes: an EMPTY entry becomes a chunk without extents, which apply
		 * will fill.
		 */
		int r = reserve_extents(x, e);
		if (r) {
			if (e->type == ENTRY_EMPTY && e->reserved == 0)
				entry_remove(x, e);
			return r;
		}
	} else {
		e->reserved++;
	}
	*ret = e;
	return 0;
}

static void unreserve(struct entry *e, const struct change *c)
{
	uint32_t n = is_chunk_change(c) ? EXTENTS_PER_CHANGE : 1;
	e->reserved = e->reserved > n ? e->reserved - n : 0;
}

void index_forget(struct index *x, const struct change *c, struct entry *e)
{
	unreserve(e, c);
	if (is_passing(c)) {
		entry_free(x, e);
		return;
	}
	if (e->type != ENTRY_EMPTY || e->reserved)
		return;
	entry_remove(x, e);
}

/* Position of the first extent that ends behind offset. */
static uint32_t find_extent(const struct extent *v, uint32_t n, uint32_t offset)
{
	uint32_t lo = 0, hi = n;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (v[mid].offset + v[mid].len <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void advance(struct extent *x, uint32_t n)
{
	x->offset += n;
	x->len -= n;
	if (x->pos)
		x->pos += n;
}

/* Puts `add` into v[0..n), which has room for n + 2, and returns the new count. Whatever it covers is cut away. */
static uint32_t insert_extent(struct extent *v, uint32_t n, struct extent add)
{
	uint32_t end = add.offset + add.len;
	uint32_t first = find_extent(v, n, add.offset);
	if (first < n && v[first].offset < add.offset) {
		struct extent tail = v[first];
		uint32_t tail_end = tail.offset + tail.len;
		v[first].len = add.offset - tail.offset;
		first++;
		if (tail_end > end) {
			memmove(v + first + 1, v + first, (n - first) * sizeof *v);
			advance(&tail, end - tail.offset);
			v[first] = tail;
			n++;
		}
	}
	uint32_t last = first;
	while (last < n && v[last].offset + v[last].len <= end)
		last++;
	if (last < n && v[last].offset < end)
		advance(&v[last], end - v[last].offset);
	memmove(v + first + 1, v + last, (n - last) * sizeof *v);
	v[first] = add;
	return n - (last - first) + 1;
}

static bool is_dropped(struct index *x, const struct key *chunk)
{
	struct key key = key_make(key_sid(*chunk), key_ino(*chunk), KIND_DROP, 0);
	struct entry *drop = index_find(x, &key);
	return drop && drop->from <= key_sub(*chunk);
}

static void apply_chunk(struct index *x, const struct change *c, struct entry *e)
{
	struct extent add = { c->offset, c->len, c->op == CHANGE_WRITE ? c->pos : 0 };
	if (e->type == ENTRY_EMPTY) {
		e->type = ENTRY_CHUNK;
		e->hides = e->fresh || is_dropped(x, &e->key);
	}
	if (c->len == STORE_CHUNK_SIZE) {
		e->len = 0;
		e->hides = true;
		if (c->op == CHANGE_ZERO)
			return;
	}
	struct extent *v = e->room > 1 ? e->extents : &e->one;
	e->len = insert_extent(v, e->len, add);
}

static void apply_drop(struct index *x, const struct change *c, struct entry *e)
{
	struct store_sid sid = key_sid(c->key);
	struct store_ino ino = key_ino(c->key);
	struct key first = key_make(sid, ino, KIND_CHUNK, c->from);
	for (struct entry *i = index_seek(x, &first), *next;
		i && key_same_inode(i->key, first) && i->type == ENTRY_CHUNK; i = next) {
		next = index_next(i);
		i->len = 0;
		i->hides = true;
		if (i->reserved == 0)
			entry_remove(x, i);
	}
	if (is_passing(c)) {
		entry_free(x, e);
		return;
	}
	if (e->type == ENTRY_EMPTY || c->from < e->from)
		e->from = c->from;
	e->type = ENTRY_DROP;
}

void index_apply(struct index *x, const struct change *c, struct entry *e)
{
	unreserve(e, c);
	switch (c->op) {
	case CHANGE_PUT:
		e->type = ENTRY_PUT;
		e->pos = c->pos;
		e->len = c->len;
		break;
	case CHANGE_DELETE:
		e->type = ENTRY_DELETE;
		if (e->fresh && e->reserved == 0)
			entry_remove(x, e);
		break;
	case CHANGE_WRITE:
	case CHANGE_ZERO:
		apply_chunk(x, c, e);
		break;
	case CHANGE_DROP:
		apply_drop(x, c, e);
		break;
	}
}
