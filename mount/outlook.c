/* outlook.c - see outlook.h. */
#include "mount/outlook.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/told.h"

enum { SESSIONS_MAX = 5000 /* of more, expiring.json takes too long for a line nobody asked for */ };

/* "2 pinned, 1 paused" of those that stay, and how many these are. */
static size_t count_protected(const json_t *staying, char *text, size_t size)
{
	static const char *const guards[] = {"pinned", "paused", "current", "in use"};
	size_t counts[4] = {0}, all = 0, used = 0, i;
	const json_t *one;

	json_array_foreach(staying, i, one)
		for (int guard = 0; guard < 4; guard++)
			if (strcmp(json_get_text(one, "protected_by"), guards[guard]) == 0)
				counts[guard]++;
	for (int guard = 0; guard < 4; guard++) {
		if (counts[guard] > 0 && used < size)
			used += (size_t)snprintf(
				text + used, size - used, "%s%zu %s", used ? ", " : "", counts[guard], guards[guard]);
		all += counts[guard];
	}
	return all;
}

static bool is_read_only(const json_t *staying)
{
	const json_t *one;
	size_t i;

	json_array_foreach(staying, i, one)
		if (strcmp(json_get_text(one, "protected_by"), "mounted read-only") == 0)
			return true;
	return false;
}

static void put_next(const json_t *expiring, bool read_only, char *text, size_t size)
{
	char left[NUMBER_TEXT];
	struct told next;

	told_one(json_array_get(expiring, 0), &next);
	number_say_duration(moment_seconds(moment_now(), next.expires), left);
	if (json_array_size(expiring) == 0)
		snprintf(text, size, read_only ? "none expires while they are mounted read-only" : "none expires");
	else if (next.due)
		snprintf(text, size, "%s expires now (%s)", next.name, next.rule);
	else
		snprintf(text, size, "%s expires next, in %s (%s)", next.name, left, next.rule);
}

/* What is said beside the work: where it cannot be printed, the work is done all the same. */
static void forget_failure(void)
{
	fflush(stdout);
	clearerr(stdout);
}

static void say(const json_t *document)
{
	const json_t *expiring = json_object_get(document, "expiring"), *staying = json_object_get(document, "staying");
	size_t count = json_array_size(expiring) + json_array_size(staying);
	char guards[128] = "", next[512];

	size_t protected = count_protected(staying, guards, sizeof guards);
	put_next(expiring, is_read_only(staying), next, sizeof next);
	if (protected > 0)
		message_say(
			"%zu session%s, %zu protected (%s); %s", count, count == 1 ? "" : "s", protected, guards, next);
	else if (count > 0)
		message_say("%zu session%s, none protected; %s", count, count == 1 ? "" : "s", next);
}

/* `started`: when the daemon did. */
static size_t count_gone(const struct told_list *trash, int64_t started)
{
	size_t count = 0;

	for (size_t i = 0; i < trash->count && trash->items[i].ended >= started; i++)
		count += strcmp(trash->items[i].rule, "removed") != 0;
	return count;
}

void outlook_say_gone(const char *mount)
{
	struct place root = {.mount = (char *)mount};
	char *path = place_control(&root, "stats.json");
	json_t *stats = json_read(path);
	TOLD_AUTO trash = {0};
	size_t count = 0;

	if (stats && json_get_number(stats, "trash") <= SESSIONS_MAX && told_trash(&root, &trash))
		count = count_gone(&trash, json_get_time(stats, "started_at"));
	if (count > 0)
		message_say("%zu session%s just expired; `sessfs list --trash` shows what can be taken back", count,
			count == 1 ? "" : "s");
	forget_failure();
	json_decref(stats);
	free(path);
}

/* The root's links count what is over, too, until it has gone. */
static size_t count_seen(const char *mount)
{
	DIR *d = opendir(mount);
	const struct dirent *e;
	size_t count = 0;

	while (d && (e = readdir(d)))
		count += *e->d_name != '.';
	if (d)
		closedir(d);
	return count;
}

void outlook_say(const char *mount)
{
	struct place root = {.mount = (char *)mount};
	struct stat st;
	size_t count;

	if (stat(mount, &st) < 0)
		return;
	if (st.st_nlink > SESSIONS_MAX + 2 && (count = count_seen(mount)) > SESSIONS_MAX) {
		message_say("%zu sessions; `sessfs expire --dry-run` tells what expires next", count);
		forget_failure();
		return;
	}
	char *path = place_control(&root, "expiring.json");
	json_t *document = json_read(path);
	if (document)
		say(document);
	forget_failure();
	json_decref(document);
	free(path);
}
