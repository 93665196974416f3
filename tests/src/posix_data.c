/*
 * posix_data.c - content of files: writing, holes, sizes, mappings, copies, files without a name.
 */
#include "posix.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define KIB 1024
#define MIB (1024 * KIB)

static char data[MIB];

/* The same bytes for the same seed; do not compress. */
static void fill(char *to, size_t len, uint64_t seed)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		to[i] = (char)(x >> 32);
	}
}

static bool all_zero(const char *at, size_t len)
{
	return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

static bool reads_zero(int fd, off_t offset, size_t len)
{
	char *buf = malloc(len);
	bool zero = pread(fd, buf, len, offset) == (ssize_t)len && all_zero(buf, len);
	free(buf);
	return zero;
}

static bool reads_as(int fd, off_t offset, const char *expected, size_t len)
{
	char *buf = malloc(len);
	bool same = pread(fd, buf, len, offset) == (ssize_t)len && memcmp(buf, expected, len) == 0;
	free(buf);
	return same;
}

static void put(int fd, off_t offset, const char *bytes, size_t len)
{
	CHECK(pwrite(fd, bytes, len, offset) == (ssize_t)len);
}

static off_t size_of(int fd)
{
	struct stat st;
	OK(fstat(fd, &st));
	return st.st_size;
}

/* A kernel that buffers writes asks anew after a close only. */
static blkcnt_t blocks_of(int fd)
{
	struct stat st;
	OK(fsync(fd));
	OK(close(OK(dup(fd))));
	OK(fstat(fd, &st));
	return st.st_blocks;
}

static int make(const char *name)
{
	return OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0644));
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void write_and_read(void)
{
	int fd = make("f");
	char buf[16];
	fill(data, sizeof data, 1);
	CHECK(read(fd, buf, sizeof buf) == 0);
	for (size_t at = 0, len = 1; at + len < sizeof data; at += len, len = len * 3 + 1)
		put(fd, (off_t)at, data + at, len);
	off_t size = size_of(fd);
	CHECK(reads_as(fd, 0, data, (size_t)size));
	put(fd, 100, "over", 4);
	memcpy(data + 100, "over", 4);
	CHECK(reads_as(fd, 0, data, (size_t)size) && size_of(fd) == size);
	CHECK(pread(fd, buf, sizeof buf, size) == 0 && pread(fd, buf, sizeof buf, size - 3) == 3);
	CHECK(write(fd, buf, 0) == 0 && size_of(fd) == size);
	FAILS(pread(fd, buf, 1, -1), EINVAL);
	struct iovec parts[] = { { "gat", 3 }, { "", 0 }, { "hered", 5 } };
	CHECK(pwritev(fd, parts, 3, 1000) == 8 && reads_as(fd, 1000, "gathered", 8));
	int reader = OK(open("f", O_RDONLY)), writer = OK(open("f", O_WRONLY));
	FAILS(write(reader, "x", 1), EBADF);
	FAILS(read(writer, buf, 1), EBADF);
	FAILS(ftruncate(reader, 0), EINVAL);
}

static void random_overwrites(void)
{
	int fd = make("f");
	static char model[600 * KIB], piece[40 * KIB];
	uint64_t x = 7;
	size_t size = 0;
	for (int i = 0; i < 400; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		size_t at = (x >> 33) % (sizeof model - sizeof piece), len = (x >> 20) % sizeof piece;
		if (i % 10 == 9) {
			OK(ftruncate(fd, (off_t)at));
			if (at < size)
				memset(model + at, 0, size - at);
			size = at;
			continue;
		}
		fill(piece, len, x);
		memcpy(model + at, piece, len);
		put(fd, (off_t)at, piece, len);
		size = len && at + len > size ? at + len : size;
	}
	CHECK(size_of(fd) == (off_t)size && reads_as(fd, 0, model, size));
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(reads_as(fd, 0, model, size));
}

