/*
 * warm.c - the LMDB port. LMDB does the transactions: it says which pages a reader may see, and writes. The pages are
 * read by pages.c, and verified by its guard before LMDB changes anything, because LMDB trusts what it finds in the
 * file.
 */
#include "store/warm.h"

#include "store/pages.h"

#include "store/hot.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/*
 * Address space, not memory or disk: far more than a store will ever hold, so that the map never has to grow. Where a
 * process may not have that much (RLIMIT_AS, sanitizers), less is tried.
 */
#define MAP_SIZE_MAX (UINT64_C(8) << 40)
#define MAP_SIZE_MIN (UINT64_C(1) << 30)
#define MAX_READERS 256

struct warm {
	/* constant after opening */
	char *path;
	bool read_only;
	uint64_t map_size;
	struct stat file; /* data.mdb */
	struct pages *pages;

	pthread_mutex_t lock; /* a leaf */
	/* protected by lock; the first two stay while it is written */
	MDB_env *env; /* NULL: LMDB gave up, and could not be opened again so far */
	MDB_dbi dbi;
	bool writing;
	LIST_HEAD(, warm_snapshot) snapshots;
};

struct warm_snapshot {
	struct warm *warm;
	/* protected by warm->lock */
	LIST_ENTRY(warm_snapshot) others;
	MDB_txn *txn; /* NULL: its environment is gone; what was seen in it can be read for two commits more */

	/* of whoever uses it */
	struct tree tree;
	struct path path; /* to what was found last */
};

