/*
 * preload_power - records what a process does to the files of one directory, as a disk would see it.
 *
 *   POWER_STORE=DIR POWER_TRACE=FILE
 *       record; see trace.h. Stores through shared mappings are found by comparing each mapped file with its last known
 *       content whenever something is recorded, and every 3 ms
 *   POWER_BOOT=FILE
 *       what /proc/sys/kernel/random/boot_id reads as: another boot
 *
 * It does not see io_uring, dup'ed descriptors, splice and copy_file_range: the store uses none of them on its files.
 */
#undef _FILE_OFFSET_BITS
#include "trace.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "opens.h"

enum { FDS = 1024, FILES = 64, MAPS = 8, SAMPLE_NS = 3000000 };

struct mapping {
	uint8_t *data, *known; /* NULL: free */
	size_t size;
	size_t end; /* of the file in it: what lies behind must not be touched */
	int file;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* protected by lock */
static char *names[FILES];
static int file_count;
static struct {
	int file; /* 1 + number, 0: not a file of the store */
	bool dsync;
} fds[FDS];
static struct mapping maps[MAPS];
static uint64_t events;
static int trace_fd = -1;
static bool sampling;

static const char *store_dir, *boot_file;

__attribute__((constructor)) static void begin(void)
{
	store_dir = getenv("POWER_STORE");
	boot_file = getenv("POWER_BOOT");
	const char *trace = getenv("POWER_TRACE");
	if (!store_dir || !trace)
		store_dir = NULL;
	else
		trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- recording: with the lock held ------------------------------------------------------------------------------- */

static void record(struct trace_event event, const void *data)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	event.time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	static const char zeros[8];
	struct iovec parts[3] = {{&event, sizeof event}, {(void *)data, event.length},
		{(void *)zeros, trace_padded(event.length) - event.length}};
	ssize_t all = (ssize_t)(sizeof event + trace_padded(event.length));
	if (syscall(SYS_writev, trace_fd, parts, 3) != all)
		abort();
	events++;
}

/* Records the sectors of mapped files that differ from what is known of them. */
static void look_at_maps(void)
{
	for (int i = 0; i < MAPS; i++) {
		struct mapping *m = &maps[i];
		for (size_t page = 0; m->data && page < m->end; page += 4096) {
			if (!memcmp(m->data + page, m->known + page, 4096))
				continue;
			for (size_t at = page; at < page + 4096; at += TRACE_SECTOR) {
				if (!memcmp(m->data + at, m->known + at, TRACE_SECTOR))
					continue;
				memcpy(m->known + at, m->data + at, TRACE_SECTOR);
				record((struct trace_event){.type = TRACE_WRITE, .file = (uint32_t)m->file,
					.offset = at, .length = TRACE_SECTOR}, m->known + at);
			}
		}
	}
}

static bool is_mapped(int file)
{
	for (int i = 0; i < MAPS; i++)
		if (maps[i].data && maps[i].file == file)
			return true;
	return false;
}

static int file_of(int fd)
{
	return fd >= 0 && fd < FDS ? fds[fd].file - 1 : -1;
}

/* The name below the store's directory, or NULL. */
static const char *name_in_store(const char *path)
{
	size_t n = store_dir ? strlen(store_dir) : 0;
	return n && !strncmp(path, store_dir, n) && path[n] == '/' ? path + n + 1 : NULL;
}

static void opened(int fd, int flags, bool existed)
{
	char link[64], path[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n < 0 ? 0 : n] = 0;
	const char *name = name_in_store(path);
	if (!name || (flags & O_ACCMODE) == O_RDONLY || fd >= FDS)
		return;
	pthread_mutex_lock(&lock);
	int file = 0;
	while (file < file_count && strcmp(names[file], name))
		file++;
	if (file == FILES)
		abort();
	if (file == file_count)
		names[file_count++] = strdup(name);
	fds[fd].file = file + 1;
	fds[fd].dsync = flags & O_DSYNC;
	record((struct trace_event){.type = TRACE_FILE, .file = (uint32_t)file, .offset = !existed,
		.length = strlen(name)}, name);
	if (flags & O_TRUNC)
		record((struct trace_event){.type = TRACE_SIZE, .file = (uint32_t)file}, NULL);
	pthread_mutex_unlock(&lock);
}

static int do_open(int dir, const char *path, int flags, mode_t mode)
{
	if (boot_file && !strcmp(path, "/proc/sys/kernel/random/boot_id"))
		path = boot_file;
	struct stat st;
	bool existed = !(flags & O_CREAT) || syscall(SYS_newfstatat, dir, path, &st, 0) == 0;
	int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	if (fd >= 0 && store_dir)
		opened(fd, flags, existed);
	return fd;
}

/* ---- what the process calls -------------------------------------------------------------------------------------- */

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		fds[fd].file = 0;
	return (int)syscall(SYS_close, fd);
}

