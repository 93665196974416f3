/*
 * key.h - keys of all records: 24 bytes whose order is the order of the tree.
 *
 *   session 32 | inode 56 | kind 8 | sub 64 | inverted checkpoint version 32        (bits, big-endian on disk)
 *
 * One session is one contiguous range (FORMAT.md, invariant 2); all that belongs to an inode is together, its small
 * content beside its record. The version is inverted so that a seek for version v finds the newest one that is not
 * newer than v. Its lowest two bits tell apart the pieces of one value (pieces.h).
 */
#pragma once

#include "store/store.h"

#include <endian.h>
#include <string.h>

enum kind {
	KIND_SUPER = 1,   /* session 0, inode 0: what the store knows of itself */
	KIND_FLUSHED = 2, /* session 0, inode 0: generation of the last log taken in; written by the flusher only */
	KIND_SESSION = 3, /* session 0, inode 0, sub: session number */
	KIND_ORPHAN = 4,  /* session 0, inode 0, sub: inode number */
	KIND_ENDING = 5,  /* session 0, inode 0, sub: session number */
	KIND_DICTIONARY = 6, /* session 0, inode 0, sub: number of the copy 32, name 32; written by the flusher only */
	KIND_INODE = 8,
	KIND_XATTR = 9,   /* sub: hash of the name, as for names of a directory */
	KIND_DIRENT = 10, /* sub: cookie */
	KIND_CHUNK = 11,  /* sub: index of the chunk */
	KIND_DROP = 12,   /* only in the index of a log: content from a chunk on was dropped */
};

/* Much content hangs on each dictionary. */
enum { DICTIONARY_COPIES = 2 };

struct key {
	uint64_t w[3];
};

#define KEY_SIZE 24
/* No inode has this number or a higher one: the limit of those given out, which lies above them, is below 2^53. */
#define KEY_INO_END ((UINT64_C(1) << 53) - 1)
/* No log comes to have this generation or a higher one: behind the last there would be the first again. */
#define GENERATION_END (UINT64_MAX - UINT32_MAX)
#define KEY_VERSION_MASK UINT64_C(0xffffffff)
/* Records that one value of content may lie in; the last one is under the key that key_make makes. */
enum { KEY_PIECES = 4, KEY_MAIN = KEY_PIECES - 1 };

static inline struct key key_make(struct store_sid sid, struct store_ino ino, enum kind kind, uint64_t sub)
{
	return (struct key){ {
		(uint64_t)sid.n << 32 | ino.n >> 24,
		ino.n << 40 | (uint64_t)kind << 32 | sub >> 32,
		sub << 32 | KEY_VERSION_MASK,
	} };
}

/* Of a record of the store itself, which lies in front of all sessions. */
static inline struct key key_front(enum kind kind, uint64_t sub)
{
	return key_make(STORE_ROOT_SID, (struct store_ino){ 0 }, kind, sub);
}

static inline struct store_sid key_sid(struct key k)
{
	return (struct store_sid){ (uint32_t)(k.w[0] >> 32) };
}

static inline struct store_ino key_ino(struct key k)
{
	return (struct store_ino){ (k.w[0] & 0xffffffff) << 24 | k.w[1] >> 40 };
}

static inline enum kind key_kind(struct key k)
{
	return (enum kind)(k.w[1] >> 32 & 0xff);
}

static inline uint64_t key_sub(struct key k)
{
	return k.w[1] << 32 | k.w[2] >> 32;
}

static inline unsigned key_piece(struct key k)
{
	return k.w[2] & KEY_MAIN;
}

static inline struct key key_with_piece(struct key k, unsigned piece)
{
	k.w[2] = (k.w[2] & ~(uint64_t)KEY_MAIN) | piece;
	return k;
}

static inline int key_cmp(const struct key *a, const struct key *b)
{
	for (int i = 0; i < 3; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

static inline struct key key_after(struct key k)
{
	for (int i = 2; i >= 0 && ++k.w[i] == 0; i--)
		;
	return k;
}

/* Equal but for the version. */
static inline bool key_same(struct key a, struct key b)
{
	uint64_t version = KEY_VERSION_MASK & ~(uint64_t)KEY_MAIN;
	return a.w[0] == b.w[0] && a.w[1] == b.w[1] && (a.w[2] | version) == (b.w[2] | version);
}

static inline bool key_same_inode(struct key a, struct key b)
{
	return a.w[0] == b.w[0] && a.w[1] >> 40 == b.w[1] >> 40;
}

static inline void key_to_bytes(struct key k, uint8_t out[KEY_SIZE])
{
	for (int i = 0; i < 3; i++) {
		uint64_t be = htobe64(k.w[i]);
		memcpy(out + 8 * i, &be, 8);
	}
}

static inline struct key key_from_bytes(const uint8_t in[KEY_SIZE])
{
	struct key k;
	for (int i = 0; i < 3; i++) {
		uint64_t be;
		memcpy(&be, in + 8 * i, 8);
		k.w[i] = be64toh(be);
	}
	return k;
}
