/*
 * nullfs - an empty filesystem in memory, the ceiling that sessfs is measured against.
 *
 * It speaks to the kernel exactly as sessfs does (same library, capabilities, time-outs, requests answered with ENOSYS)
 * and does as little as possible besides: names, sizes, modes and times are kept so that programs work, content is not.
 * A write sets the size, a read gives zeros. One thread, nothing on disk, nothing left after the unmount.
 *
 * usage: nullfs [-o writeback] [-o count] DIR     stays in the foreground; `count` prints the requests seen, at the end
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#define TIMEOUT 86400.0
#define MAX_IO (1u << 20)
#define FUSE_HANDLE_KILLPRIV_V2 (1u << 28) /* include/uapi/linux/fuse.h; libfuse 3.14 does not know it */
#define OPCODE_INIT 26
#define OPCODES 64

struct node;

struct entry {
	UT_hash_handle hh; /* in node.names of the directory */
	struct entry *prev, *next; /* in order of cookie */
	struct node *node;
	off_t cookie;
	char name[];
};

struct node {
	struct stat st;
	uint64_t lookups;
	struct node *parent; /* of a directory */
	char *target; /* of a symbolic link */
	struct entry *names, *first, *last; /* of a directory */
	struct entry *cursor; /* where the last listing stopped */
};

static struct {
	struct node root;
	ino_t last_ino;
	off_t last_cookie;
	uint64_t init_unique; /* of the INIT request, whose answer gets a flag more */
	uint64_t counts[OPCODES];
	int writeback, count;
} fs;

static char zeros[MAX_IO];

/* ---- nodes and names --------------------------------------------------------------------------------------- */

static struct node *node_of(fuse_ino_t id)
{
	return id == FUSE_ROOT_ID ? &fs.root : (struct node *)(uintptr_t)id;
}

static fuse_ino_t id_of(const struct node *node)
{
	return node == &fs.root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

static struct timespec now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts;
}

static void node_init(struct node *node, mode_t mode, const struct fuse_ctx *ctx)
{
	struct timespec ts = now();

	node->st.st_ino = ++fs.last_ino;
	node->st.st_mode = mode;
	node->st.st_nlink = S_ISDIR(mode) ? 2 : 1;
	node->st.st_uid = ctx ? ctx->uid : getuid();
	node->st.st_gid = ctx ? ctx->gid : getgid();
	node->st.st_blksize = 4096;
	node->st.st_atim = node->st.st_mtim = node->st.st_ctim = ts;
}

static void node_put(struct node *node)
{
	if (node->lookups || node->st.st_nlink || node == &fs.root)
		return;
	free(node->target);
	free(node);
}

static void node_set_size(struct node *node, off_t size)
{
	node->st.st_size = size;
	node->st.st_blocks = (size + 511) / 512;
}

static struct entry *entry_find(struct node *dir, const char *name)
{
	struct entry *entry;

	HASH_FIND_STR(dir->names, name, entry);
	return entry;
}

static struct entry *entry_add(struct node *dir, const char *name, struct node *node)
{
	size_t len = strlen(name);
	struct entry *entry = calloc(1, sizeof(*entry) + len + 1);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, len + 1);
	entry->node = node;
	entry->cookie = ++fs.last_cookie + 2; /* 1 and 2 are the dots */
	entry->prev = dir->last;
	*(dir->last ? &dir->last->next : &dir->first) = entry;
	dir->last = entry;
	HASH_ADD_KEYPTR(hh, dir->names, entry->name, len, entry);
	dir->st.st_mtim = dir->st.st_ctim = now();
	if (S_ISDIR(node->st.st_mode)) {
		dir->st.st_nlink++;
		node->parent = dir;
	}
	return entry;
}

static void entry_remove(struct node *dir, struct entry *entry)
{
	HASH_DEL(dir->names, entry);
	*(entry->prev ? &entry->prev->next : &dir->first) = entry->next;
	*(entry->next ? &entry->next->prev : &dir->last) = entry->prev;
	if (dir->cursor == entry)
		dir->cursor = entry->prev;
	dir->st.st_mtim = dir->st.st_ctim = now();
	if (S_ISDIR(entry->node->st.st_mode))
		dir->st.st_nlink--;
	free(entry);
}

