/* hot.c - see hot.h: the batches. The format of the file, byte by byte, is in FORMAT.md. */
#include "store/hot.h"

#include "store/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HOT_MAGIC UINT64_C(0x31474f4c53534553)
#define TRIM_EVERY (4u << 20)
enum {
	LARGE = 16 << 10, /* bytes from which a system call is cheaper than page faults */
	GATHERED_MAX = 2 * LARGE,
	SYNC_SOON = 256 << 10, /* bytes behind a sync within which another one is likely to come */
};
#define SYNC_ALIGN UINT64_C(65536) /* a multiple of any size of pages */

struct batch_header {
	uint64_t check; /* over what follows it, 0: not yet computed */
	uint32_t len;   /* of the batch with this header */
	uint32_t count; /* of records */
};

struct record_header {
	uint64_t key[3];
	uint64_t from;
	uint32_t offset;
	uint32_t len;   /* of the bytes that follow, which are padded to 8 */
	uint8_t op, flags, pad[6];
};

struct prepared {
	struct change change;
	struct entry *entry;
};

static uint64_t pad8(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

static struct hot_boot parse_boot(const char *text, ssize_t n)
{
	struct hot_boot boot = { 0 };
	for (unsigned digits = 0, i = 0; (ssize_t)i < n && digits < 2 * sizeof boot.id; i++) {
		const char *hex = "0123456789abcdef", *at = memchr(hex, text[i], 16);
		if (at)
			boot.id[digits / 2] |= (uint8_t)((at - hex) << (digits % 2 ? 0 : 4)), digits++;
	}
	return boot;
}

int hot_this_boot(struct hot_boot *ret)
{
	char text[64] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	bool none = fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == EPERM);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	int r = n < 0 && !none ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (r == 0)
		*ret = parse_boot(text, n);
	return r;
}

/* ---- the header ------------------------------------------------------------------------------------------------- */

static bool is_any_log(const struct hot *h)
{
	return h->map && hot_header(h)->magic == HOT_MAGIC && hot_header(h)->published != 0;
}

static bool is_log(const struct hot *h)
{
	return is_any_log(h) && hot_header(h)->format == HOT_FORMAT;
}

bool hot_is_newer(const struct hot *h)
{
	return is_any_log(h) && hot_header(h)->format > HOT_FORMAT;
}

static bool is_of_store(const struct hot *h)
{
	return memcmp(hot_header(h)->identity, h->identity, sizeof h->identity) == 0;
}

bool hot_is_valid(const struct hot *h)
{
	return is_log(h) && is_of_store(h);
}

static uint64_t new_salt(uint64_t generation)
{
	uint64_t salt;
	struct timespec now;
	if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) == sizeof salt)
		return salt;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ generation << 56;
}

static int write_call(struct hot *h, uint64_t at, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = pwrite(h->fd, data, len, (off_t)at);
		if (n < 0 && errno != EINTR)
			return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? STORE_FULL : -errno;
		if (n > 0)
			data += n, at += (uint64_t)n, len -= (size_t)n;
	}
	return 0;
}

static void touch(struct hot *h, uint64_t end)
{
	if (end > h->touched)
		h->touched = (end + 4095) & ~UINT64_C(4095);
}

/*
 * Through the mapping where little is written. But not where nothing was before: a page that is first met there is
 * read, with many behind it, only to be overwritten.
 */
static int put(struct hot *h, uint64_t at, const void *data, size_t len)
{
	if (h->by_call || len >= LARGE || at + len > h->touched) {
		touch(h, at + len);
		return write_call(h, at, data, len);
	}
	memcpy(h->map + at, data, len);
	return 0;
}

static int put_record(struct hot *h, uint64_t at, const struct record_header *r, const void *data, size_t len)
{
	struct iovec parts[] = { { (void *)r, sizeof *r }, { (void *)data, len } };
	uint64_t end = at + sizeof *r + len;
	if (h->by_call || len >= LARGE || end > h->touched) {
		touch(h, end);
		if (pwritev(h->fd, parts, 2, (off_t)at) == (ssize_t)(end - at))
			return 0;
	}
	/* What a short write lacks, and why, these say. */
	int res = put(h, at, r, sizeof *r);
	return res || !len ? res : put(h, at + sizeof *r, data, len);
}

