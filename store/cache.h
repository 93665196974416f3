/*
 * cache.h - the last few chunks that were decompressed for a part of them. Has its own lock; any thread.
 */
#pragma once

#include "store/key.h"

#include <pthread.h>

enum { CACHE_CHUNKS = 32 };

struct cache_slot {
	struct key key;
	uint64_t used; /* when last used; 0: free */
	uint32_t len;
	uint8_t *data;
};

struct cache {
	pthread_mutex_t lock;
	uint64_t clock;
	uint64_t epoch; /* contents belong to it */
	uint64_t hits, misses;
	struct cache_slot slots[CACHE_CHUNKS];
};

void cache_init(struct cache *);
void cache_release(struct cache *);
/*
 * Empties it when epoch is not that of its contents, then copies [offset, offset + len) of a cached chunk, zeros behind
 * its end.
 */
bool cache_read(struct cache *, uint64_t epoch, const struct key *, uint32_t offset, uint8_t *out, uint32_t len);
void cache_figures(struct cache *, uint64_t *ret_hits, uint64_t *ret_misses);
/* Keeps *data, and puts another buffer of a chunk's size there, unless the epoch has passed or memory is short. */
void cache_add(struct cache *, uint64_t epoch, const struct key *, uint8_t **data, uint32_t len);
