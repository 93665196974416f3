/* hot_file.c - see hot.h: the file of a log, its blocks and its mapping; what is in it is hot.c's. */
#include "store/hot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define PRIMED (32u << 20)

/* Where blocks, once allocated, are overwritten in place; everywhere else a full disk can refuse to overwrite. */
bool hot_overwrites_in_place(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC: case XFS_SUPER_MAGIC: case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/* A log is overwritten for ever: on btrfs, better in place. Elsewhere this is refused, and not needed. */
static void ask_for_no_cow(int fd)
{
	int flags;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_NOCOW_FL;
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

/*
 * Writes the log's first part once: syncing what was only allocated costs the file system a transaction of its own each
 * time.
 */
static int prime(struct hot *h)
{
	static const uint8_t zeros[64 << 10];
	for (uint64_t at = 0; at < PRIMED && at < h->size; at += sizeof zeros)
		if (pwrite(h->fd, zeros, sizeof zeros, (off_t)at) < 0)
			return -errno;
	return 0;
}

static int set_size(struct hot *h, uint64_t size)
{
	if (ftruncate(h->fd, 0) < 0)
		return -errno;
	if (h->by_call)
		ask_for_no_cow(h->fd);
	/*
	 * Unlike posix_fallocate this never falls back to writing; where it is not supported, ENOSPC would be a SIGBUS
	 * later.
	 */
	if (fallocate(h->fd, 0, 0, (off_t)size) < 0)
		return -errno;
	h->size = size;
	h->touched = h->by_call ? 0 : size < PRIMED ? size : PRIMED;
	return h->by_call ? 0 : prime(h);
}

static int map_bytes(struct hot *h, uint64_t bytes, bool read_only)
{
	void *map = mmap(NULL, bytes, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	h->map = map;
	h->reach = bytes;
	return 0;
}

/* As far as it may grow; where there are no addresses for that, it does not. */
static int map_log(struct hot *h, bool read_only)
{
	uint64_t reach = h->limit > h->size ? h->limit : h->size;
	int r = map_bytes(h, reach, read_only);
	if (r && reach > h->size)
		r = map_bytes(h, h->size, read_only);
	if (r == 0 && h->limit > h->reach)
		h->limit = h->reach;
	return r;
}

static void unmap_log(struct hot *h)
{
	if (h->map)
		munmap(h->map, h->reach);
	h->map = NULL;
	h->reach = 0;
}

static int find_size(struct hot *h)
{
	struct stat st;
	if (fstat(h->fd, &st) < 0)
		return -errno;
	h->size = h->touched = (uint64_t)st.st_size & ~UINT64_C(4095);
	return 0;
}

int hot_open(struct hot *h, int dir, const char *name, struct hot_sizes sizes, bool read_only)
{
	*h = (struct hot){ .fd = -1, .base = sizes.base, .limit = sizes.limit, .tail = HOT_DATA };
	index_init(&h->index);
	h->fd = openat(dir, name, read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->fd < 0)
		return read_only && errno == ENOENT ? 0 : -errno;
	h->by_call = !hot_overwrites_in_place(h->fd);
	int r = find_size(h);
	if (r == 0 && h->size)
		r = map_log(h, read_only);
	if (r)
		hot_close(h);
	return r;
}

/* A hole would be a SIGBUS on a full disk. */
bool hot_has_holes(const struct hot *h)
{
	struct stat st;
	return fstat(h->fd, &st) < 0 || (uint64_t)st.st_blocks * 512 < h->size;
}

int hot_make(struct hot *h)
{
	int r = 0;
	if (h->size < h->base || hot_has_holes(h)) {
		r = set_size(h, h->base);
	} else if (h->size > h->base) {
		h->size = h->touched = h->base;
		hot_cut(h);
	}
	if (r || h->reach >= h->size)
		return r;
	unmap_log(h);
	return map_log(h, false);
}

int hot_allocate(struct hot *h, uint64_t size)
{
	return fallocate(h->fd, 0, (off_t)h->size, (off_t)(size - h->size)) < 0 ? -errno : 0;
}

void hot_cut(struct hot *h)
{
	/* What stays allocated if this fails is found at the next start. */
	(void)!ftruncate(h->fd, (off_t)h->size);
}

void hot_close(struct hot *h)
{
	index_clear(&h->index);
	unmap_log(h);
	if (h->fd >= 0)
		close(h->fd);
	*h = (struct hot){ .fd = -1 };
}
