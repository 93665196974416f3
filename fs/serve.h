/*
 * serve.h - the connection to the kernel: beginning, end, the request that a thread is serving (serve_threads.c), what
 * the kernel is asked and told of itself (serve_kernel.c). fs_mount, fs_serve and fs_stop are here too.
 */
#pragma once

#include "fs/node.h"

struct server;

int serve_new(struct fs *, struct server **ret);
/* Unmounts if it is mounted. NULL is fine. */
void serve_free(struct server *);
/*
 * The kernel is to write what it holds changed of a file, and then to forget its content. Returns when that is done,
 * for which other threads must serve: no lock may be held.
 */
void serve_forget_content(struct fs *, struct fs_id);
/*
 * The kernel is to hold these bytes of a file's content, which grows if they lie behind its end, and reads as it is
 * now meanwhile. As above, no lock may be held. ENOENT: it knows no such file any more.
 */
int serve_give_content(struct fs *, struct fs_id, uint64_t offset, void *data, size_t len);

/*
 * The number by which the kernel knows the mount that was just made there; -1: not to be found out. Asks nothing of the
 * mount itself.
 */
int serve_connection(const char *mount_path);
/* All requests end, with ECONNABORTED, and so do all that come. */
void serve_abort(int connection);

/* Whether this thread may wait for what the kernel asks meanwhile: it is not one of those that take its requests. */
bool serve_may_wait(void);

/* The thread whose request this thread is serving; 0: none. */
pid_t serve_caller(void);

/* ---- without a request of the kernel's --------------------------------------------------------------------------- */

/*
 * These five take no lock of the kernel's that a process may hold while it waits for an answer of ours: they may be
 * called within a request, with fs->lock held.
 */

/* Whether the kernel holds the inode. True also where it cannot be asked. */
bool serve_is_held(struct fs *, struct fs_id);
/* Has the kernel drop those of these inodes that it only caches, the later ones last. False: it does not know how. */
bool serve_prune(struct fs *, const uint64_t *ids, unsigned count);
/* The open file of that number, which waits in poll(2), is to ask again. */
void serve_wake_poll(struct fs *, uint64_t handle);
/* The kernel's copy of an inode's attributes is out of date, and so is what it was told until now. */
void serve_forget_attr(struct fs *, struct fs_id);
/* The kernel's copy of a directory's listing and attributes is out of date. */
void serve_forget_listing(struct fs *, struct fs_id dir);

/*
 * The name is not there any more. Waits for the directory's lock, so not to be called within a request, nor with
 * fs->lock held.
 */
void serve_forget_name(struct fs *, struct fs_id dir, const char *name);
