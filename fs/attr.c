/*
 * attr.c - attributes of inodes: stat, chmod, chown, truncate, utimensat.
 */
#include "fs/attr.h"

#include <errno.h>

#include "fs/acl.h"
#include "fs/control.h"
#include "fs/cut.h"
#include "fs/life.h"
#include "fs/serve.h"
#include "fs/visit.h"

static void note_told(struct node *node)
{
	pid_t caller = serve_caller();

	node->told = caller && (!node->told || node->told == caller) ? caller : -1;
}

void attr_fill(struct node *node, struct stat *ret, double *ret_timeout)
{
	const struct store_inode *inode = &node->inode;
	uint64_t stored = inode->stored;
	bool is_fresh = node_stored(node, &stored) == 0;

	*ret = (struct stat){
		.st_ino = node->ino.n, .st_mode = inode->mode, .st_nlink = inode->nlink,
		.st_uid = inode->uid, .st_gid = inode->gid, .st_rdev = inode->rdev,
		.st_size = (off_t)inode->size, .st_blksize = 4096, .st_blocks = (blkcnt_t)((stored + 511) / 512),
		.st_atim = attr_time(inode->atime), .st_mtim = attr_time(inode->mtime),
		.st_ctim = attr_time(inode->ctime),
	};
	*ret_timeout = !is_fresh || node_is_dirty(node) ? RULES_BRIEF : RULES_FOREVER;
	note_told(node);
}

int attr_get(struct fs *fs, struct fs_id id, struct stat *ret, double *ret_timeout)
{
	FS_GUARD(fs);
	struct node *node;
	int r;

	if (control_is_id(id))
		return cut_attr(id, ret, ret_timeout) ? 0 : control_attr(fs, id, ret, ret_timeout);
	r = node_find(fs, id, &node);
	if (!r && visit_stales(node))
		r = ESTALE;
	if (!r)
		attr_fill(node, ret, ret_timeout);
	return r;
}

mode_t attr_without_suid(mode_t mode)
{
	mode &= ~(mode_t)S_ISUID;
	if (mode & S_IXGRP)
		mode &= ~(mode_t)S_ISGID;
	return mode;
}

void attr_accessed(struct node *node)
{
	const int64_t day = INT64_C(86400) * FS_SECOND;
	const struct fs_options *options = &node->session->fs->options;
	const struct store_inode *inode = &node->inode;
	int64_t now = fs_now();
	CHANGE_AUTO(c);

	if (options->noatime || (options->nodiratime && S_ISDIR(inode->mode)))
		return;
	if (node->gone || life_is_read_only(&node->session->record))
		return;
	if (inode->atime > inode->mtime && inode->atime > inode->ctime && now - inode->atime < day)
		return;
	/* Reading is no change of the session: the root's stands in, which has no record. */
	if (change_begin(&c, node->session->fs->root->session, STORE_SHRINK, 0))
		return;
	change_inode(&c, node)->atime = now;
	change_commit(&c);
}

static int64_t nanoseconds(struct timespec ts)
{
	/* Years 1678 to 2262 fit; what lies outside is kept at the border. */
	if (ts.tv_sec >= INT64_MAX / FS_SECOND)
		return INT64_MAX;
	if (ts.tv_sec <= INT64_MIN / FS_SECOND)
		return INT64_MIN;
	return ts.tv_sec * FS_SECOND + ts.tv_nsec;
}

static void set_times(struct change *c, struct node *node, unsigned fields, const struct stat *attr)
{
	struct store_inode *inode = change_inode(c, node);
	int64_t touched = c->now;

	if (fields & ATTR_ATIME_NOW)
		inode->atime = c->now;
	else if (fields & ATTR_ATIME)
		inode->atime = nanoseconds(attr->st_atim);
	if (fields & ATTR_MTIME_NOW)
		inode->mtime = c->now;
	else if (fields & ATTR_MTIME)
		touched = inode->mtime = nanoseconds(attr->st_mtim);
	inode->ctime = fields & ATTR_CTIME ? nanoseconds(attr->st_ctim) : c->now;
	if (fields & ATTR_MTIME && node_is_session(node) && c->session)
		c->record.modified = c->record.last_write = touched; /* touching a session's directory sets its age */
}

static void set_owner(struct change *c, struct node *node, unsigned fields, const struct stat *attr)
{
	struct store_inode *inode = change_inode(c, node);

	if (fields & ATTR_UID)
		inode->uid = attr->st_uid;
	if (fields & ATTR_GID)
		inode->gid = attr->st_gid;
	if (fields & (ATTR_UID | ATTR_GID | ATTR_KILL_SUIDGID) && !S_ISDIR(inode->mode))
		inode->mode = attr_without_suid(inode->mode);
}

static void set_size(struct change *c, struct node *node, uint64_t size)
{
	struct store_inode *inode = change_inode(c, node);

	if (size < inode->size)
		store_batch_punch(c->batch, node->session->sid, node->ino, size, UINT64_MAX);
	change_size(c, node, size);
	change_written(c, node);
	inode->mtime = c->now;
}

static int check(const struct fs *fs, const struct node *node, unsigned fields, const struct stat *attr)
{
	if (!(fields & ATTR_SIZE))
		return 0;
	if (!S_ISREG(node->inode.mode))
		return S_ISDIR(node->inode.mode) ? EISDIR : EINVAL;
	if (attr->st_size < 0)
		return EINVAL;
	return (uint64_t)attr->st_size > fs->max_file_size && (uint64_t)attr->st_size > node->inode.size ? EFBIG : 0;
}

/* Times that the kernel kept from before its session became read-only are taken once. */
static enum change_kind kind_of_set(struct node *node, unsigned fields, const struct stat *attr)
{
	const struct store_session *record = &node->session->record;
	bool late = node->late_times || node->session->launders;

	if (!late || fields != (ATTR_MTIME | ATTR_CTIME)
	    || nanoseconds(attr->st_mtim) > (record->ended ? record->ended : record->status_at))
		return CHANGE_CONTENT;
	node->late_times = false;
	return CHANGE_UPKEEP;
}

static int set(struct node *node, unsigned fields, const struct stat *attr)
{
	bool grows = fields & ATTR_SIZE && (uint64_t)attr->st_size > node->inode.size;
	ACL_AUTO access = {0};
	CHANGE_AUTO(c);
	int r = fields & ATTR_MODE ? acl_load(node, ACL_ACCESS, &access) : 0;

	if (!r)
		r = change_begin_as(&c, kind_of_set(node, fields, attr), node->session,
			grows ? STORE_GROW : STORE_SHRINK, 0);
	if (r)
		return r;
	if (fields & ATTR_SIZE)
		set_size(&c, node, (uint64_t)attr->st_size);
	set_owner(&c, node, fields, attr);
	if (fields & ATTR_MODE)
		acl_chmod(&c, node, &access, attr->st_mode);
	set_times(&c, node, fields, attr);
	return change_commit(&c);
}

int attr_set(struct fs *fs, struct fs_id id, unsigned fields, const struct stat *attr, struct stat *ret,
	double *ret_timeout)
{
	FS_GUARD(fs);
	struct node *node;
	int r;

	if (control_is_id(id)) {
		r = control_set_attr(fs, id, fields, attr);
		return r ? r : control_attr(fs, id, ret, ret_timeout);
	}
	r = node_find(fs, id, &node);
	if (!r && !cut_answers(node, fields, &r)) {
		r = check(fs, node, fields, attr);
		if (!r && fields)
			r = set(node, fields, attr);
	}
	if (!r)
		attr_fill(node, ret, ret_timeout);
	return r;
}
