/* warm.c - the LMDB port. */
#include "store/warm.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>

/*
 * Address space, not memory or disk: far more than a store will ever hold, so that the map never has to grow. Where a process may
 * not have that much (RLIMIT_AS, sanitizers), less is tried.
 */
#define MAP_SIZE_MAX (UINT64_C(8) << 40)
#define MAP_SIZE_MIN (UINT64_C(1) << 30)
#define MAX_READERS 256

struct warm {
	MDB_env *env;
	MDB_dbi dbi;
};

struct warm_snapshot {
	struct warm *warm;
	MDB_txn *txn;
	MDB_cursor *cursor;
};

struct warm_txn {
	MDB_txn *txn;
	MDB_cursor *cursor;
};

static int result(int r)
{
	switch (r) {
	case 0: return 0;
	case MDB_NOTFOUND: return STORE_ABSENT;
	case ENOSPC: case EDQUOT: case EFBIG: case MDB_MAP_FULL: return -ENOSPC;
	case ENOMEM: return -ENOMEM;
	default: return -EIO;
	}
}

static int open_result(int r)
{
	if (r == MDB_INVALID || r == MDB_CORRUPTED || r == MDB_VERSION_MISMATCH || r == MDB_PAGE_NOTFOUND || r == MDB_INCOMPATIBLE)
		return STORE_DAMAGED;
	return r > 0 ? -r : r ? -EIO : 0;
}

/* Opens the main database and, read-only, accepts that a store has none of its pages written yet. */
static int open_dbi(struct warm *w, bool read_only)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(w->env, NULL, read_only ? MDB_RDONLY : 0, &txn);
	if (r)
		return r;
	r = mdb_dbi_open(txn, NULL, 0, &w->dbi);
	if (r) {
		mdb_txn_abort(txn);
		return r;
	}
	return mdb_txn_commit(txn);
}

static int open_env(struct warm *w, const char *path, bool read_only, uint64_t map_size)
{
	if (w->env)
		mdb_env_close(w->env);
	w->env = NULL;
	int r = mdb_env_create(&w->env);
	r = r ? r : mdb_env_set_mapsize(w->env, map_size);
	r = r ? r : mdb_env_set_maxreaders(w->env, MAX_READERS);
	return r ? r : mdb_env_open(w->env, path, MDB_NOTLS | (read_only ? MDB_RDONLY : 0), 0600);
}

int warm_open(const char *path, bool read_only, struct warm **ret)
{
	struct warm *w = calloc(1, sizeof *w);
	if (!w)
		return -ENOMEM;
	int r = ENOMEM;
	for (uint64_t size = MAP_SIZE_MAX; r == ENOMEM && size >= MAP_SIZE_MIN; size /= 2)
		r = open_env(w, path, read_only, size);
	r = r ? r : open_dbi(w, read_only);
	if (r) {
		warm_close(w);
		return open_result(r);
	}
	int dead;
	mdb_reader_check(w->env, &dead);
	*ret = w;
	return 0;
}

void warm_close(struct warm *w)
{
	if (!w)
		return;
	if (w->env)
		mdb_env_close(w->env);
	free(w);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

int warm_snapshot_new(struct warm *w, struct warm_snapshot **ret)
{
	struct warm_snapshot *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->warm = w;
	int r = mdb_txn_begin(w->env, NULL, MDB_RDONLY, &s->txn);
	r = r ? r : mdb_cursor_open(s->txn, w->dbi, &s->cursor);
	if (r) {
		warm_snapshot_free(s);
		return result(r);
	}
	*ret = s;
	return 0;
}

void warm_snapshot_free(struct warm_snapshot *s)
{
	if (!s)
		return;
	if (s->cursor)
		mdb_cursor_close(s->cursor);
	if (s->txn)
		mdb_txn_abort(s->txn);
	free(s);
}

void warm_snapshot_park(struct warm_snapshot *s)
{
	mdb_txn_reset(s->txn);
}

int warm_snapshot_renew(struct warm_snapshot *s)
{
	mdb_txn_reset(s->txn);
	int r = mdb_txn_renew(s->txn);
	r = r ? r : mdb_cursor_renew(s->txn, s->cursor);
	return result(r);
}

static int cursor_seek(MDB_cursor *cursor, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes }, v;
	int r = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (r)
		return result(r);
	if (k.mv_size != KEY_SIZE)
		return -EIO;
	*ret_key = key_from_bytes(k.mv_data);
	*ret = (struct warm_value){ v.mv_data, v.mv_size };
	return 0;
}

