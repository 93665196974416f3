/*
 * check.h - what the files of check share: tables of all inodes, names and sessions, filled by one pass over the store.
 *
 *   check_record.c says of a record by itself whether it can be
 *   check_scan.c   reads every record, of warm and of what the logs hide of it, into the tables
 *   check_tree.c   compares the tables with each other: names, links, counters
 *   check_life.c   what a session's record says of its life, and endings
 *   check_new.c    writes data.mdb anew from the records that are sound
 *   check_mend.c   mends what the tables disagree in
 *   check_keep.c   lost+found
 *
 * Inodes and names take some 100 bytes of memory each.
 */
#pragma once

#include <stdio.h>

#include "store/internal.h"
#include "store/pages.h"

struct checked_inode {
	uint64_t ino, size, parent; /* as its record says */
	uint64_t named_in, cookie;  /* a name that was found: its directory and place */
	uint64_t entries;           /* names found in it */
	int64_t mtime;
	uint32_t sid, mode, nlink, names, subdirs;
	uint32_t texts;     /* bits of the texts of a session that are kept with it */
	uint8_t view;       /* of the record */
	uint8_t named_view; /* what its name at the session's top makes it: 1 + enum store_view; else 0 */
	uint8_t files_view; /* what files in it count for: 1 + enum store_view, 0: not yet known */
	uint8_t reach;      /* enum reach */
	bool orphan, root, has_xattrs, flagged;
	bool hurt; /* content of it is lost */
};

enum reach { REACH_UNKNOWN, REACH_ASKING, REACH_YES, REACH_NO };

struct checked_name {
	uint64_t dir, ino, cookie;
	uint32_t sid, target_sid, type;
	uint32_t view; /* 1 + enum store_view, as the name of a directory */
	bool again;    /* its directory has this name already */
};

struct checked_session {
	struct store_session record;          /* without extra; its first member is the number */
	uint64_t files[STORE_VIEWS], logical; /* counted */
	int64_t cache_oldest;                 /* mtime that was found */
	bool named;
};

struct checked_ending {
	uint32_t sid;
};

struct checked_orphan {
	uint64_t ino;
	uint32_t sid;
};

/* Accounts as warm has them, and where it says that a session's events are. */
struct checked_account {
	uint32_t sid;
	uint64_t account, sum;
	uint64_t root, first_event, end_event;
};

#define TABLE(type)                                                                                                    \
	struct {                                                                                                       \
		struct type *list;                                                                                     \
		size_t count, room;                                                                                    \
	}

struct check {
	const struct store_check_options *options;
	struct store_check_result *result;
	struct store *store;
	struct codec_ctx *codec;
	uint8_t *raw; /* STORE_CHUNK_SIZE */
	struct gather pieces;
	uid_t uid; /* of the store's directory, and so of what is made up */
	gid_t gid;
	bool quiet;
	FILE *held; /* findings, a line each, of which it is not yet known whether they count; NULL: all do */
	bool new_data; /* something was found that only a new data.mdb mends */
	bool old_kept; /* data.mdb as this repair found it is data.mdb.damaged by now */
	unsigned foreign; /* logs of another store, as in store_open_info */
	int error;     /* what the tables, or the new data.mdb, lack because of it is not known to be damaged */
	struct super super;
	uint64_t ino_end, sid_end; /* behind the highest numbers seen */

	TABLE(checked_inode) inodes;
	TABLE(checked_name) names;
	TABLE(checked_session) sessions;
	TABLE(checked_orphan) orphans;
	TABLE(checked_account) accounts;
	TABLE(checked_ending) endings;

	/* the inode that the pass is at in warm */
	struct {
		struct key key, last;
		bool present, any;
		uint32_t mode;
		uint64_t size, account, sum;
	} at;
	struct entry *active, *sealed; /* of the logs, not yet passed */
	uint64_t done, all;
};

/* Makes room for one more and returns it, or NULL and sets c->error. */
#define table_add(c, table)                                                                                            \
	((typeof((table)->list))check_grow(                                                                            \
		c, (void **)&(table)->list, &(table)->count, &(table)->room, sizeof *(table)->list))
void *check_grow(struct check *, void **list, size_t *count, size_t *room, size_t size);

/* ---- check.c -- */
__attribute__((format(printf, 3, 4))) void check_finding(struct check *, unsigned invariant, const char *format, ...);
enum { CHECK_TEXT = 700 };
/* Session and path of an inode, in words. */
const char *check_describe(struct check *, const struct checked_inode *, char text[CHECK_TEXT]);
bool check_read_name(struct check *, uint32_t sid, uint64_t dir, uint64_t cookie, struct store_dirent *ret);
const char *check_describe_session(struct check *, uint32_t sid, char text[CHECK_TEXT]);
/* An inode of that type and these permissions in the place of one that is lost, or as lost+found. */
struct store_inode check_make_up(const struct check *, uint32_t mode);

static inline struct store_ino ino_of(uint64_t n)
{
	return (struct store_ino){n};
}

static inline struct store_sid sid_of(uint32_t n)
{
	return (struct store_sid){n};
}

/* ---- check_record.c -- */
/* False if the body is no such record; or, with c->error, if memory ran out. */
bool check_decode(struct check *, const struct schema *, const struct found *, void *ret_object);
/* Whether a record of the kind may have the body. As check_decode. */
bool check_body(struct check *, const struct key *, const struct found *);
/*
 * Why a record of warm cannot stay, with its invariant, or NULL; it says nothing once there is a c->error. Records come
 * in the order of keys. Of content *v becomes the whole value, decoded in c->raw; a piece that is not the main one is
 * kept for that.
 */
const char *check_refuse(struct check *, const struct key *, struct page_value *v, unsigned *ret_invariant);
bool check_is_piece(const struct key *);

/* ---- check_scan.c -- */
/* Fills the tables, sorted. 0, or why it could not be done. */
int check_scan(struct check *);
void check_release(struct check *);
struct checked_inode *check_inode(struct check *, uint32_t sid, uint64_t ino);
struct checked_session *check_session(struct check *, uint32_t sid);
struct checked_account *check_account(struct check *, uint32_t sid);
struct checked_ending *check_ending(struct check *, uint32_t sid);
/* Whether the session is dropped: what is left of it is nobody's business but drop.c's. */
bool check_is_dropped(struct check *, uint32_t sid);
/* How many of a chunk's bytes may be other than zero, of a file of that mode and size. 0: it may have none. */
uint64_t check_content(struct check *, const struct key *, uint32_t mode, uint64_t size);

/* ---- check_tree.c -- */
int check_tree(struct check *);

/* ---- check_life.c -- */
void check_life(struct check *);
/* Whether a session in the trash has none though it should. */
bool check_lacks_ending(struct check *, const struct checked_session *);
/* The bit of a text that an attribute with the name is, or 0. */
uint32_t check_text_bit(const char *name, size_t len);
/* Makes the record say what it must. False if it does already. */
bool check_correct(const struct checked_session *, const struct checked_inode *root, struct store_session *record);

/* ---- check_new.c -- */
/* Writes data.mdb anew; keeps the old one as data.mdb.damaged. Called with no store open, the lock held. */
int check_new_data(const char *path, struct check *);

/* ---- check_mend.c -- */
/* *ret_any: whether anything was changed. */
int check_mend(struct check *, bool *ret_any);

/* ---- check_keep.c -- */
/* Copies what the inode is, below it too, to a name in lost+found; the original is deleted. */
int check_keep(struct check *, struct checked_inode *);
