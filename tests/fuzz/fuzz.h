/*
 * fuzz.h - what the fuzzers share. Each is one function that gets bytes and must survive them. Built with clang it runs
 * under libFuzzer; with another compiler under the driver below, which runs the files of the corpus and a fixed
 * sequence of mutations of them.
 */
#pragma once

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sum keeps reads of what a decoder returned from being optimised away; a sanitizer sees those out of bounds. */
static inline void touch(const void *data, size_t len)
{
	static volatile uint8_t sum __attribute__((unused));
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		sum ^= p[i];
}

#ifndef __clang__
enum { INPUT_MAX = 1 << 20, INPUTS_MAX = 4096 };

struct input {
	uint8_t *data;
	size_t size;
};

static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline unsigned read_corpus(const char *path, struct input *inputs, unsigned count)
{
	char name[4096];
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d)) && count < INPUTS_MAX;) {
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(name, "rb");
		if (!f)
			continue;
		inputs[count].data = malloc(INPUT_MAX);
		inputs[count].size = fread(inputs[count].data, 1, INPUT_MAX, f);
		fclose(f);
		count++;
	}
	if (d)
		closedir(d);
	return count;
}

static inline void mutate(uint8_t *data, size_t *size, uint64_t *state)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xc4, 0xcf, 0xdd, 0xff};
	for (uint64_t n = 1 + next_random(state) % 8; n && *size; n--) {
		size_t at = next_random(state) % *size;
		switch (next_random(state) % 4) {
		case 0:
			data[at] ^= (uint8_t)(1u << next_random(state) % 8);
			break;
		case 1:
			data[at] = (uint8_t)next_random(state);
			break;
		case 2:
			data[at] = edges[next_random(state) % sizeof edges];
			break;
		case 3:
			*size = next_random(state) % 8 ? *size : at;
			break;
		}
	}
}

/* Arguments: directories, and -max_total_time=SECONDS. */
int main(int argc, char **argv)
{
	static struct input inputs[INPUTS_MAX];
	uint8_t *copy = malloc(INPUT_MAX);
	uint64_t state = 88172645463325252u, runs = 0;
	unsigned count = 0;
	time_t seconds = 3;
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "-max_total_time=", 16) == 0)
			seconds = atoi(argv[i] + 16);
		else if (argv[i][0] != '-')
			count = read_corpus(argv[i], inputs, count);
	for (time_t end = time(NULL) + seconds; count && time(NULL) < end; runs++) {
		const struct input *from = &inputs[next_random(&state) % count];
		size_t size = from->size;
		memcpy(copy, from->data, size);
		if (runs >= count)
			mutate(copy, &size, &state);
		LLVMFuzzerTestOneInput(copy, size);
	}
	printf("%llu runs of %u inputs\n", (unsigned long long)runs, count);
	free(copy);
	return count == 0;
}
#endif
