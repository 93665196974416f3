/*
 * store.h - the only public interface of the store: a transactional library that keeps sessions, inodes, names,
 * attributes and file content in one directory, through crashes and power cuts. It knows nothing of FUSE and of POSIX
 * rules: which record may be written when is the caller's business; that a batch of them lands whole is the store's.
 *
 * Results. 0 is done. Positive is an expected outcome of enum store_result that the caller handles. Negative is a
 * broken world (-EIO: damaged data or a failing device, -ENOMEM), to be forwarded untouched. Outputs (ret_*) are
 * written only on 0.
 *
 * Threads. Every function may be called from any thread, except store_open and store_close. One batch is open at a
 * time: store_batch_begin waits for the other; between begin and commit/abort the thread calls nothing but
 * store_batch_* and store_new_*. The caller keeps two writers from deciding on the same record at once (fs/ does it
 * with one lock).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct store;
struct store_batch;

/* Session number: 0 is the mount's root, which holds nothing but the names of sessions. Never reused. */
struct store_sid {
	uint32_t n;
};
/* Inode number: unique over the whole store, never reused, 1 <= n < 2^53. */
struct store_ino {
	uint64_t n;
};

#define STORE_ROOT_SID ((struct store_sid){0})
#define STORE_ROOT_INO ((struct store_ino){1})
#define STORE_NAME_MAX 255
#define STORE_XATTR_NAME_MAX 255
#define STORE_XATTR_SIZE_MAX 65536
#define STORE_CHUNK_SIZE 131072u
#define STORE_FORMAT 3u /* version of the on-disk format, see FORMAT.md */
#define STORE_COOKIE_MIN 256 /* the cookie of a name lies in [STORE_COOKIE_MIN, 2^63) */
/* Largest file: 2^31 chunks of 128 KiB less one byte. */
#define STORE_FILE_MAX ((INT64_C(1) << 48) - 1)

enum store_result {
	STORE_OK = 0,
	STORE_ABSENT,    /* no such record */
	STORE_FULL,      /* no space: device, max_size, or too many names that hash alike in one directory */
	STORE_READ_ONLY, /* opened read-only */
	/* of store_open only */
	STORE_BUSY,      /* in use by the process in store_open_info.pid */
	STORE_NEWER,     /* store_open_info.format is newer than STORE_FORMAT, or newer_log */
	STORE_NOT_EMPTY, /* not a store, and not an empty directory that could become one */
	STORE_NO_DIR,    /* the directory is not there */
	STORE_DENIED,    /* the directory or a file in it may not be opened (errno in store_open_info.error) */
	STORE_DAMAGED,   /* not a store that can be read, even for its first record */
	STORE_HEADLESS,  /* it has logs, but no data.mdb */
	STORE_EMPTIED,   /* its data.mdb holds nothing, but its other files show that it did */
	STORE_UNFINISHED, /* a crash cut off its making: opening it for writing makes it */
	STORE_FOREIGN,   /* logs in it, named by store_open_info.what, are of another store and not empty */
	/* of store_check only */
	STORE_OVERTAKEN, /* beside a mount: the daemon kept using pages again while they were looked at */
};

/* ---- records ---------------------------------------------------------------------------------------------------- */

/* Raw msgpack of fields a newer version added: carried from decode to encode. Owned by the record that holds it. */
struct store_extra {
	uint8_t *data;
	uint32_t len;
	uint32_t count;
};

struct store_inode {
	uint32_t mode; /* type and permissions as in st_mode */
	uint32_t uid, gid;
	uint32_t nlink;
	uint64_t size;   /* bytes; of a directory: number of its names */
	uint64_t rdev;
	int64_t atime, mtime, ctime, btime; /* nanoseconds since the epoch */
	uint64_t parent; /* of a directory: the inode that holds its name */
	uint64_t view;   /* of a directory at a session's top: 1 + enum store_view of its name, or 0 */
	uint64_t flags;  /* enum store_inode_flag */
	uint32_t maker_pid, maker_uid; /* who made it; 0: not known */
	uint64_t maker[2]; /* the name of its command: 15 bytes at most, padded with zeros */
	struct store_extra extra;
	uint64_t stored; /* bytes occupied, compressed, as of reading; kept by the store, ignored when put */
};

