/* store.c - opening a store: making it, settling what a crash left in the logs; and closing it. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const log_names[] = { "hot.0", "hot.1" };

#define DRAIN_RATE_GUESS (200u << 20) /* bytes per second, until a flush was measured */

static const struct key super_key_at = { { 0, (uint64_t)KIND_SUPER << 32, KEY_VERSION_MASK } };
static const struct key flushed_key_at = { { 0, (uint64_t)KIND_FLUSHED << 32, KEY_VERSION_MASK } };

/* ---- the directory ---------------------------------------------------------------------------------------------- */

static int open_dir(struct store *s, const char *path, struct store_open_info *info)
{
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0) {
		int result = errno == ENOENT || errno == ENOTDIR ? STORE_NO_DIR : STORE_DENIED;
		return open_fail(info, result, "open the directory", errno);
	}
	if (!s->options.read_only && faccessat(s->dir, ".", W_OK | X_OK, 0) < 0)
		return open_fail(info, STORE_DENIED, "write to the directory", errno);
	return 0;
}

static bool dir_has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

int store_without_data(int dir)
{
	return dir_has(dir, log_names[0]) || dir_has(dir, log_names[1]) ? STORE_HEADLESS : STORE_NOT_EMPTY;
}

/* Whether nothing but what a store makes first is in the directory (a crash may have interrupted that). */
static bool dir_is_empty(struct store *s)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool empty = d != NULL;
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "lock") &&
			strcmp(e->d_name, "lock.mdb") && strcmp(e->d_name, "lost+found"))
			empty = false;
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return empty;
}

/* ---- what the store knows of itself ----------------------------------------------------------------------------- */

static int put_sealed(struct warm_txn *txn, const struct key *key, uint8_t *value, size_t body_len)
{
	return warm_put(txn, key, value, codec_seal(*key, value, body_len));
}

static int put_super(struct store *s, const struct super *super)
{
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX];
	struct warm_txn *txn;
	int r = warm_begin(s->warm, &txn);
	if (r)
		return r;
	r = put_sealed(txn, &super_key_at, value, record_encode(&super_schema, super, value + CODEC_CHECK_SIZE));
	if (r) {
		warm_abort(txn);
		return r;
	}
	return warm_commit(txn);
}

static bool has_identity(const struct super *super)
{
	return super->identity[0] || super->identity[1];
}

static bool make_identity(struct super *super)
{
	return getrandom(super->identity, sizeof super->identity, 0) == sizeof super->identity && has_identity(super);
}

static int make_super(struct store *s)
{
	struct super super = { .format = STORE_FORMAT, .ino_limit = 2, .sid_limit = 1, .created = store_now() };
	if (getrandom(&super.seed, sizeof super.seed, 0) != sizeof super.seed || !make_identity(&super))
		return -EIO;
	return put_super(s, &super);
}

static int check_super(struct super *super, struct store_open_info *info)
{
	info->format = super->format;
	if (super->format > STORE_FORMAT)
		return open_fail(info, STORE_NEWER, "read the format version", 0);
	if (super->format == 0 || super->ino_limit < 2 || super->ino_limit >= UINT64_C(1) << 53 || super->sid_limit < 1)
		return open_fail(info, STORE_DAMAGED, "read the store's own record", EIO);
	return 0;
}

/* Reads the newest super record: of the logs, if they were replayed, else of warm. */
static int load_super(struct store *s, struct store_open_info *info)
{
	struct found f;
	struct super super;
	s->snapshot_stale = true;
	int r = store_find(s, &super_key_at, &f);
	r = r ? r : record_decode(&super_schema, f.body, f.len, &super);
	if (r == -ENOMEM)
		return open_fail(info, r, "read the store's own record", ENOMEM);
	if (r)
		return open_fail(info, STORE_DAMAGED, "read the store's own record", EIO);
	r = check_super(&super, info);
	if (r)
		return r;
	s->super = super;
	s->next_ino = super.ino_limit;
	s->next_sid = super.sid_limit;
	return 0;
}

