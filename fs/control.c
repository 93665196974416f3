/*
 * control.c - the nodes of the control files: how long they live, their attributes, reading.
 */
#include "fs/control.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/attr.h"
#include "fs/control_link.h"

int control_find(struct fs *fs, struct fs_id id, struct control_node **ret)
{
	struct control_node *node = NULL;

	fs_assert_locked(fs);
	HASH_FIND(hh, fs->controls, &id.n, sizeof(id.n), node);
	if (!node)
		return ESTALE;
	*ret = node;
	return 0;
}

struct session *control_session(struct fs *fs, struct fs_id id)
{
	struct control_node *node;

	return control_find(fs, id, &node) ? NULL : node->session;
}

struct session *control_owner(struct fs *fs, struct fs_id id)
{
	struct node *node;

	if (control_is_id(id))
		return control_session(fs, id);
	return node_find(fs, id, &node) ? NULL : node->session;
}

const char *control_name(struct fs *fs, struct fs_id id)
{
	struct control_node *node;

	return control_find(fs, id, &node) ? NULL : node->row->name;
}

int control_find_dir(struct fs *fs, struct fs_id id, struct control_node **ret)
{
	int r = control_find(fs, id, ret);

	if (r)
		return r;
	if ((*ret)->row->kind != CONTENT_DIR)
		return ENOTDIR;
	return (*ret)->session->removed ? ENOENT : 0;
}

/* Of a directory: the kernel takes a listing for right as long as this stays. */
static int64_t changed(const struct session *session)
{
	return session_is_root(session) ? session->fs->told : session->record.modified;
}

int control_new(struct session *session, const struct content_row *row, uint64_t id, uint64_t ino,
	struct control_node **ret)
{
	struct fs *fs = session->fs;
	struct control_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->id = id ? id : fs->next_control++;
	HASH_ADD(hh, fs->controls, id, sizeof(node->id), node);
	if (!node->hh.tbl) {
		free(node);
		return -ENOMEM;
	}
	node->session = session_ref(session);
	LIST_INSERT_HEAD(&session->controls, node, siblings);
	node->row = row;
	node->ino = ino;
	node->changed = changed(session);
	*ret = node;
	return 0;
}

void control_free(struct control_node *node)
{
	HASH_DEL(node->session->fs->controls, node);
	LIST_REMOVE(node, siblings);
	session_put(node->session);
	free(node->word);
	free(node->text);
	free(node->before);
	free(node->kept);
	free(node->waiting);
	free(node);
}

void control_free_all(struct fs *fs)
{
	struct control_node *node, *next;

	HASH_ITER(hh, fs->controls, node, next) {
		if (node->row->kind == CONTENT_STREAM)
			control_stream_end(node);
		control_free(node);
	}
	control_link_free_all(fs);
}

void control_forget(struct fs *fs, struct fs_id id, uint64_t count)
{
	struct control_node *node;

	if (control_find(fs, id, &node))
		return;
	node->nlookup -= count < node->nlookup ? count : node->nlookup;
	if (node->nlookup)
		return;
	if (node->row->kind == CONTENT_STREAM)
		control_stream_end(node);
	control_free(node);
}

static bool is_writable(const struct content_row *row)
{
	return row->kind == CONTENT_TEXT || row->kind == CONTENT_STREAM || row->set;
}

/* The owner may change names in it, if only as part of removing the session (control_pass_over). */
static bool takes_names(const struct fs *fs, const struct content_row *row)
{
	return row == &content_root_dir || (row == &content_session_dir && fs->options.show_control);
}

/* What others may do follows the directory that it is in: of the session, or the root. */
static mode_t mode_of(const struct fs *fs, const struct content_row *row, mode_t dir)
{
	switch (row->kind) {
	case CONTENT_DIR:
		if (row->flags & CONTENT_SHARED) /* rmdir removes all that is in it: for owners */
			return S_IFDIR | (dir & 01777) | (dir & 022 ? S_ISVTX : 0);
		return S_IFDIR | (dir & 0555) | (takes_names(fs, row) ? dir & 0200 : 0);
	case CONTENT_LINK:
		return S_IFLNK | 0777;
	case CONTENT_FILE:
	case CONTENT_TEXT:
	case CONTENT_STREAM:
		break;
	}
	return S_IFREG | (is_writable(row) ? 0600 : dir & 0444);
}

static uint64_t size_of(const struct control_node *node)
{
	return node->row->kind == CONTENT_STREAM ? control_stream_size(node) : node->len;
}

static int fill(const struct control_node *node, struct stat *ret)
{
	struct session *session = node->session;
	struct store_ino top = session_is_root(session) ? STORE_ROOT_INO : session->record.root;
	bool is_dir = node->row->kind == CONTENT_DIR;
	struct timespec time = attr_time(is_dir ? changed(session) : node->changed);
	/* the kernel keeps a listing while this stays */
	struct timespec listed = is_dir && node->row != &content_session_dir ? attr_time(fs_now()) : time;
	NODE_AUTO dir = NULL;
	int r = session->removed ? ENOENT : node_load(session->fs, session->sid, top, &dir);

	if (r)
		return r;
	*ret = (struct stat){
		.st_ino = node->ino, .st_mode = mode_of(session->fs, node->row, dir->inode.mode),
		.st_nlink = is_dir ? 2 : 1,
		.st_uid = dir->inode.uid, .st_gid = dir->inode.gid, .st_size = (off_t)size_of(node),
		.st_blksize = 4096, .st_blocks = (blkcnt_t)((size_of(node) + 511) / 512),
		.st_atim = time, .st_mtim = listed, .st_ctim = time,
	};
	return 0;
}

int control_refer(struct control_node *node, struct entry *ret)
{
	int r;

	*ret = (struct entry){.id = {node->id}};
	node->nlookup++;
	r = fill(node, &ret->attr);
	if (r)
		control_forget(node->session->fs, ret->id, 1);
	return r;
}

int control_attr(struct fs *fs, struct fs_id id, struct stat *ret, double *ret_timeout)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	*ret_timeout = 0;
	return r ? r : fill(node, ret);
}

/* A file: EISDIR, or EINVAL for a link. */
static int find_file(struct fs *fs, struct fs_id id, struct control_node **ret)
{
	int r = control_find(fs, id, ret);

	if (r)
		return r;
	if ((*ret)->row->kind == CONTENT_DIR)
		return EISDIR;
	return (*ret)->row->kind == CONTENT_LINK ? EINVAL : 0;
}

int control_read(struct fs *fs, struct fs_id id, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	struct control_node *node;
	int r = find_file(fs, id, &node);

	if (r)
		return r;
	if (node->row->kind == CONTENT_STREAM)
		return control_stream_read(node, offset, buf, len, ret);
	if (offset >= node->len)
		len = 0;
	else if (len > node->len - offset)
		len = node->len - (size_t)offset;
	if (len)
		memcpy(buf, node->text + offset, len);
	*ret = len;
	return 0;
}

int control_readlink(struct fs *fs, struct fs_id id, char *buf, size_t size)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	if (r)
		return r;
	if (node->row->kind != CONTENT_LINK)
		return EINVAL;
	if (node->len >= size)
		return -EIO;
	memcpy(buf, node->text, node->len + 1);
	return 0;
}

int control_seek(struct fs *fs, struct fs_id id, uint64_t offset, bool data, uint64_t *ret)
{
	struct control_node *node;
	int r = find_file(fs, id, &node);

	if (r)
		return r;
	if (offset >= size_of(node))
		return ENXIO;
	*ret = data ? offset : size_of(node);
	return 0;
}
