/*
 * ops.c - the operations of the kernel: each decodes its arguments, asks the rules, and replies once, last, with no
 * lock held.
 *
 * OPEN and OPENDIR are answered ENOSYS, CREATE and ACCESS are not here, which makes libfuse say the same, and neither
 * is FLUSH but with writeback: the kernel then never asks again, and a file that is opened, read from the cache and
 * closed costs no request. Locks stay in the kernel. With auto_unmount OPENDIR is served: else the root of a dead mount
 * could be opened as well, and fusermount3 would take it for alive.
 */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "fs/control.h"
#include "fs/launder.h"
#include "fs/reply.h"
#include "fs/sync.h"

static struct fuse_entry_param param_of(const struct entry *entry)
{
	return (struct fuse_entry_param){.ino = entry->id.n, .attr = entry->attr, .attr_timeout = entry->attr_timeout,
		.entry_timeout = entry->entry_timeout};
}

/* If the kernel does not take it, the caller was interrupted: the reference is given back. */
static void reply_entry(fuse_req_t req, const char *operation, int r, const struct entry *entry)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param param;
	struct forget_item item;

	if (r) {
		reply(req, operation, r);
		return;
	}
	param = param_of(entry);
	item = (struct forget_item){entry->id, 1};
	if (fuse_reply_entry(req, &param) && entry->id.n)
		rules_forget(fs, &item, 1);
}

static void lookup(const struct deferred *d, const char *name)
{
	struct entry entry;
	int r = dir_lookup(fs_of(d->req), id_of(d->ino), name, &entry);

	if (r)
		reply_of(d->req, "lookup", d->ino, name, r);
	else
		reply_entry(d->req, "lookup", 0, &entry);
}

static void op_lookup(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	const struct deferred d = {.req = req, .ino = dir, .answer = lookup};

	if (!reply_defer(&d, name))
		lookup(&d, name);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	struct forget_item item = {id_of(ino), count};

	rules_forget(fs_of(req), &item, 1);
	fuse_reply_none(req);
}

static void take_items(struct forget_item *items, const struct fuse_forget_data *forgets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		items[i] = (struct forget_item){id_of(forgets[i].ino), forgets[i].nlookup};
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	enum { FEW = 64 };
	struct forget_item few[FEW], *many = count > FEW ? malloc(count * sizeof(*many)) : NULL;

	if (many) {
		take_items(many, forgets, count);
		rules_forget_many(fs_of(req), many, count);
		count = 0;
	}
	for (size_t n; count; count -= n, forgets += n) {
		n = count < FEW ? count : FEW;
		take_items(few, forgets, n);
		rules_forget(fs_of(req), few, n);
	}
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	struct stat attr;
	double timeout;
	int r = attr_get(fs_of(req), id_of(ino), &attr, &timeout);

	(void)file;
	if (r)
		reply(req, "getattr", r);
	else
		fuse_reply_attr(req, &attr, timeout);
}

static unsigned fields_of(int set)
{
	static const struct {
		int theirs;
		unsigned ours;
	} fields[] = {
		{FUSE_SET_ATTR_MODE, ATTR_MODE}, {FUSE_SET_ATTR_UID, ATTR_UID}, {FUSE_SET_ATTR_GID, ATTR_GID},
		{FUSE_SET_ATTR_SIZE, ATTR_SIZE}, {FUSE_SET_ATTR_ATIME, ATTR_ATIME}, {FUSE_SET_ATTR_MTIME, ATTR_MTIME},
		{FUSE_SET_ATTR_ATIME_NOW, ATTR_ATIME_NOW}, {FUSE_SET_ATTR_MTIME_NOW, ATTR_MTIME_NOW},
		{FUSE_SET_ATTR_CTIME, ATTR_CTIME},
	};
	unsigned ours = serve_kills_suidgid() ? ATTR_KILL_SUIDGID : 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		ours |= set & fields[i].theirs ? fields[i].ours : 0;
	return ours;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int set, struct fuse_file_info *file)
{
	struct stat result;
	double timeout;
	int r = attr_set(fs_of(req), id_of(ino), fields_of(set), attr, &result, &timeout);

	(void)file;
	if (r)
		reply(req, "setattr", r);
	else
		fuse_reply_attr(req, &result, timeout);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[PATH_MAX + 1];
	int r = file_readlink(fs_of(req), id_of(ino), target, sizeof(target));

	if (r)
		reply(req, "readlink", r);
	else
		fuse_reply_readlink(req, target);
}

