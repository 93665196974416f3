/* pages.c - see pages.h: the heads of data.mdb, and its mapping. */
#include "store/pages_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(size_t) == 8,
	"the layout of pages is that of 64-bit little-endian machines");

#define META_MAGIC 0xbeefc0deu
enum { META_VERSION = 1, FREE_TREE_FLAGS = 8, HEAD_SIZE = 512 };

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

/* ---- heads ------------------------------------------------------------------------------------------------------ */

static bool db_is_sound(const struct db *db, uint64_t last)
{
	if (db->root == PAGE_NONE)
		return db->depth == 0 && db->entries == 0;
	return db->root >= HEADS && db->root <= last && db->depth >= 1 && db->depth <= TREE_DEPTH_MAX;
}

static bool trees_are_sound(const struct meta *m)
{
	return db_is_sound(&m->free, m->last) && db_is_sound(&m->main, m->last);
}

/* Head `number`, but for its trees. Its transactions have its parity, so that the newer never overwrites the older. */
static bool head_is_sound(const uint8_t *page, uint64_t number, struct meta *ret)
{
	struct page_header header;
	memcpy(&header, page, sizeof header);
	memcpy(ret, page + PAGE_HEADER, sizeof *ret);
	uint32_t size = ret->free.page_size;
	return header.pgno == number && header.flags == PAGE_META && ret->magic == META_MAGIC &&
	       ret->version == META_VERSION && size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX &&
	       (size & (size - 1)) == 0 && ret->free.flags == FREE_TREE_FLAGS && ret->main.flags == 0 &&
	       ret->last >= HEADS - 1 && ret->last < PAGE_NONE / PAGE_SIZE_MAX &&
	       (ret->txnid == 0 || ret->txnid % 2 == number);
}

/* What lies behind the end of the file was never written, so the free list names it; and that is in the file. */
static bool last_is_plausible(const struct meta *m, const struct stat *st)
{
	return m->last / (1 + m->free.page_size / sizeof(uint64_t)) <= (uint64_t)st->st_size / m->free.page_size;
}

/*
 * Of the older one nothing is used. Where LMDB could not write a head it puts the transaction and the last page of the
 * one before back, but not its trees.
 */
static bool heads_agree(const struct meta *a, const struct meta *b)
{
	const struct meta *newer = b->txnid > a->txnid ? b : a;
	uint64_t gap = a->txnid > b->txnid ? a->txnid - b->txnid : b->txnid - a->txnid;
	return a->free.page_size == b->free.page_size && (gap == 1 || (gap == 0 && a->txnid == 0)) &&
	       trees_are_sound(newer);
}

/* The second head lies one page behind the first, whose damage may hide how large a page is. */
static int read_heads(int fd, uint8_t pages[HEADS][HEAD_SIZE], struct meta heads[HEADS], bool sound[HEADS])
{
	static const uint32_t sizes[] = {4096, 16384, 8192, 32768, 2048, 1024, 512};
	struct stat st;
	if (fstat(fd, &st) < 0 || pread(fd, pages[0], HEAD_SIZE, 0) != HEAD_SIZE)
		return STORE_DAMAGED;
	sound[0] = head_is_sound(pages[0], 0, &heads[0]) && last_is_plausible(&heads[0], &st);
	sound[1] = false;
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes && !sound[1]; i++) {
		uint32_t size = sound[0] ? heads[0].free.page_size : sizes[i];
		sound[1] = pread(fd, pages[1], HEAD_SIZE, size) == HEAD_SIZE && head_is_sound(pages[1], 1, &heads[1]) &&
			   heads[1].free.page_size == size && last_is_plausible(&heads[1], &st);
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
	if (r == 0 && st.st_size > 0 &&
		!(sound[0] && sound[1] && heads_agree(&heads[0], &heads[1]) &&
			(uint64_t)st.st_size >= HEADS * (uint64_t)heads[0].free.page_size))
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
	for (int i = 0; r == 0 && i < HEADS; i++)
		sound[i] = sound[i] && trees_are_sound(&heads[i]);
	if (r == 0 && !sound[0] && !sound[1])
		r = STORE_DAMAGED;
	if (r == 0) {
		/* Of two that disagree the older one is complete for sure. */
		int good = sound[0] && sound[1] ? heads[1].txnid < heads[0].txnid : sound[1];
		struct meta copy = heads[good];
		struct page_header header = {.pgno = (uint64_t)!good, .flags = PAGE_META};
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

/* ---- opening ---------------------------------------------------------------------------------------------------- */

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
		p->known = mmap(NULL, p->known_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
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
 * A head is written without a lock that we could take: reader R begins at transaction T, the writer commits T + 1 and T
 * + 2, which overwrites the head of T while R looks. Two looks that are alike, with T in them, saw no writing.
 */
int pages_tree(struct pages *p, uint64_t txnid, struct tree *ret)
{
	struct meta head, again;
	struct stat st;
	uint64_t number = txnid % HEADS;
	const uint8_t *page = p->map + number * p->page_size;
	if (fstat(p->fd, &st) < 0 || (uint64_t)st.st_size < HEADS * p->page_size)
		return -EIO;
	bool sound = head_is_sound(page, number, &head) && trees_are_sound(&head);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(&again, page + PAGE_HEADER, sizeof again);
	if (memcmp(&head, &again, sizeof head) != 0 || (sound && head.txnid != txnid))
		return STORE_ABSENT;
	uint64_t last = head.last, count = (uint64_t)st.st_size / p->page_size;
	if (!sound || head.free.page_size != p->page_size || last >= p->map_size / p->page_size ||
		!last_is_plausible(&head, &st))
		return -EIO;
	*ret = (struct tree){.root = head.main.root,
		.free_root = head.free.root,
		.last = last,
		.count = count < last + 1 ? count : last + 1,
		.txnid = txnid,
		.entries = head.main.entries,
		.depth = head.main.depth,
		.free_depth = head.free.depth};
	return 0;
}
