/*
 * cache_expiry.h - files below a session's cache/: each goes when its own mtime is past `cache_ttl`, and the oldest
 * when there is more than `cache_size`. In-use ones stay, and all of them while the session is read-only.
 *
 * A name that is looked up is decided on before the answer; a listing leaves out what is over; the keeper walks through
 * cache/ for the rest. The record's cache_oldest, which no mtime below cache/ is older than, tells when that is worth
 * it: until then an access costs two comparisons. The sum of sizes is not kept: what was written to marks the session,
 * and the keeper counts soon after, so cache_size is a soft limit. What a listing left out before the keeper came to it
 * is there again, for listings and lookups alike, when the session becomes read-only meanwhile, or its times are set
 * anew. All is called with fs->lock held.
 */
#pragma once

#include "fs/expiry.h"
#include "fs/node.h"

struct cache_walk;

/* A name in dir is looked up. */
enum expiry cache_expiry_lookup(struct node *dir, const struct store_dirent *);
/* Not to be listed in dir; removed with that, while this moment of the wall's clock has not come. */
bool cache_expiry_leaves_out(struct node *dir, const struct store_dirent *, int64_t until);
/* The directory's files expire, if not now, so that the kernel may not keep its listing. */
bool cache_expiry_applies(struct node *dir);
/* Seconds for which the kernel may remember a name in dir for the node. */
double cache_expiry_timeout(struct node *dir, const struct node *);

/* ---- the walk, in cache_walk.c ----------------------------------------------------------------------------------- */

/* Something was written in a session, or came into its cache/: if there is a limit, it is to be counted. */
void cache_expiry_grew(struct session *);
/* Part of the keeper's walk; true while there is more. */
bool cache_expiry_step(struct fs *);
void cache_expiry_free(struct cache_walk *);

/* ---- what the walk knows of one file ----------------------------------------------------------------------------- */

/* The directory is cache/ or below it. */
bool cache_expiry_holds(struct node *dir);
/* By its mtime, if files expire by that. */
bool cache_expiry_is_due(const struct fs *, int64_t mtime, int64_t now);
/* What it counts for. */
uint64_t cache_expiry_size(const struct node *);
/* It goes, and is told. ENOENT or negative: it stays. */
int cache_expiry_remove(struct node *dir, const struct store_dirent *, struct node *);
/* Tells of those that went and were not told so far, also by the mount before. */
void cache_expiry_tell_rest(struct session *);
