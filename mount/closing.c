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
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "daemon"
#define DIED "died\n"
#define FAILED "closed: "

enum { SLOW_SECONDS = 5 };

/* Takes away what a daemon that died has left; who still has it open is told so. */
static void bury(int dir)
{
	int fd = openat(dir, FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0) {
		dprintf(fd, DIED);
		close(fd);
	}
	unlinkat(dir, FILE_NAME, 0);
}

static int open_in(const char *store, int flags)
{
	int dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (flags & O_CREAT)
		bury(dir);
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

/* Another store may have been made in that place meanwhile, whose daemon has a file of its own. */
static bool is_file(int dir, int fd)
{
	struct stat there, ours;

	return fstatat(dir, FILE_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &ours) == 0 &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

void closing_end(const char *store, int fd, const char *error)
{
	int dir;

	if (fd < 0)
		return;
	if (error) {
		dprintf(fd, FAILED "%s\n", error);
		return;
	}
	dir = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	if (is_file(dir, fd))
		unlinkat(dir, FILE_NAME, 0);
	close(dir);
}

int closing_watch(const char *store)
{
	return open_in(store, O_RDONLY);
}

static void interrupt(int sig)
{
	(void)sig;
}

static void read_all(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = 0;
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
static enum closing_result read_end(int fd, const char *text, char **ret_why)
{
	const char *why = strstr(text, "\n" FAILED);
	struct stat st;

	if (why) {
		why += strlen("\n" FAILED);
		*ret_why = strndup(why, strcspn(why, "\n"));
		return CLOSING_FAILED;
	}
	if (strstr(text, "\n" DIED) || fstat(fd, &st) < 0)
		return CLOSING_DIED;
	return st.st_nlink ? CLOSING_DIED : CLOSING_SAVED;
}

enum closing_result closing_wait(int fd, void (*slow)(int pid), char **ret_why)
{
	char text[512];

	if (fd < 0)
		return CLOSING_UNKNOWN;
	int r = wait_for_lock(fd, slow);
	enum closing_result result = CLOSING_UNKNOWN;
	read_all(fd, text, sizeof text);
	if (r == 0)
		result = read_end(fd, text, ret_why);
	close(fd);
	return result;
}

enum closing_result closing_look(const char *store, int *ret_pid, char **ret_why)
{
	int fd = closing_watch(store), pid;
	char text[512];

	if (fd < 0)
		return fd == -ENOENT ? CLOSING_SAVED : CLOSING_UNKNOWN;
	bool alive = flock(fd, LOCK_SH | LOCK_NB) < 0;
	read_all(fd, text, sizeof text);
	enum closing_result result = alive ? CLOSING_UNKNOWN : read_end(fd, text, ret_why);
	close(fd);
	if (alive && sscanf(text, "pid %d", &pid) == 1) {
		*ret_pid = pid;
		result = CLOSING_ALIVE;
	}
	return result;
}
