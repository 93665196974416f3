/*
 * control.h - the control files: .sessfs in the root, .session in each session. They are made up, not stored; what
 * there is, and what is in it, is in content.h.
 *
 * Each lookup of a control file makes a new node that holds the content of that moment; it goes with its forget. So
 * whoever opened one reads one consistent content of true size, without a handle. The inode number that stat(2) shows
 * stays, as programs that copy files expect it. A directory has one node.
 *
 * There is no handle to gather writes in either: `echo paused > status` arrives as LOOKUP, SETATTR of size 0, WRITE.
 * The node's text is the buffer; after each WRITE all of it is the value that is set, or refused:
 *
 *   text as of the lookup --size 0--> empty, what was there is kept --WRITE, valid--> set --WRITE behind it--> set
 *                                        \--WRITE, not valid--> empty, a text is what was there <--not valid--/
 *
 * An empty text is a value, so truncating sets it; of other files truncating changes nothing but the node.
 *
 * A program that writes a new file and renames it over the old one, as `sed -i` does, is refused (EPERM).
 *
 * All but control_is_id and control_trash_id is called with fs->lock held.
 */
#pragma once

#include "fs/rules.h"

#define CONTROL_ROOT_NAME ".sessfs"
#define CONTROL_SESSION_NAME ".session"

/*
 * Ids of control nodes: above every inode number and below 2^53. First one for each session's .session, then those of
 * files, one after the other, then those of the other directories.
 */
#define CONTROL_ID_FIRST (UINT64_C(1) << 52)
#define CONTROL_ID_FILES (CONTROL_ID_FIRST + (UINT64_C(1) << 40))
/*
 * Inode numbers as stat(2) shows them. Of files with a row: CONTENT_ROWS for each session; of what is made up: by their
 * path; of a directory: its id.
 */
#define CONTROL_INO_FILES (CONTROL_ID_FIRST + (UINT64_C(1) << 32))
#define CONTROL_INO_MADE (CONTROL_ID_FIRST + (UINT64_C(1) << 51))

static inline bool control_is_id(struct fs_id id)
{
	return id.n >= CONTROL_ID_FIRST;
}

/* The directory itself: .session of a session, .sessfs of the root's. */
int control_lookup_dir(struct fs *, struct session *, struct entry *ret);
int control_lookup(struct fs *, struct fs_id dir, const char *name, struct entry *ret);
int control_list(struct fs *, struct fs_id dir, uint64_t from, dir_add, void *arg);
int control_attr(struct fs *, struct fs_id, struct stat *ret, double *ret_timeout);
int control_read(struct fs *, struct fs_id, uint64_t offset, char *buf, size_t len, size_t *ret);
int control_readlink(struct fs *, struct fs_id, char *buf, size_t size);
/*
 * Events were added to a session: who waits for them is told. With writeback the kernel, which then knows better how
 * large a file is, has to be given them first, if the session is `followed`.
 */
void control_grown(struct session *);
/* Who waits in poll(2) for more of the session's events is to ask again. */
void control_poll_tell_all(struct session *);
/* The events of a session before this position are about to go: who reads them ends the line that he is in. */
void control_stream_keep(struct session *, uint64_t cut);
/* All of a file is data. */
int control_seek(struct fs *, struct fs_id, uint64_t offset, bool data, uint64_t *ret);
/* The session it belongs to (the root's for .sessfs), or NULL. */
struct session *control_session(struct fs *, struct fs_id);
/* The same of any node. */
struct session *control_owner(struct fs *, struct fs_id);
/* That of .sessfs/trash. */
struct fs_id control_trash_id(void);
/* Its name in the table, static; NULL if it is not known. */
const char *control_name(struct fs *, struct fs_id);
void control_forget(struct fs *, struct fs_id, uint64_t count);
void control_free_all(struct fs *);

/* control_write.c */
int control_set_attr(struct fs *, struct fs_id, unsigned fields, const struct stat *);
int control_write(struct fs *, struct fs_id, uint64_t offset, const char *data, size_t len, size_t *ret);

/* control_change.c: what may be made, removed and renamed. Of a rename one directory or both are of control files. */
int control_make(struct fs *, struct fs_id dir, const char *name, const struct creation *, struct entry *ret);
int control_unlink(struct fs *, struct fs_id dir, const char *name);
int control_rmdir(struct fs *, struct fs_id dir, const char *name);
/* EPERM, explained: control files are not made, removed or renamed. */
int control_refuse(void);
/* Removing .session, or what is in it: 0, and nothing happens, where that is part of removing the session. */
int control_pass_over(struct session *);
int control_rename(struct fs *, struct fs_id from, const char *name, struct fs_id to, const char *to_name,
	unsigned flags);
