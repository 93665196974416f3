/*
 * verb_completion.c - `sessfs completion SHELL` prints what makes a shell complete sessfs; that asks
 * `sessfs completion for WORD...` on each tab, so that all shells complete alike, by the verbs' own tables.
 *
 * The answer, a line each: "CANDIDATE<tab>HELP", or what the shell knows better: "<tab>directories", or
 * "<tab>command N": the N-th of the words begins a command line of its own.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mount/options.h"
#include "mount/place.h"
#include "mount/verb.h"

/* ---- the scripts ------------------------------------------------------------------------------------------------- */

static const char bash_script[] =
	"# bash completion of sessfs; made by `sessfs completion bash`\n"
	"_sessfs() {\n"
	"\tlocal line word=${COMP_WORDS[COMP_CWORD]}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tcase $line in\n"
	"\t\t$'\\t'directories)\n"
	"\t\t\tcompopt -o filenames\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
	"\t\t$'\\t'command*)\n"
	"\t\t\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t\t\t_command_offset \"${line##* }\"\n"
	"\t\t\telse\n"
	"\t\t\t\tcompopt -o filenames\n"
	"\t\t\t\tmapfile -t COMPREPLY < <(compgen -A command -A file -- \"$word\")\n"
	"\t\t\tfi ;;\n"
	"\t\t*)\n"
	"\t\t\tprintf -v line %q \"${line%%$'\\t'*}\"\n"
	"\t\t\t[[ $line != *= ]] || compopt -o nospace\n"
	"\t\t\tCOMPREPLY+=(\"$line\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(\"${COMP_WORDS[0]}\" completion for \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _sessfs sessfs\n";

static const char zsh_script[] =
	"#compdef sessfs\n"
	"# zsh completion of sessfs; made by `sessfs completion zsh`\n"
	"_sessfs() {\n"
	"\tlocal line first\n"
	"\tlocal -a found open\n"
	"\tfor line in ${(f)\"$(${(Q)words[1]} completion for \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)\"}; do\n"
	"\t\tcase $line in\n"
	"\t\t$'\\t'directories) _path_files -/ ;;\n"
	"\t\t$'\\t'command*)\n"
	"\t\t\tfirst=${line##* }\n"
	"\t\t\tshift $first words\n"
	"\t\t\t(( CURRENT -= first ))\n"
	"\t\t\t_normal ;;\n"
	"\t\t*=$'\\t'*) open+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"\t\t*) found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#open )) && _describe sessfs open -S ''\n"
	"\t(( $#found )) && _describe sessfs found\n"
	"\t(( compstate[nmatches] ))\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _sessfs ]; then _sessfs \"$@\"; else compdef _sessfs sessfs; fi\n";

static const char fish_script[] =
	"# fish completion of sessfs; made by `sessfs completion fish`\n"
	"function __sessfs_complete\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tfor line in ($words[1] completion for $words[2..] 2>/dev/null)\n"
	"\t\tswitch $line\n"
	"\t\t\tcase \\t'directories'\n"
	"\t\t\t\t__fish_complete_directories (commandline -ct)\n"
	"\t\t\tcase \\t'command *'\n"
	"\t\t\t\tset -l first (string split ' ' -- $line)[-1]\n"
	"\t\t\t\tcomplete -C (string join ' ' -- (string escape -- $words[(math $first + 1)..-2]) (commandline -ct))\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c sessfs -f -a '(__sessfs_complete)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* The line so far, and the word to be completed. */
struct asked {
	const char *word;
	const struct verb *verb;
	const struct verb_option *awaits; /* the option whose argument the word is, or NULL */
	bool only_words;                  /* no options any more */
	int words, first;                 /* words of the verb's own before it, and where the first of them is */
	struct verb_line line;
};

static void offer(const struct asked *a, const char *candidate, const char *help)
{
	if (strncmp(candidate, a->word, strlen(a->word)) == 0)
		printf("%s\t%s\n", candidate, help);
}

static void offer_verbs(const struct asked *a)
{
	for (const struct verb *const *v = verb_table; *v; v++)
		offer(a, (*v)->name, (*v)->summary);
	if (a->word[0] == '-') {
		offer(a, "--help", "what there is");
		offer(a, "--version", "version and store format");
	}
}

static void offer_options(const struct asked *a)
{
	char letter[] = "-x";

	for (const struct verb_option *o = a->verb->options; o && o->code; o++) {
		char name[64];

		snprintf(name, sizeof name, "--%s", o->name ? o->name : "");
		letter[1] = (char)o->code;
		if (o->name || o->code < 256)
			offer(a, o->name ? name : letter, o->help);
	}
	offer(a, "--help", "this verb's help");
}

