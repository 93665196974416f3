/* pages.c - see pages.h: the layout of pages, searching, and what makes a page sound. */
#include "store/pages_internal.h"

#include "store/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(size_t) == 8, "the layout of pages is that of 64-bit little-endian machines");

#define META_MAGIC 0xbeefc0deu
enum { META_VERSION = 1, FREE_TREE_FLAGS = 8, HEADS = 2, HEAD_SIZE = 512, PAGE_SIZE_MIN = 512, PAGE_SIZE_MAX = 32768 };

struct db {
	uint32_t page_size; /* of the first tree only */
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	uint64_t address, map_size;
	struct db free, main;
	uint64_t last, txnid;
};

/* ---- heads ------------------------------------------------------------------------------------------------------------ */

static bool db_is_sound(const struct db *db, uint64_t last)
{
	if (db->root == PAGE_NONE)
		return db->depth == 0 && db->entries == 0;
	return db->root >= HEADS && db->root <= last && db->depth >= 1 && db->depth <= TREE_DEPTH_MAX;
}

/* Head `number`: its transactions have its parity, so that the newer head never overwrites the older. */
static bool head_is_sound(const uint8_t *page, uint64_t number, struct meta *ret)
{
	struct page_header header;
	memcpy(&header, page, sizeof header);
	memcpy(ret, page + PAGE_HEADER, sizeof *ret);
	uint32_t size = ret->free.page_size;
	return header.pgno == number && header.flags == PAGE_META && ret->magic == META_MAGIC && ret->version == META_VERSION &&
		size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0 && ret->free.flags == FREE_TREE_FLAGS &&
		ret->main.flags == 0 && ret->last >= HEADS - 1 && ret->last < PAGE_NONE / PAGE_SIZE_MAX && (ret->txnid == 0 || ret->txnid % 2 == number) &&
		db_is_sound(&ret->free, ret->last) && db_is_sound(&ret->main, ret->last);
}

static bool heads_agree(const struct meta *a, const struct meta *b)
{
	uint64_t gap = a->txnid > b->txnid ? a->txnid - b->txnid : b->txnid - a->txnid;
	return a->free.page_size == b->free.page_size && (gap == 1 || (gap == 0 && a->txnid == 0));
}

/* The second head lies one page behind the first, whose damage may hide how large a page is. */
static int read_heads(int fd, uint8_t pages[HEADS][HEAD_SIZE], struct meta heads[HEADS], bool sound[HEADS])
{
	static const uint32_t sizes[] = { 4096, 16384, 8192, 32768, 2048, 1024, 512 };
	if (pread(fd, pages[0], HEAD_SIZE, 0) != HEAD_SIZE)
		return STORE_DAMAGED;
	sound[0] = head_is_sound(pages[0], 0, &heads[0]);
	sound[1] = false;
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes && !sound[1]; i++) {
		uint32_t size = sound[0] ? heads[0].free.page_size : sizes[i];
		sound[1] = pread(fd, pages[1], HEAD_SIZE, size) == HEAD_SIZE && head_is_sound(pages[1], 1, &heads[1]) &&
			heads[1].free.page_size == size;
	}
	return sound[0] || sound[1] ? 0 : STORE_DAMAGED;
}

