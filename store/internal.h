/*
 * internal.h - struct store, shared by the files of store/ and by nobody else.
 *
 * Lock order, outermost first: sync_lock or growth.lock, lock, then leaves: those of the cache and of warm. Those of
 * ahead.c and encode.c are by themselves. `lock` is held for every small read and from a batch's begin to its end;
 * never across a sync or a transaction of warm. What an open batch, a sealed index and a retired log may do:
 *
 *   spare --swap--> active --swap (sealed)--> sealed --flush_log--> retired: void, index cleared --> spare
 *
 * A sealed log only has readers. Its memory is given up by the flusher after `sealed` was cleared under both locks, so
 * a reader that holds either lock may use it.
 */
#pragma once

#include "store/cache.h"
#include "store/codec.h"
#include "store/hot.h"
#include "store/pieces.h"
#include "store/record.h"
#include "store/warm.h"

#include <pthread.h>

enum { SNAPSHOT_POOL = 8 };

/* Formats that added something to the records. */
enum { FORMAT_OF_PIECES = 2, FORMAT_OF_IDENTITY = 3 };

/* A reader outside the lock: a snapshot of warm with what it takes to decompress. */
struct reader {
	struct warm_snapshot *snapshot;
	struct codec_ctx *codec;
	uint8_t *scratch; /* STORE_CHUNK_SIZE */
	uint8_t *joined;  /* CHUNK_ENCODED_MAX: a value put together from its pieces */
	unsigned turn;    /* in which it was taken, see struct store */
};

/* A name that a lookup found nowhere: no record of it, not even a tombstone. Valid while `batches` stands still. */
struct absent {
	struct store_sid sid;
	struct store_ino dir;
	uint64_t hash, batches;
};

/* A session whose records are being deleted (drop.c). */
struct drop {
	uint32_t sid;
	bool given_up;       /* until the next open: what is to be deleted is damaged */
	uint64_t generation; /* of the last log that may have records of it */
};

enum { AHEAD_CHUNKS = 4, AHEAD_STREAMS = 4, AHEAD_ROOM = 8 };

/* What is decompressed before it is asked for (ahead.c). */
struct ahead {
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t wake;  /* the thread: something is wanted, or the end */
	pthread_cond_t done;  /* the readers: what one of them was doing is in the cache */
	pthread_t thread;
	bool runs, stopping;
	bool busy[2];         /* the thread; and a reader that does another chunk while it waits */
	struct key doing[2];  /* while busy */
	struct key wanted[AHEAD_ROOM];
	unsigned count;       /* of them */
	unsigned turn;        /* which stream is given up next */
	struct stream {
		struct key last; /* chunk read last */
		uint64_t end;    /* chunks before it were wanted */
	} streams[AHEAD_STREAMS];
};

/* A name that was found or made lately, known by two hashes of it. */
struct known_name {
	uint64_t dir, cookie, check; /* dir 0: none */
	uint64_t ino;
	uint32_t sid, type;
};
enum { KNOWN_NAMES = 32768 };

struct store_batch {
	struct store *store;
	struct known_name made; /* the name added last */
	struct hot_batch hot;
	struct super super; /* as it will be */
	uint64_t next_ino;
	uint32_t next_sid;
};

/* What the lock file says of the logs (lock_file.c). */
struct log_mark {
	uint64_t boot[2], identity[2];
	uint64_t generation; /* of the newest log; 0: none must be there */
};

struct store {
	/* constant after open */
	struct store_options options;
	char *path;
	int dir, lock_fd;
	struct hot_boot boot;
	struct log_mark left; /* as the last run left it */
	struct hot logs[2];
	struct warm *warm;
	bool may_cut; /* content into pieces: the store says that it is of a format that has them */
	pthread_t flusher;
	bool flusher_runs;

	pthread_mutex_t sync_lock; /* held while a log is synced or retired */

	struct growth {
		pthread_mutex_t lock; /* held while the size of a log's file changes */
		pthread_t thread;
		/* protected by the store's lock */
		bool runs;
		pthread_cond_t wake;  /* the thread: a log is to grow, or the end */
		uint64_t need;        /* the most that a batch waits for; 0: none does */
		uint64_t retry_at;    /* store_clock: when growing, which failed, is tried again */
	} growth;

