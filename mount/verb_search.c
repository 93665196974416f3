/* verb_search.c - `sessfs search TEXT`: sessions whose name, query, notes, tags or project contain TEXT. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount/listing.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/table.h"

enum { TEXT_MAX = 255 };

/* The names in .sessfs/search/TEXT, as the documents show them, as keys of an object; NULL: the reason was said. */
static json_t *find_names(const struct place *place, const char *text)
{
	char *dir = place_control(place, "search"), *path = NULL;
	const struct dirent *e;
	json_t *names = NULL;

	DIR *d = asprintf(&path, "%s/%s", dir, text) >= 0 ? opendir(path) : NULL;
	if (d)
		names = json_object();
	else
		message_error("searching for '%s' failed: %s", text, strerror(errno));
	while (d && (e = readdir(d))) {
		json_t *name = json_from_text(e->d_name);
		if (*e->d_name != '.')
			json_add(names, json_string_value(name), json_true());
		json_decref(name);
	}
	if (d)
		closedir(d);
	free(path);
	free(dir);
	return names;
}

static bool is_hit(const json_t *names, const struct told *t)
{
	return json_object_get(names, t->name) != NULL;
}

static void print_document(const struct told_list *all, const json_t *names, const char *text)
{
	json_t *document = json_object(), *array = json_array();

	json_add(document, "text", json_from_text(text));
	for (size_t i = 0; i < all->count; i++)
		if (is_hit(names, &all->items[i]))
			json_append(array, listing_object(&all->items[i]));
	json_add(document, "sessions", array);
	json_print(document);
}

static void print_table(const struct told_list *all, const json_t *names)
{
	struct table *table = listing_new();
	int64_t now = moment_now();

	for (size_t i = 0; i < all->count; i++)
		if (is_hit(names, &all->items[i]))
			listing_add(table, &all->items[i], now);
	table_print(table);
}

static int print(const struct place *place, const json_t *names, const char *text, bool json)
{
	TOLD_AUTO all = {0};

	if (!told_sessions(place, &all))
		return VERB_NOT_DONE;
	if (json)
		print_document(&all, names, text);
	else if (json_object_size(names) > 0)
		print_table(&all, names);
	else
		message_note("no session has '%s' in its name, query, notes, tags or project", text);
	return json_object_size(names) > 0 ? VERB_DONE : VERB_NOT_FOUND;
}

static bool is_fine(const char *text)
{
	if (*text && strlen(text) <= TEXT_MAX && !strchr(text, '/') && strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		return true;
	message_error("a text to search for has 1 to %d bytes, no slash, and is not just one dot or two", TEXT_MAX);
	return false;
}

static int search(const struct verb_line *line)
{
	PLACE_AUTO place = {0};
	const char *text = line->words[0];

	if (!is_fine(text))
		return VERB_USAGE;
	int status = place_find_mount(line, &place);
	if (status != VERB_GO_ON)
		return status;
	json_t *names = find_names(&place, text);
	status = names ? print(&place, names, text, line->json) : VERB_NOT_DONE;
	json_decref(names);
	return status;
}

static int run_search(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	return status == VERB_GO_ON ? search(&line) : status;
}

static const struct verb_option options[] = {VERB_OPTION_JSON, VERB_OPTION_MOUNT, VERB_NO_OPTION};

const struct verb verb_search = {
	.name = "search",
	.group = VERB_PAST,
	.run = run_search,
	.options = options,
	.words = "TEXT",
	.word = VERB_A_TEXT,
	.min_words = 1,
	.max_words = 1,
	.summary = "show the sessions whose name, query, notes, tags or project contain a text",
	.help = "Upper and lower case are the same. Exit status 3 where there is none.\n",
	.usage_status = VERB_USAGE,
};
