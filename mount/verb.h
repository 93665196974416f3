/*
 * verb.h - what every verb of the command line has: a row of the table in verb.c, one small file of its own. Parsing,
 * usage, --help and the completions of shells all come from the row.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum verb_group {
	VERB_UNLISTED, /* not a word after `sessfs` */
	VERB_HIDDEN,   /* not in the overview */
	VERB_STORE,
	VERB_SESSION,
	VERB_PAST,
	VERB_WATCH,
	VERB_GROUPS,
};

/* What the words after the options name: for completions. */
enum verb_word {
	VERB_NO_WORD,
	VERB_A_SESSION,
	VERB_ENDED_SESSION,
	VERB_A_DIR,
	VERB_A_COMMAND,
	VERB_A_SHELL,
	VERB_A_TEXT,
};

/* Codes of options without a letter. */
enum verb_code { VERB_CODE_JSON = 256, VERB_CODE_OWN };

struct verb_option {
	int code;             /* its letter, or above 255 for one that has a long name only; 0 ends the table */
	const char *name;     /* long name, or NULL */
	const char *argument; /* what it takes, as help calls it; NULL: nothing */
	const char *help;
};

/* clang-format off */
#define VERB_OPTION_MOUNT {'m', "mount", "DIR", \
	"the mount (else $SESSFS_MOUNT, that of the working directory, or the only one)"}
#define VERB_OPTION_JSON {VERB_CODE_JSON, "json", NULL, "print JSON"}
#define VERB_NO_OPTION {0, NULL, NULL, NULL}
/* clang-format on */

struct verb {
	const char *name;
	enum verb_group group;
	int (*run)(const struct verb *, int argc, char **argv); /* argv[0] is the verb; returns the exit status */
	const struct verb_option *options; /* NULL: none but --help */
	const char *words;                 /* the words after the options, as usage shows them, or NULL */
	enum verb_word word;
	int min_words, max_words; /* max_words 0 with min_words 0: none; negative: any number */
	bool whole;               /* a path means the session that it names, not the one that it lies in */
	bool ends_options;        /* the first word ends the options: what follows belongs to another command */
	const char *summary;
	const char *help;          /* what --help says at its end, or NULL */
	void (*more_help)(FILE *); /* or NULL */
	int usage_status;
	int unprinted_status; /* where what it says cannot be printed; 0: VERB_NOT_DONE */
};

/* All of them in the order of the overview, ended by NULL; and mount.sessfs, as mount(8) calls it. */
extern const struct verb *const verb_table[];
extern const struct verb verb_mount, verb_mount_helper;

const struct verb *verb_find(const char *name); /* NULL: there is none */
const char *verb_group_title(enum verb_group);

/* What stands on the command line. */
struct verb_line {
	const char *mount; /* -m, or NULL */
	bool json;
	bool whole; /* as the verb has it */
	char **words;
	int count;
};

/* Takes an option that verb_parse does not know by itself; false: wrong usage. */
typedef bool verb_take(void *arg, int code, const char *value);

enum { VERB_GO_ON = -1 };

/*
 * Parses the command line by the verb's table: -m, --json, --help and -V by itself, the rest is given to take (or NULL
 * where there is none). VERB_GO_ON, or the exit status when all is said.
 */
int verb_parse(const struct verb *, int argc, char **argv, struct verb_line *ret, verb_take *take, void *arg);

/* Prints text in lines of 80, behind what fills the line up to column; a newline in it is one. */
void verb_print_wrapped(FILE *, int column, const char *text);
/* Says how the verb is used, to stderr; returns its usage status. */
int verb_print_usage(const struct verb *);
int verb_print_version(void);

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
