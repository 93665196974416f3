/*
 * core.h - struct fs, the state of one mount, and the one lock over it.
 */
#pragma once

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "fs/age_clock.h"
#include "fs/fs.h"
#include "fs/lock.h"
#include "store/store.h"

struct node;
struct session;
struct control_link;
struct control_node;
struct roster;
struct keeper;
struct visits;
struct cache_walk;
struct server;
struct errands;
struct fault_ring;
struct history;
struct trash;

enum {
	FS_OPERATIONS = 64, /* more than the kernel has kinds of request */
	FS_BUCKETS = 148,   /* of a histogram, see operation.h */
};

/* What one kind of request cost so far. Written by every serving thread, read by operation.c. */
struct fs_operation {
	_Atomic uint64_t total_ns, min_ns, max_ns;
	_Atomic uint64_t buckets[FS_BUCKETS];
};

enum { FS_DEAD_MAX = 32 };

/*
 * Tables of many elements are as many small ones, by the element's number: one that has no room left moves all that it
 * holds, for which everybody waits.
 */
enum { FS_TABLES = 256 };
#define FS_TABLE(tables, number) ((tables)[(number) % FS_TABLES])

/* The last name a lookup found absent: while nothing has changed since, creating it needs no second look. */
struct fs_absent {
	uint64_t dir; /* 0: none */
	uint32_t name_len;
	char name[STORE_NAME_MAX + 1];
};

enum { FS_ASKED_MAX = 16 };

/* Whose LOOKUP was answered ESTALE, so that it asks once more, see in_use.h. */
struct fs_asked {
	pid_t caller;
	uint64_t node; /* that the name stands for; 0: none */
	int64_t at;
};

/* The mounts of a store are numbered; kept with the store, see run.h. */
struct fs_run {
	uint32_t number;  /* this mount, from 1 on; 0: none was counted yet, and this one is read-only */
	uint32_t crashed; /* the last one that did not end in order; 0: none */
	bool open;        /* this one is counted, and is to end in order */
	bool tells;       /* sessions are still to be told that they were interrupted: those behind `told` */
	struct store_sid told;
};

struct fs {
	struct store *store;
	struct fs_options options;
	uint64_t max_file_size;
	int64_t started; /* nanoseconds since the epoch */
	struct fs_operation operations[FS_OPERATIONS];
	struct server *server;
	struct errands *syncs, *slow, *chores; /* while it is served: fsyncs, rules_is_slow, and the rest */
	_Atomic bool syncs_quickly; /* the last sync took not long */
	_Atomic bool launders;      /* some session does, or some file is to be cut */

	struct lock lock;
	/* protected by lock */
	pthread_t owner; /* of the lock; valid while locked */
	bool locked;
	struct node *nodes[FS_TABLES];       /* by inode number */
	struct session *sessions[FS_TABLES]; /* by session number */
	struct control_node *controls; /* by id */
	struct control_link *links;    /* in .sessfs, beside current; newest first */
	uint64_t next_control;
	unsigned cuts;            /* files to be cut, see cut.h */
	struct store_sid chosen;  /* the one that was set as current; 0: none */
	struct fs_run run;
	struct trash *trash;
	unsigned laundering;      /* sessions that do, see launder.h */
	TAILQ_HEAD(, session) unsaved;  /* in the order of their last changes */
	TAILQ_HEAD(, session) dropping; /* when the kernel knows nothing of them; first those of which that is so */
	struct history *history;
	struct node *root;
	struct age_clock clock;
	struct roster *roster;
	struct cache_walk *cache_walk; /* of the keeper */
	/* while it is served, unless read-only */
	struct keeper *keeper;
	struct visits *visits;
	struct fs_absent absent;
	struct fs_asked asked[FS_ASKED_MAX];
	int64_t told; /* when anything last changed of what sessions are called and say of themselves */
	struct fault_ring *faults; /* NULL: there was none */
	/* unlinked inodes of one session that the kernel has forgotten, pinned: to be deleted in one batch, soon */
	struct node *dead[FS_DEAD_MAX];
	unsigned dead_count;
};

static inline void fs_assert_locked(const struct fs *fs)
{
	assert(fs->locked && pthread_equal(fs->owner, pthread_self()));
	(void)fs;
}

static inline struct fs *fs_lock(struct fs *fs)
{
	lock_take(&fs->lock);
	fs->owner = pthread_self();
	fs->locked = true;
	return fs;
}

static inline void fs_unlock(struct fs *fs)
{
	fs_assert_locked(fs);
	fs->locked = false;
	lock_leave(&fs->lock);
}

static inline void fs_unlock_guard(struct fs **fs)
{
	fs_unlock(*fs);
}

/* Between the slices of a few milliseconds of what takes long, the lock not held: who waits for it gets it. */
static inline void fs_give_way(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
}

/*
 * The same for who holds it, between slices of a millisecond or less: does so when it was held for long enough. What
 * was read before may no longer be so; a session that is referred to stays in memory, but may be `removed`.
 */
void fs_pause(struct fs *);
/* It was held for so long, and others are to have it: two milliseconds, less where somebody waits who serves. */
bool fs_held_enough(const struct fs *, int64_t ns);

/* Holds the lock until the end of the block. */
#define FS_GUARD(fs) __attribute__((cleanup(fs_unlock_guard), unused)) struct fs *fs_guard_ = fs_lock(fs)

#define FS_SECOND INT64_C(1000000000)

/* Nanoseconds since the epoch. */
static inline int64_t fs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * FS_SECOND + ts.tv_nsec;
}

/* The same, having noticed if the clock jumped. */
static inline int64_t fs_age_now(struct fs *fs)
{
	int64_t now = fs_now();

	if (age_clock_wants_look(&fs->clock, now))
		age_clock_look(fs, now);
	return now;
}

/* A message for the administrator, as fs_set_log has it. */
__attribute__((format(printf, 2, 3))) void fs_log(int syslog_priority, const char *format, ...);
