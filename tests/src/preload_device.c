/*
 * preload_device - /dev/fuse fails in the process that it is loaded into: once the file named by DEVICE_FAILS is there,
 * the first WRITE by which the kernel gives away what it gathered of a file is lost, and reading it is EIO.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REQUEST_SIZE = 1 << 20 }; /* nothing else is read with so large a buffer */

static bool is_gathered(const void *request, ssize_t len)
{
	const struct fuse_in_header *header = request;
	const struct fuse_write_in *body = (const void *)(header + 1);

	return len >= (ssize_t)(sizeof(*header) + sizeof(*body)) && header->opcode == FUSE_WRITE
		&& body->write_flags & FUSE_WRITE_CACHE && header->nodeid < UINT64_C(1) << 52; /* no control file */
}

ssize_t read(int fd, void *buf, size_t len)
{
	const char *path = getenv("DEVICE_FAILS");
	ssize_t n = syscall(SYS_read, fd, buf, len);

	if (len < REQUEST_SIZE || !is_gathered(buf, n) || !path || access(path, F_OK))
		return n;
	errno = EIO;
	return -1;
}
