/*
 * fs.h - the filesystem: POSIX rules and session rules over a store, served to the kernel.
 *
 * One struct fs is one mount. All of FUSE is behind this header: mount/ includes no FUSE header.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/units.h"

struct fs;
struct store;

/* One row of the option table, as .sessfs/config.json shows it. Text lives as long as the fs. */
struct fs_setting {
	const char *name;
	const char *value;
};

struct fs_options {
	const char *store_path; /* absolute; the fsname in /proc/mounts */
	const char *mount_path; /* absolute, or /dev/fd/N as mount.fuse3 hands it over */
	bool read_only;
	bool writeback;   /* let the kernel buffer writes: survives the daemon's death from close or fsync on */
	bool noatime;     /* reading leaves no access time */
	bool nodiratime;  /* nor reading directories */
	bool show_control; /* .session and .sessfs are listed */
	bool auto_unmount; /* by fusermount3, when the daemon dies: it sees that by opening the root */
	bool allow_other;
	bool allow_root;
	bool debug;       /* print every request to stderr */
	uint64_t max_file_size; /* bytes, 0: STORE_FILE_MAX; beyond it EFBIG */
	/* seconds, 0: never */
	uint64_t ttl;       /* active and failed sessions without a write */
	uint64_t retain;    /* completed and archived ones */
	uint64_t cache_ttl; /* files in cache/, by their mtime */
	uint64_t grace;     /* how long an ended session can be taken back */
	uint64_t keep;       /* how many unguarded sessions stay, 0: all */
	uint64_t cache_size; /* bytes in a session's cache/, 0: any */
	unsigned max_threads;   /* 1 to 64; 0: 1 up to two cores, else half the cores up to 8 */
	/* of the connection; 0: as the kernel likes, but for max_write */
	unsigned max_write, max_readahead, max_background, congestion_threshold;
	const char *fuse_options; /* further options for the kernel or libfuse, comma-separated, or NULL */
	const struct fs_setting *settings; /* ends with a NULL name */
};

/* Reads the root and collects orphans. The store stays the caller's, to close after fs_free. 0, or negative errno. */
int fs_new(struct store *, const struct fs_options *, struct fs **ret);
/* Unmounts if still mounted. NULL is fine. */
void fs_free(struct fs *);

/* How many threads would serve where so many are wanted (max_threads). */
unsigned fs_threads(unsigned wanted);
/* Mounts. 0, or negative errno; libfuse has then written why to stderr through its log function. */
int fs_mount(struct fs *);
/*
 * Serves until the mount is gone or fs_stop was called. `ready` is called once, from a serving thread, when the
 * kernel's INIT was answered. 0, or negative errno.
 */
int fs_serve(struct fs *, void (*ready)(void *arg), void *arg);
/* Makes fs_serve return after unmounting. Async-signal-safe. */
void fs_stop(struct fs *);
/*
 * Text in any bytes that is no UTF-8, as JSON can have it: each byte that is not ASCII as U+FFFD. For the caller to
 * free; NULL: no memory.
 */
char *fs_text_shown(const char *);
/* Where messages for the administrator go ("error: ..."): set before fs_new; default stderr. */
void fs_set_log(void (*log)(int syslog_priority, const char *text));
