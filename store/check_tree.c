/*
 * check_tree.c - the tables against each other: every inode has its names, every directory its place, every session its
 * counters.
 */
#include "store/check.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

/* ---- names (invariants 4 and 10) ------------------------------------------------------------------------------ */

static void check_session_name(struct check *c, const struct checked_name *n)
{
	struct checked_session *s = check_session(c, n->target_sid);
	struct store_dirent d;
	char text[CHECK_TEXT];
	if (!s || s->record.root.n != n->ino)
		check_finding(c, 10, "the root has a name for session %" PRIu32 ", inode %" PRIu64 ", %s",
			n->target_sid, n->ino, s ? "which is not its directory" : "which has no record");
	else if (s->named)
		check_finding(c, 10, "%s has two names", check_describe_session(c, n->target_sid, text));
	else if ((s->named = true) && check_read_name(c, n->sid, n->dir, n->cookie, &d) &&
		 strcmp(d.name, s->record.name))
		check_finding(
			c, 10, "%s is named %s in the root", check_describe_session(c, n->target_sid, text), d.name);
}

static bool are_alike(struct check *c, const struct checked_name *a, const struct checked_name *b)
{
	struct store_dirent x, y;
	return check_read_name(c, a->sid, a->dir, a->cookie, &x) && check_read_name(c, b->sid, b->dir, b->cookie, &y) &&
	       x.name_len == y.name_len && memcmp(x.name, y.name, x.name_len) == 0;
}

/* Against those before it that hash alike. */
static void check_again(struct check *c, struct checked_name *n)
{
	const struct checked_inode *dir = check_inode(c, n->sid, n->dir);
	char text[CHECK_TEXT];
	for (const struct checked_name *o = n; !n->again && o-- > c->names.list;) {
		if (o->sid != n->sid || o->dir != n->dir || o->cookie >> 8 != n->cookie >> 8)
			return;
		n->again = are_alike(c, o, n);
	}
	if (n->again)
		check_finding(c, 4, "%s has a name twice", dir ? check_describe(c, dir, text) : "a lost directory");
}

static void check_name(struct check *c, const struct checked_name *n)
{
	struct checked_inode *dir = check_inode(c, n->sid, n->dir), *i = check_inode(c, n->target_sid, n->ino);
	char text[CHECK_TEXT];
	if (!dir || !S_ISDIR(dir->mode)) {
		check_finding(c, 4,
			"session %" PRIu32 ": inode %" PRIu64 ", which is no directory, has a name for inode %" PRIu64,
			n->sid, n->dir, n->ino);
		dir = NULL;
	} else {
		dir->entries++;
		dir->subdirs += n->type == S_IFDIR;
	}
	if (n->sid == STORE_ROOT_SID.n && check_is_dropped(c, n->target_sid)) {
		check_finding(c, 16, "%s is dropped, but has a name in the root",
			check_describe_session(c, n->target_sid, text));
		return;
	}
	if (n->sid == STORE_ROOT_SID.n)
		check_session_name(c, n);
	if (!i || (n->sid != STORE_ROOT_SID.n && n->target_sid != n->sid)) {
		check_finding(c, 4, "%s has a name for inode %" PRIu64 " of session %" PRIu32 ", %s",
			dir ? check_describe(c, dir, text) : "a lost directory", n->ino, n->target_sid,
			i ? "another session" : "which is not there");
		return;
	}
	if ((i->mode & S_IFMT) != n->type)
		check_finding(c, 4, "%s: its name says type %o, its mode is %o", check_describe(c, i, text), n->type,
			i->mode);
	if (i->names++ == 0) {
		i->named_in = n->dir;
		i->cookie = n->cookie;
		struct checked_session *s = check_session(c, n->sid);
		i->named_view = s && s->record.root.n == n->dir ? (uint8_t)n->view : 0;
	}
}

/* ---- places of directories (invariant 6) ---------------------------------------------------------------------- */

static struct checked_inode *parent_of(struct check *c, const struct checked_inode *i)
{
	return i->names && !i->root ? check_inode(c, i->sid, i->named_in) : NULL;
}

