/*
 * daemon.h - starts, waits for, kills and checks the daemon under test. Nothing here sleeps: a mount is seen by polling
 * /proc/self/mountinfo, an exit by a pidfd.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAEMON_LIMIT = 30000 /* ms for anything the daemon does */ };

struct daemon {
	const char *program, *store, *mount, *options, *log;
	char *const *environment; /* further NAME=VALUE, ends with NULL, or NULL */
	pid_t pid;                /* 0: not running */
	int pidfd;
};

static inline void daemon_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static inline int64_t daemon_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Runs a command with its output appended to the log; the wait status. */
static inline int daemon_command(const struct daemon *d, char *const argv[])
{
	pid_t pid = fork();
	if (pid < 0)
		daemon_die("fork");
	if (pid == 0) {
		int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
		dup2(fd, 1);
		dup2(fd, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			daemon_die("waitpid");
	return status;
}

static inline void daemon_exec(const struct daemon *d)
{
	int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, 1);
	dup2(fd, 2);
	for (char *const *p = d->environment; p && *p; p++)
		putenv(*p);
	execl(d->program, d->program, "mount", "-f", d->store, d->mount, "-o", d->options, (char *)NULL);
	_exit(127);
}

static inline void daemon_spawn(struct daemon *d)
{
	d->pid = fork();
	if (d->pid < 0)
		daemon_die("fork");
	if (d->pid == 0)
		daemon_exec(d);
	d->pidfd = (int)syscall(SYS_pidfd_open, d->pid, 0);
	if (d->pidfd < 0)
		daemon_die("pidfd_open");
}

static inline bool daemon_is_mounted(const struct daemon *d)
{
	char line[8192], point[4096];
	FILE *mounts = fopen("/proc/self/mounts", "r");
	bool found = false;
	while (mounts && !found && fgets(line, sizeof line, mounts))
		found = sscanf(line, "%*s %4095s fuse", point) == 1 && !strcmp(point, d->mount) &&
			strstr(line, " fuse");
	if (mounts)
		fclose(mounts);
	return found;
}

/* Reaps the daemon; its wait status, or -1 when it has not ended in time. */
static inline int daemon_wait(struct daemon *d)
{
	struct pollfd ended = {.fd = d->pidfd, .events = POLLIN};
	int status = -1;
	if (!d->pid)
		return 0;
	if (poll(&ended, 1, DAEMON_LIMIT) != 1) {
		fprintf(stderr, "the daemon, pid %d, does not end\n", (int)d->pid);
		return -1;
	}
	waitpid(d->pid, &status, 0);
	close(d->pidfd);
	d->pid = 0;
	return status;
}

static inline int daemon_left(int64_t until)
{
	int64_t ms = (until - daemon_now()) / 1000000;
	return ms < 0 ? 0 : (int)ms;
}

/* Until the mount is there and answers. False: the daemon has ended (and is not reaped), or time is up. */
static inline bool daemon_wait_mounted(struct daemon *d)
{
	int64_t until = daemon_now() + (int64_t)DAEMON_LIMIT * 1000000;
	struct statfs fs;
	struct pollfd events[2] = {{.fd = d->pidfd, .events = POLLIN}, {.events = POLLPRI}};
	events[1].fd = open("/proc/self/mountinfo", O_RDONLY);
	bool mounted, ended = false;
	while (!(mounted = daemon_is_mounted(d)) && !ended && daemon_left(until))
		ended = poll(events, 2, daemon_left(until)) > 0 && events[0].revents;
	close(events[1].fd);
	/* It may have ended again meanwhile: then that is the directory below. */
	return mounted && statfs(d->mount, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

static inline void daemon_detach(const struct daemon *d)
{
	while (daemon_is_mounted(d)) {
		char *const argv[] = {"fusermount3", "-u", "-z", (char *)d->mount, NULL};
		if (umount2(d->mount, MNT_DETACH) && daemon_command(d, argv))
			daemon_die("cannot detach the mount");
	}
}

static inline void daemon_kill(struct daemon *d)
{
	if (d->pid)
		kill(d->pid, SIGKILL);
	daemon_wait(d);
	daemon_detach(d);
}

/* Mounts, or ends the program. */
static inline void daemon_start(struct daemon *d)
{
	daemon_spawn(d);
	if (daemon_wait_mounted(d))
		return;
	fprintf(stderr, "%s did not come up; see %s\n", d->mount, d->log);
	daemon_kill(d);
	exit(1);
}

/* Unmounts cleanly. False, with a message: it did not end well. */
static inline bool daemon_stop(struct daemon *d)
{
	char *const argv[] = {(char *)d->program, "umount", (char *)d->mount, NULL};
	int status = daemon_command(d, argv), ended = daemon_wait(d);
	if (status || ended)
		fprintf(stderr, "umount ended with status %#x, the daemon with %#x\n", (unsigned)status,
			(unsigned)ended);
	if (ended == -1)
		daemon_kill(d);
	return !status && !ended;
}

/* `sessfs check` finds nothing. */
static inline bool daemon_check(const struct daemon *d)
{
	char *const argv[] = {(char *)d->program, "check", (char *)d->store, NULL};
	int status = daemon_command(d, argv);
	if (status)
		fprintf(stderr, "sessfs check %s: status %#x, see %s\n", d->store, (unsigned)status, d->log);
	return status == 0;
}
