/*
 * in_use - uses a file or a directory in one way, says "holding" and does so until it is killed.
 *
 *   in_use HOW read|write PATH     HOW: open (a file), map (a file, with no descriptor left), cd (a directory)
 *
 * A directory is never held for writing: `cd ... write` makes and removes a file in it first.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 4096 };

static int open_file(const char *path, bool writes)
{
	int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void map_file(const char *path, bool writes)
{
	int fd = open_file(path, writes);
	char *map = mmap(NULL, SIZE, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		err(1, "mmap %s", path);
	close(fd);
	if (writes)
		map[0]++;
}

static void enter(const char *path, bool writes)
{
	if (chdir(path))
		err(1, "%s", path);
	if (!writes)
		return;
	close(open("made", O_CREAT | O_WRONLY, 0600));
	unlink("made");
}

int main(int argc, char **argv)
{
	bool writes = argc == 4 && strcmp(argv[2], "write") == 0;

	if (argc != 4)
		errx(2, "usage: in_use open|map|cd read|write PATH");
	if (strcmp(argv[1], "open") == 0)
		open_file(argv[3], writes);
	else if (strcmp(argv[1], "map") == 0)
		map_file(argv[3], writes);
	else
		enter(argv[3], writes);
	printf("holding\n");
	fflush(stdout);
	for (;;)
		pause();
}
