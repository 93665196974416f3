/* closing.c - see closing.h. */
#include "mount/closing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "daemon"
#define NEW_NAME "daemon.new"
#define DIED "died\n"
#define FAILED "closed: "

enum { SLOW_SECONDS = 5, ENDING_MS = 1000, TRY_MS = 2 };

/*
 * The store is ours, so the daemon before us has closed it, and is about to say how, or it died, and the kernel is
 * about to close its files. False: it does neither, as it was stopped.
 */
static bool wait_for_end(int fd)
{
	for (int ms = 0; ms < ENDING_MS; ms += TRY_MS) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			return true;
		poll(NULL, 0, TRY_MS);
	}
	return false;
}

/* Who still has open what a daemon that died has left is told so. One that is alive tells by itself how it closed. */
static void bury(int dir)
{
	int fd = openat(dir, FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return;
	if (wait_for_end(fd) && fstat(fd, &st) == 0 && st.st_nlink)
		dprintf(fd, DIED);
	close(fd);
}

static int open_dir(const char *store)
{
	return open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * In place of what is there. Nobody sees it before it is locked and says whose it is; where the disk has no room for
 * that, it tells by its being there, and by its lock, all the same.
 */
static int put_in_place(int dir, int fd)
{
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	(void)dprintf(fd, "pid %d\n", (int)getpid());
	return renameat(dir, NEW_NAME, dir, FILE_NAME) < 0 ? -errno : 0;
}

int closing_begin(const char *store)
{
	int dir = open_dir(store), fd, r;

	if (dir < 0)
		return -errno;
	bury(dir);
	fd = openat(dir, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = put_in_place(dir, fd);
	if (r) {
		unlinkat(dir, NEW_NAME, 0);
		unlinkat(dir, FILE_NAME, 0);
		if (fd >= 0)
			close(fd);
	}
	close(dir);
	return r ? r : fd;
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
	dir = open_dir(store);
	if (dir < 0)
		return;
	if (is_file(dir, fd))
		unlinkat(dir, FILE_NAME, 0);
	close(dir);
}

int closing_watch(const char *store)
{
	int dir = open_dir(store);

	if (dir < 0)
		return -errno;
	int fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), error = errno;
	close(dir);
	return fd < 0 ? -error : fd;
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
	const char *why = strstr(text, FAILED);
	struct stat st;

	if (why) {
		why += strlen(FAILED);
		*ret_why = strndup(why, strcspn(why, "\n"));
		return CLOSING_FAILED;
	}
	if (strstr(text, DIED) || fstat(fd, &st) < 0)
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