enum store_inode_flag {
	STORE_INODE_HAS_ACL = 1,   /* a POSIX ACL is among its attributes */
	STORE_INODE_HAS_XATTR = 2, /* it has, or once had, extended attributes */
	STORE_INODE_MODIFIED = 4,  /* its content was changed after its making: see store_session.modifications */
};

struct store_dirent {
	uint64_t cookie; /* place in the directory's order; stays while the name stays */
	struct store_ino ino;
	struct store_sid session; /* session the inode belongs to; differs from the directory's only at the root */
	uint32_t type;   /* S_IFMT bits of the inode's mode */
	uint32_t name_len;
	char name[STORE_NAME_MAX + 1]; /* zero-terminated */
};

enum store_status { STORE_ACTIVE, STORE_PAUSED, STORE_COMPLETED, STORE_FAILED, STORE_ARCHIVED, STORE_STATUSES };

enum store_session_flag {
	STORE_SESSION_PINNED = 1,
	STORE_SESSION_DROPPED = 2, /* all that belongs to it is being deleted (store_batch_drop_session) */
	STORE_SESSION_NUMBERED = 4, /* in the trash: another one had its name already */
};

#define STORE_NEVER INT64_MAX

/* Files are counted by the directory at the session's top under which they lie. */
enum store_view { STORE_RESEARCH_DATA, STORE_INTERMEDIATE_RESULTS, STORE_CACHE, STORE_LOGS, STORE_OTHER, STORE_VIEWS };

struct store_session {
	struct store_sid sid;
	struct store_ino root; /* its directory */
	uint32_t name_len;
	char name[STORE_NAME_MAX + 1];
	int64_t created, modified, last_write; /* nanoseconds since the epoch */
	uint32_t status; /* enum store_status */
	uint32_t flags;  /* enum store_session_flag */
	uint32_t run;    /* number of the mount in which its status was last written */
	uint32_t progress; /* millionths, 0 to 1000000 */
	uint32_t texts;  /* which texts of it are kept: bits that the caller defines */
	int64_t status_at; /* when its status was last written */
	int64_t expires;   /* as was asked for: 0 by the rules, STORE_NEVER, or a time */
	int64_t skew;      /* of the caller's clock of ages against that of last_write */
	int64_t cache_oldest; /* no file below cache/ has an older mtime; 0 also: not known */
	int64_t ended;     /* when it went to the trash; 0: it is alive */
	int64_t until;     /* of an ended one: kept until then */
	uint32_t ending;   /* of an ended one: why, as the caller numbers the reasons */
	uint64_t creations, modifications, operations; /* files made, files changed later, changes of any kind */
	/*
	 * its events: content of its root directory's inode from byte first_event to end_event, in event_lines lines
	 */
	uint64_t first_event, end_event;
	uint32_t event_lines;
	uint64_t untold, untold_bytes; /* files of cache/ that the caller removed, and no event tells yet */
	uint64_t files[STORE_VIEWS]; /* names of everything but directories, below each view */
	/* bytes: sum of the sizes of its regular files, once per inode, unlinked but open ones included */
	uint64_t logical;
	uint32_t version;   /* checkpoint version of its live records; 0 until the first checkpoint */
	struct store_extra extra;
	uint64_t stored;    /* bytes its content occupies, as of the last flush; kept by the store, ignored when put */
};

/* What remains of a session that ended. */
struct store_ending {
	struct store_sid sid;
	uint32_t name_len;
	char name[STORE_NAME_MAX + 1];
	int64_t created, ended, until; /* until: it could be taken back before then; 0: not at all */
	uint32_t ending, status;
	uint64_t files, logical, stored; /* as of its end */
	uint64_t creations, modifications, operations;
};