	pthread_mutex_t lock;
	/* protected by lock */
	struct hot *active, *sealed, *spare; /* sealed: being flushed; spare: empty; never both missing for long */
	struct warm_snapshot *snapshot;
	bool snapshot_stale;
	struct super super;
	uint64_t next_ino;
	uint32_t next_sid;
	struct known_name known[KNOWN_NAMES]; /* each at the only place its cookie allows */
	struct store_batch batch;
	struct absent absent;
	struct reader *readers[SNAPSHOT_POOL];
	/*
	 * Readers at work, by the turn in which they began; commits of warm take turns, 0 and 1. Where LMDB goes
	 * without its table of readers (warm.c) it uses pages again two commits after they became free. Flushes are
	 * seconds apart; the steps of drop.c, which are not, wait until the turn before is over.
	 */
	unsigned turn, reading[2];
	pthread_cond_t wake;    /* the flusher: work or end */
	pthread_cond_t flushed; /* the others: a flush ended, well or not */
	bool stopping;
	uint64_t generation;  /* of the active log */
	uint64_t flushed_generation;
	uint64_t failures;    /* flushes that failed */
	int64_t sealed_at;    /* store_now when the sealed log was sealed, */
	uint64_t sealed_position; /* and store_position then */
	uint64_t swap_at, retry_at; /* store_clock: when the logs swap; when a flush that failed is tried again */
	int last_error;
	struct store_stats stats;
	uint64_t drain_rate;  /* bytes of log a flush takes in per second */
	struct space {
		struct warm_space warm;
		uint64_t limit;       /* bytes of warm that may be used */
		uint64_t available;   /* bytes the device has for us, when last asked */
		uint64_t asked_at;    /* store_clock then */
		uint64_t unasked;     /* bytes admitted since */
		uint64_t reserve;     /* bytes held back in STORE/reserve */
	} space;

	struct drops {
		struct drop *list;
		uint32_t count, room;
		uint32_t added;    /* by the open batch, behind count */
		uint64_t retry_at; /* store_clock: after a step that failed; 0: it did not */
		bool records_stay; /* until the next open: orphans or the records of sessions are damaged */
		bool looked;       /* for those that an earlier run left; the flusher's own */
		bool stopped;
	} drops;

	struct dictionaries dictionaries;
	/* of whoever flushes: what is gathered to learn a dictionary from */
	struct trainer {
		uint8_t *samples;
		size_t *lens;
		unsigned count;
		size_t bytes;
		uint64_t seen, next;      /* bytes of small chunks so far; when to learn again */
		struct dictionary *fresh; /* learnt, and in no commit yet */
	} trainer;

	struct cache cache; /* has its own lock */
	struct ahead ahead; /* has its own lock */
	_Atomic uint64_t epoch;
	_Atomic uint64_t position, durable;
};

/* ---- read.c: callers hold the lock -- */

struct found {
	const uint8_t *body;
	size_t len;
	bool stored_known; /* read from warm, with its account */
	uint64_t stored;
};
/* The newest value of the key. STORE_ABSENT, -EIO. */
int store_find(struct store *, const struct key *, struct found *ret);
bool kind_is_accounted(enum kind);
struct found hot_value(const struct hot *, const struct entry *);
/* Opens a warm value: its body behind the checksum and, of an accounted kind, the account. */
int open_value(struct key, struct warm_value, struct found *ret);
int store_renew(struct store *);
/* After a commit: the shared snapshot moves on. */
void store_turn(struct store *);

/* Walks keys from first to last in order, newest version of each, tombstones passed over. */
struct merge {
	struct store *store;
	struct key last;
	struct key at; /* the key returned last, if there was one: the sources still stand there */
	bool begun;
	struct entry *active, *sealed;
	struct key warm_key;
	struct warm_value warm_value;
	bool warm_valid;
	bool met_any; /* some source had an entry, if only a tombstone */
};
int merge_init(struct merge *, struct store *, const struct key *first, const struct key *last);
int merge_next(struct merge *, struct key *ret_key, struct found *ret); /* STORE_ABSENT at the end */

/* The same for callers without the lock, which is held from begin to end. */
struct scan {
	struct merge merge;
	struct key key; /* where it is, */
	struct found value;
	int result; /* and what ends it, if not 0: no record is left, or what the caller found wrong with one */
};
void scan_begin(struct scan *, struct store *, struct key first, struct key last);
bool scan_next(struct scan *);
int scan_end(struct scan *); /* 0, or what went wrong */

/* ---- data.c -- */
int reader_new(struct store *, struct reader **ret);
void reader_free(struct reader *);
/* Decompresses a chunk into `out`, of STORE_CHUNK_SIZE: length of its content, 0 if there is none. -EIO */
ssize_t reader_chunk(struct reader *, const struct key *, uint8_t *out);
/* One at the newest commit. Lock held. */
int reader_take(struct store *, struct reader **ret);
/* Gives it back. Lock not held. */
void reader_give(struct store *, struct reader *);

/* ---- ahead.c -- */
void ahead_init(struct ahead *);
/* Without the thread, should there be none to be had, readers do everything. */
void ahead_start(struct store *);
void ahead_release(struct ahead *);
/* Before a chunk is read: it is in the cache then, or the caller's to decompress. */
void ahead_claim(struct store *, const struct key *chunk);
/* When a chunk is read: the next ones are fetched if it follows the one before. */
void ahead_note(struct store *, const struct key *chunk);