static int open_data(const char *path, int flags)
{
	char name[4096];
	if (snprintf(name, sizeof name, "%s/data.mdb", path) >= (int)sizeof name)
		return -ENAMETOOLONG;
	int fd = open(name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int inspect(const char *path)
{
	uint8_t pages[HEADS][HEAD_SIZE];
	struct meta heads[HEADS];
	bool sound[HEADS];
	struct stat st;
	int fd = open_data(path, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0 && st.st_size > 0)
		r = read_heads(fd, pages, heads, sound);
	if (r == 0 && st.st_size > 0 && !(sound[0] && sound[1] && heads_agree(&heads[0], &heads[1])))
		r = STORE_DAMAGED;
	close(fd);
	return r;
}

/* Beside a mount a head may just be being written: then another look finds it sound. */
int pages_inspect(const char *path)
{
	int r = inspect(path);
	for (int i = 0; i < 4 && r == STORE_DAMAGED; i++)
		r = inspect(path);
	return r;
}

int pages_mend_heads(const char *path)
{
	uint8_t pages[HEADS][HEAD_SIZE];
	struct meta heads[HEADS];
	bool sound[HEADS];
	int fd = open_data(path, O_RDWR);
	if (fd < 0)
		return fd;
	int r = read_heads(fd, pages, heads, sound);
	if (r == 0 && sound[0] && sound[1] && heads_agree(&heads[0], &heads[1])) {
		close(fd);
		return 0;
	}
	/* Of two that disagree the older one is complete for sure. */
	int good = sound[0] && sound[1] ? heads[1].txnid < heads[0].txnid : sound[1];
	if (r == 0) {
		struct meta copy = heads[good];
		struct page_header header = { .pgno = (uint64_t)!good, .flags = PAGE_META };
		copy.txnid = copy.txnid ? copy.txnid - 1 : 0;
		memset(pages[!good], 0, HEAD_SIZE);
		memcpy(pages[!good], &header, sizeof header);
		memcpy(pages[!good] + PAGE_HEADER, &copy, sizeof copy);
		off_t at = good ? 0 : (off_t)copy.free.page_size;
		r = pwrite(fd, pages[!good], HEAD_SIZE, at) == HEAD_SIZE && fdatasync(fd) == 0 ? 0 : -EIO;
	}
	close(fd);
	return r;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

int pages_open(const char *path, uint64_t map_size, struct pages **ret)
{
	struct meta head;
	struct pages *p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->map = MAP_FAILED;
	p->known = MAP_FAILED;
	p->fd = open_data(path, O_RDONLY);
	int r = p->fd < 0 ? p->fd : 0;
	if (r == 0) {
		p->map_size = map_size;
		p->map = mmap(NULL, map_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, p->fd, 0);
		p->known_size = map_size / PAGE_SIZE_MIN;
		p->known = mmap(NULL, p->known_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		r = p->map == MAP_FAILED || p->known == MAP_FAILED ? -ENOMEM : 0;
	}
	struct stat st;
	if (r == 0 && (fstat(p->fd, &st) < 0 || st.st_size < PAGE_SIZE_MIN || !head_is_sound(p->map, 0, &head)))
		r = STORE_DAMAGED;
	if (r) {
		pages_close(p);
		return r;
	}
	p->page_size = head.free.page_size;
	*ret = p;
	return 0;
}

void pages_close(struct pages *p)
{
	if (!p)
		return;
	if (p->map != MAP_FAILED)
		munmap(p->map, p->map_size);
	if (p->known != MAP_FAILED)
		munmap(p->known, p->known_size);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

size_t pages_size(const struct pages *p)
{
	return p->page_size;
}

/*
 * A head is written without a lock that we could take: reader R begins at transaction T, the writer commits T + 1 and T + 2, which
 * overwrites the head of T while R looks. Two looks that are alike, with T in them, saw no writing.
 */
int pages_tree(struct pages *p, uint64_t txnid, struct tree *ret)
{
	struct meta head, again;
	struct stat st;
	uint64_t number = txnid % HEADS;
	const uint8_t *page = p->map + number * p->page_size;
	if (fstat(p->fd, &st) < 0 || (uint64_t)st.st_size < HEADS * p->page_size)
		return -EIO;
	bool sound = head_is_sound(page, number, &head);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(&again, page + PAGE_HEADER, sizeof again);
	if (memcmp(&head, &again, sizeof head) != 0 || (sound && head.txnid != txnid))
		return STORE_ABSENT;
	uint64_t last = head.last, count = (uint64_t)st.st_size / p->page_size;
	if (!sound || head.free.page_size != p->page_size || last >= p->map_size / p->page_size)
		return -EIO;
	*ret = (struct tree){ .root = head.main.root, .free_root = head.free.root, .last = last, .count = count < last + 1 ? count : last + 1,
		.entries = head.main.entries, .depth = head.main.depth, .free_depth = head.free.depth };
	return 0;
}

/* ---- one page --------------------------------------------------------------------------------------------------------- */

const uint8_t *page_at(const struct pages *p, const struct tree *t, uint64_t number, unsigned flags, unsigned *ret_count)
{
	struct page_header h;
	if (number < HEADS || number >= t->count)
		return NULL;
	const uint8_t *page = p->map + number * p->page_size;
	memcpy(&h, page, sizeof h);
	if (h.pgno != number || h.flags != flags || h.lower < PAGE_HEADER || h.lower > h.upper || h.upper > p->page_size)
		return NULL;
	*ret_count = (h.lower - PAGE_HEADER) / 2u;
	return page;
}

bool node_at(const struct pages *p, const uint8_t *page, unsigned i, struct node *ret)
{
	struct page_header h;
	struct node_header n;
	uint16_t at;
	memcpy(&h, page, sizeof h);
	memcpy(&at, page + PAGE_HEADER + 2 * i, sizeof at);
	if (at < h.upper || at % 2 || at + sizeof n > p->page_size)
		return false;
	memcpy(&n, page + at, sizeof n);
	size_t left = p->page_size - at - sizeof n;
	*ret = (struct node){ .key = page + at + sizeof n, .key_len = n.key_len, .flags = n.flags };
	if (n.key_len > left)
		return false;
	left -= n.key_len;
	ret->size = (uint32_t)sizeof n + n.key_len;
	if (h.flags == PAGE_BRANCH) {
		ret->child = n.lo | (uint64_t)n.hi << 16 | (uint64_t)n.flags << 32;
		return true;
	}
	ret->data = ret->key + n.key_len;
	ret->len = n.lo | (size_t)n.hi << 16;
	size_t here = n.flags == NODE_BIG ? sizeof ret->child : ret->len;
	if ((n.flags != 0 && n.flags != NODE_BIG) || here > left)
		return false;
	if (n.flags == NODE_BIG)
		memcpy(&ret->child, ret->data, sizeof ret->child);
	ret->size += (uint32_t)here;
	return true;
}

uint64_t overflow_pages(const struct pages *p, size_t len)
{
	return (PAGE_HEADER + len + p->page_size - 1) / p->page_size;
}

bool big_is_in_file(const struct pages *p, const struct tree *t, const struct node *n)
{
	uint64_t pages = overflow_pages(p, n->len);
	return n->child >= HEADS && n->child < t->count && pages <= t->count - n->child;
}

/* The bytes of a node's value, wherever they are. */
bool node_value(const struct pages *p, const struct tree *t, const struct node *n, struct page_value *ret)
{
	struct page_header h;
	*ret = (struct page_value){ n->data, n->len };
	if (n->flags != NODE_BIG)
		return true;
	if (!big_is_in_file(p, t, n))
		return false;
	const uint8_t *page = p->map + n->child * p->page_size;
	memcpy(&h, page, sizeof h);
	ret->data = page + PAGE_HEADER;
	return h.pgno == n->child && h.flags == PAGE_OVERFLOW && (h.lower | (uint32_t)h.upper << 16) == overflow_pages(p, n->len);
}

/* ---- sound pages ------------------------------------------------------------------------------------------------------ */

/* Whether the nodes fill the page from `upper` to its end, without overlap and without a gap: LMDB moves them about by their sizes. */
static bool nodes_tile(const struct pages *p, const uint8_t *page, unsigned count)
{
	uint16_t size_at[PAGE_SIZE_MAX / 2];
	struct page_header h;
	struct node n;
	memcpy(&h, page, sizeof h);
	memset(size_at, 0, p->page_size);
	for (unsigned i = 0; i < count; i++) {
		uint16_t at;
		if (!node_at(p, page, i, &n))
			return false;
		memcpy(&at, page + PAGE_HEADER + 2 * i, sizeof at);
		size_at[at / 2] = (uint16_t)((n.size + 1) & ~1u);
	}
	uint32_t at = h.upper;
	unsigned seen = 0;
	if (at % 2 || h.lower % 2)
		return false;
	while (at < p->page_size && size_at[at / 2]) {
		at += size_at[at / 2];
		seen++;
	}
	return at == p->page_size && seen == count;
}

static int compare_keys(const struct node *a, const struct node *b, unsigned key_len)
{
	uint64_t x, y;
	if (key_len == KEY_SIZE)
		return memcmp(a->key, b->key, KEY_SIZE);
	memcpy(&x, a->key, sizeof x);
	memcpy(&y, b->key, sizeof y);
	return x < y ? -1 : x > y;
}

bool page_is_sound(const struct pages *p, const struct tree *t, const uint8_t *page, unsigned count, unsigned key_len)
{
	struct page_header h;
	struct node n, before = { 0 };
	memcpy(&h, page, sizeof h);
	bool branch = h.flags == PAGE_BRANCH;
	if (count < (branch ? 2 : 1) || !nodes_tile(p, page, count))
		return false;
	for (unsigned i = 0; i < count; i++) {
		node_at(p, page, i, &n);
		bool key_free = branch && i == 0;
		if (!key_free && n.key_len != key_len)
			return false;
		if (i > (branch ? 1 : 0) && compare_keys(&before, &n, key_len) >= 0)
			return false;
		if (branch ? n.child < HEADS || n.child >= t->count : n.flags == NODE_BIG && !big_is_in_file(p, t, &n))
			return false;
		before = n;
	}
	return true;
}

/*
 * Whether a leaf of a sound page holds what it should: small values prove their keys by their checksums; of large ones, whose bytes
 * are elsewhere, at least what a key may be (invariant 2).
 */
static bool leaf_holds(const struct pages *p, const uint8_t *page, unsigned count)
{
	struct node n;
	const uint8_t *body;
	size_t len;
	for (unsigned i = 0; i < count; i++) {
		node_at(p, page, i, &n);
		struct key key = key_from_bytes(n.key);
		if (n.flags == 0 && codec_open(key, n.data, n.len, &body, &len))
			return false;
		if ((key.w[2] & KEY_VERSION_MASK) != KEY_VERSION_MASK || (key_kind(key) == KIND_CHUNK && key_sub(key) > STORE_FILE_MAX / STORE_CHUNK_SIZE))
			return false;
	}
	return true;
}

/* Remembers what it found sound: pages that are written later are our own. What is not is looked at again each time. */
static bool leaf_is_good(struct pages *p, const struct tree *t, const struct level *leaf)
{
	_Atomic uint8_t *known = &p->known[(uint64_t)(leaf->page - p->map) / p->page_size];
	if (atomic_load_explicit(known, memory_order_relaxed))
		return true;
	if (!page_is_sound(p, t, leaf->page, leaf->count, KEY_SIZE) || !leaf_holds(p, leaf->page, leaf->count))
		return false;
	atomic_store_explicit(known, 1, memory_order_relaxed);
	return true;
}

/* ---- searching -------------------------------------------------------------------------------------------------------- */

bool compare_at(const struct pages *p, const struct level *l, unsigned i, const uint8_t key[KEY_SIZE], int *ret)
{
	struct node n;
	if (!node_at(p, l->page, i, &n) || n.key_len != KEY_SIZE)
		return false;
	*ret = memcmp(n.key, key, KEY_SIZE);
	return true;
}

bool search_page(const struct pages *p, struct level *l, const uint8_t key[KEY_SIZE], bool branch)
{
	unsigned low = branch ? 1 : 0, high = l->count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int c;
		if (!compare_at(p, l, middle, key, &c))
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

int path_find(const struct pages *p, const struct tree *t, const uint8_t key[KEY_SIZE], struct path *path)
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

bool path_bounds(const struct pages *p, const struct path *path, const uint8_t **ret_low, const uint8_t **ret_high)
{
	struct node n;
	*ret_low = *ret_high = NULL;
	for (unsigned i = path->depth - 1; i-- > 0;) {
		const struct level *l = &path->at[i];
		if (!*ret_low && l->index > 0) {
			if (!node_at(p, l->page, l->index, &n) || n.key_len != KEY_SIZE)
				return false;
			*ret_low = n.key;
		}
		if (!*ret_high && l->index + 1 < l->count) {
			if (!node_at(p, l->page, l->index + 1, &n) || n.key_len != KEY_SIZE)
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
	if (!path_bounds(p, path, &low, &high))
		return false;
	if (low && (!compare_at(p, leaf, 0, low, &c) || c < 0))
		return false;
	return !high || (compare_at(p, leaf, leaf->count - 1, high, &c) && c < 0);
}

static int take(const struct pages *p, const struct tree *t, const struct level *leaf, struct key *ret_key, struct page_value *ret)
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
static int seek_damaged(const struct pages *p, const struct tree *t, struct level *leaf, const uint8_t key[KEY_SIZE], struct key *ret_key,
	struct page_value *ret)
{
	int c;
	for (leaf->index = 0; leaf->index < leaf->count; leaf->index++)
		if (compare_at(p, leaf, leaf->index, key, &c) && c == 0)
			return take(p, t, leaf, ret_key, ret);
	return -EIO;
}

/* Moves a path that points behind its leaf's end to the next leaf, and proves that nothing was missed there. */
static int cross_to_next(struct pages *p, const struct tree *t, struct path *path, const uint8_t key[KEY_SIZE])
{
	struct level *leaf = &path->at[path->depth - 1];
	int c;
	int r = path_step(p, t, path, path->depth - 1, 1);
	if (r)
		return r;
	if (!leaf_is_good(p, t, leaf) || !leaf_is_in_place(p, path) || !compare_at(p, leaf, 0, key, &c) || c < 0)
		return -EIO;
	return 0;
}

static int verify_previous(struct pages *p, const struct tree *t, struct path path, const uint8_t key[KEY_SIZE])
{
	struct level *leaf = &path.at[path.depth - 1];
	int c;
	int r = path_step(p, t, &path, path.depth - 1, -1);
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	return compare_at(p, leaf, leaf->count - 1, key, &c) && c < 0 ? 0 : -EIO;
}

int pages_seek(struct pages *p, const struct tree *t, const struct key *key, struct path *path, struct key *ret_key, struct page_value *ret)
{
	uint8_t bytes[KEY_SIZE];
	int c = 1;
	path->depth = 0;
	if (t->root == PAGE_NONE)
		return STORE_ABSENT;
	key_to_bytes(*key, bytes);
	int r = path_find(p, t, bytes, path);
	if (r) {
		path->depth = 0;
		return r;
	}
	struct level *leaf = &path->at[path->depth - 1];
	if (!leaf_is_good(p, t, leaf)) {
		path->depth = 0;
		return seek_damaged(p, t, leaf, bytes, ret_key, ret);
	}
	if (leaf->index == leaf->count) {
		r = leaf_is_in_place(p, path) ? cross_to_next(p, t, path, bytes) : -EIO;
	} else if (leaf->index == 0) {
		r = compare_at(p, leaf, 0, bytes, &c) ? 0 : -EIO;
		if (r == 0 && c != 0)
			r = leaf_is_in_place(p, path) ? verify_previous(p, t, *path, bytes) : -EIO;
	}
	r = r ? r : take(p, t, leaf, ret_key, ret);
	if (r)
		path->depth = 0;
	return r;
}

int pages_after(struct pages *p, const struct tree *t, const struct key *key, struct path *path, struct key *ret_key, struct page_value *ret)
{
	struct key next = *key;
	uint8_t bytes[KEY_SIZE];
	int c = 1;
	key_to_bytes(*key, bytes);
	struct level *leaf = path->depth ? &path->at[path->depth - 1] : NULL;
	if (leaf && compare_at(p, leaf, leaf->index, bytes, &c) && c == 0 && ++leaf->index < leaf->count)
		return take(p, t, leaf, ret_key, ret);
	for (int i = 2; i >= 0 && ++next.w[i] == 0; i--)
		;
	return pages_seek(p, t, &next, path, ret_key, ret);
}
