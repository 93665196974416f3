/*
 * check_mend.c - mends what the tables disagree in, one kind of thing at a time: what one step mends may uncover or
 * settle another, so the tables are filled anew after each step that changed something.
 */
#include "store/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct mending {
	struct check *check;
	uint64_t changes;
};

static struct store_batch *begin(struct mending *m)
{
	struct store_batch *b = NULL;
	int r = m->check->error ? m->check->error : store_batch_begin(m->check->store, STORE_SHRINK, 0, &b);
	if (r)
		m->check->error = r < 0 ? r : -ENOSPC;
	return r ? NULL : b;
}

static void commit(struct mending *m, struct store_batch *b)
{
	int r = store_batch_commit(b);
	if (r)
		m->check->error = r < 0 ? r : -ENOSPC;
	m->changes++;
}

/* A directory that lost its record, but not what is in it. */
static void make_up_directory(struct mending *m, uint32_t sid, uint64_t ino, mode_t mode)
{
	struct store_inode inode = check_make_up(m->check, S_IFDIR | mode);
	struct store_batch *b = begin(m);
	if (!b)
		return;
	store_batch_put_inode(b, sid_of(sid), ino_of(ino), &inode);
	commit(m, b);
}

/* ---- sessions --------------------------------------------------------------------------------------------------- */

/* With what it says that only a newer version knows. */
static bool get_session(struct mending *m, const struct checked_session *s, struct store_session *ret)
{
	int r = store_get_session(m->check->store, s->record.sid, ret);
	if (r < 0)
		m->check->error = r;
	return r == 0;
}

static void add_session_name(struct mending *m, const struct checked_session *s)
{
	struct store_session record;
	struct store_dirent d;
	if (!get_session(m, s, &record))
		return;
	if (store_lookup(m->check->store, STORE_ROOT_SID, STORE_ROOT_INO, record.name, record.name_len, &d) == 0)
		record.name_len =
			(uint32_t)snprintf(record.name, sizeof record.name, "lost+found-%" PRIu32, record.sid.n);
	d = (struct store_dirent){
		.ino = record.root, .session = record.sid, .type = S_IFDIR, .name_len = record.name_len};
	memcpy(d.name, record.name, record.name_len + 1);
	struct store_batch *b = begin(m);
	if (b) {
		store_batch_add_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, &d);
		store_batch_put_session(b, &record);
		commit(m, b);
	}
	store_session_release(&record);
}

/* The record takes the name that the session has in the root. */
static void take_session_name(struct mending *m, const struct checked_session *s, const struct store_dirent *d)
{
	struct store_session record;
	if (!get_session(m, s, &record))
		return;
	record.name_len = d->name_len;
	memcpy(record.name, d->name, d->name_len + 1);
	struct store_batch *b = begin(m);
	if (b) {
		store_batch_put_session(b, &record);
		commit(m, b);
	}
	store_session_release(&record);
}

/* Pinned, because what the one that is lost said of its age is not known. */
static void make_up_session(struct mending *m, const struct checked_name *n)
{
	int64_t now = store_now();
	struct store_session record = {.sid = sid_of(n->target_sid),
		.root = ino_of(n->ino),
		.flags = STORE_SESSION_PINNED,
		.created = now,
		.modified = now,
		.last_write = now};
	struct store_dirent d;
	struct store_batch *b;
	if (!check_read_name(m->check, n->sid, n->dir, n->cookie, &d) || !(b = begin(m)))
		return;
	record.name_len = d.name_len;
	memcpy(record.name, d.name, d.name_len + 1);
	store_batch_put_session(b, &record);
	commit(m, b);
}

static void mend_sessions(struct mending *m)
{
	struct check *c = m->check;
	bool any = c->sessions.count || c->names.count || c->inodes.count;
	if (any && !check_inode(c, STORE_ROOT_SID.n, STORE_ROOT_INO.n))
		make_up_directory(m, STORE_ROOT_SID.n, STORE_ROOT_INO.n, 0755);
	for (size_t k = 0; k < c->sessions.count; k++) {
		const struct checked_session *s = &c->sessions.list[k];
		if (!check_inode(c, s->record.sid.n, s->record.root.n) && !check_is_dropped(c, s->record.sid.n))
			make_up_directory(m, s->record.sid.n, s->record.root.n, 0700);
	}
}

/* After mend_sessions and mend_names, so that no name of it is still hidden. */
static void mend_session_names(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->sessions.count; k++) {
		const struct checked_session *s = &c->sessions.list[k];
		const struct checked_inode *i = check_inode(c, s->record.sid.n, s->record.root.n);
		struct store_dirent d;
		if (s->record.ended || check_is_dropped(c, s->record.sid.n))
			continue;
		if (!s->named)
			add_session_name(m, s);
		else if (i && check_read_name(c, STORE_ROOT_SID.n, i->named_in, i->cookie, &d) &&
			 strcmp(d.name, s->record.name))
			take_session_name(m, s, &d);
	}
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static int compare_dirs(const void *a, const void *b)
{
	const struct checked_name *x = a, *y = b;
	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	return x->dir < y->dir ? -1 : x->dir > y->dir;
}

