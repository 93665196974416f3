/*
 * reply.h - what operations (ops.c) have in common: who asks, how an error is answered and noted, and answers that
 * another thread gives.
 */
#pragma once

#include "fs/ops.h"
#include "fs/rules.h"

static inline struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline struct fs_id id_of(fuse_ino_t ino)
{
	return (struct fs_id){ino};
}

/* Of the program that asks. It refers to the request, and is good until that is answered. */
struct caller reply_caller(fuse_req_t);

/* By the thread that read the request: 0 or what the rules returned. */
void reply(fuse_req_t, const char *operation, int r);
/* By any thread. ino: the node that was asked; name: of what is asked for in it, or NULL. */
void reply_of(fuse_req_t, const char *operation, fuse_ino_t ino, const char *name, int r);

/* A request that another thread answers. */
struct deferred {
	fuse_req_t req;
	fuse_ino_t ino;
	void (*answer)(const struct deferred *, const char *text);
	/* of a listing, an attribute, or a write */
	size_t size;
	off_t offset;
	bool plus;
	unsigned flags;
	/* of a lookup and an attribute the name, of a write the data */
	char text[];
};

/* False: there is no memory, or no such thread; the request is still the caller's to answer. Text is copied. */
bool reply_hand_over(const struct deferred *, const char *text, size_t len);
/* Whether it takes long and was handed over. name: "" for a listing. */
bool reply_defer(const struct deferred *, const char *name);
