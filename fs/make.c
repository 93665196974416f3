/*
 * make.c - new names: files, directories, sessions, symlinks, devices, hard links.
 */
#include <errno.h>

#include "fs/acl.h"
#include "fs/cache_expiry.h"
#include "fs/control.h"
#include "fs/dir.h"
#include "fs/maker.h"
#include "fs/roster.h"

/* Links of one file, as ext4 has it; how many directories are in one is not limited there either. */
enum { LINKS_MAX = 65000, TARGET_MAX = 4095 };

/* Whether the name may be made in dir. */
static int check_name(struct node *dir, const char *name)
{
	struct store_dirent found;
	int r;

	if (dir_is_hidden(dir, name))
		return EEXIST;
	r = dir_find_name(dir, name, &found);
	return r == 0 ? EEXIST : r == ENOENT ? 0 : r;
}

static int check_make(struct node *dir, const char *name, const struct creation *what)
{
	if (node_is_root(dir) && (!S_ISDIR(what->mode) || name[0] == '.') && !dir_is_hidden(dir, name))
		return dir_refuse_in_root();
	if (what->target && strlen(what->target) > TARGET_MAX)
		return ENAMETOOLONG;
	return check_name(dir, name);
}

/*
 * With writeback the kernel stamps regular files itself, by its coarse clock, which runs behind: a file begins by
 * that clock, so that the kernel's first stamp is not older than its birth.
 */
static int64_t birth_time(const struct fs *fs, mode_t mode)
{
	struct timespec ts;

	if (!fs->options.writeback || !S_ISREG(mode))
		return fs_now();
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec * FS_SECOND + ts.tv_nsec;
}

/* Owner, mode and times of a new inode (inode_init_owner of the kernel). */
static struct store_inode draft(const struct node *dir, const struct caller *caller, const struct creation *what,
	mode_t mode)
{
	int64_t now = birth_time(dir->session->fs, mode);
	struct store_inode inode = {
		.mode = mode, .uid = caller->uid, .gid = caller->gid, .nlink = S_ISDIR(mode) ? 2 : 1,
		.rdev = S_ISBLK(mode) || S_ISCHR(mode) ? what->rdev : 0,
		.atime = now, .mtime = now, .ctime = now, .btime = now,
	};

	maker_put(caller, &inode);
	if (!(dir->inode.mode & S_ISGID))
		return inode;
	inode.gid = dir->inode.gid;
	if (S_ISDIR(mode))
		inode.mode |= S_ISGID;
	else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && caller->uid != 0
		 && !caller->in_group(caller, inode.gid))
		inode.mode &= ~(uint32_t)S_ISGID;
	return inode;
}

static void add_name(struct change *c, struct node *dir, struct node *node, const char *name)
{
	struct store_dirent entry = dir_entry(node, name);

	store_batch_add_dirent(c->batch, dir->session->sid, dir->ino, &entry);
	change_names(c, dir, 1, S_ISDIR(node->inode.mode) ? 1 : 0);
}

/* Makes the inode and its name inside the change. */
static int make_inode(struct change *c, struct node *dir, const char *name, enum store_view view,
	const struct store_inode *inode, const struct creation *what, struct node **ret)
{
	struct node *node;
	int r = change_new(c, dir->session, inode, &node);

	if (r)
		return r;
	*ret = node;
	if (S_ISDIR(inode->mode)) {
		dir_set_parent(change_inode(c, node), dir, name);
	} else {
		c->record.files[view]++;
		c->record.creations++;
	}
	if (what->target) {
		change_inode(c, node)->size = strlen(what->target);
		store_batch_write(c->batch, dir->session->sid, node->ino, 0, what->target, strlen(what->target));
	}
	add_name(c, dir, node, name);
	return 0;
}

static int make_name(struct node *dir, const struct caller *caller, const char *name, const struct creation *what,
	struct entry *ret)
{
	__attribute__((cleanup(acl_inherited_release))) struct acl_inherited acl = {0};
	NODE_AUTO node = NULL;
	mode_t mode = what->mode;
	enum store_view view = STORE_OTHER;
	struct store_inode inode;
	int r;

	r = acl_inherit(dir, caller->umask, &mode, &acl);
	if (!r && !S_ISDIR(mode))
		r = dir_view(dir, name, mode, &view);
	if (r)
		return r;
	inode = draft(dir, caller, what, mode);
	CHANGE_AUTO(c);
	r = change_begin(&c, dir->session, STORE_GROW, what->target ? strlen(what->target) : 0);
	if (!r)
		r = make_inode(&c, dir, name, view, &inode, what, &node);
	if (r)
		return r;
	acl_inherited_put(&c, node, &acl);
	r = change_commit(&c);
	if (!r)
		dir_refer_in(dir, node, ret);
	return r;
}