static void make(fuse_req_t req, const char *operation, fuse_ino_t dir, const char *name, const struct creation *what)
{
	struct caller caller = reply_caller(req);
	struct entry entry;
	int r = dir_make(fs_of(req), &caller, id_of(dir), name, what, &entry);

	reply_entry(req, operation, r, &entry);
}

static void op_mknod(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode, dev_t rdev)
{
	make(req, "mknod", dir, name, &(struct creation){.mode = mode & S_IFMT ? mode : mode | S_IFREG, .rdev = rdev});
}

static void op_mkdir(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode)
{
	make(req, "mkdir", dir, name, &(struct creation){.mode = (mode & ~(mode_t)S_IFMT) | S_IFDIR});
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t dir, const char *name)
{
	make(req, "symlink", dir, name, &(struct creation){.mode = S_IFLNK | 0777, .target = target});
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t dir, const char *name)
{
	struct entry entry;
	int r = dir_link(fs_of(req), id_of(ino), id_of(dir), name, &entry);

	reply_entry(req, "link", r, &entry);
}

static void op_unlink(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	reply(req, "unlink", dir_unlink(fs_of(req), id_of(dir), name));
}

static void op_rmdir(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	reply(req, "rmdir", dir_rmdir(fs_of(req), id_of(dir), name));
}

static void op_rename(fuse_req_t req, fuse_ino_t from, const char *name, fuse_ino_t to, const char *to_name,
	unsigned flags)
{
	reply(req, "rename", dir_rename(fs_of(req), id_of(from), name, id_of(to), to_name, flags));
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *file)
{
	char *buf = serve_buffer(size);
	size_t len;
	int r = buf ? file_read(fs_of(req), id_of(ino), (uint64_t)offset, buf, size, &len) : -ENOMEM;

	if (fs_of(req)->options.writeback && (file->flags & O_ACCMODE) == O_RDONLY)
		rules_follow(fs_of(req), id_of(ino));
	if (r)
		reply(req, "read", r);
	else
		fuse_reply_buf(req, buf, len);
}

/* Of many lines, to a control file, each of which costs about a microsecond. */
enum { LONG_WRITE = 8192 };

/* A write to be answered later. */
struct written {
	fuse_req_t req;
	size_t len;
};

static void reply_written(void *arg, int r)
{
	struct written *written = arg;

	(void)r;
	fuse_reply_write(written->req, written->len);
	free(written);
}

static void write_now(const struct deferred *d, const char *data)
{
	struct fs *fs = fs_of(d->req);
	struct written *written;
	size_t len;
	int r = file_write(fs, id_of(d->ino), (uint64_t)d->offset, data, d->size, d->flags, &len);

	if (r) {
		reply_of(d->req, "write", d->ino, NULL, r);
		return;
	}
	written = control_is_id(id_of(d->ino)) && fs->launders ? malloc(sizeof(*written)) : NULL;
	if (!written) {
		fuse_reply_write(d->req, len);
		return;
	}
	*written = (struct written){d->req, len};
	launder_wait(fs, id_of(d->ino), reply_written, written);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	struct fuse_file_info *file)
{
	struct deferred d = {.req = req, .ino = ino, .size = size, .offset = offset, .answer = write_now,
		.flags = (serve_kills_suidgid() ? WRITE_KILL_SUIDGID : 0) | (file->writepage ? WRITE_CACHED : 0)};

	if (!control_is_id(id_of(ino)) || size < LONG_WRITE || !reply_hand_over(&d, data, size))
		write_now(&d, data);
}

/* An fsync to be answered by another thread. */
struct synced {
	fuse_req_t req;
	fuse_ino_t ino;
};

static void reply_synced(void *arg, int r)
{
	struct synced *synced = arg;

	reply_of(synced->req, "fsync", synced->ino, NULL, r);
	free(synced);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *file)
{
	struct synced *synced = malloc(sizeof(*synced));

	(void)datasync, (void)file;
	if (!synced) {
		reply(req, "fsync", -ENOMEM);
		return;
	}
	*synced = (struct synced){req, ino};
	sync_request(fs_of(req), reply_synced, synced);
}