/* Follows the names upwards until it is known where they lead, then tells it to all that were passed. */
static void find_reach(struct check *c, struct checked_inode *from)
{
	struct checked_inode *i = from;
	while (i && i->reach == REACH_UNKNOWN) {
		i->reach = i->root ? REACH_YES : REACH_ASKING;
		i = i->root ? i : parent_of(c, i);
	}
	enum reach found = i && i->reach == REACH_YES ? REACH_YES : REACH_NO;
	for (i = from; i && i->reach == REACH_ASKING; i = parent_of(c, i))
		i->reach = (uint8_t)found;
}

/* What the files in a directory count for: decided by its ancestor at the session's top. After find_reach. */
static uint8_t files_view(struct check *c, struct checked_inode *dir)
{
	struct checked_inode *top = dir;
	while (top->reach == REACH_YES && !top->root && !top->named_view && !top->files_view)
		top = parent_of(c, top);
	uint8_t view = top->named_view ? top->named_view : top->files_view ? top->files_view : 1 + STORE_OTHER;
	for (struct checked_inode *i = dir; i != top; i = parent_of(c, i))
		i->files_view = view;
	return top->files_view = view;
}

/* ---- inodes (invariants 5, 7, 13) ----------------------------------------------------------------------------- */

static void check_directory(struct check *c, const struct checked_inode *i)
{
	char text[CHECK_TEXT];
	bool store_root = i->sid == STORE_ROOT_SID.n;
	uint64_t parent = i->root ? (store_root ? 0 : STORE_ROOT_INO.n) : i->named_in;
	if (i->nlink != 2 + i->subdirs)
		check_finding(c, 5, "%s: %" PRIu32 " links, but %" PRIu32 " directories in it",
			check_describe(c, i, text), i->nlink, i->subdirs);
	if (i->size != i->entries)
		check_finding(c, 5, "%s: size %" PRIu64 ", but %" PRIu64 " names in it", check_describe(c, i, text),
			i->size, i->entries);
	if (i->names > 1)
		check_finding(c, 5, "%s: a directory with %" PRIu32 " names", check_describe(c, i, text), i->names);
	if (i->names && !store_root && i->parent != parent)
		check_finding(c, 5, "%s: says that it is in directory %" PRIu64 ", but is in %" PRIu64,
			check_describe(c, i, text), i->parent, parent);
	if ((i->names || i->root) && i->view != i->named_view)
		check_finding(c, 11, "%s: its files count for view %u, but by its name for %u",
			check_describe(c, i, text), i->view, i->named_view);
}

/* The root, and the directory of a session in the trash (invariant 15). */
static bool may_be_unnamed(struct check *c, const struct checked_inode *i)
{
	const struct checked_session *s = check_session(c, i->sid);
	return i->root && (i->sid == STORE_ROOT_SID.n || (s && s->record.ended));
}

static void check_links(struct check *c, const struct checked_inode *i)
{
	char text[CHECK_TEXT];
	if (i->orphan && (i->nlink || i->names))
		check_finding(c, 7, "%s: an orphan with %" PRIu32 " links and %" PRIu32 " names",
			check_describe(c, i, text), i->nlink, i->names);
	else if (!i->orphan && !i->nlink && !i->names)
		check_finding(c, 7, "%s: no links, but not an orphan", check_describe(c, i, text));
	else if (!i->orphan && !i->names && !may_be_unnamed(c, i))
		check_finding(c, 5, "%s: has no name", check_describe(c, i, text));
	else if (S_ISDIR(i->mode) && i->reach != REACH_YES)
		check_finding(c, 6, "%s: a directory that cannot be reached", check_describe(c, i, text));
	else if (!S_ISDIR(i->mode) && i->names != i->nlink)
		check_finding(c, 5, "%s: %" PRIu32 " links, but %" PRIu32 " names", check_describe(c, i, text),
			i->nlink, i->names);
}

/* A file whose content the scan found damaged, by its name. */
static void check_hurt(struct check *c, const struct checked_inode *i)
{
	char text[CHECK_TEXT];
	if (i->hurt)
		check_finding(c, 3, "%s: content of it is lost; --repair puts zeros in its place",
			check_describe(c, i, text));
}

static void check_one(struct check *c, struct checked_inode *i)
{
	char text[CHECK_TEXT];
	check_links(c, i);
	if (S_ISDIR(i->mode) && !i->orphan)
		check_directory(c, i);
	if (i->has_xattrs && !i->flagged)
		check_finding(c, 13, "%s: has extended attributes, but does not say so", check_describe(c, i, text));
	if (i->sid != STORE_ROOT_SID.n && !check_session(c, i->sid))
		check_finding(
			c, 10, "session %" PRIu32 ", inode %" PRIu64 ": the session has no record", i->sid, i->ino);
}

