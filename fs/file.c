/*
 * file.c - content of files: reading, writing, figures of the store.
 */
#include <errno.h>

#include "fs/attr.h"
#include "fs/control.h"
#include "fs/cut.h"
#include "fs/error.h"
#include "fs/file.h"
#include "fs/launder.h"

int file_find(struct fs *fs, struct fs_id id, struct node **ret)
{
	struct node *node;
	int r = node_find(fs, id, &node);

	if (r)
		return r;
	if (!S_ISREG(node->inode.mode))
		return S_ISDIR(node->inode.mode) ? EISDIR : EINVAL;
	if (node->gone)
		return ESTALE; /* dropped with its session */
	*ret = node;
	return 0;
}

/* What is to be read of a file, as it stood under the lock. The kernel's reference keeps it from going. */
struct extent {
	struct store_sid sid;
	struct store_ino ino;
	size_t len;
};

static int find_extent(struct fs *fs, struct fs_id id, uint64_t offset, size_t len, struct extent *ret)
{
	FS_GUARD(fs);
	struct node *node;
	int r = file_find(fs, id, &node);

	if (r)
		return r;
	attr_accessed(node);
	if (offset >= node->inode.size)
		len = 0;
	else if (len > node->inode.size - offset)
		len = (size_t)(node->inode.size - offset);
	*ret = (struct extent){node->session->sid, node->ino, len};
	return 0;
}

static int read_control(struct fs *fs, struct fs_id id, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	FS_GUARD(fs);

	return control_read(fs, id, offset, buf, len, ret);
}

int file_read(struct fs *fs, struct fs_id id, uint64_t offset, char *buf, size_t len, size_t *ret)
{
	struct extent extent = {0};
	int r;

	if (control_is_id(id))
		return read_control(fs, id, offset, buf, len, ret);
	r = find_extent(fs, id, offset, len, &extent);
	if (!r && extent.len)
		r = error_of_store(store_read(fs->store, extent.sid, extent.ino, offset, buf, extent.len));
	if (!r)
		*ret = extent.len;
	return r;
}

int file_readlink(struct fs *fs, struct fs_id id, char *buf, size_t size)
{
	FS_GUARD(fs);
	struct node *node;
	int r;

	if (control_is_id(id))
		return control_readlink(fs, id, buf, size);
	r = node_find(fs, id, &node);
	if (r)
		return r;
	if (!S_ISLNK(node->inode.mode))
		return EINVAL;
	if (node->inode.size >= size)
		return -EIO;
	r = error_of_store(store_read(fs->store, node->session->sid, node->ino, 0, buf, (size_t)node->inode.size));
	if (!r)
		buf[node->inode.size] = '\0';
	return r;
}

/*
 * With writeback the kernel stamps a file when it is written to, and sends us the stamp behind the content; but not if
 * the file was made, or stamped, at the same tick of its clock: what has a time of late keeps it. Whatever has another
 * one will get that stamp. Ours stands in for it, lest a crash between the two leaves new content with an old time.
 */
static bool is_stamped(const struct change *c, const struct store_inode *inode, unsigned flags)
{
	const int64_t late = INT64_C(60) * 1000000000; /* the kernel holds back content for some 30 s */

	return flags & WRITE_CACHED && c->fs->options.writeback && inode->mtime <= c->now &&
		c->now - inode->mtime < late;
}

void file_changed(struct change *c, struct node *node, uint64_t end, unsigned flags)
{
	struct store_inode *inode = change_inode(c, node);

	if (end > inode->size)
		change_size(c, node, end);
	if (!is_stamped(c, inode, flags))
		inode->mtime = inode->ctime = c->now;
	if (flags & WRITE_KILL_SUIDGID)
		inode->mode = attr_without_suid(inode->mode);
	change_written(c, node);
}

/* How much of a range starting at offset may exist. EFBIG if none of it. */
static int clamp(const struct fs *fs, uint64_t offset, size_t *len)
{
	if (offset >= fs->max_file_size && *len)
		return EFBIG;
	if (*len > fs->max_file_size - offset)
		*len = (size_t)(fs->max_file_size - offset);
	return 0;
}

/* A session that launders takes what was changed before it became read-only. */
static enum change_kind kind_of_write(const struct node *node, unsigned flags)
{
	return flags & WRITE_CACHED && node->session->launders ? CHANGE_UPKEEP : CHANGE_CONTENT;
}

static int write_node(struct node *node, uint64_t offset, const char *data, size_t len, unsigned flags)
{
	CHANGE_AUTO(c);
	int r = flags & WRITE_CACHED ? cut_check(node, offset + len) : 0;

	if (!r)
		r = change_begin_as(&c, kind_of_write(node, flags), node->session, STORE_GROW, len);
	if (r)
		return r;
	store_batch_write(c.batch, node->session->sid, node->ino, offset, data, len);
	file_changed(&c, node, offset + len, flags);
	return change_commit(&c);
}

int file_write(struct fs *fs, struct fs_id id, uint64_t offset, const char *data, size_t len, unsigned flags,
	size_t *ret)
{
	FS_GUARD(fs);
	uint64_t end = offset + len;
	struct node *node;
	int r;

	if (control_is_id(id))
		return control_write(fs, id, offset, data, len, ret);
	r = file_find(fs, id, &node);
	if (r)
		return r;
	r = clamp(fs, offset, &len);
	if (!r)
		r = write_node(node, offset, data, len, flags);
	if (!r && flags & WRITE_CACHED && offset + len < end)
		r = EFBIG; /* the kernel does not look how much of its pages was taken */
	if (r && flags & WRITE_CACHED)
		launder_refused(node, r, end);
	if (!r)
		*ret = len;
	return r;
}

int file_sync(struct fs *fs)
{
	return error_of_store(store_sync(fs->store));
}

int file_statfs(struct fs *fs, struct statvfs *ret)
{
	struct store_stats stats;

	store_stats(fs->store, &stats);
	*ret = (struct statvfs){
		.f_bsize = 4096, .f_frsize = 4096, .f_namemax = STORE_NAME_MAX,
		.f_blocks = stats.total / 4096, .f_bfree = stats.free / 4096, .f_bavail = stats.free / 4096,
	}; /* no inode figures: they are not limited by themselves */
	return 0;
}
