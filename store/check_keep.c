/*
 * check_keep.c - lost+found: a session that takes in what has no name any more; pinned, lest it expires with that. Its
 * counters are left to the next step of mending.
 */
#include "store/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LOST_NAME "lost+found"
enum { DEPTH_MAX = 200, COPY_CHUNKS = 8 };

/* Where a copy goes. */
struct place {
	struct store_sid sid;
	struct store_ino dir;
};

static int commit(struct store_batch *b)
{
	int r = store_batch_commit(b);
	return r > 0 ? -ENOSPC : r;
}

static int begin(struct check *c, size_t bytes, struct store_batch **ret)
{
	int r = store_batch_begin(c->store, STORE_SHRINK, bytes, ret);
	return r > 0 ? -ENOSPC : r;
}

static struct store_dirent entry_of(
	const char *name, size_t len, struct store_sid sid, struct store_ino ino, uint32_t mode)
{
	struct store_dirent d = {.ino = ino, .session = sid, .type = mode & S_IFMT, .name_len = (uint32_t)len};
	memcpy(d.name, name, len);
	return d;
}

static int lost_and_found(struct check *c, struct place *ret)
{
	int64_t now = store_now();
	struct store_inode inode = check_make_up(c, S_IFDIR | 0700);
	struct store_session record = {.name = LOST_NAME,
		.name_len = sizeof LOST_NAME - 1,
		.flags = STORE_SESSION_PINNED,
		.created = now,
		.modified = now,
		.last_write = now};
	struct store_dirent d;
	struct store_batch *b;
	int r = store_lookup(c->store, STORE_ROOT_SID, STORE_ROOT_INO, LOST_NAME, sizeof LOST_NAME - 1, &d);
	if (r == 0)
		*ret = (struct place){d.session, d.ino};
	if (r != STORE_ABSENT)
		return r;
	r = begin(c, 0, &b);
	if (r)
		return r;
	record.sid = store_new_sid(b);
	record.root = store_new_ino(b);
	inode.parent = STORE_ROOT_INO.n;
	d = entry_of(LOST_NAME, sizeof LOST_NAME - 1, record.sid, record.root, S_IFDIR);
	store_batch_new_inode(b, record.sid, record.root, &inode);
	store_batch_put_session(b, &record);
	store_batch_add_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, &d);
	r = commit(b);
	if (r == 0)
		*ret = (struct place){record.sid, record.root};
	return r;
}

/* ---- one inode -------------------------------------------------------------------------------------------------- */

struct names {
	char *list; /* zero-terminated, one after the other */
	size_t len;
	bool failed;
};

static bool collect_name(void *arg, const char *name, size_t len)
{
	struct names *n = arg;
	char *p = realloc(n->list, n->len + len + 1);
	if (!p)
		return n->failed = true;
	memcpy(p + n->len, name, len);
	p[n->len + len] = 0;
	n->list = p;
	n->len += len + 1;
	return false;
}

static int copy_xattr(
	struct check *c, const struct checked_inode *i, struct store_sid sid, struct store_ino ino, const char *name)
{
	struct store_batch *b;
	void *data;
	size_t len;
	int r = store_get_xattr(c->store, sid_of(i->sid), ino_of(i->ino), name, &data, &len);
	if (r)
		return r > 0 ? 0 : r;
	r = begin(c, 0, &b);
	if (r == 0) {
		store_batch_put_xattr(b, sid, ino, name, data, len);
		r = commit(b);
	}
	free(data);
	return r;
}

static int copy_xattrs(struct check *c, const struct checked_inode *i, struct store_sid sid, struct store_ino ino)
{
	struct names n = {0};
	int r = store_scan_xattrs(c->store, sid_of(i->sid), ino_of(i->ino), collect_name, &n);
	r = r ? r : n.failed ? -ENOMEM : 0;
	for (size_t at = 0; r == 0 && at < n.len; at += strlen(n.list + at) + 1)
		r = copy_xattr(c, i, sid, ino, n.list + at);
	free(n.list);
	return r;
}

static int copy_range(struct check *c, const struct checked_inode *i, struct store_sid sid, struct store_ino ino,
	uint64_t at, size_t len, uint8_t *buf)
{
	struct store_batch *b;
	int r = store_read(c->store, sid_of(i->sid), ino_of(i->ino), at, buf, len);
	r = r ? r : begin(c, len, &b);
	if (r)
		return r;
	store_batch_write(b, sid, ino, at, buf, len);
	return commit(b);
}

