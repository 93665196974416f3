/* lock_file.c - STORE/lock: who has the store. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static int holder(struct store *s)
{
	char text[32] = "";
	ssize_t n = pread(s->lock_fd, text, sizeof text - 1, 0);
	return n > 0 ? atoi(text) : 0;
}

int lock_file_take(struct store *s, struct store_open_info *info)
{
	char text[32];
	s->lock_fd = openat(
		s->dir, "lock", s->options.read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 && s->options.read_only && errno == ENOENT)
		return 0;
	if (s->lock_fd < 0)
		return open_fail(info, STORE_DENIED, "open the lock file", errno);
	if (flock(s->lock_fd, (s->options.read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		info->pid = holder(s);
		return open_fail(info, errno == EWOULDBLOCK ? STORE_BUSY : STORE_DENIED, "lock the store", errno);
	}
	if (s->options.read_only)
		return 0;
	/* What it says only tells others who has the store: no reason to keep a full disk from being read. */
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if ((ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, text, (size_t)n, 0) != n) && errno != ENOSPC)
		return open_fail(info, STORE_DENIED, "write the lock file", errno);
	return 0;
}
