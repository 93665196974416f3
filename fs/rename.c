/*
 * rename.c - moving names: plain, over another, exchanging two; sessions at the root.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/fs.h>

#include "fs/cache_expiry.h"
#include "fs/control.h"
#include "fs/dir.h"
#include "fs/error.h"
#include "fs/grow.h"

/* One of the two ends of a rename. */
struct place {
	struct node *dir;
	const char *name;
	struct store_dirent entry; /* what is there; valid if node is set */
	struct node *node; /* pinned, or NULL: no such name */
	enum store_view here, there; /* what it counts for, and would count for at the other end */
	uint64_t files; /* names that change views with it: 1 for a file, those below for a directory */
};

struct rename {
	struct fs *fs;
	struct place from, to;
	bool exchange;
};

static int find_place(struct fs *fs, struct fs_id id, const char *name, struct place *place)
{
	int r = dir_find(fs, id, name, &place->dir);

	place->name = name;
	if (r)
		return r;
	if (dir_is_hidden(place->dir, name))
		return control_refuse();
	r = dir_find_name(place->dir, name, &place->entry);
	if (r)
		return r == ENOENT ? 0 : r;
	return node_load(fs, place->entry.session, place->entry.ino, &place->node);
}

static bool is_dir(const struct place *place)
{
	return place->node && S_ISDIR(place->node->inode.mode);
}

/* What one may do about the root: rename sessions, and nothing else. */
static int check_root(const struct rename *m)
{
	bool from_root = node_is_root(m->from.dir), to_root = node_is_root(m->to.dir);

	if (from_root && to_root)
		return m->to.name[0] == '.' ? dir_refuse_in_root() : 0;
	if (to_root && !is_dir(&m->from))
		return dir_refuse_in_root();
	if (from_root || to_root)
		return EXDEV;
	return m->from.dir->session != m->to.dir->session ? EXDEV : 0;
}

/* EINVAL if the directory is dir or above it. */
static int check_above(struct node *directory, struct node *dir)
{
	struct fs *fs = dir->session->fs;
	struct node *at = dir, *parent;
	int r = 0;

	at->pins++;
	for (unsigned depth = 0; at != directory && !node_is_session(at) && !node_is_root(at); depth++) {
		struct store_ino up = {at->inode.parent};

		r = depth < NODE_DEPTH_MAX ? node_load(fs, at->session->sid, up, &parent) : -EIO;
		if (r)
			break;
		node_put(at);
		at = parent;
	}
	if (!r && at == directory)
		r = EINVAL;
	node_put(at);
	return r;
}

static int check_replace(const struct rename *m)
{
	if (!m->to.node || m->exchange || node_is_root(m->to.dir))
		return 0;
	if (is_dir(&m->from) != is_dir(&m->to))
		return is_dir(&m->to) ? EISDIR : ENOTDIR;
	if (is_dir(&m->to) && m->to.node->inode.size)
		return ENOTEMPTY;
	return 0;
}

static int check(const struct rename *m, unsigned flags)
{
	int r = 0;

	if (!m->from.node)
		return ENOENT;
	if (flags & RENAME_NOREPLACE && m->to.node)
		return EEXIST;
	if (m->exchange && !m->to.node)
		return ENOENT;
	r = check_root(m);
	if (!r && is_dir(&m->from))
		r = check_above(m->from.node, m->to.dir);
	if (!r && m->exchange && is_dir(&m->to))
		r = check_above(m->to.node, m->from.dir);
	return r ? r : check_replace(m);
}

struct below {
	struct store_ino dir, ino;
};

/* Directories that are still to be counted. */
struct walk {
	uint64_t files;
	struct store_ino at;
	struct below *dirs;
	size_t count, room;
	bool no_memory;
};

static bool note_below(void *arg, const struct store_dirent *entry)
{
	struct walk *walk = arg;
	struct below *dirs;

	if (entry->type != S_IFDIR) {
		walk->files++;
		return false;
	}
	dirs = grow(walk->dirs, walk->count, &walk->room, sizeof(*dirs));
	if (dirs) {
		walk->dirs = dirs;
		walk->dirs[walk->count++] = (struct below){walk->at, entry->ino};
	}
	walk->no_memory = !dirs;
	return walk->no_memory;
}

