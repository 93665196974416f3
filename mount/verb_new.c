/* verb_new.c - `sessfs new`: makes a session and prints where it is. */
#include <stdio.h>
#include <string.h>

#include "mount/making.h"
#include "mount/verb.h"

enum { CODE_QUERY = VERB_CODE_OWN, CODE_TAG, CODE_PROJECT };

static bool take_option(void *arg, int code, const char *value)
{
	struct making *m = arg;

	if (code == CODE_QUERY)
		m->query = value;
	if (code == CODE_PROJECT)
		m->project = value;
	if (code == CODE_TAG)
		making_add_tag(m, value);
	return true;
}

static int run_new(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct making m = {0};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, take_option, &m, &line, &place);

	if (status == VERB_GO_ON) {
		place.name = line.count ? strdup(line.words[0]) : NULL;
		status = making_make(&place, &m);
		if (status == VERB_DONE)
			printf("%s/%s\n", place.mount, place.name); /* as it is: for cd "$(sessfs new)" */
	}
	making_release(&m);
	return status;
}

/* clang-format off */
static const struct verb_option options[] = {
	{CODE_QUERY, "query", "TEXT", "what it is about"},
	{CODE_TAG, "tag", "TAG", "a tag, by which it is found; may be given again"},
	{CODE_PROJECT, "project", "TEXT", "the project it belongs to"},
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_new = {
	.name = "new",
	.group = VERB_SESSION,
	.run = run_new,
	.options = options,
	.words = "[NAME]",
	.word = VERB_A_TEXT,
	.max_words = 1,
	.summary = "make a session and print its path",
	.help = "Without a name it is called session_YYYYMMDD_HHMMSS.\n",
	.usage_status = VERB_USAGE,
};