static void open_flags(void)
{
	make_file("f", "0123456789");
	int fd = OK(open("f", O_WRONLY | O_APPEND));
	CHECK(write(fd, "a", 1) == 1);
	OK(lseek(fd, 0, SEEK_SET));
	CHECK(write(fd, "b", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 12);
	CHECK(file_holds("f", "0123456789ab"));
	OK(close(fd));
	OK(close(OK(open("f", O_RDONLY))));
	fd = OK(open("f", O_WRONLY | O_TRUNC));
	CHECK(stat_of("f").st_size == 0);
	CHECK(write(fd, "new", 3) == 3);
	OK(close(fd));
	OK(close(OK(open("f", O_RDWR | O_CREAT, 0600))));
	CHECK(file_holds("f", "new"));
	OK(close(OK(open("g", O_WRONLY | O_CREAT | O_TRUNC, 0400))));
	CHECK((stat_of("g").st_mode & 0777) == 0400);
	fd = OK(open("ro", O_RDWR | O_CREAT | O_EXCL, 0)); /* the mode rules later opens, not this one */
	CHECK(write(fd, "x", 1) == 1);
	fd = OK(open("f", O_WRONLY | O_SYNC));
	CHECK(write(fd, "S", 1) == 1);
	fd = OK(open("f", O_WRONLY | O_DSYNC));
	CHECK(write(fd, "D", 1) == 1);
	fd = OK(open("f", O_PATH));
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(st.st_size == 3);
}

#define APPENDS 500
static void append_lines(void)
{
	char line[32];
	int fd = OK(open("log", O_WRONLY | O_APPEND | O_CREAT, 0644));
	for (int i = 0; i < APPENDS; i++) {
		snprintf(line, sizeof line, "%10d %8d\n", getpid(), i);
		CHECK(write(fd, line, 20) == 20);
	}
}

static void append_by_four(void)
{
	pid_t writers[4];
	int next[4] = { 0 };
	for (int i = 0; i < 4; i++)
		writers[i] = fork_to(append_lines);
	for (int i = 0; i < 4; i++)
		join(writers[i]);
	CHECK(stat_of("log").st_size == 4 * APPENDS * 20);
	FILE *file = fopen("log", "r");
	int pid, number, lines = 0;
	for (; fscanf(file, "%d %d\n", &pid, &number) == 2; lines++)
		for (int i = 0; i < 4; i++)
			if (writers[i] == pid)
				CHECK(next[i]++ == number);
	CHECK(lines == 4 * APPENDS);
	fclose(file);
}

static void truncating(void)
{
	int fd = make("f");
	fill(data, sizeof data, 2);
	put(fd, 0, data, 300 * KIB);
	OK(ftruncate(fd, 131072 + 5));
	CHECK(size_of(fd) == 131072 + 5 && reads_as(fd, 0, data, 131072 + 5));
	OK(truncate("f", 300 * KIB));
	CHECK(reads_as(fd, 0, data, 131072 + 5) && reads_zero(fd, 131072 + 5, 300 * KIB - 131072 - 5));
	OK(ftruncate(fd, 3));
	put(fd, 10, "x", 1);
	CHECK(reads_as(fd, 0, data, 3) && reads_zero(fd, 3, 7) && size_of(fd) == 11);
	OK(ftruncate(fd, 0));
	CHECK(size_of(fd) == 0 && blocks_of(fd) == 0);
	OK(ftruncate(fd, 10 * MIB));
	CHECK(reads_zero(fd, 5 * MIB, MIB) && blocks_of(fd) == 0);
	FAILS(ftruncate(fd, -1), EINVAL);
	FAILS(truncate("absent", 0), ENOENT);
}

static void file_size_limit(void)
{
	struct rlimit limit = { 1000, RLIM_INFINITY };
	int fd = make("f");
	signal(SIGXFSZ, SIG_IGN);
	OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK(pwrite(fd, data, 100, 950) == 50);
	FAILS(pwrite(fd, data, 100, 1000), EFBIG);
	FAILS(ftruncate(fd, 1001), EFBIG);
	CHECK(size_of(fd) == 1000);
}

/* ---- holes ------------------------------------------------------------------------------------------------------- */

/* Holes need not be told: with buffered writes the filesystem cannot know them, and all is data. */
static bool tells_holes(int fd)
{
	off_t size = size_of(fd);
	OK(ftruncate(fd, size + 10 * MIB));
	bool tells = OK(lseek(fd, size, SEEK_HOLE)) < size + 10 * MIB;
	OK(ftruncate(fd, size));
	return tells;
}

static void holes(void)
{
	int fd = make("f");
	fill(data, 8, 3);
	put(fd, 0, data, 8);
	put(fd, 4 * MIB, data, 8);
	CHECK(size_of(fd) == 4 * MIB + 8);
	CHECK(reads_zero(fd, 8, MIB) && reads_zero(fd, 3 * MIB, MIB) && reads_as(fd, 4 * MIB, data, 8));
	CHECK(blocks_of(fd) >= 1 && blocks_of(fd) < 2 * 256);
	CHECK(OK(lseek(fd, 0, SEEK_DATA)) == 0);
	FAILS(lseek(fd, 4 * MIB + 8, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 5 * MIB, SEEK_HOLE), ENXIO);
	if (!tells_holes(fd))
		SKIP("tells no holes");
	off_t hole = OK(lseek(fd, 0, SEEK_HOLE));
	CHECK(hole >= 8 && hole <= 128 * KIB);
	off_t second = OK(lseek(fd, hole, SEEK_DATA));
	CHECK(second > 4 * MIB - 128 * KIB && second <= 4 * MIB);
	CHECK(OK(lseek(fd, 4 * MIB, SEEK_HOLE)) == 4 * MIB + 8);
	OK(ftruncate(fd, 8 * MIB));
	FAILS(lseek(fd, 5 * MIB, SEEK_DATA), ENXIO);
	CHECK(OK(lseek(fd, 5 * MIB, SEEK_HOLE)) == 5 * MIB);
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(OK(lseek(fd, hole, SEEK_DATA)) == second && reads_zero(fd, 2 * MIB, MIB));
}

/* What the kernel still buffers is data. */
static void unsaved_data_is_no_hole(void)
{
	int fd = make("f");
	OK(ftruncate(fd, 10 * MIB));
	put(fd, 2 * MIB, "data", 4);
	off_t at = OK(lseek(fd, 0, SEEK_DATA));
	CHECK(at <= 2 * MIB && OK(lseek(fd, 2 * MIB, SEEK_HOLE)) > 2 * MIB);
	OK(fsync(fd));
	CHECK(OK(lseek(fd, 0, SEEK_DATA)) <= 2 * MIB);
}

static void allocated_blocks(void)
{
	int fd = make("f");
	CHECK(blocks_of(fd) == 0);
	put(fd, 0, "x", 1);
	CHECK(blocks_of(fd) >= 1 && blocks_of(fd) <= 16);
	fill(data, sizeof data, 4);
	put(fd, 0, data, sizeof data);
	CHECK(blocks_of(fd) >= MIB / 512 * 9 / 10 && blocks_of(fd) <= MIB / 512 * 12 / 10);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MIB / 2));
	CHECK(blocks_of(fd) <= MIB / 512 * 6 / 10 && blocks_of(fd) > 0);
	OK(ftruncate(fd, 0));
	CHECK(blocks_of(fd) == 0);
}

