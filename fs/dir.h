/*
 * dir.h - what the rules about names share.
 */
#pragma once

#include "fs/change.h"
#include "fs/rules.h"

/* A directory in which names may be changed: its node. ENOTDIR, ENOENT if it was removed, ENAMETOOLONG for the name. */
int dir_find(struct fs *, struct fs_id, const char *name, struct node **ret);
/* The name in a directory. ENOENT. */
int dir_find_name(struct node *dir, const char *name, struct store_dirent *ret);
/* A name of a control directory, which is there without being listed. */
bool dir_is_hidden(const struct node *dir, const char *name);
/* EPERM, explained: the root takes no such name. */
int dir_refuse_in_root(void);
/* A name as the store takes it: of an inode of that type, and of a node. */
struct store_dirent dir_entry_of(struct store_sid, struct store_ino, mode_t type, const char *name);
struct store_dirent dir_entry(const struct node *, const char *name);
/* A directory's inode is to say that it lies in dir, and which view it is by its name, if any. */
void dir_set_parent(struct store_inode *, const struct node *dir, const char *name);
/* The view that a name in dir counts for: for a directory's name, that of the files below it. */
int dir_view(struct node *dir, const char *name, mode_t, enum store_view *ret);
/* Fills an entry and takes a reference for the kernel. */
void dir_refer(struct node *, struct entry *ret);
/* The same for a name in dir, whose file may expire. */
void dir_refer_in(struct node *dir, struct node *, struct entry *ret);
/* rules_forget for who holds the lock. */
void forget_locked(struct fs *, const struct forget_item *, size_t count);
/* rules_settle for who holds the lock. */
void forget_settle(struct fs *);

/* What a session's directory holds when it may be removed: views, and nothing in them. */
struct session_content {
	unsigned count;
	bool other; /* there is more */
	struct store_dirent names[STORE_OTHER];
	struct node *views[STORE_OTHER]; /* pinned */
};
/* ENOTEMPTY. To be released in any case. */
int session_content_load(struct node *top, struct session_content *);
/* EBUSY: it was set as the current one, which has to stay. */
int session_check_current(const struct session *);
/* The same, or EROFS: it is read-only. */
int session_check_removal(const struct session *);
/* Deletes the session, its directory and its views, but for a tombstone; and, once that is committed, notes it. */
void session_content_delete(struct change *, struct node *top, const struct session_content *);
void session_content_deleted(const struct change *, struct node *top);
void session_content_release(struct session_content *);
