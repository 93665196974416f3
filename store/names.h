/*
 * names.h - what is found by name: entries of a directory and extended attributes of an inode. Their keys order by a
 * hash of the name (55 bits) and a number (8 bits) that tells apart names that hash alike; the name itself is in the
 * value. Callers hold the lock.
 */
#pragma once

#include "store/internal.h"

struct name_slot {
	/* of the key that has the name or, if it is absent, of the first free one; 0: all 256 are taken */
	uint64_t sub;
	bool untouched;    /* absent, and not even a tombstone is at sub */
	struct found value; /* if present */
};
/*
 * Names that were found lately are found again without a search: a kernel looks a name up, or lists it, before it takes
 * it away. What a batch does to a name is said here at once, what it makes once it is committed.
 */
void name_known(struct store *, const struct known_name *);
struct known_name name_to_know(struct store *, struct store_ino dir, uint64_t cookie, const struct store_dirent *);
void name_unknown(struct store *, struct store_ino dir, uint64_t cookie);

/* 0, STORE_ABSENT (ret is filled too), -EIO. */
int name_find(struct store *, struct store_sid, struct store_ino, enum kind, const char *name, size_t len,
	struct name_slot *ret);