struct warm_txn {
	struct warm *warm;
	MDB_txn *txn;
	MDB_cursor *cursor;
	struct guard *guard;
	size_t page;
	struct key last; /* no record has a greater key */
	/* The last leaf, while records are appended to it. */
	size_t leaves; /* of the tree; 0: other changes came between */
	size_t room;   /* 0: none, or it is not known */
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
	if (r == MDB_INVALID || r == MDB_CORRUPTED || r == MDB_VERSION_MISMATCH || r == MDB_PAGE_NOTFOUND ||
		r == MDB_INCOMPATIBLE)
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

/*
 * LMDB keeps its table of readers in a mapping of lock.mdb. Where overwriting can be refused a full disk would answer
 * it with SIGBUS, so there LMDB goes without. Our own readers do not need the table: the shared snapshot moves on with
 * each commit and the others live for one request, while pages are used again two commits after they became free at the
 * soonest. A check beside the mount looks again when it was overtaken.
 */
static unsigned lock_flag(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool in_place = fd >= 0 && hot_overwrites_in_place(fd);
	if (fd >= 0)
		close(fd);
	return in_place ? 0 : MDB_NOLOCK;
}

static void close_env(struct warm *w)
{
	if (w->env)
		mdb_env_close(w->env);
	w->env = NULL;
}

static int open_env(struct warm *w)
{
	int r = mdb_env_create(&w->env);
	r = r ? r : mdb_env_set_mapsize(w->env, w->map_size);
	r = r ? r : mdb_env_set_maxreaders(w->env, MAX_READERS);
	unsigned flags = MDB_NOTLS | lock_flag(w->path) | (w->read_only ? MDB_RDONLY : 0);
	r = r ? r : mdb_env_open(w->env, w->path, flags, 0600);
	r = r ? r : open_dbi(w, w->read_only);
	if (r)
		close_env(w);
	return r;
}

static int stat_env(struct warm *w, struct stat *ret)
{
	int fd, r = mdb_env_get_fd(w->env, &fd);
	return r ? r : fstat(fd, ret) < 0 ? errno : 0;
}

static int open_size(struct warm *w, uint64_t map_size)
{
	w->map_size = map_size;
	int r = open_env(w);
	r = r ? r : stat_env(w, &w->file);
	if (r)
		return r;
	r = pages_open(w->path, map_size, &w->pages);
	if (r)
		close_env(w);
	return r == STORE_DAMAGED ? MDB_CORRUPTED : -r;
}

int warm_open(const char *path, bool read_only, struct warm **ret)
{
	int r = pages_inspect(path);
	if (r)
		return r;
	struct warm *w = calloc(1, sizeof *w);
	if (!w)
		return -ENOMEM;
	w->read_only = read_only;
	pthread_mutex_init(&w->lock, NULL);
	w->path = strdup(path);
	r = ENOMEM;
	for (uint64_t size = MAP_SIZE_MAX; w->path && r == ENOMEM && size >= MAP_SIZE_MIN; size /= 2)
		r = open_size(w, size);
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
	pages_close(w->pages);
	close_env(w);
	pthread_mutex_destroy(&w->lock);
	free(w->path);
	free(w);
}

/* ---- opening again ---------------------------------------------------------------------------------------------- */

/* Another store may lie there by now. */
static bool is_same_file(struct warm *w)
{
	struct stat st;
	return stat_env(w, &st) == 0 && st.st_dev == w->file.st_dev && st.st_ino == w->file.st_ino;
}

/*
 * After a write of its head that failed LMDB refuses everything, for as long as it is open: it cannot tell which head
 * the file has. Opening it anew is to look. Those who read go on with the pages that they know, as they do where LMDB
 * has no table of readers.
 */
static int open_again(struct warm *w)
{
	struct warm_snapshot *s;
	LIST_FOREACH(s, &w->snapshots, others) {
		mdb_txn_abort(s->txn);
		s->txn = NULL;
	}
	close_env(w);
	int r = open_env(w);
	if (r == 0 && !is_same_file(w)) {
		close_env(w);
		r = EIO;
	}
	return r;
}

static int begin(struct warm *w, unsigned flags, MDB_txn **ret)
{
	int r = w->env ? mdb_txn_begin(w->env, NULL, flags, ret) : MDB_PANIC;
	if (r != MDB_PANIC || w->writing)
		return r;
	r = open_again(w);
	return r ? r : mdb_txn_begin(w->env, NULL, flags, ret);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static int begin_reading(struct warm_snapshot *s)
{
	int r = MDB_PANIC;
	if (s->txn) {
		mdb_txn_reset(s->txn);
		r = mdb_txn_renew(s->txn);
	}
	if (r != MDB_PANIC)
		return r;
	mdb_txn_abort(s->txn);
	s->txn = NULL;
	return begin(s->warm, MDB_RDONLY, &s->txn);
}

/* A transaction and its trees; begins anew if it was overtaken by two commits. */
static int take_newest(struct warm_snapshot *s)
{
	int r;
	s->path.depth = 0;
	do {
		r = result(begin_reading(s));
		r = r ? r : pages_tree(s->warm->pages, mdb_txn_id(s->txn), &s->tree);
	} while (r == STORE_ABSENT);
	return r;
}

int warm_snapshot_new(struct warm *w, struct warm_snapshot **ret)
{
	struct warm_snapshot *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->warm = w;
	pthread_mutex_lock(&w->lock);
	LIST_INSERT_HEAD(&w->snapshots, s, others);
	int r = take_newest(s);
	pthread_mutex_unlock(&w->lock);
	if (r) {
		warm_snapshot_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void warm_snapshot_free(struct warm_snapshot *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->warm->lock);
	LIST_REMOVE(s, others);
	mdb_txn_abort(s->txn);
	pthread_mutex_unlock(&s->warm->lock);
	free(s);
}

void warm_snapshot_park(struct warm_snapshot *s)
{
	pthread_mutex_lock(&s->warm->lock);
	mdb_txn_reset(s->txn);
	pthread_mutex_unlock(&s->warm->lock);
}

int warm_snapshot_renew(struct warm_snapshot *s)
{
	pthread_mutex_lock(&s->warm->lock);
	int r = take_newest(s);
	pthread_mutex_unlock(&s->warm->lock);
	return r;
}

bool warm_snapshot_is_overtaken(struct warm_snapshot *s)
{
	struct tree tree;
	unsigned flags;
	return mdb_env_get_flags(s->warm->env, &flags) == 0 && flags & MDB_NOLOCK &&
		pages_tree(s->warm->pages, s->tree.txnid, &tree) == STORE_ABSENT;
}

int warm_seek(struct warm_snapshot *s, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	struct page_value value;
	int r = pages_seek(s->warm->pages, &s->tree, key, &s->path, ret_key, &value);
	if (r == 0)
		*ret = (struct warm_value){ value.data, value.len };
	return r;
}

int warm_after(struct warm_snapshot *s, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	struct page_value value;
	int r = pages_after(s->warm->pages, &s->tree, key, &s->path, ret_key, &value);
	if (r == 0)
		*ret = (struct warm_value){ value.data, value.len };
	return r;
}

int warm_get(struct warm_snapshot *s, const struct key *key, struct warm_value *ret)
{
	struct key found;
	struct warm_value value;
	int r = warm_seek(s, key, &found, &value);
	if (r)
		return r;
	if (!key_same(found, *key))
		return STORE_ABSENT;
	*ret = value;
	return 0;
}

int warm_walk(struct warm_snapshot *s, const struct walk *walk, uint64_t *ret_entries)
{
	*ret_entries = s->tree.entries;
	return pages_walk(s->warm->pages, &s->tree, walk);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int find_last(struct warm_txn *t)
{
	static const struct key greatest = { { UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	MDB_val k, v;
	int r = guard_admit(t->guard, &greatest);
	r = r ? r : result(mdb_cursor_get(t->cursor, &k, &v, MDB_LAST));
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	if (k.mv_size != KEY_SIZE)
		return -EIO;
	t->last = key_from_bytes(k.mv_data);
	return 0;
}

static int begin_writing(struct warm *w, MDB_txn **ret)
{
	pthread_mutex_lock(&w->lock);
	int r = begin(w, 0, ret);
	w->writing = r == 0;
	pthread_mutex_unlock(&w->lock);
	return r;
}

static void end_writing(struct warm *w)
{
	pthread_mutex_lock(&w->lock);
	w->writing = false;
	pthread_mutex_unlock(&w->lock);
}

int warm_begin(struct warm *w, struct warm_txn **ret)
{
	struct warm_txn *t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	struct tree tree;
	t->warm = w;
	t->page = pages_size(w->pages);
	int r = result(begin_writing(w, &t->txn));
	r = r ? r : pages_tree(w->pages, mdb_txn_id(t->txn) - 1, &tree);
	r = r ? r : guard_new(w->pages, &tree, &t->guard);
	r = r ? r : result(mdb_cursor_open(t->txn, w->dbi, &t->cursor));
	r = r ? r : find_last(t);
	if (r) {
		warm_abort(t);
		return r < 0 ? r : -EIO;
	}
	*ret = t;
	return 0;
}

#define SHORT_OF_SPACE (64u << 20) /* more than LMDB writes at once */

/*
 * LMDB says EIO when a full device, a quota, or a limit of the process cut its write short. Whether as much more may be
 * had tells which it was.
 */
static int short_write(struct warm *w)
{
	struct statvfs disk;
	struct stat st;
	int data;
	if (mdb_env_get_fd(w->env, &data) || fstat(data, &st) < 0 || fstatvfs(data, &disk) < 0)
		return EIO;
	if ((uint64_t)disk.f_bfree * disk.f_frsize < SHORT_OF_SPACE)
		return ENOSPC;
	int fd = open(w->path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int error = fd < 0 || fallocate(fd, 0, st.st_size, SHORT_OF_SPACE) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? ENOSPC : EIO;
}

int warm_commit(struct warm_txn *t)
{
	mdb_cursor_close(t->cursor);
	int r = mdb_txn_commit(t->txn);
	if (r == EIO)
		r = short_write(t->warm);
	end_writing(t->warm);
	guard_free(t->guard);
	free(t);
	return result(r);
}

void warm_abort(struct warm_txn *t)
{
	if (!t)
		return;
	if (t->cursor)
		mdb_cursor_close(t->cursor);
	if (t->txn) {
		mdb_txn_abort(t->txn);
		end_writing(t->warm);
	}
	guard_free(t->guard);
	free(t);
}

int warm_txn_seek(struct warm_txn *t, const struct key *key, struct key *ret_key, struct warm_value *ret)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes }, v;
	int r = guard_admit(t->guard, key);
	r = r ? r : result(mdb_cursor_get(t->cursor, &k, &v, MDB_SET_RANGE));
	if (r)
		return r;
	if (k.mv_size != KEY_SIZE)
		return -EIO;
	struct key found = key_from_bytes(k.mv_data);
	if (!key_same(found, *key) && guard_admit(t->guard, &found))
		return -EIO;
	*ret_key = found;
	*ret = (struct warm_value){ v.mv_data, v.mv_size };
	return 0;
}

int warm_txn_get(struct warm_txn *t, const struct key *key, struct warm_value *ret)
{
	struct key found;
	struct warm_value value;
	int r = warm_txn_seek(t, key, &found, &value);
	if (r)
		return r;
	if (!key_same(found, *key))
		return STORE_ABSENT;
	*ret = value;
	return 0;
}

static size_t even(size_t n)
{
	return (n + 1) & ~(size_t)1;
}

/* LMDB wants room for two records in each leaf. */
void warm_fit(struct warm_txn *t, const struct key *key, struct warm_fit *ret)
{
	size_t pointer = sizeof(uint16_t), record = pointer + NODE_HEADER + KEY_SIZE;
	size_t half = ((t->page - PAGE_HEADER) / 2) & ~(size_t)1;
	*ret = (struct warm_fit){ .page = t->page, .header = PAGE_HEADER, .record = record, .value_max = half - record,
		.room = key_cmp(key, &t->last) > 0 ? t->room : 0 };
}

/* A leaf that begins with an appended record has that in it and nothing else, and so on with those that follow. */
static void note_appended(struct warm_txn *t, const struct key *key, size_t len)
{
	struct warm_fit fit;
	MDB_stat stat;
	warm_fit(t, key, &fit);
	size_t size = fit.record + even(len > fit.value_max ? sizeof(uint64_t) : len), room = t->room;
	t->last = *key;
	t->room = 0;
	if (mdb_stat(t->txn, mdb_cursor_dbi(t->cursor), &stat))
		return;
	if (t->leaves && stat.ms_leaf_pages != t->leaves)
		room = fit.page - fit.header;
	t->leaves = stat.ms_leaf_pages;
	t->room = room > size ? room - size : 0;
}

static void note_changed(struct warm_txn *t)
{
	t->leaves = t->room = 0;
}

/*
 * Records of new inodes in the newest session come in order behind all others: told so, LMDB fills its pages instead of
 * halving them.
 */
static int put(struct warm_txn *t, const struct key *key, MDB_val *v, unsigned flags)
{
	bool append = key_cmp(key, &t->last) > 0;
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes };
	size_t len = v->mv_size;
	int r = guard_admit(t->guard, key);
	r = r ? r : result(mdb_cursor_put(t->cursor, &k, v, flags | (append ? MDB_APPEND : 0)));
	if (r == 0 && append)
		note_appended(t, key, len);
	else
		note_changed(t);
	return r;
}

int warm_put(struct warm_txn *t, const struct key *key, const void *data, size_t len)
{
	MDB_val v = { len, (void *)data };
	return put(t, key, &v, 0);
}

int warm_reserve(struct warm_txn *t, const struct key *key, size_t len, uint8_t **ret)
{
	MDB_val v = { len, NULL };
	int r = put(t, key, &v, MDB_RESERVE);
	if (r == 0)
		*ret = v.mv_data;
	return r;
}

int warm_delete(struct warm_txn *t, const struct key *key)
{
	uint8_t bytes[KEY_SIZE];
	key_to_bytes(*key, bytes);
	MDB_val k = { KEY_SIZE, bytes }, v;
	note_changed(t);
	int r = guard_admit(t->guard, key);
	r = r ? r : result(mdb_cursor_get(t->cursor, &k, &v, MDB_SET_KEY));
	return r ? r : result(mdb_cursor_del(t->cursor, 0));
}

int warm_delete_some(struct warm_txn *t, struct key *first, const struct key *last, uint64_t *deleted)
{
	struct key keys[LEAF_KEYS_MAX];
	uint8_t bytes[KEY_SIZE];
	MDB_val k = { KEY_SIZE, bytes }, v;
	unsigned count;
	note_changed(t);
	int r = guard_admit_leaf(t->guard, first, last, keys, &count);
	for (unsigned i = 0; r == 0 && i < count; i++) {
		key_to_bytes(keys[i], bytes);
		r = result(mdb_cursor_get(t->cursor, &k, &v, MDB_SET));
		r = r ? r : result(mdb_cursor_del(t->cursor, 0));
		if (r)
			return r < 0 ? r : -EIO;
	}
	if (r)
		return r;
	*deleted += count;
	*first = key_after(keys[count - 1]);
	return 0;
}

int warm_space(struct warm *w, struct warm_space *ret)
{
	struct warm_snapshot *s;
	uint64_t free_pages, page = pages_size(w->pages);
	int r = warm_snapshot_new(w, &s);
	if (r)
		return r;
	uint64_t all = s->tree.last + 1;
	if (pages_count_free(w->pages, &s->tree, &free_pages) || free_pages > all)
		free_pages = 0; /* damaged: nothing can be written, but everything be read */
	*ret = (struct warm_space){ .used = (all - free_pages) * page, .reusable = free_pages * page };
	warm_snapshot_free(s);
	return 0;
}
