/* verb_search.c - `sessfs search TEXT`: sessions whose name, query, notes, tags or project contain TEXT. */
#include <string.h>

#include "mount/listing.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/table.h"

enum { TEXT_MAX = 255 };

static void print_document(const struct told_list *found, const char *text)
{
	json_t *document = json_object(), *array = json_array();

	for (size_t i = 0; i < found->count; i++)
		json_append(array, listing_object(&found->items[i]));
	json_add(document, "text", json_from_text(text));
	json_add(document, "sessions", array);
	json_print(document);
}

static void print_table(const struct told_list *found)
{
	struct table *table = listing_new();
	int64_t now = moment_now();

	for (size_t i = 0; i < found->count; i++)
		listing_add(table, &found->items[i], now);
	table_print(table);
}

static bool is_fine(const char *text)
{
	if (*text && strlen(text) <= TEXT_MAX && !strchr(text, '/') && strcmp(text, ".") != 0 &&
		strcmp(text, "..") != 0)
		return true;
	message_error("a text to search for has 1 to %d bytes, no slash, and is not just one dot or two", TEXT_MAX);
	return false;
}

static int run_search(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	TOLD_AUTO found = {0};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, NULL, NULL, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	const char *text = line.words[0];
	if (!is_fine(text))
		return VERB_USAGE;
	if (!told_found(&place, text, &found))
		return VERB_NOT_DONE;
	if (line.json)
		print_document(&found, text);
	else if (found.count > 0)
		print_table(&found);
	else if (found.hidden == 0)
		message_note("no session has '%s' in its name, query, notes, tags or project", text);
	listing_say_hidden(&found, "found");
	return found.count + found.hidden > 0 ? VERB_DONE : VERB_NOT_FOUND;
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