static bool has_names(struct check *c, uint32_t sid, uint64_t dir)
{
	struct checked_name wanted = {.sid = sid, .dir = dir};
	return c->names.count && bsearch(&wanted, c->names.list, c->names.count, sizeof wanted, compare_dirs);
}

static void delete_name(struct mending *m, const struct checked_name *n)
{
	struct store_batch *b = begin(m);
	if (!b)
		return;
	store_batch_delete_dirent(b, sid_of(n->sid), ino_of(n->dir), n->cookie);
	commit(m, b);
}

static void set_type(struct mending *m, const struct checked_name *n, uint32_t mode)
{
	struct store_dirent d;
	struct store_batch *b;
	if (!check_read_name(m->check, n->sid, n->dir, n->cookie, &d) || !(b = begin(m)))
		return;
	d.type = mode & S_IFMT;
	store_batch_put_dirent(b, sid_of(n->sid), ino_of(n->dir), &d);
	commit(m, b);
}

static void mend_name(struct mending *m, const struct checked_name *n)
{
	struct check *c = m->check;
	const struct checked_inode *dir = check_inode(c, n->sid, n->dir), *i = check_inode(c, n->target_sid, n->ino);
	const struct checked_session *s = check_session(c, n->target_sid);
	bool at_root = n->sid == STORE_ROOT_SID.n;
	bool lost_directory =
		!i && n->type == S_IFDIR && (at_root || n->target_sid == n->sid) && has_names(c, n->target_sid, n->ino);
	if (!dir)
		make_up_directory(m, n->sid, n->dir, 0700);
	else if (!S_ISDIR(dir->mode) || n->again)
		delete_name(m, n);
	else if (lost_directory)
		make_up_directory(m, n->target_sid, n->ino, 0700);
	else if (!i || (!at_root && n->target_sid != n->sid) || (at_root && s && s->record.root.n != n->ino))
		delete_name(m, n);
	else if (at_root && !s)
		make_up_session(m, n);
	else if (S_ISDIR(i->mode) && i->names > 1 && (i->named_in != n->dir || i->cookie != n->cookie))
		delete_name(m, n);
	else if ((i->mode & S_IFMT) != n->type)
		set_type(m, n, i->mode);
}

static void mend_names(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->names.count; k++)
		mend_name(m, &c->names.list[k]);
}

/* ---- inodes ----------------------------------------------------------------------------------------------------- */

static void mend_orphans(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->orphans.count; k++) {
		const struct checked_orphan *o = &c->orphans.list[k];
		const struct checked_inode *i = check_inode(c, o->sid, o->ino);
		struct store_batch *b;
		if ((i && !i->names) || !(b = begin(m)))
			continue;
		store_batch_delete_orphan(b, ino_of(o->ino));
		commit(m, b);
	}
}

static void keep_lost(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->inodes.count && !c->error; k++) {
		struct checked_inode *i = &c->inodes.list[k];
		if (i->names || i->orphan || i->root || !i->nlink || i->reach == REACH_ASKING)
			continue;
		c->error = check_keep(c, i);
		m->changes++;
	}
}

/* Directories in a ring: each has a name, none is reached. The first takes the others with it. */
static void keep_unreached(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->inodes.count && !c->error; k++) {
		struct checked_inode *i = &c->inodes.list[k];
		if (i->root || i->orphan || !S_ISDIR(i->mode) || i->reach != REACH_NO)
			continue;
		c->error = check_keep(c, i);
		m->changes++;
	}
}

static void mend_inode(struct mending *m, const struct checked_inode *i)
{
	struct store_inode inode;
	bool dir = S_ISDIR(i->mode), root = i->root && i->sid == STORE_ROOT_SID.n;
	if (store_get_inode(m->check->store, sid_of(i->sid), ino_of(i->ino), &inode))
		return;
	struct store_inode was = inode;
	inode.nlink = i->orphan ? 0 : dir ? 2 + i->subdirs : i->names;
	if (dir && !i->orphan) {
		inode.size = i->entries;
		inode.parent = root ? was.parent : i->root ? STORE_ROOT_INO.n : i->named_in;
		inode.view = i->named_view;
	}
	if (i->has_xattrs && !i->flagged)
		inode.flags |= STORE_INODE_HAS_ACL | STORE_INODE_HAS_XATTR;
	bool changed = inode.nlink != was.nlink || inode.size != was.size || inode.parent != was.parent ||
		       inode.view != was.view || inode.flags != was.flags;
	bool lost = !i->orphan && !i->names && !root && !inode.nlink;
	struct store_batch *b = changed || lost ? begin(m) : NULL;
	if (b) {
		store_batch_put_inode(b, sid_of(i->sid), ino_of(i->ino), &inode);
		if (lost)
			store_batch_put_orphan(b, sid_of(i->sid), ino_of(i->ino));
		commit(m, b);
	}
	store_inode_release(&inode);
}

