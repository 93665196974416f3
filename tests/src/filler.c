/*
 * filler - fills a directory until there is no space, and says later whether everything that was acknowledged is there.
 *
 *   filler fill DIR SEED SIZE [MOST]
 *       makes files 0, 1, ... of SIZE bytes that do not compress, at most MOST; prints how many were taken whole, the
 *       bytes that the last one got, and the errno that ended it or 0
 *   filler verify DIR SEED SIZE COUNT BYTES
 *       exit status 0: all is there, 1: something is not, 2: could not be run
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536 };

static uint8_t piece[PIECE], found[PIECE];

static void content(uint64_t seed, uint64_t number, uint64_t offset)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15 + number * 0xbf58476d1ce4e5b9 + offset + 1;
	for (size_t at = 0; at < PIECE; at += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(piece + at, &state, 8);
	}
}

static void name_of(char *path, size_t size, const char *dir, uint64_t number)
{
	snprintf(path, size, "%s/%06llu", dir, (unsigned long long)number);
}

/* Bytes taken; *ret_error is 0 or what ended it. */
static uint64_t fill_file(const char *dir, uint64_t seed, uint64_t number, uint64_t size, int *ret_error)
{
	char path[4096];
	uint64_t done = 0;
	name_of(path, sizeof path, dir, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0) {
		*ret_error = errno;
		return 0;
	}
	while (done < size) {
		size_t want = size - done < PIECE ? (size_t)(size - done) : PIECE;
		content(seed, number, done);
		ssize_t n = write(fd, piece, want);
		if (n < 0) {
			*ret_error = errno;
			break;
		}
		done += (uint64_t)n;
		if ((size_t)n < want && done % PIECE)
			break; /* a short write: the next call would say why */
	}
	if (close(fd) && !*ret_error)
		*ret_error = errno;
	return done;
}

static int fill(const char *dir, uint64_t seed, uint64_t size, uint64_t most)
{
	uint64_t number = 0, bytes = 0;
	int error = 0;
	for (; number < most; number++) {
		bytes = fill_file(dir, seed, number, size, &error);
		if (error || bytes < size)
			break;
		bytes = 0;
	}
	printf("%llu %llu %s\n", (unsigned long long)number, (unsigned long long)bytes,
		error ? strerrorname_np(error) : "0");
	return 0;
}

static bool verify_file(const char *dir, uint64_t seed, uint64_t number, uint64_t size)
{
	char path[4096];
	name_of(path, sizeof path, dir, number);
	int fd = open(path, O_RDONLY);
	bool same = fd >= 0;
	for (uint64_t done = 0; same && done < size; done += PIECE) {
		size_t want = size - done < PIECE ? (size_t)(size - done) : PIECE;
		content(seed, number, done);
		same = read(fd, found, want) == (ssize_t)want && !memcmp(found, piece, want);
	}
	if (!same)
		fprintf(stderr, "%s: not the %llu bytes that were written (%s)\n", path, (unsigned long long)size,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	return same;
}

static int verify(const char *dir, uint64_t seed, uint64_t size, uint64_t count, uint64_t bytes)
{
	int wrong = 0;
	for (uint64_t number = 0; number < count; number++)
		wrong += !verify_file(dir, seed, number, size);
	if (bytes)
		wrong += !verify_file(dir, seed, count, bytes);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	uint64_t numbers[4] = {0, 0, UINT64_MAX, 0};
	if (argc < 5 || argc > 7) {
		fprintf(stderr, "usage: filler fill DIR SEED SIZE [MOST] | verify DIR SEED SIZE COUNT BYTES\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		numbers[i - 3] = strtoull(argv[i], NULL, 0);
	if (!strcmp(argv[1], "fill"))
		return fill(argv[2], numbers[0], numbers[1], numbers[2]);
	return verify(argv[2], numbers[0], numbers[1], numbers[2], numbers[3]);
}