/* The node lost one name: for a directory that is the end of it. */
static void node_unlinked(struct node *node)
{
	node->st.st_nlink = S_ISDIR(node->st.st_mode) ? 0 : node->st.st_nlink - 1;
	node->st.st_ctim = now();
	node_put(node);
}

static void fill(struct node *node, struct fuse_entry_param *param)
{
	memset(param, 0, sizeof(*param));
	param->ino = id_of(node);
	param->attr = node->st;
	param->attr_timeout = param->entry_timeout = TIMEOUT;
}

static void reply_entry(fuse_req_t req, struct node *node)
{
	struct fuse_entry_param param;

	fill(node, &param);
	node->lookups++;
	fuse_reply_entry(req, &param);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static void op_init(void *arg, struct fuse_conn_info *conn)
{
	(void)arg;
	conn->want &= ~(unsigned)(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
		FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_HANDLE_KILLPRIV);
	conn->want |= conn->capable & (FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_DONT_MASK |
		FUSE_CAP_POSIX_ACL | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_EXPLICIT_INVAL_DATA |
		FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_READ);
	if (fs.writeback)
		conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
	conn->max_write = MAX_IO;
	conn->time_gran = 1;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct entry *entry = entry_find(node_of(parent), name);
	struct fuse_entry_param absent = {.entry_timeout = TIMEOUT};

	if (entry)
		reply_entry(req, entry->node);
	else
		fuse_reply_entry(req, &absent);
}

static void forget_one(fuse_ino_t id, uint64_t count)
{
	struct node *node = node_of(id);

	node->lookups -= count;
	node_put(node);
}

static void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count)
{
	forget_one(id, count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	(void)fi;
	fuse_reply_attr(req, &node_of(id)->st, TIMEOUT);
}

static void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int what, struct fuse_file_info *fi)
{
	struct node *node = node_of(id);
	struct stat *st = &node->st;

	(void)fi;
	if (what & FUSE_SET_ATTR_MODE)
		st->st_mode = (st->st_mode & S_IFMT) | (attr->st_mode & 07777);
	if (what & FUSE_SET_ATTR_UID)
		st->st_uid = attr->st_uid;
	if (what & FUSE_SET_ATTR_GID)
		st->st_gid = attr->st_gid;
	if (what & FUSE_SET_ATTR_SIZE) {
		node_set_size(node, attr->st_size);
		st->st_mtim = now();
	}
	if (what & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		st->st_atim = what & FUSE_SET_ATTR_ATIME_NOW ? now() : attr->st_atim;
	if (what & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		st->st_mtim = what & FUSE_SET_ATTR_MTIME_NOW ? now() : attr->st_mtim;
	st->st_ctim = now();
	fuse_reply_attr(req, st, TIMEOUT);
}

static void make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev, const char *target)
{
	struct node *dir = node_of(parent), *node;

	if (entry_find(dir, name)) {
		fuse_reply_err(req, EEXIST);
		return;
	}
	node = calloc(1, sizeof(*node));
	if (!node || (target && !(node->target = strdup(target))))
		goto nomem;
	node_init(node, mode, fuse_req_ctx(req));
	node->st.st_rdev = rdev;
	if (target)
		node_set_size(node, (off_t)strlen(target));
	if (!entry_add(dir, name, node))
		goto nomem;
	reply_entry(req, node);
	return;
nomem:
	if (node)
		free(node->target);
	free(node);
	fuse_reply_err(req, ENOMEM);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	make(req, parent, name, mode & ~fuse_req_ctx(req)->umask, rdev, NULL);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make(req, parent, name, S_IFDIR | (mode & ~fuse_req_ctx(req)->umask & 07777), 0, NULL);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	make(req, parent, name, S_IFLNK | 0777, 0, target);
}

static void op_readlink(fuse_req_t req, fuse_ino_t id)
{
	fuse_reply_readlink(req, node_of(id)->target);
}

static void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
	struct node *node = node_of(id), *dir = node_of(parent);

	if (entry_find(dir, name)) {
		fuse_reply_err(req, EEXIST);
	} else if (!entry_add(dir, name, node)) {
		fuse_reply_err(req, ENOMEM);
	} else {
		node->st.st_nlink++;
		node->st.st_ctim = now();
		reply_entry(req, node);
	}
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node *dir = node_of(parent), *node;
	struct entry *entry = entry_find(dir, name);

	if (!entry) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	node = entry->node;
	if (node->names) {
		fuse_reply_err(req, ENOTEMPTY);
		return;
	}
	entry_remove(dir, entry);
	node_unlinked(node);
	fuse_reply_err(req, 0);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent, const char *newname,
	unsigned flags)
{
	struct node *from = node_of(parent), *to = node_of(newparent), *node, *victim = NULL;
	struct entry *source = entry_find(from, name), *target = entry_find(to, newname);
	int err = 0;

	if (!source)
		err = ENOENT;
	else if (flags & ~1u)
		err = EINVAL;
	else if (target && flags)
		err = EEXIST;
	else if (target && target->node->names)
		err = ENOTEMPTY;
	else if (target != source) {
		node = source->node;
		if (target) {
			victim = target->node;
			entry_remove(to, target);
		}
		entry_remove(from, source);
		if (!entry_add(to, newname, node))
			err = ENOMEM;
		node->st.st_ctim = now();
		if (victim)
			node_unlinked(victim);
	}
	fuse_reply_err(req, err);
}

