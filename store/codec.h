/*
 * codec.h - bytes as they lie in warm: every value begins with a checksum bound to its key, and chunks are compressed.
 *
 *   record:  check u32 | body                            check: low 32 bits of XXH3-64 over body, seeded by the key
 *   chunk:   check u32 | codec u8 | dictionary u32 | raw length u32 | payload        (integers little-endian)
 *
 * Checksums cover what is stored, so that nothing damaged reaches a decoder; being seeded by the key, a value that
 * strayed to another key fails too. A dictionary is named by its content, so that none can take the place of another.
 * zstd and xxHash are seen in codec.c only.
 */
#pragma once

#include "store/key.h"

#include <stdatomic.h>

#define CODEC_CHECK_SIZE 4
#define CHUNK_HEADER_SIZE 13
/* Largest encoded chunk: raw is chosen when compression gains nothing. */
#define CHUNK_ENCODED_MAX (CHUNK_HEADER_SIZE + STORE_CHUNK_SIZE)

enum codec {
	CODEC_RAW = 0,
	CODEC_ZSTD = 1,
	CODEC_PIECES = 2, /* no codec: one of several pieces, see pieces.h */
};

/* ---- dictionaries: what small chunks have in common -------------------------------------------------------------- */

#define DICTIONARY_SIZE_MAX 65536u
enum { DICTIONARIES_MAX = 32 };

/* Any thread decodes with it; encoding is for one at a time. Its name is the hash of its bytes, never 0. */
struct dictionary;
/* -EIO: the bytes, which are copied, cannot be one. -ENOMEM */
int dictionary_new(const uint8_t *data, size_t len, struct dictionary **ret);
void dictionary_free(struct dictionary *);
uint32_t dictionary_name(const struct dictionary *);
const uint8_t *dictionary_data(const struct dictionary *, size_t *ret_len);
/* Learns from samples that follow one another; out has room for DICTIONARY_SIZE_MAX. 0: nothing could be learnt. */
size_t dictionary_train(const uint8_t *samples, const size_t *lens, unsigned count, uint8_t *out);

/* Those that chunks may name. They only become more: one thread adds, any may look. */
struct dictionaries {
	_Atomic(struct dictionary *) list[DICTIONARIES_MAX];
};
struct dictionary *dictionaries_find(struct dictionaries *, uint32_t name);
/* Takes it over. False: there are too many; it is freed. */
bool dictionaries_add(struct dictionaries *, struct dictionary *);
/* Adds what a record says is the dictionary of that name, unless it is known. -EIO: it is none; -ENOMEM */
int dictionaries_learn(struct dictionaries *, uint32_t name, const uint8_t *data, size_t len);
void dictionaries_release(struct dictionaries *);

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Compression and decompression state. One thread at a time. */
struct codec_ctx;
/* The dictionaries outlive it. -ENOMEM */
int codec_new(struct dictionaries *, struct codec_ctx **ret);
void codec_free(struct codec_ctx *);
struct dictionaries *codec_dictionaries(struct codec_ctx *);

uint32_t codec_check(struct key, const uint8_t *body, size_t len);
/* Seals a value, whose body, of so many bytes, lies behind CODEC_CHECK_SIZE. The length of all of it. */
size_t codec_seal(struct key, uint8_t *value, size_t body_len);
/* Body of a sealed value. -EIO if the checksum does not hold. */
int codec_open(struct key, const uint8_t *value, size_t len, const uint8_t **ret_body, size_t *ret_len);

/*
 * raw is 1 to STORE_CHUNK_SIZE bytes, out has CHUNK_ENCODED_MAX. The dictionary may be NULL: none.
 * Returns the length, or -ENOMEM.
 */
ssize_t chunk_encode(struct codec_ctx *, struct key, int level, struct dictionary *, const uint8_t *raw, size_t len,
	uint8_t *out);
/* Length of the content, 1 to STORE_CHUNK_SIZE; -EIO if the value is damaged. */
ssize_t chunk_raw_len(const uint8_t *value, size_t len);
/* out has `room` bytes >= the content's length, which is returned. -EIO, also if its dictionary is not known. */
ssize_t chunk_decode(struct codec_ctx *, struct key, const uint8_t *value, size_t len, uint8_t *out, size_t room);

/* Hash of a log's batch at an offset, never 0. */
uint64_t codec_batch_check(uint64_t salt, uint64_t offset, const uint8_t *data, size_t len);
/* Hash that orders the names of a directory: STORE_COOKIE_MIN <= result < 2^63, low 8 bits zero. */
uint64_t codec_name_hash(uint64_t seed, const char *name, size_t len);
/* A second hash of the name, all of its 64 bits, that says nothing of the first. */
uint64_t codec_name_check(uint64_t seed, const char *name, size_t len);
