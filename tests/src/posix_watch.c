/*
 * posix_watch.c - what processes see of each other: listings that change under the reader, events, locks.
 */
#include "posix.h"

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

/* ---- listings ---------------------------------------------------------------------------------------------------- */

#define ENTRIES 1500

static void make_entries(const char *prefix, int from, int to)
{
	char name[32];
	for (int i = from; i < to; i++) {
		snprintf(name, sizeof name, "d/%s%d", prefix, i);
		make_file(name, "");
	}
}

static DIR *open_list(const char *name)
{
	DIR *dir = opendir(name);
	CHECK(dir);
	return dir;
}

static void listing(void)
{
	bool seen[ENTRIES] = { false };
	int dots = 0, count = 0;
	struct stat st;

	OK(mkdir("d", 0755));
	make_entries("f", 0, ENTRIES);
	DIR *dir = open_list("d");
	for (struct dirent *entry; (entry = readdir(dir)); count++) {
		OK(fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW));
		if (entry->d_name[0] == '.') {
			dots++;
			CHECK(entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
			continue;
		}
		int i = atoi(entry->d_name + 1);
		CHECK(i >= 0 && i < ENTRIES && !seen[i]);
		seen[i] = true;
		CHECK(entry->d_ino == st.st_ino && entry->d_type == DT_REG);
	}
	CHECK(dots == 2 && count == ENTRIES + 2);
	closedir(dir);
}

static void types_in_listing(void)
{
	static const struct { const char *name; unsigned char type; } made[] = {
		{ "dir", DT_DIR }, { "file", DT_REG }, { "link", DT_LNK }, { "fifo", DT_FIFO } };
	OK(mkdir("dir", 0755));
	make_file("file", "");
	OK(symlink("x", "link"));
	OK(mkfifo("fifo", 0644));
	DIR *dir = open_list(".");
	int count = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		for (size_t i = 0; i < 4; i++)
			if (strcmp(entry->d_name, made[i].name) == 0) {
				CHECK(entry->d_type == made[i].type);
				count++;
			}
	CHECK(count == 4);
	closedir(dir);
}

/* What was there all the time is listed once, whatever comes and goes meanwhile. */
static void listing_while_changing(void)
{
	bool seen[ENTRIES] = { false };
	char name[32];
	int steps = 0;

	OK(mkdir("d", 0755));
	make_entries("gone", 0, ENTRIES);
	make_entries("stay", 0, ENTRIES);
	DIR *dir = open_list("d");
	for (struct dirent *entry; (entry = readdir(dir)); steps++) {
		if (strncmp(entry->d_name, "stay", 4) == 0) {
			int i = atoi(entry->d_name + 4);
			CHECK(!seen[i]);
			seen[i] = true;
		}
		CHECK(steps < 10 * ENTRIES);
		if (steps >= ENTRIES)
			continue;
		snprintf(name, sizeof name, "d/gone%d", steps);
		OK(unlink(name));
		snprintf(name, sizeof name, "d/come%d", steps);
		make_file(name, "");
	}
	for (int i = 0; i < ENTRIES; i++)
		CHECK(seen[i]);
	closedir(dir);
}

/* As rm -r does it: delete what was just listed. */
static void emptying_while_listing(void)
{
	int count = 0;
	OK(mkdir("d", 0755));
	make_entries("f", 0, ENTRIES);
	DIR *dir = open_list("d");
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.') {
			OK(unlinkat(dirfd(dir), entry->d_name, 0));
			count++;
		}
	CHECK(count == ENTRIES);
	rewinddir(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		CHECK(entry->d_name[0] == '.');
	closedir(dir);
	OK(rmdir("d"));
}

static void places_in_listing(void)
{
	static struct { long place; char name[NAME_MAX + 1]; } was[ENTRIES + 2];
	int count = 0;

	OK(mkdir("d", 0755));
	make_entries("f", 0, ENTRIES);
	DIR *dir = open_list("d");
	for (struct dirent *entry;; count++) {
		long place = telldir(dir);
		if (!(entry = readdir(dir)))
			break;
		CHECK(count < ENTRIES + 2);
		was[count].place = place;
		snprintf(was[count].name, sizeof was[count].name, "%s", entry->d_name);
	}
	CHECK(count == ENTRIES + 2);
	for (int i = 0; i < count; i += 97) {
		int j = (int)((i * 7919L) % count);
		seekdir(dir, was[j].place);
		struct dirent *entry = readdir(dir);
		CHECK(entry && strcmp(entry->d_name, was[j].name) == 0);
		entry = readdir(dir);
		CHECK(j + 1 == count ? !entry : entry && strcmp(entry->d_name, was[j + 1].name) == 0);
	}
	make_file("d/late", "");
	rewinddir(dir);
	bool late = false;
	for (struct dirent *entry; (entry = readdir(dir));)
		late = late || strcmp(entry->d_name, "late") == 0;
	CHECK(late);
	closedir(dir);
}