static bool is_wrong(const struct checked_inode *i)
{
	bool dir = S_ISDIR(i->mode);
	return i->nlink != (i->orphan    ? 0
				   : dir ? 2 + i->subdirs
					 : i->names) ||
	       (!i->names && !i->root && !i->orphan) || (i->has_xattrs && !i->flagged) ||
	       (dir && !i->orphan && (i->size != i->entries || i->parent != i->named_in || i->view != i->named_view));
}

static void mend_inodes(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->inodes.count; k++)
		if (is_wrong(&c->inodes.list[k]))
			mend_inode(m, &c->inodes.list[k]);
}

/* An inode behind `after` that has attributes, but no record. STORE_ABSENT. */
static int find_lost(struct check *c, struct key after, struct key *ret)
{
	const struct key last = {{UINT64_MAX, UINT64_MAX, UINT64_MAX}};
	struct scan scan;
	bool found = false;
	scan_begin(&scan, c->store, after, last);
	while (!found && scan_next(&scan)) {
		*ret = scan.key;
		found = key_kind(scan.key) == KIND_XATTR && !check_is_dropped(c, key_sid(scan.key).n) &&
			!check_inode(c, key_sid(scan.key).n, key_ino(scan.key).n);
	}
	int r = scan_end(&scan);
	return r || found ? r : STORE_ABSENT;
}

/* Attributes and content of an inode that has no record go with it. */
static void mend_lost_attributes(struct mending *m)
{
	struct key at = key_front(KIND_INODE, 0);
	int r = 0;
	while (!m->check->error && (r = find_lost(m->check, at, &at)) == 0) {
		struct store_batch *b = begin(m);
		if (!b)
			return;
		store_batch_delete_xattrs(b, key_sid(at), key_ino(at));
		store_batch_delete_inode(b, key_sid(at), key_ino(at));
		commit(m, b);
		at = key_make(key_sid(at), ino_of(key_ino(at).n + 1), KIND_INODE, 0);
	}
	if (r < 0)
		m->check->error = r;
}

static void mend_records(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->sessions.count; k++) {
		const struct checked_session *s = &c->sessions.list[k];
		const struct checked_inode *root = check_inode(c, s->record.sid.n, s->record.root.n);
		struct store_session record;
		struct store_batch *b;
		if (!root || !get_session(m, s, &record))
			continue;
		b = check_correct(s, root, &record) ? begin(m) : NULL;
		if (b) {
			store_batch_put_session(b, &record);
			commit(m, b);
		}
		store_session_release(&record);
	}
}

static void add_ending(struct mending *m, const struct store_session *s)
{
	struct store_ending ending = {.sid = s->sid,
		.name_len = s->name_len,
		.created = s->created,
		.ended = s->ended,
		.until = s->until,
		.ending = s->ending,
		.status = s->status,
		.logical = s->logical,
		.creations = s->creations,
		.modifications = s->modifications,
		.operations = s->operations};
	struct store_batch *b = begin(m);
	if (!b)
		return;
	memcpy(ending.name, s->name, s->name_len + 1);
	for (int v = 0; v < STORE_VIEWS; v++)
		ending.files += s->files[v];
	store_batch_put_ending(b, &ending);
	commit(m, b);
}

static void mend_endings(struct mending *m)
{
	struct check *c = m->check;
	for (size_t k = 0; k < c->sessions.count; k++) {
		if (check_lacks_ending(c, &c->sessions.list[k]))
			add_ending(m, &c->sessions.list[k].record);
	}
	for (size_t k = 0; k < c->endings.count; k++) {
		const struct checked_session *s = check_session(c, c->endings.list[k].sid);
		bool alive = s && !s->record.ended && !check_is_dropped(c, s->record.sid.n);
		struct store_batch *b = alive ? begin(m) : NULL;
		if (!b)
			continue;
		store_batch_delete_ending(b, s->record.sid);
		commit(m, b);
	}
}

int check_mend(struct check *c, bool *ret_any)
{
	static void (*const steps[])(struct mending *) = {mend_sessions, mend_names, mend_session_names, mend_orphans,
		keep_lost, keep_unreached, mend_inodes, mend_lost_attributes, mend_records, mend_endings};
	struct mending m = {.check = c};
	for (size_t i = 0; i < sizeof steps / sizeof *steps && !m.changes && !c->error; i++)
		steps[i](&m);
	*ret_any = m.changes;
	return c->error;
}