static int publish(struct hot *h, uint64_t end)
{
	if (h->by_call)
		return write_call(h, offsetof(struct hot_header, published), (const uint8_t *)&end, sizeof end);
	atomic_store_explicit(&hot_header(h)->published, end, memory_order_release);
	return 0;
}

static void reset(struct hot *h)
{
	h->tail = h->checked = HOT_DATA;
	h->synced = h->small = h->trimmed = 0;
	h->lost = false;
}

int hot_start(struct hot *h, uint64_t generation, uint64_t previous_end, struct hot_boot boot)
{
	struct hot_header header = { .magic = HOT_MAGIC,
		.format = HOT_FORMAT,
		.generation = generation,
		.previous_end = previous_end,
		.salt = new_salt(generation),
		.boot = boot };
	int r = publish(h, 0);
	r = r ? r : put(h, 0, &header, offsetof(struct hot_header, published));
	r = r ? r : put(h, offsetof(struct hot_header, identity), h->identity, sizeof h->identity);
	r = r ? r : publish(h, HOT_DATA);
	reset(h);
	return r;
}

void hot_void(struct hot *h)
{
	/* A log that stays valid because this fails is known to be in warm by its generation. */
	(void)publish(h, 0);
	madvise(h->map, h->reach, MADV_DONTNEED);
	reset(h);
}

/* ---- replaying -------------------------------------------------------------------------------------------------- */

/*
 * Decodes the record at `at` of a batch that ends at `end`. Length with its bytes, or -EIO: nothing in it is taken on
 * trust.
 */
static int64_t parse_record(const struct hot *h, uint64_t at, uint64_t end, struct change *ret)
{
	struct record_header r;
	if (end - at < sizeof r)
		return -EIO;
	memcpy(&r, h->map + at, sizeof r);
	uint64_t bytes = r.op == CHANGE_PUT || r.op == CHANGE_WRITE ? pad8(r.len) : 0;
	*ret = (struct change){ .key = { { r.key[0], r.key[1], r.key[2] } }, .op = r.op, .flags = r.flags,
		.offset = r.offset,
		.len = r.len, .pos = at + sizeof r, .from = r.from };
	if (bytes > end - at - sizeof r || r.op < CHANGE_PUT || r.op > CHANGE_DROP)
		return -EIO;
	bool chunk = r.op == CHANGE_WRITE || r.op == CHANGE_ZERO;
	if (chunk != (key_kind(ret->key) == KIND_CHUNK) || (r.op == CHANGE_DROP) != (key_kind(ret->key) == KIND_DROP))
		return -EIO;
	if (chunk && (r.len == 0 || r.len > STORE_CHUNK_SIZE || r.offset > STORE_CHUNK_SIZE - r.len))
		return -EIO;
	return (int64_t)(sizeof r + bytes);
}

/* Walks a batch's records; applies them if asked to. */
static int walk_batch(struct hot *h, uint64_t start, const struct batch_header *b, bool apply)
{
	uint64_t at = start + sizeof *b, end = start + b->len;
	for (uint32_t i = 0; i < b->count; i++) {
		struct change c;
		struct entry *e;
		int64_t n = parse_record(h, at, end, &c);
		if (n < 0)
			return (int)n;
		at += (uint64_t)n;
		int r = apply ? index_prepare(&h->index, &c, &e) : 0;
		if (r)
			return r;
		if (apply)
			index_apply(&h->index, &c, e);
	}
	return at == end ? 0 : -EIO;
}

static uint64_t batch_check(const struct hot *h, uint64_t start, uint32_t len)
{
	uint64_t skip = sizeof(uint64_t);
	return codec_batch_check(hot_header(h)->salt, start, h->map + start + skip, len - skip);
}

static bool batch_is_sound(const struct hot *h, uint64_t at, uint64_t end, bool same_boot, struct batch_header *ret)
{
	if (end - at < sizeof *ret)
		return false;
	memcpy(ret, h->map + at, sizeof *ret);
	if (ret->len < sizeof *ret || ret->len % 8 || ret->len > end - at)
		return false;
	return same_boot || (ret->check && ret->check == batch_check(h, at, ret->len));
}

bool hot_is_of_boot(const struct hot *h, struct hot_boot this_boot)
{
	static const struct hot_boot unknown;
	return memcmp(&hot_header(h)->boot, &this_boot, sizeof this_boot) == 0 &&
	       memcmp(&this_boot, &unknown, sizeof unknown) != 0;
}

