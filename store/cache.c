/*
 * cache.c - see cache.h. A flush may rewrite any chunk, so its epoch empties all of it: content is cached anew in
 * microseconds.
 */
#include "store/cache.h"

#include <stdlib.h>

void cache_init(struct cache *c)
{
	*c = (struct cache){ .clock = 1 };
	pthread_mutex_init(&c->lock, NULL);
}

static void drop_all(struct cache *c)
{
	for (int i = 0; i < CACHE_CHUNKS; i++)
		c->slots[i].used = 0;
}

void cache_release(struct cache *c)
{
	for (int i = 0; i < CACHE_CHUNKS; i++)
		free(c->slots[i].data);
	pthread_mutex_destroy(&c->lock);
}

static struct cache_slot *find(struct cache *c, const struct key *key)
{
	for (int i = 0; i < CACHE_CHUNKS; i++)
		if (c->slots[i].used && key_cmp(&c->slots[i].key, key) == 0)
			return &c->slots[i];
	return NULL;
}

static struct cache_slot *oldest(struct cache *c)
{
	struct cache_slot *best = &c->slots[0];
	for (int i = 1; i < CACHE_CHUNKS; i++)
		if (c->slots[i].used < best->used)
			best = &c->slots[i];
	return best;
}

static void copy_out(const struct cache_slot *s, uint32_t offset, uint8_t *out, uint32_t len)
{
	uint32_t have = offset < s->len ? s->len - offset : 0;
	have = have < len ? have : len;
	memcpy(out, s->data + offset, have);
	memset(out + have, 0, len - have);
}

bool cache_read(struct cache *c, uint64_t epoch, const struct key *key, uint32_t offset, uint8_t *out, uint32_t len)
{
	pthread_mutex_lock(&c->lock);
	if (epoch > c->epoch) {
		drop_all(c);
		c->epoch = epoch;
	}
	struct cache_slot *s = epoch == c->epoch ? find(c, key) : NULL;
	if (s) {
		s->used = ++c->clock;
		copy_out(s, offset, out, len);
		c->hits++;
	} else {
		c->misses++;
	}
	pthread_mutex_unlock(&c->lock);
	return s != NULL;
}

void cache_add(struct cache *c, uint64_t epoch, const struct key *key, uint8_t **data, uint32_t len)
{
	pthread_mutex_lock(&c->lock);
	struct cache_slot *s = epoch == c->epoch && !find(c, key) ? oldest(c) : NULL;
	if (s && !s->data)
		s->data = malloc(STORE_CHUNK_SIZE);
	if (s && s->data) {
		uint8_t *old = s->data;
		s->data = *data;
		*data = old;
		s->key = *key;
		s->len = len;
		s->used = ++c->clock;
	}
	pthread_mutex_unlock(&c->lock);
}

void cache_figures(struct cache *c, uint64_t *ret_hits, uint64_t *ret_misses)
{
	pthread_mutex_lock(&c->lock);
	*ret_hits = c->hits;
	*ret_misses = c->misses;
	pthread_mutex_unlock(&c->lock);
}