/* offset -1: at the descriptor's position. */
static ssize_t do_write(int fd, const struct iovec *parts, int count, off_t offset)
{
	int file = file_of(fd);
	if (file < 0)
		return offset < 0 ? syscall(SYS_writev, fd, parts, count)
				  : syscall(SYS_pwritev, fd, parts, count, offset, 0);
	pthread_mutex_lock(&lock);
	if (offset < 0)
		offset = lseek(fd, 0, SEEK_CUR);
	ssize_t n = syscall(SYS_pwritev, fd, parts, count, offset, 0), left = n;
	if (n > 0 && offset >= 0 && !is_mapped(file)) {
		for (int i = 0; left > 0; i++) {
			size_t length = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
			record((struct trace_event){.type = fds[fd].dsync ? TRACE_DURABLE : TRACE_WRITE,
				.file = (uint32_t)file, .offset = (uint64_t)(offset + n - left), .length = length},
				parts[i].iov_base);
			left -= (ssize_t)length;
		}
	}
	look_at_maps();
	pthread_mutex_unlock(&lock);
	return n;
}

static ssize_t do_write_on(int fd, const struct iovec *parts, int count)
{
	if (file_of(fd) < 0)
		return syscall(SYS_writev, fd, parts, count);
	ssize_t n = do_write(fd, parts, count, -1);
	if (n > 0)
		lseek(fd, n, SEEK_CUR);
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	return do_write(fd, &(struct iovec){(void *)data, length}, 1, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	return do_write(fd, &(struct iovec){(void *)data, length}, 1, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return do_write(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return do_write(fd, parts, count, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
	return do_write_on(fd, &(struct iovec){(void *)data, length}, 1);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return do_write_on(fd, parts, count);
}

/* A file has this size now: what was cut off a mapping is zeros, should it come back. */
static void move_end(int file, size_t size)
{
	for (struct mapping *m = maps; m < maps + MAPS; m++) {
		if (!m->data || m->file != file)
			continue;
		size_t end = size < m->size ? size : m->size;
		if (end < m->end)
			memset(m->known + end, 0, m->end - end);
		m->end = end;
	}
}

int ftruncate(int fd, off_t size)
{
	int file = file_of(fd);
	if (file < 0)
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&lock);
	look_at_maps();
	int result = (int)syscall(SYS_ftruncate, fd, size);
	if (result == 0) {
		record((struct trace_event){.type = TRACE_SIZE, .file = (uint32_t)file, .offset = (uint64_t)size},
			NULL);
		move_end(file, (size_t)size);
	}
	pthread_mutex_unlock(&lock);
	return result;
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	int file = file_of(fd);
	struct stat st;
	if (file < 0)
		return (int)syscall(SYS_fallocate, fd, mode, offset, length);
	pthread_mutex_lock(&lock);
	look_at_maps();
	int result = (int)syscall(SYS_fallocate, fd, mode, offset, length);
	if (result == 0 && syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0) {
		record((struct trace_event){.type = TRACE_ALLOC, .file = (uint32_t)file,
			.offset = (uint64_t)st.st_size}, NULL);
		move_end(file, (size_t)st.st_size);
	}
	pthread_mutex_unlock(&lock);
	return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	return fallocate(fd, mode, offset, length);
}

static int do_sync(int fd, long call)
{
	int file = file_of(fd);
	if (file < 0)
		return (int)syscall(call, fd);
	pthread_mutex_lock(&lock);
	look_at_maps();
	uint64_t covers = events;
	pthread_mutex_unlock(&lock);
	int result = (int)syscall(call, fd);
	pthread_mutex_lock(&lock);
	if (result == 0)
		record((struct trace_event){.type = TRACE_SYNC, .file = (uint32_t)file, .end = UINT64_MAX,
			.covers = covers}, NULL);
	pthread_mutex_unlock(&lock);
	return result;
}

int fsync(int fd)
{
	return do_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return do_sync(fd, SYS_fdatasync);
}

static void name_event(enum trace_type type, const char *old, const char *new)
{
	char text[2 * NAME_MAX + 2];
	size_t length = strlen(old) + 1;
	memcpy(text, old, length);
	if (new) {
		memcpy(text + length, new, strlen(new) + 1);
		length += strlen(new) + 1;
	}
	pthread_mutex_lock(&lock);
	look_at_maps();
	record((struct trace_event){.type = type, .length = length}, text);
	pthread_mutex_unlock(&lock);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int unlinkat(int dir, const char *path, int flags)
{
	int result = (int)syscall(SYS_unlinkat, dir, path, flags);
	if (result == 0 && store_dir && (dir != AT_FDCWD || name_in_store(path)))
		name_event(TRACE_UNLINK, last_part(path), NULL);
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	int result = (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, 0);
	if (result == 0 && store_dir && (old_dir != AT_FDCWD || name_in_store(old)))
		name_event(TRACE_RENAME, last_part(old), last_part(new));
	return result;
}

int rename(const char *old, const char *new)
{
	return renameat(AT_FDCWD, old, AT_FDCWD, new);
}

/* ---- mappings ---------------------------------------------------------------------------------------------------- */

static void *sample(void *unused)
{
	(void)unused;
	for (;;) {
		nanosleep(&(struct timespec){.tv_nsec = SAMPLE_NS}, NULL);
		pthread_mutex_lock(&lock);
		uint64_t before = events;
		look_at_maps();
		if (events != before)
			record((struct trace_event){.type = TRACE_MOMENT}, NULL);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void start_sampling(void)
{
	sigset_t all, old;
	pthread_t thread;
	sampling = true;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	if (pthread_create(&thread, NULL, sample, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void mapped(uint8_t *data, size_t size, int file, int fd)
{
	struct mapping *m = maps;
	struct stat st;
	uint8_t *known = calloc(1, size);
	pthread_mutex_lock(&lock);
	while (m < maps + MAPS && m->data)
		m++;
	if (m == maps + MAPS || !known || syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH))
		abort();
	size_t end = (size_t)st.st_size < size ? (size_t)st.st_size : size;
	memcpy(known, data, end);
	*m = (struct mapping){data, known, size, end, file};
	if (!sampling)
		start_sampling();
	pthread_mutex_unlock(&lock);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *data = (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
	int file = file_of(fd);
	bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
	if (data != MAP_FAILED && file >= 0 && shared && (protection & PROT_WRITE) &&
		strncmp(names[file], "lock", 4) != 0)
		mapped(data, size, file, fd);
	return data;
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	return mmap(at, size, protection, flags, fd, offset);
}

int munmap(void *data, size_t size)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < MAPS && store_dir; i++) {
		if (maps[i].data != data || !data)
			continue;
		look_at_maps();
		free(maps[i].known);
		maps[i] = (struct mapping){0};
	}
	pthread_mutex_unlock(&lock);
	return (int)syscall(SYS_munmap, data, size);
}

int msync(void *data, size_t size, int flags)
{
	int file = -1;
	uint64_t offset = 0;
	pthread_mutex_lock(&lock);
	look_at_maps();
	for (int i = 0; i < MAPS; i++) {
		if (!maps[i].data || (uint8_t *)data < maps[i].data || (uint8_t *)data >= maps[i].data + maps[i].size)
			continue;
		file = maps[i].file;
		offset = (uint64_t)((uint8_t *)data - maps[i].data);
	}
	uint64_t covers = events;
	pthread_mutex_unlock(&lock);
	int result = (int)syscall(SYS_msync, data, size, flags);
	pthread_mutex_lock(&lock);
	if (result == 0 && file >= 0 && (flags & MS_SYNC))
		record((struct trace_event){.type = TRACE_SYNC, .file = (uint32_t)file, .offset = offset,
			.end = offset + size, .covers = covers}, NULL);
	pthread_mutex_unlock(&lock);
	return result;
}
