/*
 * holder.c - holds a file open and mapped, and does to it what it is told: what a session's status means for a program
 * that opened its files before.
 *
 * usage: holder FILE (of at least 4096 bytes)
 *
 * Reads commands, one a line, and answers each with a line: "ok", or the name of the error.
 *   poke C      puts the character at the beginning of the mapping
 *   peek        answers the character that is there
 *   msync, fsync, write C, append C, truncate, allocate, punch, copy, xattr, chmod, times
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LENGTH = 4096 };

static struct {
	int fd, in; /* in: the same file, for reading */
	char *map;
} file;

static int do_poke(char c)
{
	*(volatile char *)file.map = c;
	return 0;
}

static int do_msync(char c)
{
	(void)c;
	return msync(file.map, LENGTH, MS_SYNC);
}

static int do_fsync(char c)
{
	(void)c;
	return fsync(file.fd);
}

/* With writeback only fsync tells. */
static int put(char c, off_t offset)
{
	return pwrite(file.fd, &c, 1, offset) == 1 ? fsync(file.fd) : -1;
}

static int do_write(char c)
{
	return put(c, 1);
}

static int do_append(char c)
{
	return put(c, lseek(file.fd, 0, SEEK_END));
}

static int do_truncate(char c)
{
	(void)c;
	return ftruncate(file.fd, LENGTH);
}

static int do_allocate(char c)
{
	(void)c;
	return fallocate(file.fd, 0, 0, 4 * LENGTH);
}

static int do_punch(char c)
{
	(void)c;
	return fallocate(file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, LENGTH, LENGTH);
}

static int do_copy(char c)
{
	off_t from = 0, to = LENGTH;
	(void)c;
	return copy_file_range(file.in, &from, file.fd, &to, LENGTH, 0) == LENGTH ? 0 : -1;
}

static int do_xattr(char c)
{
	return fsetxattr(file.fd, "user.held", &c, 1, 0);
}

static int do_chmod(char c)
{
	(void)c;
	return fchmod(file.fd, 0644);
}

static int do_times(char c)
{
	(void)c;
	return futimens(file.fd, NULL);
}

static const struct {
	const char *name;
	int (*run)(char c);
} commands[] = {
	{"poke", do_poke}, {"msync", do_msync}, {"fsync", do_fsync}, {"write", do_write}, {"append", do_append},
	{"truncate", do_truncate}, {"allocate", do_allocate}, {"punch", do_punch}, {"copy", do_copy},
	{"xattr", do_xattr}, {"chmod", do_chmod}, {"times", do_times},
};

static const char *answer(const char *name, char c)
{
	static char seen[2];
	if (!strcmp(name, "peek")) {
		seen[0] = *(volatile char *)file.map;
		return seen;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(c) ? strerrorname_np(errno) : "ok";
	return "no such command";
}

int main(int argc, char **argv)
{
	char line[64], name[32], c;
	if (argc != 2)
		return 2;
	file.fd = open(argv[1], O_RDWR);
	file.in = open(argv[1], O_RDONLY);
	file.map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
	if (file.fd < 0 || file.in < 0 || file.map == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof line, stdin)) {
		c = '\0';
		if (sscanf(line, "%31s %c", name, &c) >= 1)
			puts(answer(name, c));
	}
	return 0;
}
