/*
 * uthash.h - uthash as it is used here: running out of memory leaves the element out instead of ending the program,
 * and the hash of our keys (numbers given out in sequence) is one multiplication.
 */
#pragma once

#include <stdint.h>
#include <string.h>

static inline unsigned uthash_of_number(const void *key, size_t len)
{
	uint64_t n = 0;

	memcpy(&n, key, len < sizeof(n) ? len : sizeof(n));
	return (unsigned)((n * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(key, len, hash) ((hash) = uthash_of_number(key, len))
#include <uthash.h>