/* Whatever a power cut leaves of the logs as they are. */
static bool void_logs(struct store *s)
{
	for (int i = 0; i < 2; i++) {
		struct hot *h = &s->logs[i];
		if (h->map)
			hot_void(h);
		if (hot_is_valid(h) || fdatasync(h->fd) < 0)
			return false;
	}
	return true;
}

/*
 * An older store is one of this format from now on, if nothing in the logs says otherwise of it; logs that do not have
 * its identity are those of another store then. If it is too full or too damaged for that, it stays what it is.
 */
static int raise_format(struct store *s, struct store_open_info *info)
{
	struct super super = s->super;
	bool wanted = super.format < STORE_FORMAT || !has_identity(&super);
	super.format = STORE_FORMAT;
	if (!wanted || s->options.read_only || s->sealed || !(has_identity(&super) || make_identity(&super)) ||
		!void_logs(s))
		return 0;
	/* A commit that failed may have been done all the same. */
	(void)put_super(s, &super);
	return load_super(s, info);
}

static int load_flushed_generation(struct store *s)
{
	struct found f;
	int r = store_find(s, &flushed_key_at, &f);
	s->flushed_generation = 0;
	if (r == 0)
		r = record_get_uint(f.body, f.len, &s->flushed_generation) < 0 ||
				    s->flushed_generation >= GENERATION_END
			    ? -EIO
			    : 0;
	return r == STORE_ABSENT ? 0 : r;
}

/* ---- settling the logs ------------------------------------------------------------------------------------------ */

static bool is_due(const struct hot *h, uint64_t generation)
{
	return hot_is_valid(h) && hot_header(h)->generation == generation;
}

/* The log of the generation, replayed, or NULL. *end is where its predecessor ended, and becomes its own end. */
static int replay(struct store *s, uint64_t generation, uint64_t *end, struct hot **ret)
{
	*ret = NULL;
	for (int i = 0; i < 2; i++) {
		struct hot *h = &s->logs[i];
		if (!is_due(h, generation) || (*end && hot_header(h)->previous_end != *end))
			continue;
		int r = hot_replay(h, s->boot);
		if (r)
			return r;
		*end = h->tail;
		*ret = h;
		return 0;
	}
	return 0;
}

/*
 * The logs that warm has not taken in, oldest first. The second counts only if the first is whole: otherwise the state
 * would be no point in time.
 */
static int replay_logs(struct store *s, struct hot *ret[2])
{
	uint64_t end = 0;
	int r = replay(s, s->flushed_generation + 1, &end, &ret[0]);
	if (r || !ret[0])
		return r;
	return replay(s, s->flushed_generation + 2, &end, &ret[1]);
}

/*
 * In the boot that wrote them all that was published counts. Else somebody has damaged the files, or put some of them
 * beside a data.mdb of another time.
 */
static bool logs_are_damaged(const struct store *s, struct hot *const replayed[2])
{
	for (int i = 0; i < 2; i++) {
		const struct hot *h = &s->logs[i];
		if (!hot_is_valid(h) || !hot_is_of_boot(h, s->boot) ||
			hot_header(h)->generation <= s->flushed_generation)
			continue;
		if ((h != replayed[0] && h != replayed[1]) || h->tail < hot_header(h)->published)
			return true;
	}
	return false;
}

/* Of what counts. */
static uint64_t newest_generation(const struct store *s, struct hot *const replayed[2])
{
	const struct hot *h = replayed[1] ? replayed[1] : replayed[0];
	return h ? hot_header(h)->generation : s->flushed_generation;
}

static int flush_replayed(struct store *s, struct hot *h)
{
	int r = flush_log_somehow(s, h);
	if (r)
		return r;
	s->flushed_generation = hot_header(h)->generation;
	hot_void(h);
	index_clear(&h->index);
	s->snapshot_stale = true;
	return 0;
}

/*
 * A log that does not count (its predecessor was lost) leaves batches in its file that carry its generation: no new log
 * may have the same one, or a later power cut could bring them back. Warm says durably that they are done with.
 */
