/* path.h - absolute paths, and what is mounted on them. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/*
 * The absolute path without symlinks, for the caller to free. Its last part need not be there, nor answer (a dead
 * mount); NULL with errno set if what stands before it is not there.
 */
char *path_resolve(const char *path);
/* Both resolved: inner is outer or lies below it. */
bool path_within(const char *inner, const char *outer);

/* Whether a directory looks like a store; only store_open knows. */
bool path_holds_store(const char *path);
/* Also of one whose data.mdb is gone. */
bool path_holds_logs(const char *path);

/* A mount whose daemon is gone: asked with a request that the kernel does not answer from what it remembers. */
bool path_is_dead(const char *dir);

struct mounted {
	char *dir, *type, *source;
	bool read_only;
	bool whole; /* all of the filesystem, not a directory of it that was bound elsewhere */
};
void mounted_release(struct mounted *);
/* The mount seen at a resolved directory; false if nothing is mounted right there. */
bool mounted_at(const char *dir, struct mounted *ret);
/* A sessfs mount of the store at a resolved path. */
bool mounted_store(const char *store, struct mounted *ret);
/* The same as the process sees it, which may live in another mount namespace. */
bool mounted_store_by(int pid, const char *store, struct mounted *ret);
/* The mount that a resolved path lies on. */
bool mounted_over(const char *path, struct mounted *ret);
/* Every mount in the order of the table; what is given lives for the call. */
void mounted_each(void (*each)(void *arg, const struct mounted *), void *arg);
/* The same of a file like /proc/self/mountinfo; NULL is an empty one. */
void mounted_each_in(FILE *, void (*each)(void *arg, const struct mounted *), void *arg);
bool mounted_is_sessfs(const struct mounted *);

/*
 * Takes the mount away, as root itself, else with fusermount3 (which then says why not); lazy: also while it is in use
 * or dead. 0 or an errno.
 */
int path_unmount(const char *dir, bool lazy);
