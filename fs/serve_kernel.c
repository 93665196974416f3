/*
 * serve_kernel.c - what the kernel is asked and told without a request of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/ops.h"
#include "fs/serve.h"

bool serve_is_held(struct fs *fs, struct fs_id id)
{
	struct fuse_session *session = serve_session(fs);

	return !session || fuse_lowlevel_notify_inval_inode(session, id.n, -1, 0) != -ENOENT;
}

/* FUSE_NOTIFY_PRUNE of linux/fuse.h, Linux 6.18, which libfuse and most headers do not know yet. */
enum { NOTIFY_PRUNE = 9, PRUNE_MAX = 256 };

struct prune {
	struct fuse_out_header header;
	uint32_t count, padding;
	uint64_t spare;
	uint64_t ids[PRUNE_MAX];
};

static bool prune_some(struct fs *fs, const uint64_t *ids, unsigned count)
{
	struct prune message = {.header.error = NOTIFY_PRUNE, .count = count};

	message.header.len = (uint32_t)(offsetof(struct prune, ids) + count * sizeof(*ids));
	memcpy(message.ids, ids, count * sizeof(*ids));
	return write(fuse_session_fd(serve_session(fs)), &message, message.header.len) >= 0;
}

bool serve_prune(struct fs *fs, const uint64_t *ids, unsigned count)
{
	bool done = serve_session(fs) != NULL;

	for (unsigned n; done && count; count -= n, ids += n) {
		n = count < PRUNE_MAX ? count : PRUNE_MAX;
		done = prune_some(fs, ids, n);
	}
	return done;
}

void serve_wake_poll(struct fs *fs, uint64_t handle)
{
	struct {
		struct fuse_out_header header;
		struct fuse_notify_poll_wakeup_out body;
	} message = {{.len = sizeof(message), .error = FUSE_NOTIFY_POLL}, {handle}};

	if (serve_session(fs))
		(void)!write(fuse_session_fd(serve_session(fs)), &message, sizeof(message));
}

void serve_forget_attr(struct fs *fs, struct fs_id id)
{
	if (serve_session(fs))
		fuse_lowlevel_notify_inval_inode(serve_session(fs), id.n, -1, 0);
}

void serve_forget_listing(struct fs *fs, struct fs_id dir)
{
	if (serve_session(fs))
		fuse_lowlevel_notify_inval_inode(serve_session(fs), dir.n, 0, 0);
}

void serve_forget_name(struct fs *fs, struct fs_id dir, const char *name)
{
	if (serve_session(fs))
		fuse_lowlevel_notify_inval_entry(serve_session(fs), dir.n, name, strlen(name));
}

void serve_forget_content(struct fs *fs, struct fs_id id)
{
	fuse_lowlevel_notify_inval_inode(serve_session(fs), id.n, 0, 0);
}

int serve_give_content(struct fs *fs, struct fs_id id, uint64_t offset, void *data, size_t len)
{
	struct fuse_bufvec content = FUSE_BUFVEC_INIT(len);

	content.buf[0].mem = data;
	/*
	 * The kernel makes the file larger before it copies the bytes: a page that it has would be read with zeros in
	 * their place. One that it has not is asked for, with what is in it by now.
	 */
	fuse_lowlevel_notify_inval_inode(serve_session(fs), id.n, (off_t)offset, (off_t)len);
	return -fuse_lowlevel_notify_store(serve_session(fs), id.n, (off_t)offset, &content, 0);
}

/* Documentation/filesystems/fuse.rst: the connection is called by the minor number of the mount's device. */
int serve_connection(const char *mount_path)
{
	struct statx found;

	if (strncmp(mount_path, "/dev/fd/", 8) == 0)
		return -1;
	if (statx(AT_FDCWD, mount_path, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, 0, &found) < 0 || found.stx_dev_major)
		return -1;
	return (int)found.stx_dev_minor;
}

void serve_abort(int connection)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%d/abort", connection);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) < 0)
		fs_log(LOG_WARNING, "warning: programs on the mount may hang: it could not be aborted");
	if (fd >= 0)
		close(fd);
}
