/* verb_list.c - `sessfs list`: all sessions, the newest first. */

#include "mount/listing.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/table.h"

struct what {
	bool living, trash;
};

static bool take_option(void *arg, int code, const char *value)
{
	struct what *what = arg;

	(void)value;
	what->trash = true;
	what->living = code == 'a';
	return true;
}

static json_t *array_of(const struct told_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_append(array, listing_object(&list->items[i]));
	return array;
}

static void print_document(const struct place *place, const struct what *what, const struct told_list *living,
	const struct told_list *trash)
{
	json_t *document = json_object();

	json_add(document, "mount", json_from_text(place->mount));
	if (what->living) {
		json_add_same(document, "current_session_id", living->document);
		json_add(document, "sessions", array_of(living));
	}
	if (what->trash)
		json_add(document, "trash", array_of(trash));
	json_print(document);
}

static void print_table(const struct told_list *living, const struct told_list *trash)
{
	const struct told_list *lists[] = {living, trash};
	struct table *table = listing_new();
	int64_t now = moment_now();

	for (int i = 0; i < 2; i++)
		for (size_t n = 0; n < lists[i]->count; n++)
			listing_add(table, &lists[i]->items[n], now);
	table_print(table);
}

static int run_list(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	TOLD_AUTO living = {0}, trash = {0};
	struct what what = {.living = true};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, take_option, &what, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	if ((what.living && !told_sessions(&place, &living)) || (what.trash && !told_trash(&place, &trash)))
		return VERB_NOT_DONE;
	if (line.json)
		print_document(&place, &what, &living, &trash);
	else if (living.count + trash.count > 0)
		print_table(&living, &trash);
	else if (what.living)
		message_note("there are no sessions in %s; `sessfs new` makes one", place.mount);
	else if (trash.hidden == 0)
		message_note("the trash of %s is empty", place.mount);
	listing_say_hidden(&trash, "in the trash");
	return VERB_DONE;
}

/* clang-format off */
static const struct verb_option options[] = {
	{'a', "all", NULL, "also those in the trash"},
	{'t', "trash", NULL, "only those in the trash"},
	VERB_OPTION_JSON,
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_list = {
	.name = "list",
	.group = VERB_SESSION,
	.run = run_list,
	.options = options,
	.summary = "show the sessions, the newest first",
	.help = "AGE counts from the last write inside; EXPIRES is how long is left, of one in the trash until it is "
		"freed. SIZE is logical, STORED what it occupies compressed.\n"
		"MARKS: current, pinned, interrupted (it was active "
		"when the daemon or the machine died), in use; of one in the trash the rule that ended it.\n",
	.usage_status = VERB_USAGE,
};
