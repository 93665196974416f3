/*
 * control.c - the nodes of the control files. What is in the files is in content.c.
 */
#include "fs/control.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/attr.h"
#include "fs/content.h"

struct control_node {
	uint64_t id; /* key */
	UT_hash_handle hh;
	uint64_t nlookup;
	struct session *session; /* the root's for .sessfs */
	/* of a file; text is NULL: the directory */
	char *text;
	size_t len;
	uint64_t ino;
	int64_t changed;
};

static uint64_t file_ino(const struct session *session, const struct content_file *file)
{
	return CONTROL_INO_FILES + (uint64_t)session->sid.n * CONTENT_ROWS + content_row(file);
}

static int64_t changed(const struct session *session)
{
	return session_is_root(session) ? session->fs->started : session->record.modified;
}

static int control_find(struct fs *fs, struct fs_id id, struct control_node **ret)
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

static int control_new(struct session *session, uint64_t id, struct control_node **ret)
{
	struct fs *fs = session->fs;
	struct control_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->id = id;
	HASH_ADD(hh, fs->controls, id, sizeof(node->id), node);
	if (!node->hh.tbl) {
		free(node);
		return -ENOMEM;
	}
	node->session = session_ref(session);
	*ret = node;
	return 0;
}

static void control_free(struct control_node *node)
{
	HASH_DEL(node->session->fs->controls, node);
	session_put(node->session);
	free(node->text);
	free(node);
}

void control_free_all(struct fs *fs)
{
	struct control_node *node, *next;

	HASH_ITER(hh, fs->controls, node, next)
		control_free(node);
}

void control_forget(struct fs *fs, struct fs_id id, uint64_t count)
{
	struct control_node *node;

	if (control_find(fs, id, &node))
		return;
	node->nlookup -= count < node->nlookup ? count : node->nlookup;
	if (!node->nlookup)
		control_free(node);
}

/* Owner and read permission follow the directory that it is in: of the session, or the root. */
static int fill(struct fs *fs, const struct control_node *node, struct stat *ret)
{
	bool is_root = session_is_root(node->session);
	struct store_ino top = is_root ? STORE_ROOT_INO : node->session->record.root;
	const struct store_inode *inode;
	struct timespec time = attr_time(node->text ? node->changed : changed(node->session));
	NODE_AUTO dir = NULL;
	int r = node->session->removed ? ENOENT : node_load(fs, node->session->sid, top, &dir);

	if (r)
		return r;
	inode = &dir->inode;
	*ret = (struct stat){
		.st_ino = node->text ? node->ino : node->id,
		.st_mode = node->text ? S_IFREG | (inode->mode & 0444) : S_IFDIR | (inode->mode & 0555),
		.st_nlink = node->text ? 1 : 2, .st_uid = inode->uid, .st_gid = inode->gid, .st_size = (off_t)node->len,
		.st_blksize = 4096, .st_blocks = (blkcnt_t)((node->len + 511) / 512),
		.st_atim = time, .st_mtim = time, .st_ctim = time,
	};
	return 0;
}

static int refer(struct fs *fs, struct control_node *node, struct entry *ret)
{
	int r;

	*ret = (struct entry){.id = {node->id}};
	node->nlookup++;
	r = fill(fs, node, &ret->attr);
	if (r)
		control_forget(fs, ret->id, 1);
	return r;
}

int control_lookup_dir(struct fs *fs, struct session *session, struct entry *ret)
{
	struct control_node *node;
	struct fs_id id = {CONTROL_ID_FIRST + session->sid.n};

	if (control_find(fs, id, &node)) {
		int r = control_new(session, id.n, &node);

		if (r)
			return r;
	}
	return refer(fs, node, ret);
}

int control_lookup(struct fs *fs, struct fs_id id, const char *name, struct entry *ret)
{
	const struct content_file *file;
	struct control_node *dir, *node;
	char *text;
	size_t len;
	int r = control_find(fs, id, &dir);

	if (r)
		return r;
	if (dir->text)
		return ENOTDIR;
	file = content_find(session_is_root(dir->session), name);
	if (!file) {
		*ret = (struct entry){.entry_timeout = RULES_FOREVER};
		return 0;
	}
	if (dir->session->removed)
		return ENOENT;
	r = content_make(file, dir->session, &text, &len);
	if (r)
		return r;
	r = control_new(dir->session, fs->next_control++, &node);
	if (r) {
		free(text);
		return r;
	}
	node->text = text;
	node->len = len;
	node->ino = file_ino(dir->session, file);
	node->changed = changed(dir->session);
	return refer(fs, node, ret);
}

int control_attr(struct fs *fs, struct fs_id id, struct stat *ret, double *ret_timeout)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	*ret_timeout = 0;
	return r ? r : fill(fs, node, ret);
}

int control_read(struct fs *fs, struct fs_id id, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	if (r)
		return r;
	if (!node->text)
		return EISDIR;
	if (offset >= node->len)
		len = 0;
	else if (len > node->len - offset)
		len = node->len - (size_t)offset;
	memcpy(buf, node->text + offset, len);
	*ret = len;
	return 0;
}

int control_seek(struct fs *fs, struct fs_id id, uint64_t offset, bool data, uint64_t *ret)
{
	struct control_node *node;
	int r = control_find(fs, id, &node);

	if (r)
		return r;
	if (!node->text)
		return EISDIR;
	if (offset >= node->len)
		return ENXIO;
	*ret = data ? offset : node->len;
	return 0;
}

int control_list(struct fs *fs, struct fs_id id, uint64_t from, dir_add add, void *arg)
{
	struct control_node *dir;
	struct entry entry = {.attr = {.st_ino = id.n, .st_mode = S_IFDIR}};
	bool is_root;
	int r = control_find(fs, id, &dir);

	if (r)
		return r;
	if (dir->text)
		return ENOTDIR;
	is_root = session_is_root(dir->session);
	for (uint64_t at = from;; at++) {
		const char *name = at == 0 ? "." : at == 1 ? ".." : content_name(is_root, (unsigned)(at - 2));

		if (!name)
			return 0;
		if (at >= 2) {
			uint64_t ino = file_ino(dir->session, content_find(is_root, name));

			entry.attr = (struct stat){.st_ino = ino, .st_mode = S_IFREG};
		}
		if (!add(arg, name, &entry, at + 1))
			return 0;
	}
}
