/*
 * hot.h - one hot log: a preallocated, mapped file of batches and the index of what they say. A store has two.
 *
 * All blocks below `size` are allocated. It is `base` at rest and may grow, up to `limit`, while batches are appended:
 * so much is mapped from the start, and the mapping never moves; nothing behind `size` is touched (SIGBUS).
 *
 * A batch is appended in place and counts once the header's `published` reaches behind it (release store), so it
 * survives the death of the process in the page cache. hot_sync makes it survive a power cut: batches get their
 * checksums, then the file is synced. After another boot `published` means nothing; batches count up to the first one
 * whose checksum does not hold.
 *
 * Large pieces of data go through pwrite and pread, which is cheaper than faulting in a page at a time, and keeps them
 * out of the process's resident memory; page cache and mapping are one.
 */
#pragma once

#include "store/index.h"

#include <stdatomic.h>

#define HOT_SIZE_MIN (4u << 20)
#define HOT_DATA 4096u   /* where batches begin */
#define HOT_BATCH_SPARE (512u << 10) /* room a batch has for records besides its data */

struct hot_boot {
	uint8_t id[16];
};

/* Version of the logs' format. */
#define HOT_FORMAT 1u

struct hot_header {
	uint64_t magic; /* also tells the byte order */
	uint32_t format, reserved;
	uint64_t generation;
	uint64_t previous_end; /* where the log of generation - 1 ended */
	uint64_t salt;         /* random for each start: batches that an earlier life left in the file never fit it */
	struct hot_boot boot;
	_Atomic uint64_t published; /* end of the batches; 0: the log is empty and its generation void */
	uint64_t identity[2];       /* of the store */
};

struct hot {
	int fd;
	uint8_t *map;        /* read through always, written through unless by_call; NULL: there is no log */
	uint64_t reach;      /* bytes mapped */
	/* the file system writes anew what is overwritten: full, a mapping would answer with SIGBUS, pwrite does not */
	bool by_call;
	uint64_t base, limit; /* sizes: at rest, at most */
	uint64_t identity[2]; /* of the store it is to be of */
	uint64_t size;
	uint64_t tail;       /* end of published batches */
	uint64_t touched;    /* bytes before it were once written: the page cache has them, or the disk */
	uint64_t small;      /* of the batches, bytes that a flush reads through the mapping */
	uint64_t trimmed;    /* bytes before it were told not to be resident */
	uint64_t checked;    /* batches before it carry checksums */
	_Atomic uint64_t synced; /* bytes before it survive a power cut */
	bool lost; /* a sync failed: the kernel tells that once, and may have given up pages; only warm can save them */
	struct index index;
};

static inline struct hot_header *hot_header(const struct hot *h)
{
	return (struct hot_header *)h->map;
}

/* Whether the file system overwrites blocks in place, once they are allocated. */
bool hot_overwrites_in_place(int fd);
/*
 * The id of this boot; zeros where the kernel tells none: then nothing counts but what was synced. -errno: it does, but
 * could not be asked.
 */
int hot_this_boot(struct hot_boot *ret);

/* Sizes of a log. limit >= base >= HOT_SIZE_MIN, whole pages; both 0 for one that is only read. */
struct hot_sizes {
	uint64_t base, limit;
};

/* Opens the log `name` in directory dir as it is: of any size, whole pages of it, or none. -errno. */
int hot_open(struct hot *, int dir, const char *name, struct hot_sizes, bool read_only);
/* Gives a log that is void, or of which nothing counts, its size at rest, all blocks allocated. -errno. */
int hot_make(struct hot *);
/* Whether blocks of it are not allocated, as in a sparse copy. */
bool hot_has_holes(const struct hot *);
void hot_close(struct hot *);

/* True if the header is one of ours, of a log of this store, and not void. */
bool hot_is_valid(const struct hot *);
/* True if it is a log of a format that only newer programs know, and not void. */
bool hot_is_newer(const struct hot *);
/* True if it is a log of another store, and holds something that counts. */
bool hot_is_foreign(const struct hot *, struct hot_boot this_boot);
/* True if the log was written in this boot, so that its batches count whether they were synced or not. */
bool hot_is_of_boot(const struct hot *, struct hot_boot this_boot);
/* Indexes what counts of a valid log, up to its new tail. -ENOMEM. */
int hot_replay(struct hot *, struct hot_boot this_boot);
/* Empties the log and starts it anew. Only while no reader can see it. STORE_FULL, -errno: it is void. */
int hot_start(struct hot *, uint64_t generation, uint64_t previous_end, struct hot_boot);
/* Makes the log void, its records are in warm, and gives up its resident pages. The index is left to the caller. */
void hot_void(struct hot *);

/*
 * Allocates the log's blocks up to `size` <= limit; who appends finds them once `size` of the log says so, which is for
 * the caller to set. -errno: it stays as it is.
 */
int hot_allocate(struct hot *, uint64_t size);
/* Gives up the blocks behind `size`, which is what the log's size was set to before. */
void hot_cut(struct hot *);

/*
 * Makes what lies before `end`, a batch's end, durable. After a failure it fails until the log starts anew. One thread
 * at a time, but beside an appending one.
 */
int hot_sync(struct hot *, uint64_t end);

/* Copies bytes an extent points at. -errno. */
int hot_read(const struct hot *, uint64_t pos, uint8_t *out, uint32_t len);

/* ---- appending -------------------------------------------------------------------------------------------------- */

/* Bytes left for a batch. */
uint64_t hot_room(const struct hot *);

struct hot_batch {
	struct hot *hot;
	uint64_t start, at; /* in the log */
	uint32_t count;     /* of changes, prepared and not yet applied */
	uint32_t room;
	struct prepared *prepared; /* kept from batch to batch */
	uint8_t *gathered;  /* likewise: while `gathers`, the batch so far */
	bool gathers, checks; /* checks: it gets its checksum at once */
	int error;          /* first thing that went wrong: then nothing is appended any more */
};

void hot_batch_begin(struct hot_batch *, struct hot *);
/* Appends a change with its value or bytes; pos of the change is set here. Errors are kept. */
void hot_batch_append(struct hot_batch *, struct change *, const void *data);
/* Publishes and applies. 0 or the error kept; then nothing has happened. */
int hot_batch_commit(struct hot_batch *);
void hot_batch_abort(struct hot_batch *);
