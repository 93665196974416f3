/*
 * warm.h - the LMDB port: one ordered map of keys to sealed values in STORE/data.mdb, durable once a commit returned.
 *
 * Reading goes through a snapshot. One shared snapshot serves the small reads under the store's lock and moves on by
 * itself after a commit; readers outside the lock take their own, for the length of one request. There is one writer,
 * the flusher. Results as in store.h; -ENOSPC where the device or a limit of the process is full.
 */
#pragma once

#include "store/key.h"

struct warm;
struct warm_snapshot;
struct warm_txn;

struct warm_value {
	const uint8_t *data; /* sealed; lives as long as the snapshot or, in a transaction, until its next change */
	size_t len;
};

/* Opens data.mdb in the directory path. -errno, or STORE_DAMAGED if LMDB cannot make sense of it. */
int warm_open(const char *path, bool read_only, struct warm **ret);
void warm_close(struct warm *);

int warm_snapshot_new(struct warm *, struct warm_snapshot **ret);
void warm_snapshot_free(struct warm_snapshot *);
/* Moves to the newest commit. */
int warm_snapshot_renew(struct warm_snapshot *);
/* Lets pages be reused; renew before the next use. */
void warm_snapshot_park(struct warm_snapshot *);
/*
 * Whether another process may have used pages of it again. Only where LMDB has no table of readers; there two commits
 * are enough.
 */
bool warm_snapshot_is_overtaken(struct warm_snapshot *);

/* The newest version that is not newer than key's. STORE_ABSENT. */
int warm_get(struct warm_snapshot *, const struct key *, struct warm_value *ret);
/* First record with a key >= key. STORE_ABSENT. */
int warm_seek(struct warm_snapshot *, const struct key *, struct key *ret_key, struct warm_value *ret);
/* First record with a key > key: cheap when key is what was returned last. STORE_ABSENT. */
int warm_after(struct warm_snapshot *, const struct key *, struct key *ret_key, struct warm_value *ret);

struct walk;
/*
 * Walks all pages, sound or not (pages.h). *ret_entries, known before the first record comes, is their number in a
 * sound tree.
 */
int warm_walk(struct warm_snapshot *, const struct walk *, uint64_t *ret_entries);

int warm_begin(struct warm *, struct warm_txn **ret);
int warm_commit(struct warm_txn *); /* durable on 0; in either case ends the transaction */
void warm_abort(struct warm_txn *);
int warm_txn_get(struct warm_txn *, const struct key *, struct warm_value *ret);
int warm_txn_seek(struct warm_txn *, const struct key *, struct key *ret_key, struct warm_value *ret);
int warm_put(struct warm_txn *, const struct key *, const void *data, size_t len);
/* The same; the caller writes the value, len bytes, before the next change. */
int warm_reserve(struct warm_txn *, const struct key *, size_t len, uint8_t **ret);
int warm_delete(struct warm_txn *, const struct key *); /* STORE_ABSENT */
/*
 * Deletes some of the records with keys from *first to last, which this transaction has not changed, and moves *first
 * behind them. STORE_ABSENT when none is left.
 */
int warm_delete_some(struct warm_txn *, struct key *first, const struct key *last, uint64_t *deleted);

/* How records lie in pages. */
struct warm_fit {
	size_t page, header; /* bytes of a page, and of its header */
	size_t record;       /* what a record takes in a leaf beside its value, of which the length is made even */
	size_t value_max;    /* longer values have whole pages of their own, with one header */
	size_t room;         /* left in the leaf that a record with the key comes to; 0: none, or it is not known */
};
void warm_fit(struct warm_txn *, const struct key *, struct warm_fit *ret);

struct warm_space {
	uint64_t used;  /* bytes of data.mdb that hold something */
	uint64_t reusable; /* bytes inside it that do not */
};
int warm_space(struct warm *, struct warm_space *ret);