static void mark_orphans(struct check *c)
{
	for (size_t k = 0; k < c->orphans.count; k++) {
		const struct checked_orphan *o = &c->orphans.list[k];
		struct checked_inode *i = check_inode(c, o->sid, o->ino);
		if (i)
			i->orphan = true;
		else
			check_finding(c, 7, "session %" PRIu32 ": inode %" PRIu64 " is an orphan, but is not there",
				o->sid, o->ino);
	}
}

static void mark_roots(struct check *c)
{
	struct checked_inode *root = check_inode(c, STORE_ROOT_SID.n, STORE_ROOT_INO.n);
	char text[CHECK_TEXT];
	if (root)
		root->root = true;
	else if (c->sessions.count || c->names.count)
		check_finding(c, 6, "the root directory is missing");
	for (size_t k = 0; k < c->sessions.count; k++) {
		const struct checked_session *s = &c->sessions.list[k];
		struct checked_inode *i = check_inode(c, s->record.sid.n, s->record.root.n);
		if (i)
			i->root = true;
		else if (!check_is_dropped(c, s->record.sid.n))
			check_finding(c, 10, "%s: its directory, inode %" PRIu64 ", is missing",
				check_describe_session(c, s->record.sid.n, text), s->record.root.n);
	}
}

/* ---- counters (invariant 11) ---------------------------------------------------------------------------------- */

static void count_file(struct check *c, struct checked_session *s, const struct checked_name *n, unsigned view)
{
	s->files[view]++;
	const struct checked_inode *i = view == STORE_CACHE ? check_inode(c, n->target_sid, n->ino) : NULL;
	if (i && i->mtime < s->cache_oldest)
		s->cache_oldest = i->mtime;
}

static void count_all(struct check *c)
{
	for (size_t k = 0; k < c->names.count; k++) {
		const struct checked_name *n = &c->names.list[k];
		struct checked_session *s = check_session(c, n->sid);
		struct checked_inode *dir = check_inode(c, n->sid, n->dir);
		if (s && dir && n->type != S_IFDIR)
			count_file(c, s, n, files_view(c, dir) - 1);
	}
	for (size_t k = 0; k < c->inodes.count; k++) {
		const struct checked_inode *i = &c->inodes.list[k];
		struct checked_session *s = check_session(c, i->sid);
		if (s && S_ISREG(i->mode))
			s->logical += i->size;
	}
}

static void check_counters(struct check *c, const struct checked_session *s)
{
	char text[CHECK_TEXT];
	check_describe_session(c, s->record.sid.n, text);
	for (int v = 0; v < STORE_VIEWS; v++)
		if (s->files[v] != s->record.files[v])
			check_finding(c, 11, "%s: counts %" PRIu64 " files in view %d, but has %" PRIu64, text,
				s->record.files[v], v, s->files[v]);
	if (s->logical != s->record.logical)
		check_finding(
			c, 11, "%s: counts %" PRIu64 " bytes, but has %" PRIu64, text, s->record.logical, s->logical);
	if (!s->named && !s->record.ended)
		check_finding(c, 10, "%s: has no name in the root", text);
	if (s->named && s->record.ended)
		check_finding(c, 15, "%s: is in the trash, but has a name in the root", text);
}

int check_tree(struct check *c)
{
	mark_roots(c);
	mark_orphans(c);
	for (size_t k = 0; k < c->names.count; k++) {
		check_name(c, &c->names.list[k]);
		check_again(c, &c->names.list[k]);
	}
	for (size_t k = 0; k < c->inodes.count; k++)
		find_reach(c, &c->inodes.list[k]);
	count_all(c);
	for (size_t k = 0; k < c->inodes.count; k++) {
		check_one(c, &c->inodes.list[k]);
		check_hurt(c, &c->inodes.list[k]);
	}
	for (size_t k = 0; k < c->sessions.count; k++)
		if (!check_is_dropped(c, c->sessions.list[k].record.sid.n))
			check_counters(c, &c->sessions.list[k]);
	check_life(c);
	return c->error;
}