static int copy_content(struct check *c, const struct checked_inode *i, struct store_sid sid, struct store_ino ino)
{
	const size_t step = COPY_CHUNKS * STORE_CHUNK_SIZE;
	uint8_t *buf = malloc(step);
	uint64_t at = 0;
	int r = buf ? 0 : -ENOMEM;
	while (r == 0 && !S_ISDIR(i->mode)) {
		r = store_seek(
			c->store, sid_of(i->sid), ino_of(i->ino), at, i->size, true, &at);
		if (r)
			break;
		size_t len = i->size - at < step ? (size_t)(i->size - at) : step;
		r = copy_range(c, i, sid, ino, at, len, buf);
		at += len;
	}
	free(buf);
	return r == STORE_ABSENT ? 0 : r;
}

/* Record, name, attributes, content. */
static int copy_inode(struct check *c, const struct checked_inode *i, struct place to, const char *name, size_t len,
	struct store_ino *ret)
{
	struct store_inode inode;
	struct store_batch *b;
	int r = store_get_inode(c->store, sid_of(i->sid), ino_of(i->ino), &inode);
	if (r)
		return r < 0 ? r : -EIO;
	r = begin(c, 0, &b);
	if (r == 0) {
		*ret = store_new_ino(b);
		struct store_dirent d = entry_of(name, len, to.sid, *ret, inode.mode);
		inode.nlink = S_ISDIR(inode.mode) ? 2 : 1;
		inode.parent = S_ISDIR(inode.mode) ? to.dir.n : 0;
		inode.view = 0;
		store_batch_new_inode(b, to.sid, *ret, &inode);
		store_batch_add_dirent(b, to.sid, to.dir, &d);
		r = commit(b);
	}
	store_inode_release(&inode);
	r = r ? r : copy_xattrs(c, i, to.sid, *ret);
	return r ? r : copy_content(c, i, to.sid, *ret);
}

/* ---- and what is below it --------------------------------------------------------------------------------------- */

static size_t first_name(const struct check *c, uint32_t sid, uint64_t dir)
{
	size_t low = 0, high = c->names.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct checked_name *n = &c->names.list[middle];
		if (n->sid < sid || (n->sid == sid && n->dir < dir))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int delete_name(struct check *c, const struct checked_name *n)
{
	struct store_batch *b;
	int r = begin(c, 0, &b);
	if (r)
		return r;
	store_batch_delete_dirent(b, sid_of(n->sid), ino_of(n->dir), n->cookie);
	return commit(b);
}

static int delete_inode(struct check *c, const struct checked_inode *i)
{
	struct store_batch *b;
	int r = begin(c, 0, &b);
	if (r)
		return r;
	store_batch_delete_xattrs(b, sid_of(i->sid), ino_of(i->ino));
	store_batch_delete_inode(b, sid_of(i->sid), ino_of(i->ino));
	return commit(b);
}

static int keep_below(
	struct check *c, struct checked_inode *i, struct place to, const char *name, size_t len, int depth);

static int keep_names(struct check *c, const struct checked_inode *dir, struct place to, int depth)
{
	struct store_dirent d;
	int r = 0;
	for (size_t k = first_name(c, dir->sid, dir->ino); r == 0 && k < c->names.count; k++) {
		const struct checked_name *n = &c->names.list[k];
		if (n->sid != dir->sid || n->dir != dir->ino)
			break;
		struct checked_inode *i = check_inode(c, n->sid, n->ino);
		if (i && i->reach != REACH_ASKING && n->target_sid == n->sid &&
			check_read_name(c, n->sid, n->dir, n->cookie, &d))
			r = keep_below(c, i, to, d.name, d.name_len, depth + 1);
		r = r ? r : delete_name(c, n);
	}
	return r;
}

static int keep_below(
	struct check *c, struct checked_inode *i, struct place to, const char *name, size_t len, int depth)
{
	struct store_ino copy;
	if (depth > DEPTH_MAX)
		return 0;
	i->reach = REACH_ASKING;
	int r = copy_inode(c, i, to, name, len, &copy);
	if (r == 0 && S_ISDIR(i->mode))
		r = keep_names(c, i, (struct place){to.sid, copy}, depth);
	if (r)
		return r;
	c->result->kept++;
	return !S_ISDIR(i->mode) && i->names > 1 ? 0 : delete_inode(c, i);
}

int check_keep(struct check *c, struct checked_inode *i)
{
	struct place to;
	struct store_dirent d;
	char name[64];
	int len = snprintf(name, sizeof name, "#%" PRIu64, i->ino);
	int r = lost_and_found(c, &to);
	for (int again = 2; r == 0 && store_lookup(c->store, to.sid, to.dir, name, (size_t)len, &d) == 0; again++)
		len = snprintf(name, sizeof name, "#%" PRIu64 ".%d", i->ino, again);
	return r ? (r < 0 ? r : -EIO) : keep_below(c, i, to, name, (size_t)len, 0);
}
