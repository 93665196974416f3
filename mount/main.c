/* main.c - the command line: finds the verb and runs it. Everything else is in the verb's own file. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "mount/message.h"
#include "mount/verb.h"
#include "store/store.h"

static const struct verb *const verbs[] = {&verb_init, &verb_mount, &verb_umount, &verb_check};
enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

int verb_print_help(const struct verb *verb)
{
	printf("usage: %s\n\n%s\n", verb->synopsis, verb->summary);
	if (verb->help)
		printf("\n%s", verb->help);
	if (verb->more_help)
		verb->more_help(stdout);
	return 0;
}

int verb_print_usage(const struct verb *verb)
{
	fprintf(stderr, "usage: %s\n", verb->synopsis);
	return verb->usage_status;
}

int verb_print_version(void)
{
	printf("sessfs %s (store format %u)\n", SESSFS_VERSION, STORE_FORMAT);
	return 0;
}

static void print_overview(FILE *out)
{
	fprintf(out, "usage: sessfs VERB [ARGUMENTS]\n\n"
		     "Shows work sessions as directories, kept in a store that survives crashes.\n\n");
	for (int i = 0; i < N_VERBS; i++)
		fprintf(out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(out, "\n`sessfs VERB --help` tells more; the manual is sessfs(1).\n");
}

static const struct verb *find_verb(const char *name)
{
	for (int i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

/* `mount.sessfs`, or `mount.fuse.sessfs`, which mount(8) tries for the type as /proc/mounts shows it. */
static int is_mount_helper(const char *program)
{
	return strcmp(program, "mount.sessfs") == 0 || strcmp(program, "mount.fuse.sessfs") == 0;
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "sessfs";

	signal(SIGPIPE, SIG_IGN);
	if (is_mount_helper(program)) {
		message_init("mount.sessfs");
		return verb_mount_helper.run(&verb_mount_helper, argc, argv);
	}
	if (argc < 2) {
		print_overview(stderr);
		return VERB_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_overview(stdout);
		return VERB_DONE;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return verb_print_version();
	const struct verb *verb = find_verb(word);
	if (verb)
		return verb->run(verb, argc - 1, argv + 1);
	if (strchr(word, '/') && argc >= 3) /* mount.fuse3 runs `sessfs STORE DIR -o OPTIONS` for type fuse.sessfs */
		return verb_mount.run(&verb_mount, argc, argv);
	message_error("there is no verb '%s'; `sessfs --help` lists them", word);
	return VERB_USAGE;
}
