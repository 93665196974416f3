/* codec.c - the zstd and xxHash port: checksums, and chunks in and out of their stored form. */
#include "store/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

struct codec_ctx {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
};

int codec_new(struct codec_ctx **ret)
{
	struct codec_ctx *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
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

ssize_t chunk_encode(struct codec_ctx *c, struct key key, int level, const uint8_t *raw, size_t len, uint8_t *out)
{
	enum codec codec = CODEC_RAW;
	size_t n = len;
	if (level && !looks_incompressible(c, raw, len)) {
		size_t got = ZSTD_compressCCtx(c->compress, out + CHUNK_HEADER_SIZE, len, raw, len, level);
		if (!ZSTD_isError(got) && got < len) {
			codec = CODEC_ZSTD;
			n = got;
		}
	}
	if (codec == CODEC_RAW)
		memcpy(out + CHUNK_HEADER_SIZE, raw, len);
	out[4] = (uint8_t)codec;
	put_u32(out + 5, 0);
	put_u32(out + 9, (uint32_t)len);
	n += CHUNK_HEADER_SIZE;
	put_u32(out, codec_check(key, out + CODEC_CHECK_SIZE, n - CODEC_CHECK_SIZE));
	return (ssize_t)n;
}

ssize_t chunk_raw_len(const uint8_t *value, size_t len)
{
	if (len <= CHUNK_HEADER_SIZE)
		return -EIO;
	uint32_t raw = get_u32(value + 9);
	return raw >= 1 && raw <= STORE_CHUNK_SIZE ? (ssize_t)raw : -EIO;
}

ssize_t chunk_decode(struct codec_ctx *c, struct key key, const uint8_t *value, size_t len, uint8_t *out, size_t room)
{
	const uint8_t *body;
	size_t body_len;
	ssize_t raw = chunk_raw_len(value, len);
	if (raw < 0 || (size_t)raw > room || codec_open(key, value, len, &body, &body_len) || get_u32(value + 5) != 0)
		return -EIO;
	const uint8_t *payload = value + CHUNK_HEADER_SIZE;
	size_t payload_len = len - CHUNK_HEADER_SIZE;
	if (value[4] == CODEC_RAW && payload_len == (size_t)raw) {
		memcpy(out, payload, payload_len);
		return raw;
	}
	if (value[4] != CODEC_ZSTD)
		return -EIO;
	size_t n = ZSTD_decompressDCtx(c->decompress, out, (size_t)raw, payload, payload_len);
	return !ZSTD_isError(n) && n == (size_t)raw ? raw : -EIO;
}

uint64_t codec_batch_check(uint64_t salt, uint64_t offset, const uint8_t *data, size_t len)
{
	uint64_t h = XXH3_64bits_withSeed(data, len, salt ^ offset);
	return h ? h : 1;
}

uint64_t codec_name_hash(uint64_t seed, const char *name, size_t len)
{
	uint64_t h = XXH3_64bits_withSeed(name, len, seed) >> 9;
	return (h ? h : 1) << 8;
}
