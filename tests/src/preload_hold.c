/*
 * preload_hold - holds back one answer of the daemon that it is loaded into. While the file that HOLD names is there,
 * the next one renames it to HOLD.held, and is sent when that is gone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void hold(const char *path)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	char held[4096];

	if (snprintf(held, sizeof(held), "%s.held", path) >= (int)sizeof(held) || rename(path, held))
		return;
	while (access(held, F_OK) == 0)
		nanosleep(&pause, NULL);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	const char *path = getenv("HOLD");

	if (path && access(path, F_OK) == 0)
		hold(path);
	return syscall(SYS_writev, fd, iov, count);
}