/*
 * Goes on with one of them; ENOENT: there is none. In a damaged store a name may lead back to a directory above it:
 * that is not where it lies.
 */
static int next_below(struct node *top, struct walk *walk)
{
	while (walk->count) {
		struct below below = walk->dirs[--walk->count];
		NODE_AUTO node = NULL;
		int r = node_load(top->session->fs, top->session->sid, below.ino, &node);

		if (r == -ENOMEM)
			return r;
		if (!r && node->inode.parent == below.dir.n) {
			walk->at = below.ino;
			return 0;
		}
	}
	return ENOENT;
}

static int count_below(struct node *top, uint64_t *ret)
{
	struct walk walk = {.at = top->ino};
	struct store *store = top->session->fs->store;
	int r;

	do {
		r = error_of_store(store_scan_dirents(store, top->session->sid, walk.at, 0, note_below, &walk));
		if (r == ENOENT)
			r = 0;
		if (walk.no_memory)
			r = -ENOMEM;
		if (!r)
			r = next_below(top, &walk);
	} while (!r);
	free(walk.dirs);
	if (r != ENOENT)
		return r;
	*ret = walk.files;
	return 0;
}

static int weigh(struct place *place, const struct place *other)
{
	int r;

	if (!place->node)
		return 0;
	r = dir_view(place->dir, place->name, place->node->inode.mode, &place->here);
	if (!r)
		r = dir_view(other->dir, other->name, place->node->inode.mode, &place->there);
	if (r)
		return r;
	place->files = is_dir(place) ? 0 : 1;
	return is_dir(place) && place->here != place->there ? count_below(place->node, &place->files) : 0;
}

/* A moved inode in its new place. */
static void settle(struct change *c, struct node *node, struct node *dir, const char *name)
{
	struct store_inode *inode = change_inode(c, node);

	inode->ctime = c->now;
	if (S_ISDIR(inode->mode))
		dir_set_parent(inode, dir, name);
}

static void put_entry(struct change *c, const struct place *at, const struct place *what)
{
	struct store_dirent entry = dir_entry(what->node, at->name);

	if (!at->node) {
		store_batch_add_dirent(c->batch, at->dir->session->sid, at->dir->ino, &entry);
		return;
	}
	entry.cookie = at->entry.cookie;
	store_batch_put_dirent(c->batch, at->dir->session->sid, at->dir->ino, &entry);
}

static void shift_files(struct change *c, const struct place *place)
{
	c->record.files[place->here] -= place->files;
	c->record.files[place->there] += place->files;
	if (place->there == STORE_CACHE && place->here != STORE_CACHE && is_dir(place))
		c->record.cache_oldest = 0; /* whatever lies below it */
}

static void exchange(struct change *c, const struct rename *m)
{
	const struct place *from = &m->from, *to = &m->to;
	int dirs = is_dir(to) - is_dir(from);

	shift_files(c, from);
	shift_files(c, to);
	put_entry(c, from, to);
	put_entry(c, to, from);
	change_names(c, from->dir, 0, dirs);
	change_names(c, to->dir, 0, -dirs);
	settle(c, from->node, to->dir, to->name);
	settle(c, to->node, from->dir, from->name);
}

/* The inode whose name is taken over. */
static void replace(struct change *c, const struct place *to)
{
	if (is_dir(to)) {
		change_delete(c, to->node);
		return;
	}
	c->record.files[to->here]--;
	change_unlink(c, to->node);
}

static void move(struct change *c, const struct rename *m)
{
	const struct place *from = &m->from, *to = &m->to;

	shift_files(c, from);
	if (to->node)
		replace(c, to);
	put_entry(c, to, from);
	store_batch_delete_dirent(c->batch, from->dir->session->sid, from->dir->ino, from->entry.cookie);
	change_names(c, from->dir, -1, is_dir(from) ? -1 : 0);
	change_names(c, to->dir, to->node ? 0 : 1, is_dir(from) - is_dir(to));
	settle(c, from->node, to->dir, to->name);
}

