/*
 * content.h - the table of the control files: one row for each, and one function for what is in it.
 *
 * The functions of a row are called with fs->lock held and return results as of error.h. `session` is that of the
 * file's directory; the root's for .sessfs.
 */
#pragma once

#include <jansson.h>

#include "fs/node.h"
#include "fs/text.h"

enum content_kind {
	CONTENT_FILE,   /* made at each lookup: a snapshot */
	CONTENT_TEXT,   /* a text of text.h */
	CONTENT_STREAM, /* events.jsonl */
	CONTENT_DIR,
	CONTENT_LINK,
};

enum content_flag {
	/* Making it, or listing it, takes long: a thread beside those that serve does it, in slices (fs_pause). */
	CONTENT_SLOW = 1,
	CONTENT_SUMS = 4,   /* session_show has part in making it: as slow as that, see session_is_large */
	CONTENT_SHARED = 2, /* directory in which whoever may write in the root may write */
};

struct content_row;

/* A directory with made-up names: its row, and the word by which it is one of several ("red" of by-tag), or "". */
struct content_dir {
	struct session *session;
	const struct content_row *row;
	const char *word;
};

/* What a made-up name stands for. */
struct content_name {
	const struct content_row *row; /* NULL: the directory of a session */
	struct store_sid sid;          /* the session it leads to, or 0 */
	struct store_ino ino;          /* of a session's directory, when it is listed */
	char name[STORE_NAME_MAX + 1];
};

/* Takes one name of a listing; true ends it. next: the place behind it. */
typedef bool (*content_each)(void *arg, const struct content_name *, uint64_t next);

struct content_names {
	/* ENOENT */
	int (*find)(const struct content_dir *, const char *name, struct content_name *ret);
	/* From a place (0: the start), below 2^62, on. */
	int (*list)(const struct content_dir *, uint64_t from, content_each, void *arg);
	/* NULL: not allowed. A directory that comes from elsewhere, one that goes elsewhere, one that is removed. */
	int (*enter)(struct fs *, struct fs_id from, const char *name, struct fs_id to, const char *to_name,
		unsigned flags);
	int (*leave)(struct fs *, const char *name, struct fs_id to, const char *to_name, unsigned flags);
	int (*remove)(struct fs *, const char *name);
};

struct content_row {
	const char *name; /* NULL: ends the rows of a directory */
	enum content_kind kind;
	unsigned flags;
	/* of a file that can be read, one of them: text for the caller to free, or members of an object */
	int (*text)(struct session *, char **ret, size_t *ret_len);
	int (*json)(struct session *, json_t *object);
	/*
	 * of a file, or text, that can be written: takes all of its new text, which is zero-terminated and holds no
	 * other zero. EINVAL, having said why (fault_explain), if it is none; then nothing has changed.
	 */
	int (*set)(struct session *, const char *text, size_t len);
	/* The same for a text whose beginning was taken before, from the same open file; NULL: no different. */
	int (*go_on)(struct session *, const char *text, size_t len);
	enum text which; /* of a text */
	int (*target)(struct session *, char *ret, size_t size); /* of a link */
	/* of a directory */
	const struct content_row *rows;    /* fixed names, or NULL */
	const struct content_names *names; /* made-up ones, or NULL */
};

enum { CONTENT_ROWS = 64 }; /* a directory has no more of them */

/* .session and .sessfs */
extern const struct content_row content_session_dir, content_root_dir;

/* The row of a fixed name, or NULL. */
const struct content_row *content_find(const struct content_row *dir, const char *name);
/* What a file or text holds now, for the caller to free; zero-terminated. */
int content_make(const struct content_row *, struct session *, char **ret, size_t *ret_len);
/* What is in the files: content_session.c, content_files.c */
int content_info(struct session *, json_t *object);
int content_files(struct session *, char **ret, size_t *ret_len);
int content_errors(struct session *, char **ret, size_t *ret_len);
/* content_mount.c, content_metrics.c, content_history.c */
int content_version(struct session *, char **ret, size_t *ret_len);
int content_config(struct session *, json_t *object);
int content_sessions(struct session *, char **ret, size_t *ret_len);
int content_stats(struct session *, json_t *object);
int content_metrics(struct session *, char **ret, size_t *ret_len);
int content_history(struct session *, json_t *object);
int content_endings(struct session *, char **ret, size_t *ret_len);
int content_expiring(struct session *, char **ret, size_t *ret_len);
/* For them: the path of a session. */
json_t *content_path(const struct fs *, const char *name);