/* An answer to READDIR or READDIRPLUS as it fills. */
struct dir_answer {
	fuse_req_t req;
	char *buf;
	size_t size, used;
	bool plus;
};

static bool add_name(void *arg, const char *name, const struct entry *entry, uint64_t next)
{
	struct dir_answer *answer = arg;
	struct fuse_entry_param param = param_of(entry);
	char *at = answer->buf + answer->used;
	size_t room = answer->size - answer->used;
	size_t need = answer->plus ? fuse_add_direntry_plus(answer->req, at, room, name, &param, (off_t)next)
				   : fuse_add_direntry(answer->req, at, room, name, &entry->attr, (off_t)next);

	if (need > room)
		return false;
	answer->used += need;
	return true;
}

static void list_into(char *buf, const struct deferred *d)
{
	struct dir_answer answer = {.req = d->req, .buf = buf, .size = d->size, .plus = d->plus};
	int r = -ENOMEM;

	if (buf)
		r = dir_list(fs_of(d->req), id_of(d->ino), (uint64_t)d->offset, d->size, d->plus, add_name, &answer);

	if (r && !answer.used)
		reply_of(d->req, "readdir", d->ino, NULL, r);
	else
		fuse_reply_buf(d->req, buf, answer.used);
}

static void list_aside(const struct deferred *d, const char *text)
{
	char *buf = malloc(d->size);

	(void)text;
	list_into(buf, d);
	free(buf);
}

static void list(fuse_req_t req, fuse_ino_t dir, size_t size, off_t offset, bool plus)
{
	struct deferred d = {.req = req, .ino = dir, .size = size, .offset = offset, .plus = plus,
		.answer = list_aside};

	if (!reply_defer(&d, ""))
		list_into(serve_buffer(size), &d);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)file;
	list(req, ino, size, offset, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)file;
	list(req, ino, size, offset, true);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs figures;
	int r = file_statfs(fs_of(req), &figures);

	(void)ino;
	if (r)
		reply(req, "statfs", r);
	else
		fuse_reply_statfs(req, &figures);
}

static void reply_setxattr(void *req, int r)
{
	reply(req, "setxattr", r);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct caller caller = reply_caller(req);
	int r = xattr_set(fs_of(req), &caller, id_of(ino), name, value, size, flags);

	if (!r && fs_of(req)->launders)
		launder_wait(fs_of(req), id_of(ino), reply_setxattr, req);
	else
		reply(req, "setxattr", r);
}

static void reply_xattr(fuse_req_t req, const char *buf, size_t size, size_t len)
{
	if (size)
		fuse_reply_buf(req, buf, len);
	else
		fuse_reply_xattr(req, len);
}

static void get_xattr_into(char *buf, const struct deferred *d, const char *name)
{
	size_t len = 0;
	int r = buf ? xattr_get(fs_of(d->req), id_of(d->ino), name, buf, d->size, &len) : -ENOMEM;

	if (r)
		reply_of(d->req, "getxattr", d->ino, name, r);
	else
		reply_xattr(d->req, buf, d->size, len);
}

static void get_xattr_aside(const struct deferred *d, const char *name)
{
	char *buf = malloc(d->size + 1);

	get_xattr_into(buf, d, name);
	free(buf);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	const struct deferred d = {.req = req, .ino = ino, .size = size, .answer = get_xattr_aside};

	if (!xattr_is_slow(fs_of(req), id_of(ino), name) || !reply_hand_over(&d, name, strlen(name) + 1))
		get_xattr_into(serve_buffer(size), &d, name);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct caller caller = reply_caller(req);
	char *buf = serve_buffer(size);
	size_t len = 0;
	int r = buf ? xattr_list(fs_of(req), &caller, id_of(ino), buf, size, &len) : -ENOMEM;

	if (r)
		reply(req, "listxattr", r);
	else
		reply_xattr(req, buf, size, len);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct caller caller = reply_caller(req);

	reply(req, "removexattr", xattr_remove(fs_of(req), &caller, id_of(ino), name));
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t len, struct fuse_file_info *file)
{
	struct caller caller = reply_caller(req);

	(void)file;
	reply(req, "fallocate", file_allocate(fs_of(req), &caller, id_of(ino), mode, (uint64_t)offset, (uint64_t)len));
}

