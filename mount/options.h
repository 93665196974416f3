/*
 * options.h - the mount options: one table, from which parsing, --help, .sessfs/config.json and the test of the man
 * page come.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct fs_setting;

struct mount_options {
	bool read_only, writeback, allow_other, allow_root, noatime, nodiratime, show_control, auto_unmount;
	uint64_t commit;                        /* seconds */
	uint64_t compress;                      /* zstd level, 0 for none */
	uint64_t max_file_size, max_store_size; /* bytes, 0 for no limit */
	uint64_t hot_size;                      /* bytes, 0: by the disk */
	uint64_t ttl, retain, cache_ttl, grace; /* seconds, 0: never */
	uint64_t keep;                          /* sessions, 0: all */
	uint64_t cache_size;                    /* bytes, 0: any */
	uint64_t max_threads;                   /* 0: by the cores */
	uint64_t max_write, max_readahead, max_background, congestion_threshold; /* 0: as the kernel likes */
	char *kernel;                           /* further options for libfuse, comma-separated, or NULL; owned */
};

/* All at their defaults. */
void options_init(struct mount_options *);
void options_release(struct mount_options *);
/*
 * Takes in a comma-separated list; later ones win. False when one is unknown (unless sloppy) or has a bad value: the
 * reason was said.
 */
bool options_parse(struct mount_options *, const char *list, bool sloppy);
/* The options in force, ended by a NULL name; one block for the caller to free. NULL without memory. */
struct fs_setting *options_settings(const struct mount_options *);
void options_print_help(FILE *);
/* Each one that --help lists: "ro", or, where it takes a value, "ttl=". */
void options_each(void (*each)(void *arg, const char *word, const char *help), void *arg);