static int apply(struct rename *m)
{
	CHANGE_AUTO(c);
	int r = change_begin(&c, m->from.dir->session, STORE_SHRINK, 0);

	if (r)
		return r;
	if (m->exchange)
		exchange(&c, m);
	else
		move(&c, m);
	r = change_commit(&c);
	if (r)
		return r;
	if (is_dir(&m->from) || is_dir(&m->to))
		m->from.dir->session->view_epoch++;
	if (m->from.there == STORE_CACHE || (m->exchange && m->to.there == STORE_CACHE))
		cache_expiry_grew(m->from.dir->session);
	return 0;
}

static struct store_session renamed(const struct session *session, const char *name, int64_t now)
{
	struct store_session record = session->record;

	session_set_name(&record, name);
	change_renew(session->fs, &record, now);
	record.operations++;
	return record;
}

/* A session's record with its new name; the copy in memory follows after the commit. */
static void put_session(struct change *c, struct session *session, const char *name)
{
	struct store_session record = renamed(session, name, c->now);

	store_batch_put_session(c->batch, &record);
}

static void note_session(struct session *session, const char *name, int64_t now)
{
	session->record = renamed(session, name, now);
}

static int apply_root(struct rename *m, const struct session_content *replaced)
{
	struct place *from = &m->from, *to = &m->to;
	CHANGE_AUTO(c);
	int r = change_begin(&c, m->fs->root->session, STORE_SHRINK, 0);

	if (r)
		return r;
	put_session(&c, from->node->session, to->name);
	change_inode(&c, from->node)->ctime = c.now;
	put_entry(&c, to, from);
	if (m->exchange) {
		put_session(&c, to->node->session, from->name);
		change_inode(&c, to->node)->ctime = c.now;
		put_entry(&c, from, to);
	} else {
		store_batch_delete_dirent(c.batch, from->dir->session->sid, from->dir->ino, from->entry.cookie);
		if (to->node)
			session_content_delete(&c, to->node, replaced);
	}
	change_names(&c, from->dir, to->node && !m->exchange ? -1 : 0, to->node && !m->exchange ? -1 : 0);
	r = change_commit(&c);
	if (r)
		return r;
	note_session(from->node->session, to->name, c.now);
	if (m->exchange)
		note_session(to->node->session, from->name, c.now);
	else if (to->node)
		session_content_deleted(&c, to->node);
	return 0;
}

/* Over another session only when that holds nothing: then it is removed with all that belongs to it. */
static int rename_session(struct rename *m)
{
	struct session_content replaced = {0};
	int r = change_check(m->from.node->session, CHANGE_CONTENT);

	if (!r && m->to.node)
		r = m->exchange ? change_check(m->to.node->session, CHANGE_CONTENT)
				: session_check_removal(m->to.node->session);
	if (!r && m->to.node && !m->exchange)
		r = session_content_load(m->to.node, &replaced);
	if (!r)
		r = apply_root(m, &replaced);
	session_content_release(&replaced);
	return r;
}

static int rename_places(struct rename *m, unsigned flags)
{
	int r = check(m, flags);

	if (r)
		return r;
	if (m->to.node == m->from.node)
		return 0;
	if (node_is_root(m->from.dir))
		return rename_session(m);
	r = weigh(&m->from, &m->to);
	if (!r)
		r = weigh(&m->to, &m->from);
	return r ? r : apply(m);
}

int dir_rename(struct fs *fs, struct fs_id from, const char *name, struct fs_id to, const char *to_name, unsigned flags)
{
	FS_GUARD(fs);
	struct rename m = {.fs = fs, .exchange = flags & RENAME_EXCHANGE};
	int r;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return EINVAL;
	if (control_is_id(from) || control_is_id(to))
		return control_rename(fs, from, name, to, to_name, flags);
	r = find_place(fs, from, name, &m.from);
	if (!r)
		r = find_place(fs, to, to_name, &m.to);
	if (!r)
		r = rename_places(&m, flags);
	node_put(m.from.node);
	node_put(m.to.node);
	return r;
}
