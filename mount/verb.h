/* verb.h - what every verb of the command line has: a row of the table in main.c, one small file of its own. */
#pragma once

#include <stdio.h>

struct verb {
	const char *name;
	int (*run)(const struct verb *, int argc, char **argv); /* argv[0] is the verb; returns the exit status */
	const char *synopsis;
	const char *summary;
	const char *help;          /* what --help says after the summary */
	void (*more_help)(FILE *); /* or NULL */
	int usage_status;
};

/* Exit status of everything but mount, umount and check. */
enum verb_status { VERB_DONE = 0, VERB_NOT_DONE = 1, VERB_USAGE = 2, VERB_NOT_FOUND = 3 };

/* Exit bits of mount(8), for mount and umount. */
enum mount_status {
	MOUNT_DONE = 0,
	MOUNT_USAGE = 1, /* usage or permission */
	MOUNT_SYSTEM = 2,
	MOUNT_INTERNAL = 4,
	MOUNT_FAILED = 32,
	MOUNT_PARTIAL = 64, /* unmounted, but not everything is saved */
};

/* Exit bits of fsck(8), for check. */
enum check_status { CHECK_CLEAN = 0, CHECK_MENDED = 1, CHECK_LEFT = 4, CHECK_FAILED = 8, CHECK_USAGE = 16 };

extern const struct verb verb_init, verb_mount, verb_umount, verb_check;
extern const struct verb verb_mount_helper; /* mount.sessfs, as mount(8) calls it */

/* Prints the verb's help to stdout; returns 0. */
int verb_print_help(const struct verb *);
/* Says how the verb is used, to stderr; returns its usage status. */
int verb_print_usage(const struct verb *);
int verb_print_version(void);
