/* verb_state.c - `sessfs pause`, `resume`, `complete`, `archive` and `fail`: write the status of sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount/controls.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/verb.h"

static void say_state(const struct place *place)
{
	json_t *info = controls_read(place, "info.json");
	int64_t expires = json_get_time(info, "expires_at");
	const char *status = json_get_text(info, "status");
	char left[NUMBER_TEXT];

	number_say_duration(moment_seconds(moment_now(), expires), left);
	if (info && expires == 0)
		message_say("%s is %s, and does not expire", place->name, status);
	else if (info)
		message_say("%s is %s, and expires in %s", place->name, status, left);
	json_decref(info);
}

static int set_status(const struct place *place, void *text)
{
	int status = controls_write(place, "status", text);

	if (status == VERB_DONE)
		say_state(place);
	return status;
}

static int run_state(const struct verb *verb, int argc, char **argv)
{
	static const struct {
		const char *verb, *text;
	} states[] = {
		{"pause", "paused\n"}, {"resume", "active\n"}, {"complete", "completed\n"}, {"archive", "archived\n"}};
	size_t i = 0;

	while (strcmp(states[i].verb, verb->name) != 0)
		i++;
	return place_for_each(verb, argc, argv, set_status, (void *)states[i].text);
}

static int run_fail(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct verb_line line;
	char *text = NULL;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	if (status == VERB_GO_ON)
		status = place_find(&line, line.count ? line.words[0] : NULL, &place);
	if (status != VERB_GO_ON)
		return status;
	const char *reason = line.count > 1 ? line.words[1] : "";
	if (asprintf(&text, "failed%s%s\n", *reason ? " " : "", reason) < 0)
		return VERB_NOT_DONE;
	status = set_status(&place, text);
	free(text);
	return status;
}

static const struct verb_option options[] = {VERB_OPTION_MOUNT, VERB_NO_OPTION};

/* clang-format off */
#define STATE(word_, run_, words_, max_, whole_, summary_, help_) \
	const struct verb verb_##word_ = { \
		.name = #word_, \
		.group = VERB_SESSION, \
		.run = (run_), \
		.options = options, \
		.words = (words_), \
		.word = VERB_A_SESSION, \
		.max_words = (max_), \
		.whole = (whole_), \
		.summary = (summary_), \
		.help = (help_), \
		.usage_status = VERB_USAGE, \
	}
#define FROM_HERE "Without a name: the session of the working directory, or $SESSFS_SESSION.\n"

STATE(pause, run_state, "[NAME...]", -1, false, "make sessions read-only until they are resumed; they do not expire",
	FROM_HERE);
STATE(resume, run_state, "[NAME...]", -1, false, "make paused or failed sessions active again",
	FROM_HERE "A completed session cannot be resumed: copy it, mkdir NEW && cp -a OLD/. NEW/\n");
STATE(complete, run_state, "[NAME...]", -1, true, "mark sessions as done: read-only, kept for `retain`",
	FROM_HERE);
STATE(archive, run_state, "[NAME...]", -1, true, "mark sessions as archived: read-only for good, kept for `retain`",
	FROM_HERE);
STATE(fail, run_fail, "[NAME [REASON]]", 2, false, "mark a session as failed, with the reason", FROM_HERE);
/* clang-format on */
