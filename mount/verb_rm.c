/* verb_rm.c - `sessfs rm` and `undelete`: sessions into the trash, and back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "mount/controls.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/removing.h"

static void say_removed(const struct place *place, const struct removed *removed)
{
	char left[NUMBER_TEXT], when[MOMENT_TEXT];

	if (!removed->name) {
		message_say("%s is removed", place->name);
		return;
	}
	number_say_duration(moment_seconds(moment_now(), removed->until), left);
	moment_format_local(removed->until, when);
	message_say("%s is in the trash; `sessfs undelete %s` takes it back within %s, until %s", place->name,
		message_word(removed->name), left, when);
}

/* Who moves a session writes to the root of the mount too. */
static const char *advice(int error)
{
	return error == EACCES ? "; it, or the mount, belongs to another user" : controls_advice(error);
}

static int say_not_removed(const struct place *place, int error)
{
	if (error == EBUSY)
		message_error("%s is not removed: it is the current session; make another one current first: "
			      "`ln -sfn OTHER %s/.sessfs/current`",
			place->name, message_word(place->mount));
	else
		message_error("%s is not removed: %s%s", place->name, strerror(error), advice(error));
	return error == ENOENT ? VERB_NOT_FOUND : VERB_NOT_DONE;
}

static int remove_one(const struct place *place, void *arg)
{
	REMOVED_AUTO removed = {0};
	int error = removing_move(place, &removed);

	(void)arg;
	if (error)
		return say_not_removed(place, error);
	say_removed(place, &removed);
	return VERB_DONE;
}

static int run_rm(const struct verb *verb, int argc, char **argv)
{
	return place_for_each(verb, argc, argv, remove_one, NULL);
}

static int say_not_back(const char *name, const char *as, int error)
{
	if (error == EEXIST)
		message_error("there is a session %s already; `sessfs undelete %s OTHER-NAME` takes it back as another",
			as, message_word(name));
	else if (error == ENOENT)
		message_error("there is no %s in the trash; `sessfs list --trash` shows what there is", name);
	else
		message_error("%s is not taken back: %s%s", name, strerror(error), advice(error));
	return error == ENOENT ? VERB_NOT_FOUND : VERB_NOT_DONE;
}

/* As it was called: in the trash, one of several of the same name is called NAME~NUMBER. */
static char *former_name(const char *path, const char *fallback)
{
	char name[NAME_MAX + 1];
	ssize_t len = getxattr(path, "user.sessfs.name", name, sizeof name);

	return len > 0 ? strndup(name, (size_t)len) : strdup(fallback);
}

static int take_back(struct place *place, const char *name, const char *as)
{
	char *from = place_trashed(place, name);

	place->name = as ? strdup(as) : former_name(from, name);
	char *to = place_path(place);
	int error = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
	free(from);
	free(to);
	if (error)
		return say_not_back(name, place->name, error);
	message_say("%s is back", place->name);
	return VERB_DONE;
}

static int run_undelete(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, NULL, NULL, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	const char *as = line.count > 1 ? line.words[1] : NULL;
	if (!place_name_is_fine(line.words[0]) || (as && !place_name_is_fine(as)))
		return VERB_USAGE;
	return take_back(&place, line.words[0], as);
}

static const struct verb_option options[] = {VERB_OPTION_MOUNT, VERB_NO_OPTION};

const struct verb verb_rm = {
	.name = "rm",
	.group = VERB_SESSION,
	.run = run_rm,
	.options = options,
	.words = "NAME...",
	.word = VERB_A_SESSION,
	.whole = true,
	.min_words = 1,
	.max_words = -1,
	.summary = "remove sessions; for a while they can be taken back",
	.help = "They stay in the trash for `grace`, unless space is needed.\n",
	.usage_status = VERB_USAGE,
};

const struct verb verb_undelete = {
	.name = "undelete",
	.group = VERB_SESSION,
	.run = run_undelete,
	.options = options,
	.words = "NAME [NEW-NAME]",
	.word = VERB_ENDED_SESSION,
	.min_words = 1,
	.max_words = 2,
	.summary = "take back a session that expired or was removed",
	.help = "`sessfs list --trash` shows what there is.\n",
	.usage_status = VERB_USAGE,
};