static void fallocating(void)
{
	int fd = make("f");
	OK(fallocate(fd, 0, 0, 10000));
	CHECK(size_of(fd) == 10000 && reads_zero(fd, 0, 10000));
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 10000, 100000));
	CHECK(size_of(fd) == 10000);
	OK(posix_fallocate(fd, 0, 20000));
	CHECK(size_of(fd) == 20000);
	fill(data, sizeof data, 5);
	put(fd, 0, data, MIB);
	OK(fallocate(fd, 0, 100, 1000)); /* what is there stays */
	CHECK(size_of(fd) == MIB && reads_as(fd, 0, data, MIB));
	int error = fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 128 * KIB);
	CHECK(on_fuse() ? error == -1 && errno == EOPNOTSUPP : true);
	FAILS(fallocate(fd, 0, -1, 10), EINVAL);
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
}

static void punching(void)
{
	int fd = make("f");
	fill(data, sizeof data, 6);
	put(fd, 0, data, MIB);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, 300000));
	memset(data + 5000, 0, 300000);
	CHECK(size_of(fd) == MIB && reads_as(fd, 0, data, MIB));
	CHECK(!tells_holes(fd) || OK(lseek(fd, 131072, SEEK_DATA)) > 131072);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MIB - 100, 10 * MIB));
	memset(data + MIB - 100, 0, 100);
	CHECK(size_of(fd) == MIB && reads_as(fd, 0, data, MIB));
	OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 600000, 200001));
	memset(data + 600000, 0, 200001);
	CHECK(size_of(fd) == MIB && reads_as(fd, 0, data, MIB));
	OK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, MIB - 10, 1000));
	CHECK(size_of(fd) == MIB);
	OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, MIB - 10, 1010));
	CHECK(size_of(fd) == MIB + 1000 && reads_zero(fd, MIB - 100, 1100));
	put(fd, 5003, "in the hole", 11);
	memcpy(data + 5003, "in the hole", 11);
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(reads_as(fd, 0, data, MIB));
}