/*
 * The kernel asks before it has written what it buffers: with writeback only it knows, and with ENOSYS it takes all for
 * data.
 */
static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *file)
{
	struct fs *fs = fs_of(req);
	uint64_t found;
	int r = fs->options.writeback ? ENOSYS : offset < 0 ? ENXIO : 0;

	(void)file;
	if (!r)
		r = file_seek(fs, id_of(ino), (uint64_t)offset, whence, &found);
	if (r)
		reply(req, "lseek", r);
	else
		fuse_reply_lseek(req, (off_t)found);
}

static void op_copy_file_range(fuse_req_t req, fuse_ino_t in, off_t in_offset, struct fuse_file_info *in_file,
	fuse_ino_t out, off_t out_offset, struct fuse_file_info *out_file, size_t len, int flags)
{
	struct caller caller = reply_caller(req);
	size_t copied;
	int r = flags ? EINVAL : file_copy(fs_of(req), &caller, id_of(in), (uint64_t)in_offset, id_of(out),
				(uint64_t)out_offset, len, &copied);

	(void)in_file, (void)out_file;
	if (r)
		reply(req, "copy_file_range", r);
	else
		fuse_reply_write(req, copied);
}

/*
 * Files are always ready to be read and written, events.jsonl too: what of its bytes a program has not read yet only
 * the kernel knows, in whose cache they are. POLLPRI tells that there are more.
 */
static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file, struct fuse_pollhandle *handle)
{
	enum { READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };
	unsigned more = control_is_id(id_of(ino)) ? rules_poll(fs_of(req), id_of(ino), serve_poll_handle()) : 0;

	(void)file;
	fuse_pollhandle_destroy(handle);
	fuse_reply_poll(req, READY | more);
}

/* Left out of the table, libfuse would answer these two itself, with success. */
static void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *file)
{
	(void)id, (void)file;
	fuse_reply_err(req, ENOSYS);
}

/*
 * With writeback close(2) has written what was gathered before it comes here. After the daemon's death the kernel drops
 * that without a word: that this request fails is how close learns of it.
 */
static void op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *file)
{
	(void)id, (void)file;
	fuse_reply_err(req, fs_of(req)->options.writeback ? 0 : ENOSYS);
}

static void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *file)
{
	if (!fs_of(req)->options.auto_unmount) {
		op_open(req, id, file);
		return;
	}
	file->keep_cache = file->cache_readdir = 1; /* as the kernel has it where it does not ask */
	fuse_reply_open(req, file);
}

enum {
	WANTED = FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO
		| FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK | FUSE_CAP_NO_OPEN_SUPPORT
		| FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_ASYNC_DIO,
};

/* Not wanted: ATOMIC_O_TRUNC, whose truncation would be lost without OPEN. */
static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	const struct fs *fs = userdata;

	conn->want = conn->capable & WANTED;
	if (fs->options.writeback)
		conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
	conn->max_write = fs->options.max_write;
	if (fs->options.max_readahead)
		conn->max_readahead = fs->options.max_readahead;
	conn->max_background = fs->options.max_background;
	conn->congestion_threshold = fs->options.congestion_threshold;
	conn->time_gran = 1;
}

const struct fuse_lowlevel_ops ops_table = {
	.init = op_init,
	.lookup = op_lookup, .forget = op_forget, .forget_multi = op_forget_multi,
	.getattr = op_getattr, .setattr = op_setattr, .readlink = op_readlink,
	.mknod = op_mknod, .mkdir = op_mkdir, .symlink = op_symlink, .link = op_link,
	.unlink = op_unlink, .rmdir = op_rmdir, .rename = op_rename,
	.open = op_open, .opendir = op_opendir, .read = op_read, .write = op_write,
	.flush = op_flush, .fsync = op_fsync, .fsyncdir = op_fsync,
	.readdir = op_readdir, .readdirplus = op_readdirplus, .statfs = op_statfs,
	.setxattr = op_setxattr, .getxattr = op_getxattr, .listxattr = op_listxattr, .removexattr = op_removexattr,
	.fallocate = op_fallocate, .lseek = op_lseek, .copy_file_range = op_copy_file_range,
	.poll = op_poll,
};