void store_inode_release(struct store_inode *);
void store_session_release(struct store_session *);

/* ---- opening ---------------------------------------------------------------------------------------------------- */

struct store_options {
	bool read_only; /* nothing in the directory changes; what the logs hold is seen */
	bool create;    /* make a store if the directory is empty */
	int level;      /* zstd level, 1 to 19; 0 stores raw */
	unsigned commit; /* seconds between flushes, 1 to 3600 */
	uint64_t hot_size; /* bytes that each log may grow to, or 0: by the sizes of disk and memory */
	uint64_t max_size; /* bytes of data and records kept, or 0: as much as the disk holds */
};

struct store_open_info {
	int pid;
	uint32_t format;
	int error; /* errno behind a negative result, STORE_DENIED or STORE_FULL */
	const char *what; /* static text: the step that failed */
	bool newer_log; /* with STORE_NEWER: the format is that of a log, named by what */
	unsigned foreign; /* with STORE_FOREIGN: bit 0 hot.0, bit 1 hot.1 */
	bool logs_missing; /* it was opened, but a log of the last run, which did not end in order, is gone */
	bool logs_damaged; /* it was opened, but lacks what was done last: its logs were damaged */
};

/*
 * Opens the store in directory path, settles what a crash left and, unless read-only, starts the flusher thread: call
 * it after daemonising. Of the options what matters is copied. Any result of enum store_result but ABSENT and
 * READ_ONLY; *ret_info tells more. On anything but 0 what the store says is unchanged.
 */
int store_open(const char *path, const struct store_options *, struct store **ret, struct store_open_info *ret_info);
/*
 * Flushes, syncs and frees, also after errors. 0 if everything is saved, else the error that kept it from being. NULL
 * is 0.
 */
int store_close(struct store *);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The caller releases a record that was returned. STORE_ABSENT where there is none. */
int store_get_inode(struct store *, struct store_sid, struct store_ino, struct store_inode *ret);
int store_get_session(struct store *, struct store_sid, struct store_session *ret);
int store_lookup(
	struct store *, struct store_sid, struct store_ino dir, const char *name, size_t len, struct store_dirent *ret);
/* *ret_data is for the caller to free. */
int store_get_xattr(
	struct store *, struct store_sid, struct store_ino, const char *name, void **ret_data, size_t *ret_len);

/*
 * Calls each() in order for what lies behind `after` (0: from the start) until it returns true. each() runs inside the
 * store's lock: it must be brief and must not call the store. The argument lives for the call.
 */
int store_scan_dirents(struct store *, struct store_sid, struct store_ino dir, uint64_t after,
	bool (*each)(void *arg, const struct store_dirent *), void *arg);
int store_scan_xattrs(struct store *, struct store_sid, struct store_ino,
	bool (*each)(void *arg, const char *name, size_t len), void *arg);
int store_scan_sessions(
	struct store *, uint32_t after, bool (*each)(void *arg, const struct store_session *), void *arg);
/* In the order of session numbers. */
int store_scan_endings(
	struct store *, uint32_t after, bool (*each)(void *arg, const struct store_ending *), void *arg);
int store_scan_orphans(
	struct store *, uint64_t after, bool (*each)(void *arg, struct store_sid, struct store_ino), void *arg);

/* Reads len bytes at offset of the file's content into buf; what was never written, or lies behind the end, is zero. */
int store_read(struct store *, struct store_sid, struct store_ino, uint64_t offset, void *buf, size_t len);
/*
 * First offset >= offset, below end, that is data (or, with data false, a hole); STORE_ABSENT if there is none before
 * end.
 */
int store_seek(
	struct store *, struct store_sid, struct store_ino, uint64_t offset, uint64_t end, bool data, uint64_t *ret);