static void small_buffers(void)
{
	char buf[300];
	int count = 0;
	OK(mkdir("d", 0755));
	make_entries("f", 0, 100);
	int fd = OK(open("d", O_RDONLY | O_DIRECTORY));
	for (long len; (len = OK(syscall(SYS_getdents64, fd, buf, sizeof buf))) > 0;)
		for (long at = 0; at < len; count++) {
			unsigned short reclen;
			memcpy(&reclen, buf + at + 16, sizeof reclen);
			at += reclen;
		}
	CHECK(count == 102);
	OK(lseek(fd, 0, SEEK_SET));
	FAILS(syscall(SYS_getdents64, fd, buf, 10), EINVAL);
	FAILS(read(fd, buf, sizeof buf), EISDIR);
}

static void two_listings(void)
{
	OK(mkdir("d", 0755));
	make_entries("f", 0, 300);
	DIR *one = open_list("d"), *two = open_list("d");
	struct dirent *a, *b;
	do {
		a = readdir(one);
		b = readdir(two);
		CHECK(!a == !b && (!a || strcmp(a->d_name, b->d_name) == 0));
	} while (a);
	closedir(one);
	closedir(two);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* The next event of the watch, with its name. */
static uint32_t next_event(int fd, char *ret_name)
{
	static char buf[8192];
	static ssize_t have, at;
	if (at >= have) {
		have = OK(read(fd, buf, sizeof buf));
		at = 0;
	}
	struct inotify_event event;
	memcpy(&event, buf + at, sizeof event);
	ret_name[0] = '\0';
	if (event.len)
		snprintf(ret_name, 32, "%s", buf + at + sizeof event);
	at += (ssize_t)(sizeof event + event.len);
	return event.mask & ~(uint32_t)IN_ISDIR;
}

static void expect_event(int fd, uint32_t kind, const char *name)
{
	char got[32];
	uint32_t mask;
	do
		mask = next_event(fd, got);
	while (mask & (IN_OPEN | IN_CLOSE_NOWRITE | IN_ACCESS));
	if (mask != kind || strcmp(got, name) != 0)
		printf("  event 0x%x of '%s', expected 0x%x of '%s'\n", mask, got, kind, name);
	CHECK(mask == kind && strcmp(got, name) == 0);
}

static void change_things(void)
{
	make_file("w/f", "x");
	OK(mkdir("w/d", 0755));
	OK(rename("w/f", "w/g"));
	OK(chmod("w/g", 0600));
	OK(truncate("w/g", 0));
	OK(link("w/g", "w/h"));
	OK(unlink("w/g"));
	OK(rmdir("w/d"));
	OK(unlink("w/h"));
	OK(rmdir("w"));
}

static void events(void)
{
	OK(mkdir("w", 0755));
	int fd = OK(inotify_init1(IN_CLOEXEC));
	OK(inotify_add_watch(fd, "w", IN_ALL_EVENTS));
	join(fork_to(change_things));
	expect_event(fd, IN_CREATE, "f");
	expect_event(fd, IN_MODIFY, "f");
	expect_event(fd, IN_CLOSE_WRITE, "f");
	expect_event(fd, IN_CREATE, "d");
	expect_event(fd, IN_MOVED_FROM, "f");
	expect_event(fd, IN_MOVED_TO, "g");
	expect_event(fd, IN_ATTRIB, "g");
	expect_event(fd, IN_MODIFY, "g");
	expect_event(fd, IN_CREATE, "h");
	expect_event(fd, IN_DELETE, "g");
	expect_event(fd, IN_DELETE, "d");
	expect_event(fd, IN_DELETE, "h");
	expect_event(fd, IN_DELETE_SELF, "");
}

/* ---- locks ------------------------------------------------------------------------------------------------------- */

static struct flock part_lock(short type, off_t start, off_t len)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
}

