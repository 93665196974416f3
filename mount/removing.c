/* removing.c - see removing.h. */
#include "mount/removing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mount/message.h"
#include "mount/moment.h"
#include "mount/told.h"

char *removing_path(const struct place *place, const char *name)
{
	struct place root = {.mount = place->mount};
	char *dir = place_control(&root, "trash"), *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		message_error("out of memory");
		exit(VERB_NOT_DONE);
	}
	free(dir);
	return path;
}

int removing_move(const struct place *place)
{
	char *from = place_path(place), *to = removing_path(place, place->name);
	int error = rename(from, to) == 0 ? 0 : errno;

	free(from);
	free(to);
	return error;
}

int64_t removing_until(const struct place *place)
{
	TOLD_AUTO history = {0};
	const struct told *t = told_history(place, &history) ? told_find(&history, place->name) : NULL;

	return t && t->until > moment_now() ? t->until : 0;
}
