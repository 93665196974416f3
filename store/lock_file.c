/*
 * lock_file.c - STORE/lock: who has the store, and which log it must have left if it does not end in order.
 *
 * The file is never synced: what it says counts in the boot that wrote it, as the logs do.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { TEXT = 160 };
#define MARK_OUT "log %016" PRIx64 "%016" PRIx64 " %016" PRIx64 "%016" PRIx64 " %016" PRIx64 "\n"
#define MARK_IN "%*d\nlog %16" SCNx64 "%16" SCNx64 " %16" SCNx64 "%16" SCNx64 " %16" SCNx64 "\n"

/* Returns the holder's pid. */
static int read_text(struct store *s, struct log_mark *ret)
{
	char text[TEXT] = "";
	struct log_mark m;
	ssize_t n = pread(s->lock_fd, text, sizeof text - 1, 0);
	if (n > 0 && sscanf(text, MARK_IN, &m.boot[0], &m.boot[1], &m.identity[0], &m.identity[1], &m.generation) == 5)
		*ret = m;
	return n > 0 ? atoi(text) : 0;
}

static int write_text(struct store *s, const struct log_mark *m)
{
	char text[TEXT];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if (m->generation)
		n += snprintf(text + n, sizeof text - (size_t)n, MARK_OUT, m->boot[0], m->boot[1], m->identity[0],
			m->identity[1], m->generation);
	return pwrite(s->lock_fd, text, (size_t)n, 0) != n || ftruncate(s->lock_fd, n) < 0 ? -errno : 0;
}

int lock_file_take(struct store *s, struct store_open_info *info)
{
	s->lock_fd = openat(
		s->dir, "lock", s->options.read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 && s->options.read_only && errno == ENOENT)
		return 0;
	if (s->lock_fd < 0)
		return open_fail(info, STORE_DENIED, "open the lock file", errno);
	if (flock(s->lock_fd, (s->options.read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		int error = errno;
		info->pid = read_text(s, &s->left);
		return open_fail(info, error == EWOULDBLOCK ? STORE_BUSY : STORE_DENIED, "lock the store", error);
	}
	read_text(s, &s->left);
	if (s->options.read_only)
		return 0;
	/* What it says only tells others who has the store: no reason to keep a full disk from being read. */
	int r = write_text(s, &s->left);
	bool full = r == -ENOSPC || r == -EDQUOT || r == -EFBIG;
	return r && !full ? open_fail(info, r, "write the lock file", r) : 0;
}

static struct log_mark mark(const struct store *s, uint64_t generation)
{
	struct log_mark m = { .generation = generation };
	memcpy(m.boot, &s->boot, sizeof m.boot);
	memcpy(m.identity, s->super.identity, sizeof m.identity);
	return m;
}

uint64_t lock_file_left(const struct store *s)
{
	static const struct hot_boot unknown;
	struct log_mark ours = mark(s, s->left.generation);
	bool counts = memcmp(&ours, &s->left, sizeof ours) == 0 && memcmp(&s->boot, &unknown, sizeof unknown);
	return counts ? s->left.generation : 0;
}

int lock_file_expect(struct store *s, uint64_t generation)
{
	struct log_mark m = mark(s, generation);
	/* On a full disk to overwrite may be refused, to cut off is not. */
	if (!generation)
		return ftruncate(s->lock_fd, snprintf(NULL, 0, "%d\n", (int)getpid())) < 0 ? -errno : 0;
	return write_text(s, &m);
}
