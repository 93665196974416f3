/*
 * remove.c - taking names away: files, directories, sessions.
 */
#include <errno.h>

#include "fs/control.h"
#include "fs/dir.h"
#include "fs/error.h"
#include "fs/fault.h"
#include "fs/history.h"
#include "fs/life.h"
#include "fs/visit.h"

/* The name and the inode it stands for, pinned. */
static int find(struct node *dir, const char *name, struct store_dirent *ret_entry, struct node **ret)
{
	int r = dir_find_name(dir, name, ret_entry);

	return r ? r : node_load(dir->session->fs, ret_entry->session, ret_entry->ino, ret);
}

int dir_unlink(struct fs *fs, struct fs_id id, const char *name)
{
	FS_GUARD(fs);
	struct store_dirent entry;
	enum store_view view;
	struct node *dir;
	NODE_AUTO node = NULL;
	int r;

	if (control_is_id(id))
		return control_unlink(fs, id, name);
	r = dir_find(fs, id, name, &dir);
	if (!r && visit_answers(dir, name, NULL, &r))
		return r;
	if (!r)
		r = dir_is_hidden(dir, name) ? control_refuse() : find(dir, name, &entry, &node);
	if (!r)
		r = S_ISDIR(node->inode.mode) ? EISDIR : dir_view(dir, name, node->inode.mode, &view);
	if (r)
		return r;
	CHANGE_AUTO(c);
	r = change_begin(&c, dir->session, STORE_SHRINK, 0);
	if (r)
		return r;
	store_batch_delete_dirent(c.batch, dir->session->sid, dir->ino, entry.cookie);
	change_names(&c, dir, -1, 0);
	change_unlink(&c, node);
	c.record.files[view]--;
	return change_commit(&c);
}

static int remove_dir(struct node *dir, const struct store_dirent *entry, struct node *node)
{
	CHANGE_AUTO(c);
	int r = node->inode.size ? ENOTEMPTY : change_begin(&c, dir->session, STORE_SHRINK, 0);

	if (r)
		return r;
	store_batch_delete_dirent(c.batch, dir->session->sid, dir->ino, entry->cookie);
	change_names(&c, dir, -1, -1);
	change_delete(&c, node);
	return change_commit(&c);
}

static bool note_name(void *arg, const struct store_dirent *entry)
{
	struct session_content *content = arg;

	content->other = content->count == STORE_OTHER || view_of_name(entry->name) == STORE_OTHER
		|| entry->type != S_IFDIR;
	if (!content->other)
		content->names[content->count++] = *entry;
	return content->other;
}

int session_check_current(const struct session *session)
{
	if (session->sid.n != session->fs->chosen.n)
		return 0;
	fault_explain("remove .sessfs/current first, or set another one with ln -sfn NAME .sessfs/current",
		"the session was set as the current one");
	return EBUSY;
}

int session_check_removal(const struct session *session)
{
	int r = session_check_current(session);

	return r ? r : change_check(session, CHANGE_CONTENT);
}

int session_content_load(struct node *top, struct session_content *content)
{
	struct fs *fs = top->session->fs;
	int r = error_of_store(store_scan_dirents(fs->store, top->session->sid, top->ino, 0, note_name, content));

	if (!r && content->other)
		return ENOTEMPTY;
	for (unsigned i = 0; !r && i < content->count; i++) {
		r = node_load(fs, top->session->sid, content->names[i].ino, &content->views[i]);
		if (!r && content->views[i]->inode.size)
			r = ENOTEMPTY;
	}
	return r;
}

void session_content_delete(struct change *c, struct node *top, const struct session_content *content)
{
	struct store_session record = top->session->record;

	for (unsigned i = 0; i < content->count; i++) {
		store_batch_delete_dirent(c->batch, top->session->sid, top->ino, content->names[i].cookie);
		change_delete(c, content->views[i]);
	}
	change_delete(c, top);
	store_batch_delete_session(c->batch, top->session->sid);
	record.logical = record.stored = 0; /* what is still counted has no name any more: somebody knows it yet */
	history_put(c, &record, LIFE_REMOVED, 0);
}

void session_content_deleted(const struct change *c, struct node *top)
{
	session_set_removed(top->session);
	history_note(c->fs, top->session->sid, c->now);
}

void session_content_release(struct session_content *content)
{
	for (unsigned i = 0; i < content->count; i++)
		node_put(content->views[i]);
}

static int remove_content(struct node *root, const struct store_dirent *entry, struct node *top,
	const struct session_content *content)
{
	CHANGE_AUTO(c);
	int r = session_check_removal(top->session);

	if (!r)
		r = change_begin(&c, root->session, STORE_SHRINK, 0);
	if (r)
		return r;
	session_content_delete(&c, top, content);
	store_batch_delete_dirent(c.batch, root->session->sid, root->ino, entry->cookie);
	change_names(&c, root, -1, -1);
	r = change_commit(&c);
	if (!r)
		session_content_deleted(&c, top);
	return r;
}

static int remove_session(struct node *root, const struct store_dirent *entry, struct node *top)
{
	struct session_content content = {0};
	int r = session_content_load(top, &content);

	if (!r)
		r = remove_content(root, entry, top, &content);
	session_content_release(&content);
	return r;
}

int dir_rmdir(struct fs *fs, struct fs_id id, const char *name)
{
	FS_GUARD(fs);
	struct store_dirent entry;
	struct node *dir;
	NODE_AUTO node = NULL;
	int r;

	if (control_is_id(id))
		return control_rmdir(fs, id, name);
	r = dir_find(fs, id, name, &dir);
	if (!r && visit_answers(dir, name, NULL, &r))
		return r;
	if (!r && dir_is_hidden(dir, name))
		return control_pass_over(dir->session);
	if (!r)
		r = find(dir, name, &entry, &node);
	if (r)
		return r;
	if (!S_ISDIR(node->inode.mode))
		return ENOTDIR;
	return node_is_root(dir) ? remove_session(dir, &entry, node) : remove_dir(dir, &entry, node);
}
