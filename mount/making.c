/* making.c - see making.h. */
#include "mount/making.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mount/controls.h"
#include "mount/message.h"

enum { NAMES_TRIED = 1000 };

void making_add_tag(struct making *m, const char *tag)
{
	char *longer;

	if (asprintf(&longer, "%s%s\n", m->tags ? m->tags : "", tag) < 0)
		message_no_memory();
	free(m->tags);
	m->tags = longer;
}

void making_release(struct making *m)
{
	free(m->tags);
	m->tags = NULL;
}

/* session_20261121_093000, and, where that is taken, session_20261121_093000_2 and so on; in the reader's time zone. */
static char *name_of_now(const char *prefix, int n)
{
	time_t now = time(NULL);
	char text[64] = "", *name;
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof text, "%Y%m%d_%H%M%S", &tm);
	if ((n == 1 ? asprintf(&name, "%s_%s", prefix, text) : asprintf(&name, "%s_%s_%d", prefix, text, n)) < 0)
		message_no_memory();
	return name;
}

/* What was said about undeleting that one is to stay true. */
static bool is_in_trash(const struct place *place)
{
	char *path;

	if (asprintf(&path, "%s/.sessfs/trash/%s", place->mount, place->name) < 0)
		message_no_memory();
	bool there = access(path, F_OK) == 0;
	free(path);
	return there;
}

static int make_dir(const struct place *place)
{
	char *path = place_path(place);
	int error = mkdir(path, 0777) == 0 ? 0 : errno;

	free(path);
	return error;
}

static int say_not_made(const struct place *place, int error)
{
	if (error == EEXIST)
		message_error("there is a session %s already; choose another name", place->name);
	else if (error == EACCES)
		message_error("the session %s is not made: %s; %s belongs to another user, who lets everyone make "
			      "sessions there by `chmod 1777 %s`",
			place->name, strerror(error), place->mount, message_word(place->mount));
	else
		message_error("the session %s is not made: %s%s", place->name, strerror(error), controls_advice(error));
	return VERB_NOT_DONE;
}

static int write_texts(const struct place *place, const struct making *m)
{
	const struct {
		const char *file, *text;
	} texts[] = {{"query", m->query}, {"project", m->project}, {"tags", m->tags}};
	int status = VERB_DONE;

	for (size_t i = 0; status == VERB_DONE && i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].text)
			status = controls_write(place, texts[i].file, texts[i].text);
	return status;
}

int making_make(struct place *place, const struct making *m)
{
	bool named = place->name != NULL;
	int error = EEXIST;

	if (named && !place_name_is_fine(place->name))
		return VERB_USAGE;
	for (int n = 1; error == EEXIST && n <= (named ? 1 : NAMES_TRIED); n++) {
		if (!named) {
			free(place->name);
			place->name = name_of_now(m->prefix ? m->prefix : "session", n);
		}
		error = !named && is_in_trash(place) ? EEXIST : make_dir(place);
	}
	if (error)
		return say_not_made(place, error);
	int status = write_texts(place, m);
	if (status != VERB_DONE) {
		char *path = place_path(place);
		rmdir(path);
		free(path);
	}
	return status;
}
