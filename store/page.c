/* page.c - one page of data.mdb: its nodes within their bounds, and what makes it sound. */
#include "store/pages_internal.h"

#include "store/codec.h"

const uint8_t *page_at(
	const struct pages *p, const struct tree *t, uint64_t number, unsigned flags, unsigned *ret_count)
{
	struct page_header h;
	if (number < HEADS || number >= t->count)
		return NULL;
	const uint8_t *page = p->map + number * p->page_size;
	memcpy(&h, page, sizeof h);
	if (h.pgno != number || h.flags != flags || h.lower < PAGE_HEADER || h.lower > h.upper ||
		h.upper > p->page_size)
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
	*ret = (struct node){.key = page + at + sizeof n, .key_len = n.key_len, .flags = n.flags};
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

bool free_value(const struct pages *p, const struct tree *t, const struct node *n, struct page_value *ret,
	uint64_t *ret_pages)
{
	struct page_header h;
	*ret = (struct page_value){n->data, n->len};
	*ret_pages = 0;
	if (n->flags != NODE_BIG)
		return true;
	if (!big_is_in_file(p, t, n))
		return false;
	const uint8_t *page = p->map + n->child * p->page_size;
	memcpy(&h, page, sizeof h);
	ret->data = page + PAGE_HEADER;
	*ret_pages = h.lower | (uint32_t)h.upper << 16;
	return h.pgno == n->child && h.flags == PAGE_OVERFLOW && *ret_pages >= overflow_pages(p, n->len) &&
	       *ret_pages <= t->count - n->child;
}

bool node_value(const struct pages *p, const struct tree *t, const struct node *n, struct page_value *ret)
{
	uint64_t pages;
	return free_value(p, t, n, ret, &pages) && (pages == 0 || pages == overflow_pages(p, n->len));
}

/* ---- sound pages ------------------------------------------------------------------------------------------------ */

/*
 * Whether the nodes fill the page from `upper` to its end, without overlap and without a gap: LMDB moves them about by
 * their sizes.
 */
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
	struct node n, before = {0};
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

bool key_is_plausible(const struct key *key)
{
	uint64_t sub = key_sub(*key);
	bool front = key_sid(*key).n == 0 && key_ino(*key).n == 0;
	struct key main = key_with_piece(*key, KEY_MAIN);
	if ((main.w[2] & KEY_VERSION_MASK) != KEY_VERSION_MASK)
		return false;
	if (key_piece(*key) != KEY_MAIN && key_kind(*key) != KIND_CHUNK)
		return false;
	if (key_sid(*key).n == UINT32_MAX || key_ino(*key).n >= KEY_INO_END)
		return false;
	switch (key_kind(*key)) {
	case KIND_SUPER:
	case KIND_FLUSHED:
		return front && sub == 0;
	case KIND_SESSION:
	case KIND_ENDING:
		return front && sub > 0 && sub < UINT32_MAX;
	case KIND_ORPHAN:
		return front && sub > 0 && sub < KEY_INO_END;
	case KIND_DICTIONARY:
		return front && (uint32_t)sub && sub >> 32 < DICTIONARY_COPIES;
	case KIND_INODE:
		return !front && sub == 0;
	case KIND_XATTR:
	case KIND_DIRENT:
		return !front && sub >= STORE_COOKIE_MIN && sub < UINT64_C(1) << 63;
	case KIND_CHUNK:
		return !front && sub <= STORE_FILE_MAX / STORE_CHUNK_SIZE;
	case KIND_DROP:
		break;
	}
	return false;
}

bool leaf_holds(const struct pages *p, const uint8_t *page, unsigned count)
{
	struct node n;
	const uint8_t *body;
	size_t len;
	for (unsigned i = 0; i < count; i++) {
		node_at(p, page, i, &n);
		struct key key = key_from_bytes(n.key);
		if (n.flags == 0 && codec_open(key, n.data, n.len, &body, &len))
			return false;
		if (!key_is_plausible(&key))
			return false;
	}
	return true;
}
