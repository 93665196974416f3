/*
 * reply.c - see reply.h.
 */
#include "fs/reply.h"

#include <limits.h>
#include <stdlib.h>

#include "fs/errand.h"
#include "fs/error.h"
#include "fs/fault.h"

void reply_of(fuse_req_t req, const char *operation, fuse_ino_t ino, const char *name, int r)
{
	int error = error_errno(operation, r);

	if (error)
		fault_note(fs_of(req), operation, id_of(ino), name, error);
	fuse_reply_err(req, error);
}

void reply(fuse_req_t req, const char *operation, int r)
{
	const char *name = NULL;
	fuse_ino_t ino = serve_request(&name);

	reply_of(req, operation, ino, name, r);
}

static bool in_group(const struct caller *caller, gid_t gid)
{
	gid_t groups[NGROUPS_MAX > 1024 ? 1024 : NGROUPS_MAX];
	int n;

	if (caller->gid == gid)
		return true;
	n = fuse_req_getgroups(caller->context, sizeof(groups) / sizeof(*groups), groups);
	if (n > (int)(sizeof(groups) / sizeof(*groups)))
		n = sizeof(groups) / sizeof(*groups);
	while (n > 0)
		if (groups[--n] == gid)
			return true;
	return false;
}

struct caller reply_caller(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct caller){.uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid, .umask = ctx->umask,
		.in_group = in_group, .context = req};
}

static int run(struct fs *fs, void *subject)
{
	struct deferred *d = subject;

	(void)fs;
	d->answer(d, d->text);
	free(d);
	return 0;
}

bool reply_hand_over(const struct deferred *what, const char *text, size_t len)
{
	struct deferred *d = malloc(sizeof(*d) + len);

	if (!d)
		return false;
	*d = *what;
	memcpy(d->text, text, len);
	if (errand_add(fs_of(what->req)->slow, run, d, NULL, NULL))
		return true;
	free(d);
	return false;
}

bool reply_defer(const struct deferred *what, const char *name)
{
	return rules_is_slow(fs_of(what->req), id_of(what->ino), name)
		&& reply_hand_over(what, name, strlen(name) + 1);
}