static void op_nosys(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	(void)id, (void)fi;
	fuse_reply_err(req, ENOSYS);
}

static void op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	(void)id, (void)fi;
	fuse_reply_err(req, fs.writeback ? 0 : ENOSYS);
}

static void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *fi)
{
	off_t left = node_of(id)->st.st_size - offset;

	(void)fi;
	if (left < 0)
		left = 0;
	if ((off_t)size > left)
		size = (size_t)left;
	fuse_reply_buf(req, zeros, size < MAX_IO ? size : MAX_IO);
}

static void op_write(fuse_req_t req, fuse_ino_t id, const char *data, size_t size, off_t offset,
	struct fuse_file_info *fi)
{
	struct node *node = node_of(id);

	(void)data, (void)fi;
	if (offset + (off_t)size > node->st.st_size)
		node_set_size(node, offset + (off_t)size);
	node->st.st_mtim = node->st.st_ctim = now();
	fuse_reply_write(req, size);
}

static void op_fsync(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *fi)
{
	(void)id, (void)datasync, (void)fi;
	fuse_reply_err(req, 0);
}

/* Adds one name to buf; the bytes it takes, which is more than room if it did not fit. */
static size_t add_name(fuse_req_t req, char *buf, size_t room, bool plus, const char *name, struct node *node,
	off_t cookie)
{
	struct fuse_entry_param param;

	fill(node, &param);
	if (plus)
		return fuse_add_direntry_plus(req, buf, room, name, &param, cookie);
	return fuse_add_direntry(req, buf, room, name, &param.attr, cookie);
}

static void list(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, bool plus)
{
	struct node *dir = node_of(id);
	struct entry *entry = dir->cursor && dir->cursor->cookie <= offset ? dir->cursor : dir->first;
	char buf[MAX_IO / 8];
	size_t used = 0, len;

	if (size > sizeof(buf))
		size = sizeof(buf);
	for (; offset < 2; offset++) {
		/* The kernel ignores the node ids of the dots. */
		struct node dot = {.st = offset && dir->parent ? dir->parent->st : dir->st};

		len = add_name(req, buf + used, size - used, plus, offset ? ".." : ".", &dot, offset + 1);
		if (len > size - used)
			break;
		used += len;
	}
	while (entry && entry->cookie <= offset)
		entry = entry->next;
	for (; entry; entry = entry->next) {
		len = add_name(req, buf + used, size - used, plus, entry->name, entry->node, entry->cookie);
		if (len > size - used)
			break;
		used += len;
		entry->node->lookups += plus;
		dir->cursor = entry;
	}
	fuse_reply_buf(req, buf, used);
}

static void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, id, size, offset, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, id, size, offset, true);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size)
{
	(void)id, (void)name, (void)size;
	fuse_reply_err(req, ENODATA);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size)
{
	(void)id;
	if (size)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_xattr(req, 0);
}

