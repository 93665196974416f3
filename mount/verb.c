/* verb.c - the table of verbs, and what is the same for all of them: parsing options, usage, --help. */
#include "mount/verb.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

#include "mount/message.h"
#include "store/store.h"

enum { OPTIONS_MAX = 24, HELP_COLUMN = 22, HELP_WIDTH = 80 };

/* A new verb: its file, and its name here. */
/* clang-format off */
#define VERBS(row) \
	row(init) \
	row(mount) \
	row(umount) \
	row(check) \
	row(new) \
	row(list) \
	row(status) \
	row(pause) \
	row(resume) \
	row(complete) \
	row(fail) \
	row(archive) \
	row(pin) \
	row(unpin) \
	row(rm) \
	row(undelete) \
	row(run) \
	row(history) \
	row(search) \
	row(expire) \
	row(stats) \
	row(top) \
	row(doctor) \
	row(completion)
/* clang-format on */

#define DECLARE(name) extern const struct verb verb_##name;
#define ADDRESS(name) &verb_##name,
VERBS(DECLARE)
const struct verb *const verb_table[] = {VERBS(ADDRESS) NULL};

static const struct verb_option help_option = {'h', "help", NULL, "this text"};

const char *verb_group_title(enum verb_group group)
{
	static const char *const titles[VERB_GROUPS] = {
		[VERB_UNLISTED] = "",
		[VERB_HIDDEN] = "",
		[VERB_STORE] = "The store and its mount",
		[VERB_SESSION] = "Sessions",
		[VERB_PAST] = "What was, and what will go",
		[VERB_WATCH] = "Watching",
	};

	return titles[group];
}

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *v = verb_table; *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

/* The n-th option of the verb: --help comes last; NULL behind it. */
static const struct verb_option *option_at(const struct verb *verb, int n)
{
	int i = 0;

	for (; verb->options && verb->options[i].code; i++)
		if (i == n)
			return &verb->options[i];
	return i == n ? &help_option : NULL;
}

static bool has_letter(const struct verb_option *o)
{
	return o->code < 256;
}

static void print_synopsis(const struct verb *verb, FILE *out)
{
	const struct verb_option *o;
	const char *bracket = " [-";

	fprintf(out, "usage: %s%s", verb->group == VERB_UNLISTED ? "" : "sessfs ", verb->name);
	for (int i = 0; (o = option_at(verb, i)) && o != &help_option; i++)
		if (has_letter(o) && !o->argument) {
			fprintf(out, "%s%c", bracket, o->code);
			bracket = "";
		}
	fputs(*bracket ? "" : "]", out);
	for (int i = 0; (o = option_at(verb, i)) && o != &help_option; i++) {
		if (has_letter(o) && o->argument)
			fprintf(out, " [-%c %s]", o->code, o->argument);
		else if (!has_letter(o))
			fprintf(out, " [--%s%s%s]", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
	}
	fprintf(out, "%s%s\n", verb->words ? " " : "", verb->words ? verb->words : "");
}

void verb_print_wrapped(FILE *out, int column, const char *text)
{
	int at = column;

	while (*text) {
		int word = (int)strcspn(text, " \n");
		bool full = at > column && at + 1 + word > HELP_WIDTH;

		if (full)
			fprintf(out, "\n%*s", at = column, "");
		at += fprintf(out, "%s%.*s", at > column ? " " : "", word, text);
		text += word;
		if (*text == '\n' && text[1])
			fprintf(out, "\n%*s", at = column, "");
		text += *text != 0;
	}
	fputc('\n', out);
}

static void print_option(const struct verb_option *o)
{
	char left[64] = "    ", letter[8] = "";

	if (has_letter(o))
		snprintf(letter, sizeof letter, "-%c%s", o->code, o->name ? ", " : "");
	snprintf(left, sizeof left, "%-4s%s%s%s%s", letter, o->name ? "--" : "", o->name ? o->name : "",
		o->argument ? " " : "", o->argument ? o->argument : "");
	printf("  %-*s ", HELP_COLUMN, left);
	verb_print_wrapped(stdout, HELP_COLUMN + 3, o->help);
}

static void print_help(const struct verb *verb)
{
	const struct verb_option *o;

	print_synopsis(verb, stdout);
	printf("\n%s\n\n", verb->summary);
	for (int i = 0; (o = option_at(verb, i)); i++)
		print_option(o);
	if (verb->help) {
		putchar('\n');
		verb_print_wrapped(stdout, 0, verb->help);
	}
	if (verb->more_help)
		verb->more_help(stdout);
}

int verb_print_usage(const struct verb *verb)
{
	print_synopsis(verb, stderr);
	return verb->usage_status;
}

int verb_print_version(void)
{
	printf("sessfs %s (store format %u)\n", SESSFS_VERSION, STORE_FORMAT);
	return 0;
}

static void make_getopt(const struct verb *verb, struct option *longs, char *letters)
{
	const struct verb_option *o;

	if (verb->ends_options)
		*letters++ = '+';
	for (int i = 0; (o = option_at(verb, i)) && i < OPTIONS_MAX; i++) {
		if (o->name)
			*longs++ = (struct option){o->name, o->argument ? required_argument : no_argument, NULL,
				o->code};
		if (!has_letter(o))
			continue;
		*letters++ = (char)o->code;
		if (o->argument)
			*letters++ = ':';
	}
	*letters = 0;
	*longs = (struct option){0};
}

/* As from a variable that is not set. */
static bool is_empty(const char *dir)
{
	if (!*dir)
		message_error("the name of a directory is empty");
	return !*dir;
}

static int take_words(const struct verb *verb, int argc, char **argv, struct verb_line *line)
{
	line->words = argv + optind;
	line->count = argc - optind;
	if (line->count < verb->min_words || (verb->max_words >= 0 && line->count > verb->max_words))
		return verb_print_usage(verb);
	for (int i = 0; i < line->count; i++)
		if (verb->word == VERB_A_DIR && is_empty(line->words[i]))
			return verb_print_usage(verb);
	return VERB_GO_ON;
}

static bool say_bad_value(const struct verb *verb, int code, const char *value)
{
	const struct verb_option *o = verb->options;

	while (o->code != code)
		o++;
	if (has_letter(o))
		message_error("-%c takes %s, which '%s' cannot be", o->code, o->argument, value);
	else
		message_error("--%s takes %s, which '%s' cannot be", o->name, o->argument, value);
	return false;
}

int verb_parse(const struct verb *verb, int argc, char **argv, struct verb_line *ret, verb_take *take, void *arg)
{
	struct option longs[OPTIONS_MAX + 1];
	static char title[64]; /* for what getopt says */
	char letters[2 * OPTIONS_MAX + 2];
	struct verb_line line = {.whole = verb->whole};
	int code;

	make_getopt(verb, longs, letters);
	snprintf(title, sizeof title, verb->group == VERB_UNLISTED ? "%s" : "sessfs: %s", verb->name);
	argv[0] = title;
	optind = 1;
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (code == 'h') {
			print_help(verb);
			return 0;
		}
		if (code == 'V')
			return verb_print_version();
		if (code == 'm' && is_empty(optarg))
			return verb_print_usage(verb);
		if (code == 'm')
			line.mount = optarg;
		else if (code == VERB_CODE_JSON)
			line.json = true;
		else if (code == '?' || !take || !(take(arg, code, optarg) || say_bad_value(verb, code, optarg)))
			return verb_print_usage(verb);
	}
	int status = take_words(verb, argc, argv, &line);
	if (status == VERB_GO_ON)
		*ret = line;
	return status;
}