static void beyond_4_gib(void)
{
	const off_t far = INT64_C(5) << 30;
	int fd = make("f");
	put(fd, far, "far", 3);
	put(fd, (INT64_C(1) << 32) - 2, "edge", 4);
	CHECK(size_of(fd) == far + 3 && reads_as(fd, far, "far", 3) && reads_as(fd, (INT64_C(1) << 32) - 2, "edge", 4));
	CHECK(reads_zero(fd, far - MIB, MIB) && blocks_of(fd) < 2 * 512);
	off_t at = OK(lseek(fd, 0, SEEK_DATA));
	CHECK(!tells_holes(fd) || (at > (INT64_C(1) << 32) - 256 * KIB && at <= (INT64_C(1) << 32) - 2));
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, far));
	CHECK(!tells_holes(fd) || OK(lseek(fd, 0, SEEK_DATA)) > far - 128 * KIB);
	CHECK(reads_as(fd, far, "far", 3));
	OK(ftruncate(fd, (INT64_C(1) << 32) + 1));
	CHECK(size_of(fd) == (INT64_C(1) << 32) + 1);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static void copy_ranges(void)
{
	int from = make("from"), to = make("to");
	fill(data, sizeof data, 8);
	put(from, 0, data, MIB);
	off_t in = 100000, out = 7;
	size_t left = 500000;
	while (left > 0) {
		ssize_t done = OK(copy_file_range(from, &in, to, &out, left, 0));
		CHECK(done > 0);
		left -= (size_t)done;
	}
	CHECK(in == 600000 && out == 500007 && size_of(to) == 500007);
	CHECK(reads_zero(to, 0, 7) && reads_as(to, 7, data + 100000, 500000));
	in = MIB;
	CHECK(copy_file_range(from, &in, to, NULL, 10, 0) == 0);
	in = MIB - 5;
	OK(lseek(to, 0, SEEK_SET));
	CHECK(copy_file_range(from, &in, to, NULL, 100, 0) == 5 && lseek(to, 0, SEEK_CUR) == 5);
	in = 0, out = 100;
	FAILS(copy_file_range(from, &in, from, &out, 1000, 0), EINVAL);
	in = 0, out = 2 * MIB;
	CHECK(copy_file_range(from, &in, from, &out, 1000, 0) == 1000);
	CHECK(size_of(from) == 2 * MIB + 1000 && reads_as(from, 2 * MIB, data, 1000));
	int sent = make("sent");
	in = 50;
	CHECK(sendfile(sent, from, &in, 70000) == 70000 && reads_as(sent, 0, data + 50, 70000));
}

/* ---- files without a name ---------------------------------------------------------------------------------------- */

static void open_unlinked(void)
{
	char path[64];
	int fd = make("f");
	fill(data, sizeof data, 9);
	put(fd, 0, data, 200 * KIB);
	OK(unlink("f"));
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(st.st_nlink == 0 && st.st_size == 200 * KIB);
	CHECK(reads_as(fd, 0, data, 200 * KIB));
	put(fd, MIB, data, 100);
	CHECK(reads_as(fd, MIB, data, 100) && reads_zero(fd, 200 * KIB, 1000));
	OK(ftruncate(fd, 50));
	OK(fchmod(fd, 0600));
	OK(fsync(fd));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW), ENOENT);
	make_file("f", "another");
	CHECK(reads_as(fd, 0, data, 50) && size_of(fd) == 50 && file_holds("f", "another"));
	int again = OK(open(path, O_RDONLY));
	OK(close(fd));
	CHECK(reads_as(again, 0, data, 50));
}