static void op_statfs(fuse_req_t req, fuse_ino_t id)
{
	const struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1 << 28, .f_bfree = 1 << 28,
		.f_bavail = 1 << 28, .f_files = 1 << 28, .f_ffree = 1 << 28, .f_namemax = NAME_MAX};

	(void)id;
	fuse_reply_statfs(req, &st);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_unlink,
	.rename = op_rename,
	.open = op_nosys,
	.opendir = op_nosys,
	.flush = op_flush,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fsyncdir = op_fsync,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
};

/* ---- transport and main ------------------------------------------------------------------------------------ */

static ssize_t io_read(int fd, void *buf, size_t len, void *arg)
{
	ssize_t n = read(fd, buf, len);
	struct {
		uint32_t len, opcode;
		uint64_t unique;
	} head;

	(void)arg;
	if (n < (ssize_t)sizeof(head))
		return n;
	memcpy(&head, buf, sizeof(head));
	fs.counts[head.opcode % OPCODES]++;
	if (head.opcode == OPCODE_INIT)
		fs.init_unique = head.unique;
	return n;
}

static ssize_t io_writev(int fd, struct iovec *iov, int count, void *arg)
{
	uint32_t flags;
	uint64_t unique;

	(void)arg;
	memcpy(&unique, (char *)iov[0].iov_base + 8, sizeof(unique));
	if (fs.init_unique && unique == fs.init_unique && count == 2 && iov[1].iov_len >= 16) {
		memcpy(&flags, (char *)iov[1].iov_base + 12, sizeof(flags));
		flags |= FUSE_HANDLE_KILLPRIV_V2;
		memcpy((char *)iov[1].iov_base + 12, &flags, sizeof(flags));
		fs.init_unique = 0;
	}
	return writev(fd, iov, count);
}

static void print_counts(void)
{
	static const char *const names[OPCODES] = {
		[1] = "LOOKUP", "FORGET", "GETATTR", "SETATTR", "READLINK", "SYMLINK",
		[8] = "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "OPEN", "READ", "WRITE", "STATFS",
		[20] = "FSYNC", "SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR", "FLUSH", "INIT", "OPENDIR",
		"READDIR", [30] = "FSYNCDIR", [35] = "CREATE", [42] = "BATCH_FORGET", "FALLOCATE", "READDIRPLUS",
		"RENAME2", "LSEEK", "COPY_FILE_RANGE", [51] = "TMPFILE", "STATX",
	};

	for (int i = 0; i < OPCODES; i++)
		if (fs.counts[i])
			fprintf(stderr, "%s(%d)\t%llu\n", names[i] ? names[i] : "", i,
				(unsigned long long)fs.counts[i]);
}

int main(int argc, char **argv)
{
	static const struct fuse_opt options[] = {
		{"writeback", offsetof(typeof(fs), writeback), 1},
		{"count", offsetof(typeof(fs), count), 1},
		FUSE_OPT_END,
	};
	static const struct fuse_custom_io io = {.read = io_read, .writev = io_writev};
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts cmdline = {0};
	struct fuse_session *se;
	int res = 1;

	if (fuse_opt_parse(&args, &fs, options, NULL) || fuse_parse_cmdline(&args, &cmdline) || !cmdline.mountpoint) {
		fprintf(stderr, "usage: nullfs [-o writeback] [-o count] DIR\n");
		return 2;
	}
	fuse_opt_add_arg(&args, "-odefault_permissions,fsname=nullfs,subtype=nullfs");
	node_init(&fs.root, S_IFDIR | 0755, NULL);
	se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (se && !fuse_set_signal_handlers(se)) {
		if (!fuse_session_mount(se, cmdline.mountpoint)) {
			if (!fuse_session_custom_io(se, &io, fuse_session_fd(se)))
				res = fuse_session_loop(se) < 0;
			fuse_session_unmount(se);
		}
		fuse_remove_signal_handlers(se);
	}
	if (se)
		fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	free(cmdline.mountpoint);
	if (fs.count)
		print_counts();
	return res;
}
