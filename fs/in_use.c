/*
 * in_use.c - see in_use.h.
 */
#include "fs/in_use.h"

#include <sys/stat.h>

#include "fs/control_node.h"
#include "fs/serve.h"

/* Questions that one request may cost, about a microsecond each; beyond it there is doubt. */
enum { QUESTIONS_MAX = 1024 };
#define ASKED_NS (10 * FS_SECOND)

/* Sixteen KiB: not to be set as a whole, where thousands of sessions are asked about. */
struct questions {
	unsigned count;
	bool lately; /* the kernel was told names of it in the last second */
	uint64_t ids[QUESTIONS_MAX];
	struct node *nodes[QUESTIONS_MAX]; /* NULL: of a control file */
};

/*
 * Something that the kernel was told of, and was not seen to hold since, it does not hold: the answer is still on its
 * way, or the process that waits for it has not taken it in. (Or it has given it up at once, and is about to say so.)
 * To be asked before the kernel drops anything.
 */
static bool is_on_its_way(struct fs *fs, const struct questions *q)
{
	bool on_its_way = false;

	for (unsigned i = 0; i < q->count; i++)
		if (q->nodes[i] && serve_is_held(fs, (struct fs_id){q->ids[i]}))
			q->nodes[i]->taken = true;
		else if (q->nodes[i] && !q->nodes[i]->taken)
			on_its_way = true;
	return on_its_way;
}

static enum in_use ask(struct fs *fs, const struct questions *q)
{
	enum in_use answer = q->lately && is_on_its_way(fs, q) ? IN_USE_DOUBT : IN_USE_NO;
	bool pruned = serve_prune(fs, q->ids, q->count);

	for (unsigned i = 0; i < q->count; i++) {
		if (!serve_is_held(fs, (struct fs_id){q->ids[i]}))
			continue;
		/* A directory may be held by names that were found absent in it, one of controls by what is below. */
		answer = IN_USE_DOUBT;
		if (pruned && q->nodes[i] && !S_ISDIR(q->nodes[i]->inode.mode))
			return IN_USE_YES;
	}
	return answer;
}

static bool add(struct questions *q, uint64_t id, struct node *node)
{
	if (q->count == QUESTIONS_MAX)
		return false;
	q->ids[q->count] = id;
	q->nodes[q->count++] = node;
	return true;
}

static bool add_node(struct questions *q, struct node *node)
{
	return !node->nlookup || add(q, node->ino.n, node);
}

/* Its control files, which lie below its directory: they count as that does. */
static bool add_controls(struct questions *q, struct session *session)
{
	struct control_node *control;

	LIST_FOREACH(control, &session->controls, siblings)
		if (!add(q, control->id, NULL))
			return false;
	return true;
}

enum in_use in_use_session(struct fs *fs, struct store_sid sid)
{
	struct session *session = session_find(fs, sid);
	struct questions q;
	struct node *node;

	q.count = 0;
	if (!session)
		return IN_USE_NO;
	q.lately = session_clock() - session->referred < FS_SECOND;
	if (!add_controls(&q, session))
		return IN_USE_DOUBT;
	LIST_FOREACH(node, &session->nodes, siblings)
		if (!add_node(&q, node))
			return IN_USE_DOUBT;
	return ask(fs, &q);
}

enum in_use in_use_file(struct node *node)
{
	struct questions q;
	enum in_use answer;

	q.count = 0;
	q.lately = false;
	add_node(&q, node);
	answer = ask(node->session->fs, &q);
	/* Nothing is below a file: what holds it is its user, or the process that is looking it up. */
	return answer == IN_USE_NO ? IN_USE_NO : IN_USE_DOUBT;
}

/* The question that this process has asked before, or NULL with a place for it, which may be NULL too. */
static struct fs_asked *find_asked(struct fs *fs, pid_t caller, uint64_t node, int64_t now, struct fs_asked **ret_free)
{
	*ret_free = NULL;
	for (struct fs_asked *a = fs->asked; a < fs->asked + FS_ASKED_MAX; a++) {
		if (a->node == node && a->caller == caller)
			return a;
		/* Who was interrupted does not ask again. */
		if (!a->node || now - a->at > ASKED_NS || now < a->at)
			*ret_free = a;
	}
	return NULL;
}

enum in_use in_use_looked_up(struct fs *fs, enum in_use answer, struct store_ino ino)
{
	int64_t now = fs_now();
	struct fs_asked *asked, *place;

	fs_assert_locked(fs);
	asked = find_asked(fs, serve_caller(), ino.n, now, &place);
	if (asked)
		asked->node = 0;
	if (answer != IN_USE_DOUBT)
		return answer;
	if (asked || !place)
		return IN_USE_YES;
	*place = (struct fs_asked){.caller = serve_caller(), .node = ino.n, .at = now};
	return IN_USE_DOUBT;
}
