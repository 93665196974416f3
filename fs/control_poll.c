/*
 * control_poll.c - who waits in poll(2) for more in events.jsonl.
 *
 * As with files of sysfs, POLLPRI says so: that there are bytes behind those that the kernel asked for, or, if it asked
 * for none, behind those there were at the lookup. With writeback it does not ask, but is given them
 * (control_follow.c): then POLLPRI is that it was given some since POLLPRI was told last to anybody of that lookup.
 *
 * An open file that waits is told once, and asks again; so that is all that is kept of it.
 */
#include <poll.h>
#include <stdlib.h>

#include "fs/control_node.h"
#include "fs/serve.h"

enum { WAITING_MAX = 4096 }; /* of one lookup: beyond that all are told, most of which will have been closed */

/* Where what can be read now ends. */
static uint64_t end_of(const struct control_node *node)
{
	return node->session->fs->options.writeback ? node->known : control_stream_size(node);
}

void control_poll_tell(struct control_node *node)
{
	struct fs *fs = node->session->fs;

	while (node->waiting_count)
		serve_wake_poll(fs, node->waiting[--node->waiting_count]);
}

/* False: there is no memory. */
static bool wait_for_more(struct control_node *node, uint64_t handle)
{
	unsigned count = node->waiting_count;
	uint64_t *more;

	for (unsigned i = 0; i < count; i++)
		if (node->waiting[i] == handle)
			return true;
	if (count == WAITING_MAX)
		control_poll_tell(node);
	else if ((count & (count - 1)) == 0) {
		more = realloc(node->waiting, (count ? 2 * count : 1) * sizeof(*more));
		if (!more)
			return false;
		node->waiting = more;
	}
	node->waiting[node->waiting_count++] = handle;
	return true;
}

unsigned rules_poll(struct fs *fs, struct fs_id id, uint64_t handle)
{
	struct control_node *node;
	FS_GUARD(fs);

	if (control_find(fs, id, &node) || node->row->kind != CONTENT_STREAM)
		return 0;
	if (node->session->removed)
		return POLLERR | POLLPRI;
	if (end_of(node) > node->seen) {
		if (fs->options.writeback)
			node->seen = end_of(node);
		return POLLPRI;
	}
	return handle && !wait_for_more(node, handle) ? POLLERR : 0;
}

void control_poll_tell_all(struct session *session)
{
	struct control_node *node;

	LIST_FOREACH(node, &session->controls, siblings)
		control_poll_tell(node);
}
