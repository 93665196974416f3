/*
 * pieces.h - content as it lies in warm: the value of a chunk (codec.h), whole or cut into pieces that fill pages.
 *
 * LMDB gives a value of more than about half a page whole pages of its own, the last of which is half empty on average,
 * and begins a new leaf when a record does not fit into the one before. So a value may be cut into up to four records:
 * a head that fills its pages, a piece that fills a leaf, and what is left. In the order of their keys they are
 * KEY_PIECES - count to KEY_MAIN, and the last one, the main piece, is found under the key of the chunk:
 *
 *   main:    check u32 | codec u8 = CODEC_PIECES | count u8 | length of the whole value u32 | first bytes of it
 *   others:  check u32 | more bytes, in the order of the keys
 *
 * Each has a checksum of its own, bound to its key, as every record has; put together they are the value, which has its
 * own one too.
 */
#pragma once

#include "store/codec.h"
#include "store/warm.h"

/* Beside its bytes, in the main piece and in another one. */
#define PIECE_MAIN_HEADER 10
#define PIECE_HEADER CODEC_CHECK_SIZE

/* Bytes of a value in each record, in the order of the keys. */
struct pieces {
	unsigned count; /* 1: it stays whole */
	size_t lens[KEY_PIECES];
};
/* How a value of len bytes is best cut. */
struct pieces pieces_plan(const struct warm_fit *, size_t len);

/* Nothing of the chunk may be in warm but a main piece or a whole value. cut: it may be cut. As warm_put. */
int pieces_put(struct warm_txn *, const struct key *chunk, const uint8_t *value, size_t len, bool cut);
/*
 * The value of the chunk, in `joined`, of CHUNK_ENCODED_MAX, if it was cut. STORE_DAMAGED: pieces are missing or do not
 * fit together. As warm_get.
 */
int pieces_get(struct warm_snapshot *, const struct key *chunk, uint8_t *joined, struct warm_value *ret);
int pieces_txn_get(struct warm_txn *, const struct key *chunk, uint8_t *joined, struct warm_value *ret);
/* Deletes what there is of the chunk beside the record under its key. As warm_delete. */
int pieces_delete_others(struct warm_txn *, const struct key *chunk);

/* Of the record under a chunk's key: length of the value that it is, or is the main piece of. */
size_t pieces_len(struct warm_value);
/* Of the same: length of the content. -EIO */
ssize_t pieces_raw_len(struct warm_value);

/* ---- records that come in the order of keys, sound or not -------------------------------------------------------- */

struct gather {
	struct key chunk;     /* whose pieces wait for the main one, */
	unsigned first, next; /* from piece `first` to before `next`; next 0: none wait */
	size_t len;           /* of what they hold */
	bool broken;          /* one is missing between them, or they are too long */
	uint8_t *data;        /* GATHER_SIZE */
};
#define GATHER_SIZE (2 * CHUNK_ENCODED_MAX)

/* Keeps a piece that is not the main one. */
void gather_add(struct gather *, const struct key *, struct warm_value);
/*
 * A record under a chunk's key: the whole value, which lives until the next call. False: pieces are missing, or there
 * are some that it knows nothing of. None wait after this.
 */
bool gather_join(struct gather *, const struct key *chunk, struct warm_value, struct warm_value *ret);
/* Pieces of the same chunk as the key's wait no longer. */
void gather_forget(struct gather *, const struct key *);
/* Whether pieces wait for a main one that cannot come any more once there is a record with this key. NULL: the end. */
bool gather_is_stranded(const struct gather *, const struct key *);
