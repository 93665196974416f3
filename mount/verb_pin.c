/* verb_pin.c - `sessfs pin` and `unpin`: whether sessions may expire. */
#include "mount/controls.h"
#include "mount/message.h"
#include "mount/verb.h"

extern const struct verb verb_unpin;

static int pin_one(const struct place *place, void *unpin)
{
	int status = controls_write(place, "pin", unpin ? "0\n" : "1\n");

	if (status == VERB_DONE)
		message_say(unpin ? "%s is not pinned: it expires by the rules" : "%s is pinned: it does not expire",
			place->name);
	return status;
}

static int run_pin(const struct verb *verb, int argc, char **argv)
{
	return place_for_each(verb, argc, argv, pin_one, verb == &verb_unpin ? argv : NULL);
}

static const struct verb_option options[] = {VERB_OPTION_MOUNT, VERB_NO_OPTION};

const struct verb verb_pin = {
	.name = "pin",
	.group = VERB_SESSION,
	.run = run_pin,
	.options = options,
	.words = "[NAME...]",
	.word = VERB_A_SESSION,
	.max_words = -1,
	.summary = "keep sessions from expiring",
	.help = "Without a name: the session of the working directory, or $SESSFS_SESSION.\n",
	.usage_status = VERB_USAGE,
};

const struct verb verb_unpin = {
	.name = "unpin",
	.group = VERB_SESSION,
	.run = run_pin,
	.options = options,
	.words = "[NAME...]",
	.word = VERB_A_SESSION,
	.max_words = -1,
	.summary = "let sessions expire again",
	.help = "Without a name: the session of the working directory, or $SESSFS_SESSION.\n",
	.usage_status = VERB_USAGE,
};