/* Names in the root of the mount, or in its trash. */
static void offer_names(const struct asked *a, const char *below, const char *help)
{
	PLACE_AUTO place = {0};
	const struct dirent *e;

	if (place_find_mount(&a->line, &place) != VERB_GO_ON)
		return;
	char *path = below ? place_control(&place, below) : NULL;
	DIR *dir = opendir(path ? path : place.mount);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && !strpbrk(e->d_name, "\t\n"))
			offer(a, e->d_name, help);
	if (dir)
		closedir(dir);
	free(path);
}

/* Behind those of the list that are there already. */
static void offer_mount_option(void *arg, const char *word, const char *help)
{
	const struct asked *a = arg;
	const char *last = strrchr(a->word, ',');
	char list[512];

	snprintf(list, sizeof list, "%.*s%s", last ? (int)(last + 1 - a->word) : 0, a->word, word);
	offer(a, list, help);
}

static void offer_argument(struct asked *a)
{
	const char *what = a->awaits->argument;

	if (strcmp(what, "DIR") == 0)
		puts("\tdirectories");
	else if (strcmp(what, "TAG") == 0)
		offer_names(a, "by-tag", "tag");
	else if (strcmp(what, "OPTIONS") == 0)
		options_each(offer_mount_option, a);
}

static void offer_shells(const struct asked *a)
{
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		offer(a, scripts[i].shell, "shell");
}

/* Where not any number of sessions is taken, the first word is one, and another is a reason or a new name. */
static bool is_name(const struct asked *a)
{
	return a->words == 0 || a->verb->max_words < 0;
}

static void offer_word(const struct asked *a, int at)
{
	if (a->verb->max_words >= 0 && a->words >= a->verb->max_words)
		return;
	switch (a->verb->word) {
	case VERB_A_SESSION:
		if (is_name(a))
			offer_names(a, NULL, "session");
		return;
	case VERB_ENDED_SESSION:
		if (is_name(a))
			offer_names(a, "trash", "in the trash");
		return;
	case VERB_A_DIR:
		puts("\tdirectories");
		return;
	case VERB_A_COMMAND:
		printf("\tcommand %d\n", a->words ? a->first : at);
		return;
	case VERB_A_SHELL:
		offer_shells(a);
		return;
	case VERB_A_TEXT:
	case VERB_NO_WORD:
		return;
	}
}

/* The option that a word is, if its argument is the next word; -m's is needed to find names. */
static const struct verb_option *awaiting(const struct verb *verb, const char *word)
{
	for (const struct verb_option *o = verb->options; o && o->code; o++)
		if (o->argument && ((o->name && strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0) ||
					   (word[1] == o->code && !word[2])))
			return o;
	return NULL;
}

static void take_word(struct asked *a, const char *word, int at)
{
	if (a->awaits && strcmp(word, "=") == 0) /* bash makes three words of --mount=DIR */
		return;
	if (a->awaits) {
		if (a->awaits->code == 'm')
			a->line.mount = word;
		a->awaits = NULL;
	} else if (!a->only_words && strcmp(word, "--") == 0) {
		a->only_words = true;
	} else if (!a->only_words && word[0] == '-' && word[1]) {
		a->awaits = awaiting(a->verb, word);
		if (!a->awaits && (strncmp(word, "--mount=", 8) == 0 || strncmp(word, "-m", 2) == 0))
			a->line.mount = word + (word[1] == '-' ? 8 : 2);
	} else {
		a->first = a->words++ ? a->first : at;
		a->only_words = a->only_words || a->verb->ends_options;
	}
}

static void complete(int count, char **words)
{
	struct asked a = {.word = count ? words[count - 1] : ""};

	if (count <= 1) {
		offer_verbs(&a);
		return;
	}
	a.verb = verb_find(words[0]);
	if (!a.verb)
		return;
	for (int i = 1; i < count - 1; i++)
		take_word(&a, words[i], i + 1);
	if (a.awaits)
		offer_argument(&a);
	else if (a.word[0] == '-' && !a.only_words)
		offer_options(&a);
	else
		offer_word(&a, count);
}

static int run_completion(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;

	if (argc >= 2 && strcmp(argv[1], "for") == 0) {
		complete(argc - 2, argv + 2);
		return VERB_DONE;
	}
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);
	if (status != VERB_GO_ON)
		return status;
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		if (strcmp(scripts[i].shell, line.words[0]) == 0) {
			fputs(scripts[i].script, stdout);
			return VERB_DONE;
		}
	return verb_print_usage(verb);
}

const struct verb verb_completion = {
	.name = "completion",
	.group = VERB_HIDDEN,
	.run = run_completion,
	.words = "bash|zsh|fish",
	.word = VERB_A_SHELL,
	.min_words = 1,
	.max_words = 1,
	.summary = "print what makes a shell complete sessfs",
	.help = "`make install` puts it where the shells look. By hand, for instance in ~/.bashrc:\n"
		"  source <(sessfs completion bash)\n",
	.usage_status = VERB_USAGE,
};