static int skip_generations(struct store *s)
{
	uint64_t newest = s->flushed_generation;
	struct warm_txn *txn;
	for (int i = 0; i < 2; i++)
		if (hot_is_valid(&s->logs[i]) && hot_header(&s->logs[i])->generation > newest &&
			hot_header(&s->logs[i])->generation < GENERATION_END)
			newest = hot_header(&s->logs[i])->generation;
	if (newest == s->flushed_generation)
		return 0;
	uint8_t value[CODEC_CHECK_SIZE + 9];
	int r = warm_begin(s->warm, &txn);
	if (r)
		return r;
	r = put_sealed(txn, &flushed_key_at, value, record_put_uint(newest, value + CODEC_CHECK_SIZE));
	if (r) {
		warm_abort(txn);
		return r;
	}
	s->flushed_generation = newest;
	return warm_commit(txn);
}

/* Both logs with all their blocks, durably in the directory. */
static int make_logs(struct store *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->logs[i].map)
			hot_void(&s->logs[i]);
		index_clear(&s->logs[i].index);
		int r = hot_make(&s->logs[i]);
		if (r)
			return r;
	}
	s->generation = s->flushed_generation + 1;
	int r = hot_start(&s->logs[0], s->generation, 0, s->boot);
	if (r)
		return r > 0 ? -ENOSPC : r;
	hot_void(&s->logs[1]);
	s->active = &s->logs[0];
	s->spare = &s->logs[1];
	for (int i = 0; i < 2; i++)
		if (fsync(s->logs[i].fd) < 0)
			return -errno;
	return fsync(s->dir) < 0 ? -errno : 0;
}

/*
 * The disk is too full, or warm too damaged, to take the logs in: they go on as they are, the older one waiting for the
 * flusher to succeed, so that reading and deleting work. Only in the boot that wrote them: in another one a log that
 * goes on could meet again what was torn off its end. And not in a sparse copy, whose holes would be a SIGBUS.
 */
static bool adopt_logs(struct store *s, struct hot *replayed[2])
{
	struct hot *older = replayed[0], *newer = replayed[1];
	if (hot_header(older)->generation <= s->flushed_generation) {
		older = newer;
		newer = NULL;
	}
	if (!older || !hot_is_of_boot(older, s->boot) || (newer && !hot_is_of_boot(newer, s->boot)))
		return false;
	struct hot *other = older == &s->logs[0] ? &s->logs[1] : &s->logs[0];
	if (older->size < HOT_SIZE_MIN || other->size < HOT_SIZE_MIN || (!other->by_call && hot_has_holes(other)))
		return false;
	if (!newer && hot_start(other, hot_header(older)->generation + 1, older->tail, s->boot))
		return false;
	s->sealed = older;
	s->active = other;
	s->generation = hot_header(other)->generation;
	return true;
}

static void name_logs(struct store *s)
{
	for (int i = 0; i < 2; i++)
		memcpy(s->logs[i].identity, s->super.identity, sizeof s->super.identity);
}

static int refuse_foreign(struct store *s, struct store_open_info *info)
{
	static const char *const which[] = { NULL, "hot.0", "hot.1", "hot.0 and hot.1" };
	for (unsigned i = 0; i < 2; i++)
		info->foreign |= hot_is_foreign(&s->logs[i], s->boot) << i;
	return info->foreign ? open_fail(info, STORE_FOREIGN, which[info->foreign], 0) : 0;
}

static int refuse_newer(struct store *s, struct store_open_info *info)
{
	for (int i = 0; i < 2; i++)
		if (hot_is_newer(&s->logs[i])) {
			info->format = hot_header(&s->logs[i])->format;
			info->newer_log = true;
			return open_fail(info, STORE_NEWER, log_names[i], 0);
		}
	return 0;
}

static int open_logs(struct store *s, struct store_open_info *info)
{
	struct hot_sizes sizes = growth_sizes(s);
	int r = load_flushed_generation(s);
	for (int i = 0; r == 0 && i < 2; i++)
		r = hot_open(&s->logs[i], s->dir, log_names[i], sizes, s->options.read_only);
	if (r)
		return open_fail(info, r == -EACCES ? STORE_DENIED : r, "open the logs", r);
	name_logs(s);
	r = refuse_newer(s, info);
	return r ? r : refuse_foreign(s, info);
}