/* The views of a new session. Their records need no nodes: nobody has looked at them yet. */
static void put_views(struct change *c, const struct store_session *record, const struct store_inode *top)
{
	struct store_inode inode = *top;

	inode.size = 0;
	inode.nlink = 2;
	inode.parent = record->root.n;
	for (unsigned view = 0; view < STORE_OTHER; view++) {
		struct store_dirent entry = dir_entry_of(record->sid, store_new_ino(c->batch), S_IFDIR,
			view_name((enum store_view)view));

		inode.view = 1 + view;
		store_batch_new_inode(c->batch, record->sid, entry.ino, &inode);
		store_batch_add_dirent(c->batch, record->sid, record->root, &entry);
	}
}

/* A node in memory for the directory of a session that is being made. */
static int new_top(struct fs *fs, const struct store_session *record, const struct store_inode *inode,
	struct node **ret)
{
	struct session *session;
	int r = session_make(fs, record, &session);

	if (r)
		return r;
	r = node_new(session, record->root, inode, ret);
	session_put(session);
	return r;
}

/* A session: its record, its directory, its views and its name, in one batch. */
static int make_session(struct node *root, const struct caller *caller, const char *name, const struct creation *what,
	struct entry *ret)
{
	struct store_inode inode = draft(root, caller, what, what->mode & ~caller->umask);
	struct store_session record = {.created = inode.btime, .cache_oldest = inode.btime,
		.status_at = inode.btime, .run = root->session->fs->run.number};
	NODE_AUTO node = NULL;
	CHANGE_AUTO(c);
	int r = roster_reserve(root->session->fs);

	if (!r)
		r = change_begin(&c, root->session, STORE_GROW, 0);
	if (r)
		return r;
	change_renew(c.fs, &record, inode.btime);
	record.sid = store_new_sid(c.batch);
	record.root = store_new_ino(c.batch);
	session_set_name(&record, name);
	inode.size = STORE_OTHER;
	inode.nlink = 2 + STORE_OTHER;
	inode.parent = root->ino.n;
	r = new_top(root->session->fs, &record, &inode, &node);
	if (r)
		return r;
	store_batch_new_inode(c.batch, record.sid, record.root, &inode);
	put_views(&c, &record, &inode);
	store_batch_put_session(c.batch, &record);
	add_name(&c, root, node, name);
	r = change_commit(&c);
	if (r)
		return r;
	session_changed(node->session, c.size);
	roster_add(c.fs, &record);
	dir_refer(node, ret);
	return 0;
}

int dir_make(struct fs *fs, const struct caller *caller, struct fs_id id, const char *name, const struct creation *what,
	struct entry *ret)
{
	FS_GUARD(fs);
	struct node *dir;
	int r;

	if (control_is_id(id))
		return control_make(fs, id, name, what, ret);
	r = dir_find(fs, id, name, &dir);
	if (!r)
		r = check_make(dir, name, what);
	if (r)
		return r;
	return node_is_root(dir) ? make_session(dir, caller, name, what, ret) : make_name(dir, caller, name, what, ret);
}

static int check_link(struct node *file, struct node *dir, const char *name)
{
	if (S_ISDIR(file->inode.mode))
		return EPERM;
	if (node_is_root(dir))
		return dir_refuse_in_root();
	if (file->session != dir->session)
		return EXDEV;
	if (file->inode.nlink == 0)
		return ENOENT;
	if (file->inode.nlink >= LINKS_MAX)
		return EMLINK;
	return check_name(dir, name);
}

static int link_name(struct node *file, struct node *dir, const char *name)
{
	enum store_view view;
	CHANGE_AUTO(c);
	int r = dir_view(dir, name, file->inode.mode, &view);

	if (!r)
		r = change_begin(&c, dir->session, STORE_GROW, 0);
	if (r)
		return r;
	change_inode(&c, file)->nlink++;
	change_inode(&c, file)->ctime = c.now;
	c.record.files[view]++;
	add_name(&c, dir, file, name);
	r = change_commit(&c);
	if (!r && view == STORE_CACHE)
		cache_expiry_grew(dir->session);
	return r;
}

int dir_link(struct fs *fs, struct fs_id file_id, struct fs_id dir_id, const char *name, struct entry *ret)
{
	FS_GUARD(fs);
	struct node *file, *dir;
	int r = node_find(fs, file_id, &file);

	if (!r)
		r = dir_find(fs, dir_id, name, &dir);
	if (!r)
		r = check_link(file, dir, name);
	if (!r)
		r = link_name(file, dir, name);
	if (!r)
		dir_refer_in(dir, file, ret);
	return r;
}