static void meet_locks(void)
{
	int fd = OK(open("f", O_RDWR));
	FAILS(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	FAILS(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	struct flock lock = part_lock(F_WRLCK, 5, 10);
	CHECK(fcntl(fd, F_SETLK, &lock) == -1 && (errno == EAGAIN || errno == EACCES));
	OK(fcntl(fd, F_GETLK, &lock));
	CHECK(lock.l_type == F_WRLCK && lock.l_start == 0 && lock.l_len == 10 && lock.l_pid == getppid());
	lock = part_lock(F_WRLCK, 10, 10);
	OK(fcntl(fd, F_SETLK, &lock));
	lock = part_lock(F_RDLCK, 100, 1);
	OK(fcntl(fd, F_SETLK, &lock));
}

static void locks_exclude(void)
{
	make_file("f", "content to lock");
	int fd = OK(open("f", O_RDWR));
	OK(flock(fd, LOCK_EX));
	struct flock lock = part_lock(F_WRLCK, 0, 10), shared = part_lock(F_RDLCK, 100, 1);
	OK(fcntl(fd, F_SETLK, &lock));
	OK(fcntl(fd, F_SETLK, &shared));
	join(fork_to(meet_locks));
}

static void take_open_file_lock(void)
{
	int fd = OK(open("f", O_RDWR));
	struct flock lock = part_lock(F_WRLCK, 0, 0);
	FAILS(fcntl(fd, F_OFD_SETLK, &lock), EAGAIN);
}

static void open_file_locks(void)
{
	make_file("f", "");
	int fd = OK(open("f", O_RDWR));
	struct flock lock = part_lock(F_WRLCK, 0, 0);
	OK(fcntl(fd, F_OFD_SETLK, &lock));
	take_open_file_lock();
	join(fork_to(take_open_file_lock));
}

#define ROUNDS 200

static void count_under(bool whole)
{
	int fd = OK(open("counter", O_RDWR));
	for (int i = 0; i < ROUNDS; i++) {
		int n;
		struct flock lock = part_lock(F_WRLCK, 0, 0), unlock = part_lock(F_UNLCK, 0, 0);
		OK(whole ? flock(fd, LOCK_EX) : fcntl(fd, F_SETLKW, &lock));
		CHECK(pread(fd, &n, sizeof n, 0) == sizeof n);
		n++;
		CHECK(pwrite(fd, &n, sizeof n, 0) == sizeof n);
		OK(whole ? flock(fd, LOCK_UN) : fcntl(fd, F_SETLK, &unlock));
	}
}

static void count_by_flock(void)
{
	count_under(true);
}

static void count_by_fcntl(void)
{
	count_under(false);
}

static void locks_wait(void)
{
	int zero = 0, n;
	int fd = OK(open("counter", O_RDWR | O_CREAT, 0644));
	for (size_t i = 0; i < 2; i++) {
		pid_t counters[3];
		CHECK(pwrite(fd, &zero, sizeof zero, 0) == sizeof zero);
		for (size_t j = 0; j < 3; j++)
			counters[j] = fork_to(i ? count_by_flock : count_by_fcntl);
		for (size_t j = 0; j < 3; j++)
			join(counters[j]);
		CHECK(pread(fd, &n, sizeof n, 0) == sizeof n && n == 3 * ROUNDS);
	}
}

/* A lock file made with O_EXCL is made by one only. */
static void make_lock_files(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd = -1, n;
		do {
			fd = open("lock", O_WRONLY | O_CREAT | O_EXCL, 0644);
			CHECK(fd != -1 || errno == EEXIST);
		} while (fd == -1);
		int counter = OK(open("counter", O_RDWR));
		CHECK(read(counter, &n, sizeof n) == sizeof n);
		n++;
		CHECK(pwrite(counter, &n, sizeof n, 0) == sizeof n);
		OK(close(counter));
		OK(close(fd));
		OK(unlink("lock"));
	}
}

static void lock_files(void)
{
	int n = 0;
	int fd = OK(open("counter", O_RDWR | O_CREAT, 0644));
	CHECK(write(fd, &n, sizeof n) == sizeof n);
	pid_t one = fork_to(make_lock_files), two = fork_to(make_lock_files);
	join(one);
	join(two);
	CHECK(pread(fd, &n, sizeof n, 0) == sizeof n && n == 2 * ROUNDS);
}

static const struct posix_test tests[] = {
	{ "listing", listing },
	{ "types_in_listing", types_in_listing },
	{ "listing_while_changing", listing_while_changing },
	{ "emptying_while_listing", emptying_while_listing },
	{ "places_in_listing", places_in_listing },
	{ "small_buffers", small_buffers },
	{ "two_listings", two_listings },
	{ "events", events },
	{ "locks_exclude", locks_exclude },
	{ "open_file_locks", open_file_locks },
	{ "locks_wait", locks_wait },
	{ "lock_files", lock_files },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return posix_main(argc, argv, tests);
}
