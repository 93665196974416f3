/*
 * maker.c - see maker.h. A look into /proc costs a good part of what making a file does; programs make files in bursts,
 * so what was found is right for KEPT_NS.
 */
#include "fs/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { KEPT_NS = 20000000, KEPT = 16 };

struct maker {
	pid_t thread; /* 0: nothing is kept here */
	pid_t process;
	int64_t until; /* CLOCK_MONOTONIC_COARSE */
	uint64_t command[2];
};

/* Of each serving thread. */
static _Thread_local struct maker kept[KEPT];

/* The first bytes of a file of /proc, zero-terminated; "" if there are none. */
static void read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, buf, size - 1);
	buf[len > 0 ? len : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* The process that a thread belongs to. The kernel names threads; a process has the number of its first one. */
static pid_t process_of(pid_t thread)
{
	char status[512], *line;

	if (tgkill(thread, thread, 0) == 0 || errno != ESRCH)
		return thread;
	read_proc(thread, "status", status, sizeof(status));
	line = strstr(status, "\nTgid:");
	return line ? atoi(line + strlen("\nTgid:")) : thread;
}

static void find(struct maker *maker, pid_t thread)
{
	char command[sizeof(maker->command) + 1] = "";

	maker->thread = thread;
	maker->process = process_of(thread);
	read_proc(maker->process, "comm", command, sizeof(command));
	command[strcspn(command, "\n")] = '\0';
	maker->command[0] = maker->command[1] = 0;
	for (unsigned i = 0; command[i]; i++)
		maker->command[i / 8] |= (uint64_t)(unsigned char)command[i] << i % 8 * 8;
}

void maker_put(const struct caller *caller, struct store_inode *inode)
{
	struct maker *maker = &kept[(unsigned)caller->pid % KEPT];
	struct timespec ts;
	int64_t now;

	if (!caller->pid)
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	now = ts.tv_sec * FS_SECOND + ts.tv_nsec;
	if (maker->thread != caller->pid || now >= maker->until) {
		find(maker, caller->pid);
		maker->until = now + KEPT_NS;
	}
	inode->maker_pid = (uint32_t)maker->process;
	inode->maker_uid = caller->uid;
	inode->maker[0] = maker->command[0];
	inode->maker[1] = maker->command[1];
}
