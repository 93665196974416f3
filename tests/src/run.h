/*
 * run.h - carries out an operation of a model on a mounted tree. Call op_run before model_apply: paths are those of
 * before.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "model.h"

enum { RUN_PATH = 4096 };

struct run {
	char mount[RUN_PATH];
	int fds[MODEL_NODES]; /* of held nodes; -1: none */
	size_t written;       /* bytes that the last write took */
	bool confirm; /* with a writeback cache: the kernel's close succeeds even when the daemon is gone; ask it */
};

static inline void run_init(struct run *r, const char *mount)
{
	snprintf(r->mount, sizeof r->mount, "%s", mount);
	memset(r->fds, -1, sizeof r->fds);
}

static inline void run_lose_held(struct run *r)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		if (r->fds[i] >= 0)
			close(r->fds[i]);
		r->fds[i] = -1;
	}
}

static inline void run_path(const struct run *r, const struct model *m, int dir, const char *name, char *path)
{
	char below[RUN_PATH - 512];
	model_path(m, dir, name, below, sizeof below);
	snprintf(path, RUN_PATH + sizeof below, "%s/%s", r->mount, below);
}

static inline void run_entry_path(const struct run *r, const struct model *m, int entry, char *path)
{
	path[0] = 0;
	if (entry >= 0)
		run_path(r, m, m->entries[entry].dir, m->entries[entry].name, path);
}

/* What an operation on content does, once there is a descriptor. */
static inline int run_content(struct run *r, int fd, const struct op *op)
{
	uint8_t *data;
	ssize_t n;
	switch (op->kind) {
	case OP_TRUNCATE:
		return ftruncate(fd, (off_t)op->len);
	case OP_PUNCH:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)op->offset, (off_t)op->len);
	case OP_FSYNC:
		return op->seed % 2 ? fsync(fd) : fdatasync(fd);
	default:
		data = malloc(op->len);
		if (!data)
			abort();
		content_fill(data, op->len, op->seed);
		n = op->kind == OP_APPEND ? write(fd, data, op->len) : pwrite(fd, data, op->len, (off_t)op->offset);
		free(data);
		r->written = n > 0 ? (size_t)n : 0;
		if (n >= 0 && (size_t)n != op->len)
			errno = ENODATA; /* a short write */
		return n == (ssize_t)op->len ? 0 : -1;
	}
}

/* An open file appends where O_APPEND says, which pwrite would not: its descriptor's flag is set just for that. */
static inline int run_on_held(struct run *r, int fd, const struct op *op)
{
	int flags = fcntl(fd, F_GETFL);
	if (op->kind == OP_APPEND && (flags < 0 || fcntl(fd, F_SETFL, flags | O_APPEND)))
		return -1;
	int result = run_content(r, fd, op);
	int error = errno;
	if (op->kind == OP_APPEND)
		(void)fcntl(fd, F_SETFL, flags);
	errno = error;
	return result;
}

static inline int run_file(struct run *r, const struct op *op, const char *path)
{
	if (op->entry < 0)
		return run_on_held(r, r->fds[op->node], op);
	int fd = open(path, O_RDWR | (op->kind == OP_APPEND ? O_APPEND : 0));
	if (fd < 0)
		return -1;
	int result = run_content(r, fd, op);
	int error = errno;
	struct statfs fs;
	if (close(fd) && !result)
		return -1;
	if (!result && r->confirm)
		return statfs(r->mount, &fs);
	errno = error;
	return result;
}

static inline int run_create(const struct op *op, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, op->mode);
	if (fd < 0)
		return -1;
	return close(fd);
}

static inline int run_symlink(const struct op *op, const char *path)
{
	char target[512];
	for (size_t i = 0; i < op->len; i++)
		target[i] = "abc/"[(op->seed + i) % 4];
	target[op->len] = 0;
	return symlink(target, path);
}

static inline int run_attribute(const struct op *op, const char *path)
{
	static uint8_t value[65536];
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = MODEL_OLD + (time_t)(op->seed % 100000000)}};
	switch (op->kind) {
	case OP_SETXATTR:
		content_fill(value, op->len, op->seed);
		return setxattr(path, model_xattr_names[op->xattr], value, op->len, 0);
	case OP_REMOVEXATTR:
		return removexattr(path, model_xattr_names[op->xattr]);
	case OP_CHMOD:
		return chmod(path, op->mode);
	default:
		return utimensat(AT_FDCWD, path, times, 0);
	}
}