/* ---- flush.c -- */
/* Takes the log's records into warm in one durable transaction. Called with no lock. */
int flush_log(struct store *, struct hot *);
/* The same, giving up the reserve when the device is full. */
int flush_log_somehow(struct store *, struct hot *);

/* ---- dictionary.c -- */
/* Makes known those that warm has. What is damaged is passed over. -ENOMEM */
int dictionaries_load(struct store *);
/*
 * The one that suits the small chunks of a log best, which may be one learnt just now; NULL: none. Called by whoever
 * flushes. raw and out are buffers for a chunk.
 */
int dictionary_choose(struct store *, struct hot *, struct codec_ctx *, uint8_t *raw, uint8_t *out,
	struct dictionary **ret);
void trainer_release(struct trainer *);

/* ---- flusher.c -- */
int flusher_start(struct store *);
void flusher_stop(struct store *);
/*
 * Swaps active and spare and wakes the flusher. Lock held; there is a spare and active is not empty. STORE_FULL,
 * -errno.
 */
int swap_logs(struct store *);

/* ---- growth.c -- */
/* Of logs at rest and at most, by options, disk and memory. */
struct hot_sizes growth_sizes(const struct store *);
void growth_init(struct growth *);
/* Without the thread, should there be none to be had, the logs stay as they are. */
void growth_start(struct store *);
/* After `stopping` was set. */
void growth_stop(struct store *);
void growth_release(struct growth *);
/* Bytes that the active log may come to have if it goes on as it does. Lock held. */
uint64_t growth_ceiling(const struct store *);
/*
 * Before a batch of `need` bytes: lets the active log grow if it is about to be full. True if it does; `flushed` tells
 * when. Lock held.
 */
bool growth_ask(struct store *, uint64_t need);
/* A log that nobody can see any more goes back to its size at rest. */
void growth_undo(struct store *, struct hot *);
/* Gives the device back what the active log does not need yet. True if that is anything. */
bool growth_give_back(struct store *);

/* ---- drop.c -- */
/* Notes that the open batch drops a session. False: no memory. */
bool drops_add(struct store *, uint32_t sid);
/* The open batch ended: what it dropped counts, or does not. Lock held. */
void drops_end_batch(struct store *, bool committed);
/* Whether drops_step has something to do. Lock held. */
bool drops_are_ready(const struct store *);
/* Whether space will come back by waiting for `flushed`; makes the flusher get on with it. Lock held. */
bool drops_may_help(struct store *);
/* One bounded transaction. Called by the flusher, with no lock. */
void drops_step(struct store *);
/* Waits until nothing is left to drop or it does not get on, and lets nothing be dropped after that. */
void drops_finish(struct store *);

/* ---- space.c -- */
int space_init(struct store *);
/* Whether the active log should be flushed before it asks for more room than is left. Lock held. */
bool space_is_short(const struct store *);
/* Whether `bytes` more of data are sure to find room in warm. Lock held. */
bool space_admits(struct store *, uint64_t bytes);
/* Whether they may once the logs are in warm, and these hold enough for that to be worth a flush. Lock held. */
bool space_comes_with_flush(const struct store *, uint64_t bytes);
void space_after_flush(struct store *);
/* Bytes that records and data may still take, before what the logs hold is counted. Lock held. */
uint64_t space_room(const struct store *);
/* Gives up what logs have allocated in vain, or else the reserve. True if there was any. */
bool space_release(struct store *);

/* ---- store.c -- */
/* What a directory is that has no data.mdb. STORE_HEADLESS, STORE_NOT_EMPTY. */
int store_without_data(int dir);

/* ---- lock_file.c -- */
/* Locks the store, for the life of lock_fd. STORE_BUSY, STORE_DENIED. */
int lock_file_take(struct store *, struct store_open_info *);
/* The log which must be there as the last run, of this boot, did not end in order: its generation; 0: none must. */
uint64_t lock_file_left(const struct store *);
/*
 * Notes that from now on the log of the generation must be there until warm has taken it in; 0: none must. -errno: that
 * a log goes missing is not noticed; with 0 one that is there may not be made void.
 */
int lock_file_expect(struct store *, uint64_t generation);

/* Notes what an opening failed at; returns the result. */
static inline int open_fail(struct store_open_info *info, int result, const char *what, int error)
{
	info->what = what;
	info->error = error < 0 ? -error : error;
	return result;
}

int64_t store_now(void); /* nanoseconds since the epoch */
uint64_t store_clock(void); /* monotonic nanoseconds */
