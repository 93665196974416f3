/* verb_mount.c - `sessfs mount STORE DIR`, and the same as mount(8) calls it: `mount.sessfs STORE DIR -o ...`. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount/daemon.h"
#include "mount/message.h"
#include "mount/options.h"
#include "mount/preflight.h"
#include "mount/verb.h"

struct arguments {
	struct mount_plan plan;
	bool sloppy, fake;
	const char *namespace; /* a path below /proc, or a process number */
};

static const struct option long_options[] = {
	{"foreground", no_argument, NULL, 'f'},
	{"debug", no_argument, NULL, 'd'},
	{"options", required_argument, NULL, 'o'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* Options are parsed after sloppiness is known, hence in a second pass. */
static int parse_options(struct arguments *a, int argc, char **argv, const char *letters)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
		if (c == 'o' && !options_parse(&a->plan.options, optarg, a->sloppy))
			return MOUNT_USAGE;
	return 0;
}

/* The letters that mean the same in both; false for another. */
static bool take_common(struct arguments *a, int c)
{
	if (c == 'v')
		a->plan.verbose = true;
	return c == 'o' || c == 'v' || c == 'n';
}

static bool take_mount_letter(struct arguments *a, int c)
{
	if (c == 'f' || c == 'd')
		a->plan.foreground = true;
	if (c == 'd')
		a->plan.debug = true;
	if (c == 's')
		a->plan.options.max_threads = 1;
	return c == 'f' || c == 'd' || c == 's' || take_common(a, c);
}

static bool take_helper_letter(struct arguments *a, int c)
{
	if (c == 'f')
		a->fake = true;
	if (c == 's')
		a->sloppy = true;
	if (c == 'N')
		a->namespace = optarg;
	return c == 'f' || c == 's' || c == 'N' || c == 't' || take_common(a, c);
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

typedef bool take_letter(struct arguments *, int c); /* false for one that is not known */

static int run(const struct verb *verb, int argc, char **argv, const char *letters, take_letter *take)
{
	struct arguments a = {0};
	int c;

	options_init(&a.plan.options);
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (c == 'h')
			return verb_print_help(verb);
		if (c == 'V')
			return verb_print_version();
		if (!take(&a, c))
			return verb_print_usage(verb);
	}
	int status = parse_options(&a, argc, argv, letters);
	if (status == 0 && argc - optind != 2)
		status = verb_print_usage(verb);
	if (status == 0)
		status = mount_as(&a, argv[optind], argv[optind + 1]);
	plan_release(&a.plan);
	return status;
}

static int run_mount(const struct verb *verb, int argc, char **argv)
{
	return run(verb, argc, argv, "fdsno:vhV", take_mount_letter);
}

static int run_helper(const struct verb *verb, int argc, char **argv)
{
	return run(verb, argc, argv, "sfnvN:o:t:hV", take_helper_letter);
}

const struct verb verb_mount = {
	.name = "mount",
	.run = run_mount,
	.synopsis = "sessfs mount [-fdsv] [-o OPTIONS] STORE DIR",
	.summary = "mount a store on a directory",
	.help = "A store that is not there yet, or an empty directory, becomes a new store.\n"
		"  -f  stay in the foreground, with messages on stderr\n"
		"  -d  the same, and print every request\n"
		"  -s  one thread (max_threads=1)\n"
		"  -v  say when it is mounted\n"
		"  -V  version\n",
	.more_help = options_print_help,
	.usage_status = MOUNT_USAGE,
};

const struct verb verb_mount_helper = {
	.name = "mount.sessfs",
	.run = run_helper,
	.synopsis = "mount.sessfs STORE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]",
	.summary = "mount a store on a directory, as mount(8) calls it: mount -t sessfs STORE DIR",
	.help = "  -s  ignore options that are not known\n"
		"  -f  only look whether it could be mounted\n"
		"  -v  say when it is mounted\n"
		"  -N  mount in this namespace (a process number or a path)\n",
	.more_help = options_print_help,
	.usage_status = MOUNT_USAGE,
};