/* Bytes the file's content occupies now (as store_inode.stored). */
int store_stored(struct store *, struct store_sid, struct store_ino, uint64_t *ret);
/*
 * The same for all that belongs to a session, what is in the logs included, which store_session.stored does not count.
 * Zeroed to begin with; each call does a step of about a millisecond at most, until `done`.
 */
struct store_sum {
	bool done;
	uint64_t stored; /* the result; as of one moment, if nothing was written since the first step */
	/* of the walk */
	struct store_ino next;
	uint64_t moment;
	int64_t pending;
};
int store_sum_stored(struct store *, struct store_sid, struct store_sum *);
/* Grows by one whenever stored sizes may have changed without a batch: after each flush. Starts at 1. Never blocks. */
uint64_t store_epoch(const struct store *);

/* ---- writing ---------------------------------------------------------------------------------------------------- */

enum store_batch_flag {
	STORE_GROW = 0,
	/* deletes, or changes that must work on a full disk: not refused with STORE_FULL while space lasts at all */
	STORE_SHRINK = 1,
};

/*
 * Starts a batch that carries at most `bytes` of data (the lens of store_batch_write together; 0 for records only) and
 * waits for room in the log. STORE_FULL, STORE_READ_ONLY. The put/add/delete/write functions below cannot fail by
 * themselves: an error is kept and returned by commit, which then has changed nothing.
 */
int store_batch_begin(struct store *, enum store_batch_flag, size_t bytes, struct store_batch **ret);
/* All of it is seen and survives the death of the process, or on error none of it. Ends the batch in either case. */
int store_batch_commit(struct store_batch *);
/* Ends the batch, nothing happened. NULL is ignored. */
void store_batch_abort(struct store_batch *);

/* Bytes of log that it takes so far: of store_stats.unsaved_bytes. */
size_t store_batch_size(const struct store_batch *);

/* A number never given out before (numbers of aborted batches are lost). */
struct store_ino store_new_ino(struct store_batch *);
struct store_sid store_new_sid(struct store_batch *);

void store_batch_put_inode(struct store_batch *, struct store_sid, struct store_ino, const struct store_inode *);
/* As put_inode for a number that came from store_new_ino in this batch. */
void store_batch_new_inode(struct store_batch *, struct store_sid, struct store_ino, const struct store_inode *);
/* Deletes the inode's record and its content; its attributes and names are the caller's to delete. */
void store_batch_delete_inode(struct store_batch *, struct store_sid, struct store_ino);
/* Deletes all of the inode's attributes. */
void store_batch_delete_xattrs(struct store_batch *, struct store_sid, struct store_ino);

/*
 * Adds a name that a lookup, since which the directory has not changed, found absent; cookie is chosen by the store.
 * STORE_FULL (from commit) if 256 names hash alike.
 */
void store_batch_add_dirent(struct store_batch *, struct store_sid, struct store_ino dir, const struct store_dirent *);
/* Changes what the name at entry->cookie (from a lookup) stands for. */
void store_batch_put_dirent(struct store_batch *, struct store_sid, struct store_ino dir, const struct store_dirent *);
void store_batch_delete_dirent(struct store_batch *, struct store_sid, struct store_ino dir, uint64_t cookie);

void store_batch_put_xattr(
	struct store_batch *, struct store_sid, struct store_ino, const char *name, const void *data, size_t len);
/* Nothing happens if it is not there. */
void store_batch_delete_xattr(struct store_batch *, struct store_sid, struct store_ino, const char *name);

void store_batch_put_session(struct store_batch *, const struct store_session *);
/* Deletes the session's record only; its inodes are the caller's to delete. */
void store_batch_delete_session(struct store_batch *, struct store_sid);

/*
 * Deletes all that belongs to the session, in the background and in bounded steps, and last its record, which until
 * then carries STORE_SESSION_DROPPED. From now on nothing else may be written to it; what is read of it may be absent.
 * A crash does not stop it: the next store_open goes on. A name of it must be gone before or in this batch.
 */
