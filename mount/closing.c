/* closing.c - see closing.h. */
#include "mount/closing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_NAME "daemon"

enum { SLOW_SECONDS = 5 };

static int open_in(const char *store, int flags)
{
	int dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (flags & O_CREAT)
		unlinkat(dir, FILE_NAME, 0);
	int fd = openat(dir, FILE_NAME, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = errno;
	close(dir);
	return fd < 0 ? -error : fd;
}

int closing_begin(const char *store)
{
	int fd = open_in(store, O_RDWR | O_CREAT | O_EXCL);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || dprintf(fd, "pid %d\n", (int)getpid()) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

void closing_end(int fd, const char *error)
{
	if (fd < 0)
		return;
	if (error)
		dprintf(fd, "closed: %s\n", error);
	else
		dprintf(fd, "closed ok\n");
}

int closing_watch(const char *store)
{
	return open_in(store, O_RDONLY);
}

static void interrupt(int sig)
{
	(void)sig;
}

static size_t read_all(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

static int wait_for_lock(int fd, void (*slow)(int pid))
{
	struct sigaction act = {.sa_handler = interrupt}, old;
	char text[512];
	int pid = 0;

	sigaction(SIGALRM, &act, &old);
	alarm(SLOW_SECONDS);
	int r = flock(fd, LOCK_SH);
	if (r < 0 && errno == EINTR) {
		read_all(fd, text, sizeof text);
		if (sscanf(text, "pid %d", &pid) == 1)
			slow(pid);
		while ((r = flock(fd, LOCK_SH)) < 0 && errno == EINTR)
			;
	}
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	return r;
}

/* What the file says of a daemon that is gone. */
static enum closing_result read_end(const char *text, char **ret_why)
{
	static const char failed[] = "\nclosed: ";

	if (strstr(text, "\nclosed ok\n"))
		return CLOSING_SAVED;
	const char *why = strstr(text, failed);
	if (!why)
		return CLOSING_DIED;
	*ret_why = strndup(why + sizeof failed - 1, strcspn(why + 1, "\n") - (sizeof failed - 2));
	return CLOSING_FAILED;
}

enum closing_result closing_wait(int fd, void (*slow)(int pid), char **ret_why)
{
	char text[512];

	if (fd < 0)
		return CLOSING_UNKNOWN;
	int r = wait_for_lock(fd, slow);
	read_all(fd, text, sizeof text);
	close(fd);
	return r < 0 ? CLOSING_UNKNOWN : read_end(text, ret_why);
}

enum closing_result closing_look(const char *store, int *ret_pid, char **ret_why)
{
	int fd = closing_watch(store), pid;
	char text[512];

	if (fd < 0)
		return CLOSING_UNKNOWN;
	bool alive = flock(fd, LOCK_SH | LOCK_NB) < 0;
	read_all(fd, text, sizeof text);
	close(fd);
	if (!alive)
		return read_end(text, ret_why);
	if (sscanf(text, "pid %d", &pid) != 1)
		return CLOSING_UNKNOWN;
	*ret_pid = pid;
	return CLOSING_ALIVE;
}
