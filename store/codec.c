/* codec.c - the zstd and xxHash port: checksums, and chunks in and out of their stored form. */
#include "store/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

/* ---- dictionaries ------------------------------------------------------------------------------------------------ */

enum { LEVELS = 2 }; /* that are in use at a time */

struct dictionary {
	uint32_t name;
	ZSTD_DDict *decompress;
	struct {
		ZSTD_CDict *dict; /* NULL: free */
		int level;        /* that it is for */
	} compress[LEVELS];       /* made when they are first needed */
	size_t len;
	uint8_t data[];
};

int dictionary_new(const uint8_t *data, size_t len, struct dictionary **ret)
{
	size_t head = ZDICT_getDictHeaderSize(data, len);
	if (ZSTD_isError(head))
		return ZSTD_getErrorCode(head) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
	if (len > DICTIONARY_SIZE_MAX)
		return -EIO;
	struct dictionary *d = malloc(sizeof *d + len);
	if (!d)
		return -ENOMEM;
	uint32_t name = (uint32_t)XXH3_64bits(data, len);
	*d = (struct dictionary){ .name = name ? name : 1, .len = len };
	memcpy(d->data, data, len);
	d->decompress = ZSTD_createDDict(data, len);
	if (!d->decompress) {
		dictionary_free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

void dictionary_free(struct dictionary *d)
{
	if (!d)
		return;
	ZSTD_freeDDict(d->decompress);
	for (int i = 0; i < LEVELS; i++)
		ZSTD_freeCDict(d->compress[i].dict);
	free(d);
}

uint32_t dictionary_name(const struct dictionary *d)
{
	return d->name;
}

const uint8_t *dictionary_data(const struct dictionary *d, size_t *ret_len)
{
	*ret_len = d->len;
	return d->data;
}

size_t dictionary_train(const uint8_t *samples, const size_t *lens, unsigned count, uint8_t *out)
{
	size_t n = ZDICT_trainFromBuffer(out, DICTIONARY_SIZE_MAX, samples, lens, count);
	return ZDICT_isError(n) ? 0 : n;
}

struct dictionary *dictionaries_find(struct dictionaries *all, uint32_t name)
{
	struct dictionary *d;
	for (int i = 0; i < DICTIONARIES_MAX && (d = atomic_load_explicit(&all->list[i], memory_order_acquire)); i++)
		if (d->name == name)
			return d;
	return NULL;
}

bool dictionaries_add(struct dictionaries *all, struct dictionary *d)
{
	for (int i = 0; i < DICTIONARIES_MAX; i++) {
		if (atomic_load_explicit(&all->list[i], memory_order_relaxed))
			continue;
		atomic_store_explicit(&all->list[i], d, memory_order_release);
		return true;
	}
	dictionary_free(d);
	return false;
}

int dictionaries_learn(struct dictionaries *all, uint32_t name, const uint8_t *data, size_t len)
{
	struct dictionary *d;
	if (dictionaries_find(all, name))
		return 0;
	int r = dictionary_new(data, len, &d);
	if (r)
		return r;
	if (d->name != name) {
		dictionary_free(d);
		return -EIO;
	}
	return dictionaries_add(all, d) ? 0 : -EIO;
}

void dictionaries_release(struct dictionaries *all)
{
	for (int i = 0; i < DICTIONARIES_MAX; i++)
		dictionary_free(all->list[i]);
}

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

struct codec_ctx {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
	struct dictionaries *dictionaries;
};

int codec_new(struct dictionaries *dictionaries, struct codec_ctx **ret)
{
	struct codec_ctx *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->dictionaries = dictionaries;
	c->compress = ZSTD_createCCtx();
	c->decompress = ZSTD_createDCtx();
	if (!c->compress || !c->decompress) {
		codec_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void codec_free(struct codec_ctx *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->compress);
	ZSTD_freeDCtx(c->decompress);
	free(c);
}

struct dictionaries *codec_dictionaries(struct codec_ctx *c)
{
	return c->dictionaries;
}

uint32_t codec_check(struct key key, const uint8_t *body, size_t len)
{
	uint64_t seed = key.w[0] ^ (key.w[1] << 1 | key.w[1] >> 63) ^ (key.w[2] << 2 | key.w[2] >> 62);
	return (uint32_t)XXH3_64bits_withSeed(body, len, seed);
}

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

size_t codec_seal(struct key key, uint8_t *value, size_t body_len)
{
	put_u32(value, codec_check(key, value + CODEC_CHECK_SIZE, body_len));
	return CODEC_CHECK_SIZE + body_len;
}

int codec_open(struct key key, const uint8_t *value, size_t len, const uint8_t **ret_body, size_t *ret_len)
{
	if (len < CODEC_CHECK_SIZE ||
		get_u32(value) != codec_check(key, value + CODEC_CHECK_SIZE, len - CODEC_CHECK_SIZE))
		return -EIO;
	*ret_body = value + CODEC_CHECK_SIZE;
	*ret_len = len - CODEC_CHECK_SIZE;
	return 0;
}

/*
 * A cheap look: 4 KiB from the middle at the fastest level. Data that does not yield a sixteenth there is not worth the
 * whole chunk's time (JSON, logs and sources yield half and more; media and archives nothing).
 */
static bool looks_incompressible(struct codec_ctx *c, const uint8_t *raw, size_t len)
{
	enum { SAMPLE = 4096 };
	uint8_t out[SAMPLE];
	if (len < 2 * SAMPLE)
		return false;
	size_t n = ZSTD_compressCCtx(c->compress, out, sizeof out, raw + (len - SAMPLE) / 2, SAMPLE, 1);
	return ZSTD_isError(n) || n > SAMPLE - SAMPLE / 16;
}

static ZSTD_CDict *compress_dict(struct dictionary *d, int level)
{
	int i = 0;
	while (i < LEVELS - 1 && d->compress[i].dict && d->compress[i].level != level)
		i++;
	if (d->compress[i].level != level) {
		ZSTD_freeCDict(d->compress[i].dict);
		d->compress[i].dict = NULL;
	}
	if (!d->compress[i].dict)
		d->compress[i].dict = ZSTD_createCDict(d->data, d->len, level);
	d->compress[i].level = level;
	return d->compress[i].dict;
}

static bool prepare(struct codec_ctx *c, struct dictionary *d, int level)
{
	ZSTD_CDict *dict = compress_dict(d, level);
	/* The last chunk may have stopped half-way, when it turned out not to shrink. */
	ZSTD_CCtx_reset(c->compress, ZSTD_reset_session_only);
	/* The chunk names its dictionary itself, the frame need not. */
	return dict && !ZSTD_isError(ZSTD_CCtx_setParameter(c->compress, ZSTD_c_dictIDFlag, 0)) &&
	       !ZSTD_isError(ZSTD_CCtx_refCDict(c->compress, dict));
}

/* Bytes written to out, of which there are `len`; 0 if they do not suffice. */
static size_t compress(
	struct codec_ctx *c, int level, struct dictionary *d, const uint8_t *raw, size_t len, uint8_t *out)
{
	size_t n = d ? ZSTD_compress2(c->compress, out, len, raw, len)
		     : ZSTD_compressCCtx(c->compress, out, len, raw, len, level);
	return ZSTD_isError(n) || n >= len ? 0 : n;
}

ssize_t chunk_encode(struct codec_ctx *c, struct key key, int level, struct dictionary *d, const uint8_t *raw,
	size_t len, uint8_t *out)
{
	/* Looked at first: what compresses without a dictionary may, says zstd's manual, reset what prepare sets. */
	bool worth = level && !looks_incompressible(c, raw, len);
	if (!worth || (d && !prepare(c, d, level)))
		d = NULL;
	size_t n = worth ? compress(c, level, d, raw, len, out + CHUNK_HEADER_SIZE) : 0;
	if (n == 0)
		memcpy(out + CHUNK_HEADER_SIZE, raw, len);
	out[4] = n ? CODEC_ZSTD : CODEC_RAW;
	put_u32(out + 5, n && d ? d->name : 0);
	put_u32(out + 9, (uint32_t)len);
	n = (n ? n : len) + CHUNK_HEADER_SIZE;
	codec_seal(key, out, n - CODEC_CHECK_SIZE);
	return (ssize_t)n;
}

ssize_t chunk_raw_len(const uint8_t *value, size_t len)
{
	if (len <= CHUNK_HEADER_SIZE)
		return -EIO;
	uint32_t raw = get_u32(value + 9);
	return raw >= 1 && raw <= STORE_CHUNK_SIZE ? (ssize_t)raw : -EIO;
}

static bool decompress(struct codec_ctx *c, uint32_t name, const uint8_t *payload, size_t len, uint8_t *out, size_t raw)
{
	struct dictionary *d = name ? dictionaries_find(c->dictionaries, name) : NULL;
	if (name && !d)
		return false;
	size_t n = d ? ZSTD_decompress_usingDDict(c->decompress, out, raw, payload, len, d->decompress)
		     : ZSTD_decompressDCtx(c->decompress, out, raw, payload, len);
	return !ZSTD_isError(n) && n == raw;
}

ssize_t chunk_decode(struct codec_ctx *c, struct key key, const uint8_t *value, size_t len, uint8_t *out, size_t room)
{
	const uint8_t *body;
	size_t body_len;
	ssize_t raw = chunk_raw_len(value, len);
	if (raw < 0 || (size_t)raw > room || codec_open(key, value, len, &body, &body_len))
		return -EIO;
	uint32_t name = get_u32(value + 5);
	const uint8_t *payload = value + CHUNK_HEADER_SIZE;
	size_t payload_len = len - CHUNK_HEADER_SIZE;
	if (value[4] == CODEC_RAW && payload_len == (size_t)raw && !name) {
		memcpy(out, payload, payload_len);
		return raw;
	}
	bool done = value[4] == CODEC_ZSTD && decompress(c, name, payload, payload_len, out, (size_t)raw);
	return done ? raw : -EIO;
}

uint64_t codec_batch_check(uint64_t salt, uint64_t offset, const uint8_t *data, size_t len)
{
	uint64_t h = XXH3_64bits_withSeed(data, len, salt ^ offset);
	return h ? h : 1;
}

uint64_t codec_name_check(uint64_t seed, const char *name, size_t len)
{
	return XXH3_64bits_withSeed(name, len, ~seed);
}

uint64_t codec_name_hash(uint64_t seed, const char *name, size_t len)
{
	uint64_t h = XXH3_64bits_withSeed(name, len, seed) >> 9;
	return (h ? h : 1) << 8;
}
