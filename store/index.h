/*
 * index.h - the ordered in-memory index of one log: the newest record of each key, pointing into the log; values are
 * not copied.
 *
 * A change is made in two steps so that a batch is all or nothing even when memory runs out: index_prepare finds or
 * makes the entry and takes all memory that applying will need; index_apply cannot fail. An entry made by prepare is
 * EMPTY, invisible to readers, until a record was applied to it.
 *
 * Content of a chunk is a sorted list of extents that do not overlap; a newer write trims what it covers.
 * Not thread-safe; the store's lock protects the active index, a sealed one only has readers.
 */
#pragma once

#include "store/key.h"

#include <bsd/sys/tree.h>

struct extent {
	uint32_t offset, len; /* within the chunk */
	uint64_t pos;         /* of the bytes in the log; 0: zeros */
};

enum entry_type {
	ENTRY_EMPTY,
	ENTRY_PUT,
	ENTRY_DELETE,
	ENTRY_CHUNK,
	ENTRY_DROP,
};

struct entry {
	RB_ENTRY(entry) link;
	struct key key;
	uint8_t type;
	bool fresh;       /* no older log and no warm record has this key */
	bool hides;       /* of a chunk: what lies below it in older places is dropped */
	uint32_t len;     /* of a value; of a chunk: number of extents */
	uint32_t room;    /* of a chunk: extents there is memory for */
	uint32_t reserved; /* of a chunk: extents that prepared changes may still add */
	union {
		uint64_t pos;            /* of a value in the log */
		uint64_t from;           /* of a drop: first chunk */
		struct extent one;       /* of a chunk while room is 1 */
		struct extent *extents;  /* of a chunk otherwise */
	};
};

struct index {
	RB_HEAD(index_tree, entry) tree;
	struct slab *slabs;
	struct entry *unused;
	struct entry **recent; /* found or made lately, each at the only place its key allows; NULL: none yet */
	uint64_t count;
	uint64_t bytes; /* of memory */
};

/* One record of a log, decoded. */
enum change_op {
	CHANGE_PUT = 1,
	CHANGE_DELETE = 2,
	CHANGE_WRITE = 3, /* bytes into a chunk */
	CHANGE_ZERO = 4,  /* zeros into a chunk; all of it: the chunk is gone */
	CHANGE_DROP = 5,  /* key of kind DROP, sub: chunks from value `from` on are gone */
};
enum { CHANGE_FRESH = 1 };

struct change {
	struct key key;
	uint8_t op;     /* enum change_op */
	uint8_t flags;  /* CHANGE_FRESH: nothing older has this key */
	uint32_t offset; /* within the chunk */
	uint32_t len;
	uint64_t pos;   /* of the value or the bytes in the log */
	uint64_t from;
};

void index_init(struct index *);
/* Forgets all entries and gives the memory back. */
void index_clear(struct index *);

int index_prepare(struct index *, const struct change *, struct entry **ret); /* -ENOMEM */
void index_apply(struct index *, const struct change *, struct entry *);
/* Undoes a prepare that will not be applied. Each prepared change ends with one apply or one of these. */
void index_forget(struct index *, const struct change *, struct entry *);

/* Entries in key order; EMPTY ones are passed over. */
struct entry *index_find(struct index *, const struct key *);
struct entry *index_seek(struct index *, const struct key *); /* first one >= key */
struct entry *index_next(struct entry *);
/* Whether a change of the key, which has had no value, is prepared and not yet applied. */
bool index_is_pending(struct index *, const struct key *);
/* Whether the key has an entry, EMPTY ones included, that was made as fresh. */
bool index_is_fresh(struct index *, const struct key *);

const struct extent *entry_extents(const struct entry *);