/* What the logs hold counts: it is in warm, or laid over it, or goes on to be flushed (adopt_logs). */
static int settle(struct store *s, struct store_open_info *info)
{
	struct hot *replayed[2] = { NULL, NULL };
	int r = open_logs(s, info);
	if (r)
		return r;
	r = replay_logs(s, replayed);
	if (r)
		return open_fail(info, r, "read the logs", r);
	info->logs_damaged = logs_are_damaged(s, replayed);
	info->logs_missing = !info->logs_damaged && lock_file_left(s) > newest_generation(s, replayed);
	if (s->options.read_only) {
		s->active = replayed[1] ? replayed[1] : replayed[0] ? replayed[0] : &s->logs[0];
		s->sealed = replayed[1] ? replayed[0] : NULL;
		return 0;
	}
	for (int i = 0; r == 0 && i < 2; i++)
		r = replayed[i] && replayed[i]->tail > HOT_DATA ? flush_replayed(s, replayed[i]) : 0;
	if ((r == -ENOSPC || r == -EIO) && adopt_logs(s, replayed))
		return 0;
	r = r ? r : skip_generations(s);
	if (r == 0)
		(void)lock_file_expect(s, 0);
	return r ? open_fail(info, r == -ENOSPC ? STORE_FULL : r, "save what the last run left in its logs", r) : 0;
}

/* New logs, unless the old ones go on or are only read. */
static int start_logs(struct store *s, struct store_open_info *info)
{
	name_logs(s);
	int r = s->options.read_only || s->sealed ? 0 : make_logs(s);
	if (r == 0 && !s->options.read_only)
		(void)lock_file_expect(s, s->generation);
	bool full = r == -ENOSPC || r == -EDQUOT || r == -EFBIG;
	return r ? open_fail(info, full ? STORE_FULL : r, "allocate the logs", r) : 0;
}

/* ---- open and close --------------------------------------------------------------------------------------------- */

static void init_locks(struct store *s)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->sync_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_cond_init(&s->flushed, &attr);
	pthread_condattr_destroy(&attr);
}

static int store_new(const char *path, const struct store_options *options, struct store **ret)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->options = *options;
	s->dir = s->lock_fd = s->logs[0].fd = s->logs[1].fd = -1;
	s->batch.store = s;
	s->epoch = 1;
	s->stats.saved_at = store_now();
	s->drain_rate = DRAIN_RATE_GUESS;
	init_locks(s);
	cache_init(&s->cache);
	ahead_init(&s->ahead);
	growth_init(&s->growth);
	s->path = strdup(path);
	*ret = s;
	return s->path ? 0 : -ENOMEM;
}

static void store_free(struct store *s)
{
	flusher_stop(s);
	ahead_release(&s->ahead);
	for (int i = 0; i < SNAPSHOT_POOL; i++)
		reader_free(s->readers[i]);
	warm_snapshot_free(s->snapshot);
	warm_close(s->warm);
	for (int i = 0; i < 2; i++)
		hot_close(&s->logs[i]);
	free(s->batch.hot.prepared);
	free(s->batch.hot.gathered);
	free(s->drops.list);
	cache_release(&s->cache);
	trainer_release(&s->trainer);
	dictionaries_release(&s->dictionaries);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir >= 0)
		close(s->dir);
	growth_release(&s->growth);
	pthread_cond_destroy(&s->flushed);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->sync_lock);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

static int open_warm(struct store *s, bool is_new, struct store_open_info *info)
{
	int r = warm_open(s->path, s->options.read_only, &s->warm);
	if (r == 0 && is_new)
		r = make_super(s);
	r = r ? r : warm_snapshot_new(s->warm, &s->snapshot);
	r = r ? r : dictionaries_load(s);
	if (r == STORE_DAMAGED)
		return open_fail(info, r, "read data.mdb", EIO);
	if (r == -ENOSPC)
		return open_fail(info, STORE_FULL, "write data.mdb", ENOSPC);
	return r ? open_fail(info, r == -EACCES ? STORE_DENIED : r, "open data.mdb", r) : 0;
}

