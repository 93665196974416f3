/*
 * prune.c - see prune.h.
 */
#include "fs/prune.h"

#include <stdlib.h>

#include "fs/control_node.h"
#include "fs/errand.h"
#include "fs/serve.h"
#include "fs/trash.h"

enum { SLICE = 256 }; /* what the kernel is told in one go */

/* Of thousands of sessions that wait: small. */
struct pruning {
	struct session *session; /* held */
	struct node *at;         /* behind this one, which is pinned, it goes on; NULL: from the start */
};

/* Its control files first: they lie below its directory. */
static unsigned fill_controls(const struct session *session, uint64_t ids[SLICE])
{
	const struct control_node *control;
	unsigned count = 0;

	LIST_FOREACH(control, &session->controls, siblings)
		if (count < SLICE / 2)
			ids[count++] = control->id;
	return count;
}

/*
 * The next ones. Those that come to the list later come before it. The newest are first: a directory goes after what is
 * in it.
 */
static unsigned fill(struct pruning *p, uint64_t ids[SLICE])
{
	struct node *node = p->at ? LIST_NEXT(p->at, siblings) : LIST_FIRST(&p->session->nodes), *last = NULL;
	unsigned count = p->at ? 0 : fill_controls(p->session, ids);

	for (; node && count < SLICE; node = LIST_NEXT(node, siblings)) {
		last = node;
		if (node->nlookup)
			ids[count++] = node->ino.n;
	}
	if (last)
		last->pins++;
	node_put(p->at);
	p->at = last;
	return count;
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
	uint64_t ids[SLICE];
	unsigned count;
	bool more;

	fs_lock(fs);
	count = fill(p, ids);
	more = p->at && p->session->record.ended;
	fs_unlock(fs);
	if (more && serve_prune(fs, ids, count) && errand_add(fs->chores, prune, p, NULL, NULL))
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