bool hot_is_foreign(const struct hot *h, struct hot_boot this_boot)
{
	struct batch_header b;
	if (!is_log(h) || is_of_store(h))
		return false;
	return hot_is_of_boot(h, this_boot) ? hot_header(h)->published > HOT_DATA
					    : batch_is_sound(h, HOT_DATA, h->size, false, &b);
}

int hot_replay(struct hot *h, struct hot_boot this_boot)
{
	const struct hot_header *header = hot_header(h);
	/* else the file was cut, or the header damaged: as in another boot */
	bool trusted = hot_is_of_boot(h, this_boot) && header->published <= h->size;
	uint64_t end = trusted ? header->published : h->size, at = HOT_DATA;

	struct batch_header b;
	while (at < end && batch_is_sound(h, at, end, trusted, &b)) {
		if (walk_batch(h, at, &b, false) < 0)
			break;
		int r = walk_batch(h, at, &b, true);
		if (r)
			return r;
		at += b.len;
	}
	h->tail = at;
	h->checked = HOT_DATA;
	h->synced = 0;
	return 0;
}

/* ---- syncing ---------------------------------------------------------------------------------------------------- */

/* Not through put(), whose figures belong to the thread that appends. */
static int set_check(struct hot *h, uint64_t check)
{
	if (h->by_call)
		return write_call(h, h->checked, (const uint8_t *)&check, sizeof check);
	memcpy(h->map + h->checked, &check, sizeof check);
	return 0;
}

/*
 * The header has to be durable once. It is dirty again with each batch, but of `published` a power cut leaves nothing
 * that counts: to write it each time, away from the batches, costs a quarter of what a sync takes.
 */
static int sync_pages(struct hot *h, uint64_t end)
{
	uint64_t from = h->synced & ~(SYNC_ALIGN - 1);
	return h->synced ? msync(h->map + from, end - from, MS_SYNC) : fdatasync(h->fd);
}

/* Gives up pages of [*from, end) as the daemon's memory. They stay in the page cache; what is read again comes back. */
static void give_up(struct hot *h, uint64_t *from, uint64_t end)
{
	end &= ~UINT64_C(4095);
	if (end < *from + TRIM_EVERY)
		return;
	madvise(h->map + *from, end - *from, MADV_DONTNEED);
	*from = end;
}

static int sync_to(struct hot *h, uint64_t end)
{
	uint64_t read = h->checked & ~UINT64_C(4095);
	while (h->checked < end) {
		const struct batch_header *b = (const struct batch_header *)(h->map + h->checked);
		int r = b->check ? 0 : set_check(h, batch_check(h, h->checked, b->len));
		if (r)
			return r > 0 ? -ENOSPC : r;
		h->checked += b->len;
		give_up(h, &read, h->checked);
	}
	return sync_pages(h, end) < 0 ? -errno : 0;
}

int hot_sync(struct hot *h, uint64_t end)
{
	if (h->lost)
		return -EIO;
	if (h->synced >= end)
		return 0;
	int r = sync_to(h, end);
	if (r)
		h->lost = true;
	else
		h->synced = end;
	return r;
}

/* ---- appending -------------------------------------------------------------------------------------------------- */

uint64_t hot_room(const struct hot *h)
{
	return h->size - h->tail;
}

/*
 * Gathering. A batch is put together in memory, with its checksum, and written by one call where it would go by calls
 * anyway, and where it is soon to be synced: each sync takes the pages from the mapping, so that to write through it is
 * to fault them in again, and what was written through it is synced by whole folios, of 64 KiB.
 */

void hot_batch_begin(struct hot_batch *b, struct hot *h)
{
	b->hot = h;
	b->start = h->tail;
	b->at = h->tail + sizeof(struct batch_header);
	b->count = 0;
	b->error = 0;
	b->checks = h->synced && h->tail - h->synced < SYNC_SOON;
	b->gathers = (b->checks || h->by_call) && (b->gathered || (b->gathered = calloc(1, GATHERED_MAX)));
}

/* Where the call is refused, the mapping is not. */
static int write_gathered(struct hot_batch *b, size_t len)
{
	touch(b->hot, b->start + len);
	int r = write_call(b->hot, b->start, b->gathered, len);
	if (r && !b->hot->by_call)
		memcpy(b->hot->map + b->start, b->gathered, len);
	return b->hot->by_call ? r : 0;
}

