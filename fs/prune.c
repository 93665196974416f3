/*
 * prune.c - see prune.h.
 */
#include "fs/prune.h"

#include <stdlib.h>

#include "fs/errand.h"
#include "fs/serve.h"
#include "fs/trash.h"

enum { SLICE = 256 }; /* what the kernel is told in one go */

struct pruning {
	struct session *session; /* held */
	struct node *at;         /* behind this one, which is pinned, it goes on; NULL: from the start */
	unsigned count;
	uint64_t ids[SLICE];
};

/*
 * The next ones. Those that come to the list later come before it. The newest are first: a directory goes after what is
 * in it.
 */
static void fill(struct pruning *p)
{
	struct node *node = p->at ? LIST_NEXT(p->at, siblings) : LIST_FIRST(&p->session->nodes), *last = NULL;

	for (p->count = 0; node && p->count < SLICE; node = LIST_NEXT(node, siblings)) {
		last = node;
		if (node->nlookup)
			p->ids[p->count++] = node->ino.n;
	}
	if (last)
		last->pins++;
	node_put(p->at);
	p->at = last;
}

static void end(struct pruning *p)
{
	p->session->prunes--;
	node_put(p->at);
	session_put(p->session);
	free(p);
}

/* A slice; what else is to be done beside the threads that serve comes in between. */
static int prune(struct fs *fs, void *subject)
{
	struct pruning *p = subject;
	bool more;

	fs_lock(fs);
	fill(p);
	more = p->at && p->session->record.ended;
	fs_unlock(fs);
	if (more && serve_prune(fs, p->ids, p->count) && errand_add(fs->chores, prune, p, NULL, NULL))
		return 0;
	fs_lock(fs);
	end(p);
	trash_drop_forgotten(fs); /* it may have held the last node */
	fs_unlock(fs);
	return 0;
}

void prune_session(struct session *session)
{
	struct fs *fs = session->fs;
	struct pruning *p = fs->chores && !LIST_EMPTY(&session->nodes) ? calloc(1, sizeof(*p)) : NULL;

	fs_assert_locked(fs);
	if (!p)
		return;
	p->session = session_ref(session);
	session->prunes++;
	if (!errand_add(fs->chores, prune, p, NULL, NULL))
		end(p);
}