static void nameless_files(void)
{
	char path[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd == -1 && errno == EOPNOTSUPP)
		SKIP("no O_TMPFILE");
	CHECK(fd != -1);
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(st.st_nlink == 0);
	put(fd, 0, "from nowhere", 12);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK(file_holds("named", "from nowhere") && stat_of("named").st_nlink == 1);
	int never = OK(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	put(never, 0, "x", 1);
}

/* ---- mappings ---------------------------------------------------------------------------------------------------- */

static char *map(int fd, size_t len, int prot, int flags)
{
	char *at = mmap(NULL, len, prot, flags, fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void write_by_mapping(void)
{
	int fd = OK(open("f", O_RDWR));
	char *at = map(fd, 8192, PROT_READ | PROT_WRITE, MAP_SHARED);
	memcpy(at + 5000, "child", 5);
}

static void shared_mapping(void)
{
	int fd = make("f");
	OK(ftruncate(fd, 10000));
	char *at = map(fd, 10000, PROT_READ | PROT_WRITE, MAP_SHARED);
	memcpy(at + 100, "mapped", 6);
	CHECK(reads_as(fd, 100, "mapped", 6));
	put(fd, 200, "written", 7);
	CHECK(memcmp(at + 200, "written", 7) == 0);
	join(fork_to(write_by_mapping));
	CHECK(memcmp(at + 5000, "child", 5) == 0 && reads_as(fd, 5000, "child", 5));
	OK(msync(at, 10000, MS_SYNC));
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	OK(futimens(fd, old));
	at[0] = 'x';
	OK(msync(at, 10000, MS_SYNC));
	CHECK(stat_of("f").st_mtime > 1000);
	OK(munmap(at, 10000));
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(reads_as(fd, 100, "mapped", 6) && reads_as(fd, 0, "x", 1) && size_of(fd) == 10000);
}

static void private_mapping(void)
{
	int fd = make("f");
	fill(data, 5000, 10);
	put(fd, 0, data, 5000);
	char *at = map(fd, 5000, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	CHECK(memcmp(at, data, 5000) == 0 && all_zero(at + 5000, 8192 - 5000));
	memset(at, 'p', 5000);
	CHECK(reads_as(fd, 0, data, 5000));
	int reader = OK(open("f", O_RDONLY));
	CHECK(mmap(NULL, 5000, PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED && errno == EACCES);
}

static void mapping_outlives(void)
{
	int fd = make("f");
	fill(data, 8192, 11);
	put(fd, 0, data, 8192);
	char *at = map(fd, 8192, PROT_READ | PROT_WRITE, MAP_SHARED);
	OK(close(fd));
	OK(unlink("f"));
	CHECK(memcmp(at, data, 8192) == 0);
	at[4096] = 'z';
	OK(msync(at, 8192, MS_SYNC));
	OK(madvise(at, 8192, MADV_DONTNEED));
	CHECK(at[4096] == 'z' && memcmp(at, data, 4096) == 0);
}

static void run_script(void)
{
	execl("./script", "./script", NULL);
	_exit(1);
}

static void programs_run(void)
{
	make_file("script", "#!/bin/sh\nexit 0\n");
	FAILS(execl("./script", "./script", NULL), EACCES);
	OK(chmod("script", 0755));
	join(fork_to(run_script));
	int from = OK(open("/bin/true", O_RDONLY)), to = OK(open("true", O_WRONLY | O_CREAT, 0755));
	struct stat st;
	OK(fstat(from, &st));
	CHECK(sendfile(to, from, NULL, (size_t)st.st_size) == st.st_size);
	OK(close(to));
	CHECK(system("./true") == 0);
}

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

static void syncing(void)
{
	int fd = make("f"), dir = OK(open(".", O_RDONLY | O_DIRECTORY)), reader = OK(open("f", O_RDONLY));
	put(fd, 0, "x", 1);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(fsync(reader));
	OK(fsync(dir));
	OK(fdatasync(dir));
	OK(syncfs(dir));
	OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

static void direct_io(void)
{
	char *buf;
	CHECK(posix_memalign((void **)&buf, 4096, 8192) == 0);
	int fd = open("f", O_RDWR | O_CREAT | O_DIRECT, 0644);
	if (fd == -1 && errno == EINVAL)
		SKIP("no O_DIRECT");
	fill(buf, 8192, 12);
	memcpy(data, buf, 8192);
	put(fd, 4096, buf, 8192);
	int plain = OK(open("f", O_RDWR));
	CHECK(reads_as(plain, 4096, data, 8192));
	put(plain, 4096, "changed", 7);
	CHECK(pread(fd, buf, 4096, 4096) == 4096 && memcmp(buf, "changed", 7) == 0);
}

static void filesystem_figures(void)
{
	struct statfs fs;
	OK(statfs(".", &fs));
	CHECK(fs.f_namelen == 255 && fs.f_bsize >= 512 && fs.f_blocks > 0);
	CHECK(fs.f_bfree <= fs.f_blocks && fs.f_bavail <= fs.f_bfree);
	CHECK(fs.f_ffree <= fs.f_files);
}

static const struct posix_test tests[] = {
	{ "write_and_read", write_and_read },
	{ "random_overwrites", random_overwrites },
	{ "open_flags", open_flags },
	{ "append_by_four", append_by_four },
	{ "truncating", truncating },
	{ "file_size_limit", file_size_limit },
	{ "holes", holes },
	{ "unsaved_data_is_no_hole", unsaved_data_is_no_hole },
	{ "allocated_blocks", allocated_blocks },
	{ "fallocating", fallocating },
	{ "punching", punching },
	{ "beyond_4_gib", beyond_4_gib },
	{ "copy_ranges", copy_ranges },
	{ "open_unlinked", open_unlinked },
	{ "nameless_files", nameless_files },
	{ "shared_mapping", shared_mapping },
	{ "private_mapping", private_mapping },
	{ "mapping_outlives", mapping_outlives },
	{ "programs_run", programs_run },
	{ "syncing", syncing },
	{ "direct_io", direct_io },
	{ "filesystem_figures", filesystem_figures },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return posix_main(argc, argv, tests);
}
