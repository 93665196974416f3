/*
 * control.h - the control files: .sessfs in the root, .session in each session. They are made up, not stored.
 *
 * Each lookup of a control file makes a new node that holds the content of that moment; it goes with its forget. So
 * whoever opened one reads one consistent content of true size, without a handle. The inode number that stat(2) shows
 * stays, as programs that copy files expect it. All but control_is_id is called with fs->lock held.
 */
#pragma once

#include "fs/rules.h"

#define CONTROL_ROOT_NAME ".sessfs"
#define CONTROL_SESSION_NAME ".session"

/* Ids of control nodes: above every inode number and below 2^53. First one for each session's directory, then files. */
#define CONTROL_ID_FIRST (UINT64_C(1) << 52)
#define CONTROL_ID_FILES (CONTROL_ID_FIRST + (UINT64_C(1) << 40))
/* Inode numbers of files, as stat(2) shows them: CONTENT_ROWS for each session. A directory's is its id. */
#define CONTROL_INO_FILES (CONTROL_ID_FIRST + (UINT64_C(1) << 32))

static inline bool control_is_id(struct fs_id id)
{
	return id.n >= CONTROL_ID_FIRST;
}

/* The directory itself: .session of a session, .sessfs of the root's. */
int control_lookup_dir(struct fs *, struct session *, struct entry *ret);
int control_lookup(struct fs *, struct fs_id dir, const char *name, struct entry *ret);
int control_attr(struct fs *, struct fs_id, struct stat *ret, double *ret_timeout);
int control_read(struct fs *, struct fs_id, uint64_t offset, char *buf, size_t len, size_t *ret);
/* All of a file is data. */
int control_seek(struct fs *, struct fs_id, uint64_t offset, bool data, uint64_t *ret);
int control_list(struct fs *, struct fs_id dir, uint64_t from, dir_add, void *arg);
/* The session it belongs to (the root's for .sessfs), or NULL. */
struct session *control_session(struct fs *, struct fs_id);
void control_forget(struct fs *, struct fs_id, uint64_t count);
void control_free_all(struct fs *);