/* What is gathered is too much: it is written as it is, and what follows goes directly. */
static int spill(struct hot_batch *b, uint64_t at)
{
	b->gathers = false;
	return write_gathered(b, at - b->start);
}

/* A record with the bytes that follow it. */
static int batch_put(struct hot_batch *b, uint64_t at, const struct record_header *r, const void *data, size_t len)
{
	uint64_t within = at - b->start, all = sizeof *r + pad8(len);
	int res = b->gathers && within + all > GATHERED_MAX ? spill(b, at) : 0;
	if (res || !b->gathers)
		return res ? res : put_record(b->hot, at, r, data, len);
	uint8_t *out = b->gathered + within;
	memcpy(out, r, sizeof *r);
	memset(out + sizeof *r, 0, all - sizeof *r);
	if (len)
		memcpy(out + sizeof *r, data, len);
	return 0;
}

static int put_header(struct hot_batch *b)
{
	struct batch_header header = { .check = 0, .len = (uint32_t)(b->at - b->start), .count = b->count };
	size_t skip = sizeof header.check;
	if (!b->gathers)
		return put(b->hot, b->start, &header, sizeof header);
	memcpy(b->gathered, &header, sizeof header);
	if (b->checks)
		header.check =
			codec_batch_check(hot_header(b->hot)->salt, b->start, b->gathered + skip, header.len - skip);
	memcpy(b->gathered, &header, sizeof header);
	return write_gathered(b, header.len);
}

static struct prepared *next_prepared(struct hot_batch *b)
{
	if (b->count == b->room) {
		uint32_t room = b->room ? b->room * 2 : 64;
		struct prepared *p = realloc(b->prepared, room * sizeof *p);
		if (!p)
			return NULL;
		b->prepared = p;
		b->room = room;
	}
	return &b->prepared[b->count];
}

int hot_read(const struct hot *h, uint64_t pos, uint8_t *out, uint32_t len)
{
	if (len < LARGE) {
		memcpy(out, h->map + pos, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(h->fd, out, len, (off_t)pos);
		if (n == 0 || (n < 0 && errno != EINTR))
			return n ? -errno : -EIO;
		if (n > 0)
			out += n, pos += (uint64_t)n, len -= (uint32_t)n;
	}
	return 0;
}

static int append(struct hot_batch *b, struct change *c, const void *data)
{
	struct hot *h = b->hot;
	struct record_header r = { .key = { c->key.w[0], c->key.w[1], c->key.w[2] },
		.from = c->from,
		.offset = c->offset,
		.len = c->len,
		.op = c->op,
		.flags = c->flags };
	uint64_t need = sizeof r + (data ? pad8(c->len) : 0);
	if (need > h->size - b->at)
		return STORE_FULL;
	struct prepared *p = next_prepared(b);
	if (!p)
		return -ENOMEM;
	c->pos = b->at + sizeof r;
	int res = batch_put(b, b->at, &r, data, data ? c->len : 0);
	if (res == 0)
		res = index_prepare(&h->index, c, &p->entry);
	if (res)
		return res;
	p->change = *c;
	b->count++;
	b->at += need;
	h->small += need < LARGE ? need : sizeof r;
	return 0;
}

void hot_batch_append(struct hot_batch *b, struct change *c, const void *data)
{
	if (b->error == 0)
		b->error = append(b, c, data);
}

int hot_batch_commit(struct hot_batch *b)
{
	struct hot *h = b->hot;
	if (b->error == 0 && b->count)
		b->error = put_header(b);
	if (b->error == 0 && b->count)
		b->error = publish(h, b->at);
	if (b->error || b->count == 0) {
		hot_batch_abort(b);
		return b->error;
	}
	h->tail = b->at;
	for (uint32_t i = 0; i < b->count; i++)
		index_apply(&h->index, &b->prepared[i].change, b->prepared[i].entry);
	give_up(h, &h->trimmed, h->tail);
	return 0;
}

void hot_batch_abort(struct hot_batch *b)
{
	while (b->count) {
		struct prepared *p = &b->prepared[--b->count];
		index_forget(&b->hot->index, &p->change, p->entry);
	}
}
