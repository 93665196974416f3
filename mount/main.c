/* main.c - the command line: finds the verb and runs it. Everything else is in the verb's own file. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mount/message.h"
#include "mount/verb.h"

static void print_group(enum verb_group group, FILE *out)
{
	fprintf(out, "%s\n", verb_group_title(group));
	for (const struct verb *const *v = verb_table; *v; v++)
		if ((*v)->group == group)
			fprintf(out, "  %-10s %s\n", (*v)->name, (*v)->summary);
	fputc('\n', out);
}

static void print_overview(FILE *out)
{
	fprintf(out, "usage: sessfs VERB [ARGUMENTS]\n\n"
		     "Shows work sessions as directories, kept in a store that survives crashes.\n\n");
	for (enum verb_group group = VERB_HIDDEN + 1; group < VERB_GROUPS; group++)
		print_group(group, out);
	fprintf(out, "`sessfs VERB --help` tells more; the manual is sessfs(1).\n");
}

/* `mount.sessfs`, or `mount.fuse.sessfs`, which mount(8) tries for the type as /proc/mounts shows it. */
static int is_mount_helper(const char *program)
{
	return strcmp(program, "mount.sessfs") == 0 || strcmp(program, "mount.fuse.sessfs") == 0;
}

/*
 * What a caller closed is open to nothing, and fails as it did: else the next file that is opened, of a store maybe,
 * would have its number, and get what is printed.
 */
static void fill_standard_files(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", modes[fd]);
}

/* What kept stdout from being written, or 0. Where it was met before, a line's end is to meet it again. */
static int end_output(void)
{
	if (fflush(stdout) != 0)
		return errno;
	if (!ferror(stdout))
		return 0;
	return write(STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO;
}

static int end_with(int status, int unprinted_status)
{
	int error = end_output();

	if (error && error != EPIPE) /* who reads may stop reading */
		message_error("not everything could be printed: %s", strerror(error));
	return status || !error ? status : unprinted_status;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	int status = verb->run(verb, argc, argv);

	return end_with(status, verb->unprinted_status ? verb->unprinted_status : VERB_NOT_DONE);
}

static int run_word(const char *word, int argc, char **argv)
{
	const struct verb *verb = verb_find(word);

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_overview(stdout);
		return end_with(VERB_DONE, VERB_NOT_DONE);
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return end_with(verb_print_version(), VERB_NOT_DONE);
	if (verb)
		return run_verb(verb, argc - 1, argv + 1);
	if (strchr(word, '/') && argc >= 3) /* mount.fuse3 runs `sessfs STORE DIR -o OPTIONS` for type fuse.sessfs */
		return run_verb(&verb_mount, argc, argv);
	if (*word == '-')
		message_error("the verb comes first, as in `sessfs list -m DIR`; `sessfs --help` lists the verbs");
	else
		message_error("there is no verb '%s'; `sessfs --help` lists them", word);
	return VERB_USAGE;
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "sessfs";

	fill_standard_files();
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (is_mount_helper(program)) {
		message_init("mount.sessfs");
		return run_verb(&verb_mount_helper, argc, argv);
	}
	if (argc >= 2)
		return run_word(argv[1], argc, argv);
	print_overview(stderr);
	return VERB_USAGE;
}