static int cursor_find(MDB_cursor *cursor, const struct key *key, struct warm_value *ret)
{
	struct key found;
	struct warm_value value;
	int r = cursor_seek(cursor, key, &found, &value);
	if (r)
		return r;
	if (!key_same(found, *key))
		return STORE_ABSENT;
	*ret = value;
	return 0;
}

int warm_get(struct warm_snapshot *s, const struct key *key, struct warm_value *ret)
{
	return cursor_find(s->cursor, key, ret);
}

int warm_seek(struct warm_snapshot *s, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	return cursor_seek(s->cursor, key, ret_key, ret);
}

static int cursor_next(MDB_cursor *cursor, struct key *ret_key, struct warm_value *ret)
{
	MDB_val k, v;
	int r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	if (r)
		return result(r);
	if (k.mv_size != KEY_SIZE)
		return -EIO;
	*ret_key = key_from_bytes(k.mv_data);
	*ret = (struct warm_value){ v.mv_data, v.mv_size };
	return 0;
}

int warm_after(struct warm_snapshot *s, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	uint8_t bytes[KEY_SIZE];
	MDB_val k, v;
	key_to_bytes(*key, bytes);
	if (mdb_cursor_get(s->cursor, &k, &v, MDB_GET_CURRENT) == 0 && k.mv_size == KEY_SIZE && memcmp(k.mv_data, bytes, KEY_SIZE) == 0)
		return cursor_next(s->cursor, ret_key, ret);
	struct key next = *key;
	for (int i = 2; i >= 0 && ++next.w[i] == 0; i--)
		;
	return cursor_seek(s->cursor, &next, ret_key, ret);
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

int warm_begin(struct warm *w, struct warm_txn **ret)
{
	struct warm_txn *t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	int r = mdb_txn_begin(w->env, NULL, 0, &t->txn);
	r = r ? r : mdb_cursor_open(t->txn, w->dbi, &t->cursor);
	if (r) {
		warm_abort(t);
		return result(r);
	}
	*ret = t;
	return 0;
}

int warm_commit(struct warm_txn *t)
{
	mdb_cursor_close(t->cursor);
	int r = mdb_txn_commit(t->txn);
	free(t);
	return result(r);
}

void warm_abort(struct warm_txn *t)
{
	if (!t)
		return;
	if (t->cursor)
		mdb_cursor_close(t->cursor);
	if (t->txn)
		mdb_txn_abort(t->txn);
	free(t);
}

int warm_txn_get(struct warm_txn *t, const struct key *key, struct warm_value *ret)
{
	return cursor_find(t->cursor, key, ret);
}

int warm_txn_seek(struct warm_txn *t, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	return cursor_seek(t->cursor, key, ret_key, ret);
}

int warm_put(struct warm_txn *t, const struct key *key, const void *data, size_t len)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes }, v = { len, (void *)data };
	return result(mdb_cursor_put(t->cursor, &k, &v, 0));
}

int warm_delete(struct warm_txn *t, const struct key *key)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes }, v;
	int r = mdb_cursor_get(t->cursor, &k, &v, MDB_SET_KEY);
	return result(r ? r : mdb_cursor_del(t->cursor, 0));
}

/* The free list is a database of page numbers by transaction; each value begins with its count. */
static int count_free_pages(struct warm *w, size_t *ret)
{
	MDB_txn *txn;
	MDB_cursor *cursor = NULL;
	MDB_val k, v;
	size_t pages = 0;
	int r = mdb_txn_begin(w->env, NULL, MDB_RDONLY, &txn);
	if (r)
		return result(r);
	r = mdb_cursor_open(txn, 0, &cursor);
	while (r == 0 && (r = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		size_t n = 0;
		if (v.mv_size >= sizeof n)
			memcpy(&n, v.mv_data, sizeof n);
		if (n > v.mv_size / sizeof n)
			n = 0;
		pages += n;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	*ret = pages;
	return r == MDB_NOTFOUND ? 0 : result(r);
}

int warm_space(struct warm *w, struct warm_space *ret)
{
	MDB_envinfo info;
	MDB_stat stat;
	size_t pages = 0;
	int r = count_free_pages(w, &pages);
	if (r)
		return r;
	mdb_env_info(w->env, &info);
	mdb_env_stat(w->env, &stat);
	uint64_t all = (uint64_t)(info.me_last_pgno + 1), page = stat.ms_psize;
	pages = pages < all ? pages : all;
	*ret = (struct warm_space){ .used = (all - pages) * page, .reusable = pages * page };
	return 0;
}
