/*
 * range.c - ranges of a file: fallocate, SEEK_DATA and SEEK_HOLE, copy_file_range.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/control.h"
#include "fs/error.h"
#include "fs/file.h"

enum {
	PIECE = 1 << 20, /* bytes copied in one batch */
	COPY_MAX = 16 << 20, /* bytes copied for one request, so that others need not wait long */
	ANSWER_MAX = 1 << 30, /* the kernel takes 32 bits for an answer: no more than this and one piece */
	HOLE_MAX = 1 << 30, /* bytes of content turned into a hole in one batch: it names each chunk there is */
};

/* For these two the kernel does not say whether the set-user-ID bits are to go: they stay for who may set them. */
static unsigned flags_of(const struct caller *caller)
{
	return caller->uid ? WRITE_KILL_SUIDGID : 0;
}

/* Space is not reserved: the store is compressed, and what a range will take is not known. */
static bool has_room(const struct node *node, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len, from = offset > node->inode.size ? offset : node->inode.size;
	struct store_stats stats;

	if (end <= from)
		return true;
	store_stats(node->session->fs->store, &stats);
	return end - from <= stats.free;
}

static int allocate(struct node *node, const struct caller *caller, int mode, uint64_t offset, uint64_t len)
{
	bool punches = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);
	uint64_t end = offset + len, size = node->inode.size;
	bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && end > size;
	CHANGE_AUTO(c);
	int r = change_begin(&c, node->session, grows ? STORE_GROW : STORE_SHRINK, 0);

	if (r)
		return r;
	if (punches && offset < size)
		store_batch_punch(c.batch, node->session->sid, node->ino, offset, end < size ? len : UINT64_MAX);
	file_changed(&c, node, grows ? end : 0, flags_of(caller));
	return change_commit(&c);
}

static bool mode_is_known(int mode)
{
	switch (mode) {
	case 0:
	case FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
		return true;
	default:
		return false;
	}
}

int file_allocate(struct fs *fs, const struct caller *caller, struct fs_id id, int mode, uint64_t offset, uint64_t len)
{
	FS_GUARD(fs);
	struct node *node;
	int r = file_find(fs, id, &node);

	if (r)
		return r;
	if (!mode_is_known(mode))
		return EOPNOTSUPP;
	if (!len)
		return EINVAL;
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && (offset > fs->max_file_size || len > fs->max_file_size - offset))
		return EFBIG;
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && !has_room(node, offset, len))
		return ENOSPC;
	if (len > UINT64_MAX - offset)
		len = UINT64_MAX - offset;
	while (!r && mode & ~FALLOC_FL_KEEP_SIZE && len > HOLE_MAX && offset + len < node->inode.size) {
		r = allocate(node, caller, mode, offset, HOLE_MAX);
		offset += HOLE_MAX;
		len -= HOLE_MAX;
	}
	return r ? r : allocate(node, caller, mode, offset, len);
}

int file_seek(struct fs *fs, struct fs_id id, uint64_t offset, int whence, uint64_t *ret)
{
	FS_GUARD(fs);
	struct node *node;
	int r;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return EINVAL;
	if (control_is_id(id))
		return control_seek(fs, id, offset, whence == SEEK_DATA, ret);
	r = file_find(fs, id, &node);
	if (r)
		return r;
	if (offset >= node->inode.size)
		return ENXIO;
	r = error_of_store(store_seek(fs->store, node->session->sid, node->ino, offset, node->inode.size,
		whence == SEEK_DATA, ret));
	if (r != ENOENT)
		return r;
	if (whence == SEEK_DATA)
		return ENXIO;
	*ret = node->inode.size; /* the hole that every file ends with */
	return 0;
}

/* A copy under way. */
struct copy {
	struct node *in, *out;
	uint64_t in_offset, out_offset;
	char *buf; /* PIECE bytes */
	unsigned flags; /* enum write_flag */
};

