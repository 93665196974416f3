/*
 * control_follow.c - events.jsonl under -o writeback: the kernel believes its own size of a file, so a reader that has
 * it open sees new lines only if the kernel is given them.
 *
 * Not so a file that is open for writing: what was written, and is still with the kernel, would be lost under it. Who
 * has it open for what is told by its first read only: `tail -n 0 -f`, which reads nothing before there is something
 * new, sees nothing.
 */
#include <errno.h>

#include "fs/control_node.h"
#include "fs/errand.h"
#include "fs/serve.h"

enum { PIECE = 32768 };

void rules_follow(struct fs *fs, struct fs_id id)
{
	struct control_node *node;

	if (!control_is_id(id))
		return;
	FS_GUARD(fs);
	if (control_find(fs, id, &node) || node->row->kind != CONTENT_STREAM || node->written)
		return;
	node->followed = true;
	node->session->followed = true;
	if (node->known < control_stream_size(node))
		control_grown(node->session); /* since the lookup */
}

struct piece {
	struct fs_id id;
	uint64_t offset;
	size_t len;
	char data[PIECE];
};

static bool lacks(const struct control_node *node)
{
	return node->row->kind == CONTENT_STREAM && node->followed && !node->session->removed
		&& node->known < control_stream_size(node);
}

/* What some file of the session's events lacks. */
static bool find_piece(struct fs *fs, struct store_sid sid, struct piece *ret)
{
	FS_GUARD(fs);
	struct session *session = session_find(fs, sid);
	struct control_node *node;

	if (!session)
		return false;
	LIST_FOREACH(node, &session->controls, siblings) {
		if (!lacks(node))
			continue;
		*ret = (struct piece){.id = {node->id}, .offset = node->known};
		if (control_stream_read(node, node->known, ret->data, PIECE, &ret->len) == 0)
			return true;
		node->followed = false;
	}
	return false;
}

static void note_given(struct fs *fs, const struct piece *piece, int r)
{
	struct control_node *node;

	FS_GUARD(fs);
	if (control_find(fs, piece->id, &node))
		return;
	node->followed &= !r;
	if (!r && node->known < piece->offset + piece->len)
		node->known = piece->offset + piece->len;
	control_poll_tell(node);
}

static int give(struct fs *fs, void *subject)
{
	struct store_sid sid = {(uint32_t)(uintptr_t)subject};
	struct piece piece;

	while (find_piece(fs, sid, &piece))
		note_given(fs, &piece, serve_give_content(fs, piece.id, piece.offset, piece.data, piece.len));
	return 0;
}

void control_grown(struct session *session)
{
	struct fs *fs = session->fs;

	fs_assert_locked(fs);
	if (!fs->options.writeback)
		control_poll_tell_all(session);
	else if (session->followed && fs->chores)
		(void)errand_add(fs->chores, give, (void *)(uintptr_t)session->sid.n, NULL, NULL);
}