void store_batch_drop_session(struct store_batch *, const struct store_session *);

void store_batch_put_ending(struct store_batch *, const struct store_ending *);
void store_batch_delete_ending(struct store_batch *, struct store_sid);

/*
 * An orphan is an inode without a name that lives until its last user is gone. Deleting one that is not there is fine.
 */
void store_batch_put_orphan(struct store_batch *, struct store_sid, struct store_ino);
void store_batch_delete_orphan(struct store_batch *, struct store_ino);

/* Content. The inode's size is a field of its record: the caller writes it in the same batch. */
void store_batch_write(
	struct store_batch *, struct store_sid, struct store_ino, uint64_t offset, const void *data, size_t len);
/*
 * Turns a range into a hole. One that reaches behind STORE_FILE_MAX costs one record, another one record for each chunk
 * there is in it: at most 1 GiB of content fits a batch for certain.
 */
void store_batch_punch(struct store_batch *, struct store_sid, struct store_ino, uint64_t offset, uint64_t len);

/* Everything committed before the call survives a power cut when it returns 0. Waits for the device. */
int store_sync(struct store *);
/* Bytes of log that a sync would have to write. */
uint64_t store_unsynced(struct store *);
/*
 * Places in the sequence of all batches: behind the last one, and behind the last one that survives a power cut. They
 * grow only, and start anew with each store_open.
 */
uint64_t store_position(struct store *);
uint64_t store_durable(struct store *);
/* When store_durable last grew, as store_stats.saved_at. */
int64_t store_saved_at(struct store *);
/* Moves everything committed before the call into the tree that is compressed, and waits for it. */
int store_flush(struct store *);

/* ---- figures ---------------------------------------------------------------------------------------------------- */

struct store_stats {
	uint64_t total, free; /* bytes that records and data may take, and of these what is left: for statfs */
	uint64_t hot_bytes, hot_size;   /* bytes in the logs; room in them now: they grow */
	uint64_t hot_limit;   /* to which each of them may; 0: read-only */
	uint64_t warm_bytes;  /* bytes of the data file in use */
	uint64_t flushes, flush_last_ns, flush_longest_ns;
	uint64_t batches, syncs;
	uint64_t drops;       /* dropped sessions of which something is left */
	uint64_t drops_damaged; /* of these such as wait for a repair */
	uint64_t dropped;     /* records of dropped sessions deleted so far */
	uint64_t chunk_hits, chunk_misses; /* of the cache of decompressed chunks */
	uint64_t unsaved_bytes; /* bytes in the log that a power cut would lose */
	int64_t saved_at;     /* everything up to then is durable, since the last save that had something to save */
	int last_error;       /* negative result of the last flush, 0 if it was fine; -ENOSPC: waiting for space */
};
void store_stats(struct store *, struct store_stats *ret);

/* ---- checking --------------------------------------------------------------------------------------------------- */

struct store_check_options {
	bool repair; /* needs the store for itself: STORE_BUSY while it is mounted */
	/*
	 * each finding, in a line without control characters; invariant as numbered in FORMAT.md, 0: damage below it
	 */
	void (*report)(void *arg, unsigned invariant, const char *text);
	void (*progress)(void *arg, uint64_t done, uint64_t all); /* or NULL */
	void *arg;
};
struct store_check_result {
	uint64_t sessions, inodes, names, chunks, bytes; /* looked at */
	uint64_t found, repaired, kept; /* findings; mended ones; inodes that went to lost+found */
};
/*
 * Verifies every invariant of FORMAT.md, beside a mount too (then of the last state that was flushed). 0 when it ran to
 * the end, whatever it found; else as store_open.
 */
int store_check(const char *path, const struct store_check_options *, struct store_check_result *ret,
	struct store_open_info *ret_info);