/* What is read through an open file is what the model says, also when it has no name any more; then it is closed. */
static inline int run_drop(struct run *r, const struct model *m, const struct op *op)
{
	const struct model_node *node = &m->nodes[op->node];
	uint8_t *data = malloc(node->size + 1);
	if (!data)
		abort();
	ssize_t n;
	size_t size = 0;
	while ((n = pread(r->fds[op->node], data + size, node->size + 1 - size, (off_t)size)) > 0)
		size += (size_t)n;
	if (n == 0 && (size != node->size || (size && memcmp(data, node->data, size)))) {
		fprintf(stderr, "read %zu of %zu bytes through an open file, or others than were written\n", size,
			node->size);
		errno = EBADMSG;
		n = -1;
	}
	free(data);
	if (n < 0)
		return -1;
	close(r->fds[op->node]);
	r->fds[op->node] = -1;
	return 0;
}

static inline int run_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return -1;
	int result = fsync(fd), error = errno;
	close(fd);
	errno = error;
	return result;
}

static inline int run_status(const char *session, const char *word)
{
	char path[2 * DUMP_PATH];
	snprintf(path, sizeof path, "%s/.session/status", session);
	int fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return -1;
	bool done = write(fd, word, strlen(word)) == (ssize_t)strlen(word);
	return close(fd) || !done ? -1 : 0;
}

/* What makes, moves and removes names. */
static inline int run_names(const struct op *op, const char *path, const char *target)
{
	switch (op->kind) {
	case OP_SESSION:
	case OP_MKDIR:
		return mkdir(target, op->mode);
	case OP_CREATE:
		return run_create(op, target);
	case OP_SYMLINK:
		return run_symlink(op, target);
	case OP_LINK:
		return link(path, target);
	case OP_EXCHANGE:
		return renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_EXCHANGE);
	case OP_UNLINK:
		return unlink(path);
	case OP_RMDIR:
	case OP_ERASE:
		return rmdir(path);
	default:
		return rename(path, target);
	}
}

/* 0 or errno. */
static inline int op_run(struct run *r, const struct model *m, const struct op *op)
{
	char path[2 * RUN_PATH], target[2 * RUN_PATH];
	int result = 0;
	r->written = 0;
	run_entry_path(r, m, op->entry, path);
	if (op->dir >= 0)
		run_path(r, m, op->dir, op->name, target);
	switch (op->kind) {
	case OP_UNSESSION:
		run_path(r, m, 0, "extra", target);
		result = rmdir(target);
		break;
	case OP_SESSION:
	case OP_MKDIR:
	case OP_CREATE:
	case OP_SYMLINK:
	case OP_LINK:
	case OP_UNLINK:
	case OP_RMDIR:
	case OP_RENAME:
	case OP_EXCHANGE:
	case OP_END:
	case OP_TAKE_BACK:
	case OP_ERASE:
		result = run_names(op, path, target);
		break;
	case OP_PAUSE:
	case OP_RESUME:
		result = run_status(path, op->kind == OP_PAUSE ? "paused\n" : "active\n");
		break;
	case OP_WRITE:
	case OP_APPEND:
	case OP_TRUNCATE:
	case OP_PUNCH:
	case OP_FSYNC:
		result = run_file(r, op, path);
		break;
	case OP_FSYNCDIR:
		result = run_sync_dir(target);
		break;
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
	case OP_CHMOD:
	case OP_UTIMES:
		result = run_attribute(op, path);
		break;
	case OP_HOLD:
		r->fds[op->node] = open(path, O_RDWR);
		result = r->fds[op->node] < 0 ? -1 : 0;
		break;
	case OP_DROP:
		result = run_drop(r, m, op);
		break;
	case OP_KINDS:
		break;
	}
	return result ? errno : 0;
}

static inline void op_print(const struct model *m, const struct op *op)
{
	char path[RUN_PATH] = "-", target[RUN_PATH] = "-";
	if (op->entry >= 0)
		model_path(m, m->entries[op->entry].dir, m->entries[op->entry].name, path, sizeof path);
	if (op->name[0])
		model_path(m, op->dir, op->name, target, sizeof target);
	fprintf(stderr, "operation %llu: %s %s -> %s node %d offset %llu length %llu mode %o\n",
		(unsigned long long)m->ops, op_table[op->kind].name, path, target, op->node,
		(unsigned long long)op->offset, (unsigned long long)op->len, op->mode);
}
