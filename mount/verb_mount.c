/* verb_mount.c - `sessfs mount STORE DIR`, and the same as mount(8) calls it: `mount.sessfs STORE DIR -o ...`. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount/daemon.h"
#include "mount/message.h"
#include "mount/options.h"
#include "mount/outlook.h"
#include "mount/preflight.h"
#include "mount/verb.h"

struct arguments {
	struct mount_plan plan;
	bool sloppy, fake;
	char *lists;           /* of -o, together; owned */
	const char *namespace; /* a path below /proc, or a process number */
};

/* The options are parsed at the end, when sloppiness is known. */
static bool keep_list(struct arguments *a, const char *list)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s,%s", a->lists ? a->lists : "", list) < 0)
		return false;
	free(a->lists);
	a->lists = longer;
	return true;
}

/* The letters that mean the same in both. */
static bool take_common(struct arguments *a, int code, const char *value)
{
	if (code == 'v')
		a->plan.verbose = true;
	return code != 'o' || keep_list(a, value);
}

static bool take_mount_option(void *arg, int code, const char *value)
{
	struct arguments *a = arg;

	if (code == 'f' || code == 'd')
		a->plan.foreground = true;
	if (code == 'd')
		a->plan.debug = true;
	if (code == 's')
		a->plan.options.max_threads = 1;
	return take_common(a, code, value);
}

static bool take_helper_option(void *arg, int code, const char *value)
{
	struct arguments *a = arg;

	if (code == 'f')
		a->fake = true;
	if (code == 's')
		a->sloppy = true;
	if (code == 'N')
		a->namespace = value;
	return take_common(a, code, value);
}

static int enter_namespace(const char *name)
{
	char path[64];

	if (!strchr(name, '/')) {
		snprintf(path, sizeof path, "/proc/%.20s/ns/mnt", name);
		name = path;
	}
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNS) < 0) {
		message_error("the mount namespace %s cannot be entered: %s", name, strerror(errno));
		return MOUNT_SYSTEM;
	}
	close(fd);
	return 0;
}

static int mount_as(struct arguments *a, const char *store, const char *dir)
{
	int status = a->namespace ? enter_namespace(a->namespace) : 0;

	if (status == 0)
		status = preflight(&a->plan, store, dir);
	if (status == 0 && !a->fake)
		status = daemon_run(&a->plan);
	return status;
}

/* Only the process that waited for the daemon: the daemon comes by here too, when it ends. */
static void say_outlook(const struct arguments *a, pid_t caller)
{
	if (a->plan.dir && getpid() == caller && !a->fake && !a->plan.foreground && !a->plan.handed_over) {
		outlook_say(a->plan.dir);
		outlook_say_gone(a->plan.dir);
	}
}

static int run(const struct verb *verb, int argc, char **argv, verb_take *take)
{
	struct arguments a = {0};
	struct verb_line line;
	pid_t caller = getpid();

	options_init(&a.plan.options);
	int status = verb_parse(verb, argc, argv, &line, take, &a);
	if (status == VERB_GO_ON && a.lists && !options_parse(&a.plan.options, a.lists, a.sloppy))
		status = MOUNT_USAGE;
	if (status == VERB_GO_ON)
		status = mount_as(&a, line.words[0], line.words[1]);
	if (status == MOUNT_DONE && (verb == &verb_mount || a.plan.verbose))
		say_outlook(&a, caller);
	free(a.lists);
	plan_release(&a.plan);
	return status;
}

static int run_mount(const struct verb *verb, int argc, char **argv)
{
	return run(verb, argc, argv, take_mount_option);
}

static int run_helper(const struct verb *verb, int argc, char **argv)
{
	return run(verb, argc, argv, take_helper_option);
}

/* clang-format off */
static const struct verb_option mount_options[] = {
	{'f', "foreground", NULL, "stay in the foreground, with messages on stderr"},
	{'d', "debug", NULL, "the same, and print every request"},
	{'s', NULL, NULL, "one thread (max_threads=1)"},
	{'n', NULL, NULL, "ignored"},
	{'v', "verbose", NULL, "say when it is mounted"},
	{'o', "options", "OPTIONS", "mount options, see below"},
	{'V', "version", NULL, "print the version"},
	VERB_NO_OPTION,
};

static const struct verb_option helper_options[] = {
	{'s', NULL, NULL, "ignore options that are not known"},
	{'f', NULL, NULL, "only look whether it could be mounted"},
	{'n', NULL, NULL, "ignored"},
	{'v', "verbose", NULL, "say when it is mounted"},
	{'N', NULL, "NAMESPACE", "mount in this namespace (a process number or a path)"},
	{'o', "options", "OPTIONS", "mount options, see below"},
	{'t', NULL, "TYPE", "ignored"},
	{'V', "version", NULL, "print the version"},
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_mount = {
	.name = "mount",
	.group = VERB_STORE,
	.run = run_mount,
	.options = mount_options,
	.words = "STORE DIR",
	.word = VERB_A_DIR,
	.min_words = 2,
	.max_words = 2,
	.summary = "mount a store on a directory",
	.help = "A store that is not there yet, or an empty directory, becomes a new store.\n",
	.more_help = options_print_help,
	.usage_status = MOUNT_USAGE,
	.unprinted_status = MOUNT_SYSTEM,
};

const struct verb verb_mount_helper = {
	.name = "mount.sessfs",
	.run = run_helper,
	.options = helper_options,
	.words = "STORE DIR",
	.word = VERB_A_DIR,
	.min_words = 2,
	.max_words = 2,
	.summary = "mount a store on a directory, as mount(8) calls it: mount -t sessfs STORE DIR",
	.more_help = options_print_help,
	.usage_status = MOUNT_USAGE,
	.unprinted_status = MOUNT_SYSTEM,
};