static int copy_data(struct copy *copy, size_t len)
{
	struct store *store = copy->in->session->fs->store;
	struct store_sid sid = copy->in->session->sid;
	CHANGE_AUTO(c);
	int r = error_of_store(store_read(store, sid, copy->in->ino, copy->in_offset, copy->buf, len));

	if (!r)
		r = change_begin(&c, copy->out->session, STORE_GROW, len);
	if (r)
		return r;
	store_batch_write(c.batch, copy->out->session->sid, copy->out->ino, copy->out_offset, copy->buf, len);
	file_changed(&c, copy->out, copy->out_offset + len, copy->flags);
	return change_commit(&c);
}

static int copy_hole(struct copy *copy, uint64_t len)
{
	struct node *out = copy->out;
	CHANGE_AUTO(c);
	int r = change_begin(&c, out->session, STORE_GROW, 0);

	if (r)
		return r;
	store_batch_punch(c.batch, out->session->sid, out->ino, copy->out_offset, len);
	file_changed(&c, out, copy->out_offset + len, copy->flags);
	return change_commit(&c);
}

/* Copies what lies at the beginning of the range: a hole, or up to a piece of data. */
static int copy_piece(struct copy *copy, uint64_t len, uint64_t *ret)
{
	struct store *store = copy->in->session->fs->store;
	struct store_sid sid = copy->in->session->sid;
	uint64_t end = copy->in_offset + len, data, hole;
	int r = error_of_store(store_seek(store, sid, copy->in->ino, copy->in_offset, end, true, &data));

	if (r == ENOENT) {
		data = end;
		r = 0;
	}
	if (!r && data > copy->in_offset) {
		*ret = data - copy->in_offset < HOLE_MAX ? data - copy->in_offset : HOLE_MAX;
		return copy_hole(copy, *ret);
	}
	if (!r)
		r = error_of_store(store_seek(store, sid, copy->in->ino, copy->in_offset, end, false, &hole));
	if (r && r != ENOENT)
		return r;
	*ret = (r == ENOENT ? end : hole) - copy->in_offset;
	if (*ret > PIECE)
		*ret = PIECE;
	return copy_data(copy, (size_t)*ret);
}

static int copy_range(struct copy *copy, uint64_t len, size_t *ret)
{
	size_t done = 0, work = 0; /* a hole counts as one piece, however long */
	uint64_t piece;
	int r = 0;

	while (len && work < COPY_MAX && done < ANSWER_MAX) {
		r = copy_piece(copy, len, &piece);
		if (r)
			break;
		copy->in_offset += piece;
		copy->out_offset += piece;
		len -= piece;
		done += (size_t)piece;
		work += piece < PIECE ? (size_t)piece : PIECE;
	}
	if (r && !done)
		return r;
	*ret = done;
	return 0;
}

static int copy_check(const struct fs *fs, const struct copy *copy, uint64_t *len)
{
	if (copy->in_offset >= copy->in->inode.size)
		*len = 0;
	else if (*len > copy->in->inode.size - copy->in_offset)
		*len = copy->in->inode.size - copy->in_offset;
	if (!*len)
		return 0;
	if (copy->out_offset >= fs->max_file_size)
		return EFBIG;
	if (*len > fs->max_file_size - copy->out_offset)
		*len = fs->max_file_size - copy->out_offset;
	return 0;
}

int file_copy(struct fs *fs, const struct caller *caller, struct fs_id in, uint64_t in_offset, struct fs_id out,
	uint64_t out_offset, uint64_t len, size_t *ret)
{
	FS_GUARD(fs);
	struct copy copy = {.in_offset = in_offset, .out_offset = out_offset, .flags = flags_of(caller)};
	int r = control_is_id(in) || control_is_id(out) ? EXDEV : 0; /* the kernel then reads and writes */

	if (!r)
		r = file_find(fs, in, &copy.in);
	if (!r)
		r = file_find(fs, out, &copy.out);
	if (!r)
		r = copy_check(fs, &copy, &len);
	if (r)
		return r;
	copy.buf = malloc(PIECE);
	if (!copy.buf)
		return -ENOMEM;
	r = copy_range(&copy, len, ret);
	free(copy.buf);
	return r;
}
