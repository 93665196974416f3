/*
 * encode.h - the chunks of a large file compressed by several threads for the one that flushes, which gets them back in
 * the order in which it gave them.
 */
#pragma once

#include "store/codec.h"

struct encoder;

/* NULL if there is one CPU only, or memory or threads are short. */
struct encoder *encoder_new(struct dictionaries *, int level);
void encoder_free(struct encoder *);

/* Chunks given and not taken back; no more may be given when it is full. */
unsigned encoder_count(const struct encoder *);
bool encoder_is_full(const struct encoder *);
/* *raw, a buffer of STORE_CHUNK_SIZE with the content, is exchanged for another one. */
void encoder_give(struct encoder *, struct key, uint8_t **raw, size_t len);
/*
 * The one given first: *out, of CHUNK_ENCODED_MAX, is exchanged for the one with its value. While it is not done,
 * others are done here, with this context. Its length, or -ENOMEM.
 */
ssize_t encoder_take(struct encoder *, struct codec_ctx *, struct key *ret_key, uint8_t **out);