/* A store that was being made when the machine went down has no super record, and nothing else either. */
static bool lacks_super(struct store *s)
{
	struct warm_value value;
	struct key at;
	static const struct key first;
	return warm_get(s->snapshot, &super_key_at, &value) == STORE_ABSENT &&
	       warm_seek(s->snapshot, &first, &at, &value) == STORE_ABSENT;
}

static bool data_has_bytes(struct store *s)
{
	struct stat st;
	return fstatat(s->dir, "data.mdb", &st, 0) < 0 || st.st_size > 0;
}

/* data.mdb holds nothing. What comes after the super record, which is durable by then, tells why. */
static int refuse_empty(struct store *s, struct store_open_info *info)
{
	if (dir_has(s->dir, log_names[0]) || dir_has(s->dir, log_names[1]) || dir_has(s->dir, "reserve"))
		return open_fail(info, STORE_EMPTIED, "read data.mdb", EIO);
	return s->options.read_only ? open_fail(info, STORE_UNFINISHED, "read data.mdb", 0) : 0;
}

static int open_parts(struct store *s, const char *path, struct store_open_info *info)
{
	int r = open_dir(s, path, info);
	if (r)
		return r;
	bool is_new = !dir_has(s->dir, "data.mdb");
	if (is_new && !(s->options.create && !s->options.read_only && dir_is_empty(s)))
		return open_fail(info, store_without_data(s->dir), "find data.mdb", 0);
	r = hot_this_boot(&s->boot);
	r = r ? open_fail(info, r, "read the boot id", r) : lock_file_take(s, info);
	/* Asked before LMDB can write its heads. */
	if (r == 0 && !is_new && !data_has_bytes(s))
		r = refuse_empty(s, info);
	r = r ? r : open_warm(s, is_new, info);
	if (r == 0 && !is_new && lacks_super(s)) {
		r = refuse_empty(s, info);
		r = r ? r : make_super(s);
	}
	s->active = &s->logs[0];
	r = r ? r : load_super(s, info);
	r = r ? r : settle(s, info);
	r = r ? r : load_super(s, info);
	r = r ? r : raise_format(s, info);
	r = r ? r : start_logs(s, info);
	if (r)
		return r;
	s->may_cut = s->super.format >= FORMAT_OF_PIECES;
	s->position = s->sealed_position = 1;
	s->durable = s->sealed ? 0 : 1;
	r = space_init(s);
	if (r == 0)
		ahead_start(s);
	if (r == 0 && !s->options.read_only)
		r = flusher_start(s);
	if (r == 0 && s->flusher_runs)
		growth_start(s);
	return r ? open_fail(info, r, "start", r) : 0;
}

int store_open(
	const char *path, const struct store_options *options, struct store **ret, struct store_open_info *ret_info)
{
	struct store *s = NULL;
	*ret_info = (struct store_open_info){ .what = "" };
	int r = store_new(path, options, &s);
	if (!s)
		return open_fail(ret_info, r, "start", ENOMEM);
	r = r ? r : open_parts(s, path, ret_info);
	if (r) {
		store_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int store_close(struct store *s)
{
	if (!s)
		return 0;
	int r = store_flush(s);
	if (r)
		r = store_sync(s);
	flusher_stop(s);
	/* The next start has nothing to write then, so that a damaged store can be read. */
	if (r == 0 && !s->options.read_only && s->active->tail == HOT_DATA && lock_file_expect(s, 0) == 0)
		hot_void(s->active);
	store_free(s);
	return r;
}

uint64_t store_epoch(const struct store *s)
{
	return atomic_load(&s->epoch);
}

uint64_t store_position(struct store *s)
{
	return s->position;
}

uint64_t store_durable(struct store *s)
{
	return s->durable;
}

int64_t store_saved_at(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	int64_t at = s->stats.saved_at;
	pthread_mutex_unlock(&s->lock);
	return at;
}
