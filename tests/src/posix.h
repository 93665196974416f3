/*
 * posix.h - the frame of the posix_*.c programs: a table of small tests, each in a process and a directory of its own.
 *
 * usage: posix_X DIRECTORY [NAME...]
 *
 * The same program runs on any filesystem: what it asks of sessfs, ext4 gives too. A test fails by the first CHECK that
 * does not hold, skips itself with SKIP, and passes when its function returns and its directory can be removed.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSIX_SKIP 77
#define POSIX_SECONDS 60 /* longest life of one test */
#define OTHER_ID 65534   /* an ordinary user and group that is not the one who runs the tests */

struct posix_test {
	const char *name;
	void (*run)(void);
};

static inline void posix_say_failed(const char *file, int line, const char *what)
{
	printf("  %s:%d: %s (errno: %s)\n", file, line, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* The condition holds. */
#define CHECK(condition) ((condition) ? (void)0 : posix_say_failed(__FILE__, __LINE__, #condition))
/* The call does not return -1; its value. */
#define OK(call)                                                               \
	({                                                                     \
		__typeof__(call) result = (call);                              \
		if (result == (__typeof__(result))-1)                          \
			posix_say_failed(__FILE__, __LINE__, #call);           \
		result;                                                        \
	})
/* The call fails with this errno. */
#define FAILS(call, code)                                                                       \
	do {                                                                                    \
		errno = 0;                                                                      \
		if ((long)(call) != -1 || errno != (code))                                      \
			posix_say_failed(__FILE__, __LINE__, #call " should fail with " #code); \
	} while (0)
#define SKIP(why)                              \
	do {                                   \
		printf("  skip: %s\n", (why)); \
		fflush(stdout);                \
		_exit(POSIX_SKIP);             \
	} while (0)

static inline void need_root(void)
{
	if (geteuid() != 0)
		SKIP("needs root");
}

static inline bool on_fuse(void)
{
	struct statfs fs;
	OK(statfs(".", &fs));
	return fs.f_type == FUSE_SUPER_MAGIC;
}

/* Makes a file that holds text. */
static inline void make_file(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0644));
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static inline bool file_holds(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = OK(open(name, O_RDONLY));
	ssize_t len = OK(read(fd, buf, sizeof buf - 1));
	OK(close(fd));
	return (size_t)len == strlen(text) && memcmp(buf, text, (size_t)len) == 0;
}

static inline struct stat stat_of(const char *name)
{
	struct stat st;
	OK(lstat(name, &st));
	return st;
}

static inline bool exists(const char *name)
{
	struct stat st;
	return lstat(name, &st) == 0;
}

static inline int64_t nanoseconds(struct timespec t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The child has done its part: 0 or POSIX_SKIP, which is passed on. */
static inline void join(pid_t pid)
{
	int status;
	OK(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == POSIX_SKIP)
		_exit(POSIX_SKIP);
	CHECK(WEXITSTATUS(status) == 0);
}

/* Runs part in a process of its own. */
static inline pid_t fork_to(void (*part)(void))
{
	pid_t pid = OK(fork());
	if (pid == 0) {
		alarm(POSIX_SECONDS);
		part();
		_exit(0);
	}
	return pid;
}

static inline void become_other(void)
{
	OK(setgroups(0, NULL));
	OK(setresgid(OTHER_ID, OTHER_ID, OTHER_ID));
	OK(setresuid(OTHER_ID, OTHER_ID, OTHER_ID));
	if (access(".", X_OK) == -1 && errno == EACCES)
		SKIP("not open to other users");
}

/* Runs part as another user; needs root, and a mount that lets others in. */
static inline void as_other(void (*part)(void))
{
	need_root();
	pid_t pid = OK(fork());
	if (pid == 0) {
		become_other();
		part();
		_exit(0);
	}
	join(pid);
}

static inline int posix_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int posix_run_one(const struct posix_test *test)
{
	int status;
	printf("%s\n", test->name);
	fflush(stdout);
	OK(mkdir(test->name, 0777));
	OK(chmod(test->name, 0777));
	pid_t pid = OK(fork());
	if (pid == 0) {
		alarm(POSIX_SECONDS);
		umask(022);
		OK(chdir(test->name));
		test->run();
		fflush(stdout);
		_exit(0);
	}
	OK(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		printf("  ended by signal %d\n", WTERMSIG(status));
	if (nftw(test->name, posix_remove, 16, FTW_DEPTH | FTW_PHYS) != 0) {
		printf("  cannot be removed: %s\n", strerror(errno));
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline bool posix_chosen(const char *name, char **names)
{
	for (char **n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return !*names;
}

/* The table ends with a NULL name. */
static inline int posix_main(int argc, char **argv, const struct posix_test *tests)
{
	int passed = 0, failed = 0, skipped = 0;

	if (argc < 2 || chdir(argv[1]) == -1) {
		fprintf(stderr, "usage: %s DIRECTORY [NAME...]\n", argv[0]);
		return 2;
	}
	for (const struct posix_test *t = tests; t->name; t++) {
		if (!posix_chosen(t->name, argv + 2))
			continue;
		int status = posix_run_one(t);
		if (status != 0 && status != POSIX_SKIP)
			printf("  FAIL %s\n", t->name);
		passed += status == 0;
		skipped += status == POSIX_SKIP;
		failed += status != 0 && status != POSIX_SKIP;
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0;
}
