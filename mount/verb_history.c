/* verb_history.c - `sessfs history`: the sessions that ended, what they did, which rule ended them. */
#include <inttypes.h>
#include <stdio.h>

#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"
#include "mount/told.h"

enum { LAST = 20 };
enum { NAME, ENDED, RULE, STATUS, LIVED, FILES, SIZE, BACK, COLUMNS };

static const struct table_column columns[COLUMNS + 1] = {
	{"NAME", TABLE_SHORTEN},
	{"ENDED", TABLE_RIGHT},
	{"BY", 0},
	{"STATUS", 0},
	{"LIVED", TABLE_RIGHT},
	{"FILES", TABLE_RIGHT},
	{"SIZE", TABLE_RIGHT},
	{"BACK", TABLE_RIGHT},
	{NULL, 0},
};

static bool take_option(void *arg, int code, const char *value)
{
	return code == 'n' && number_parse(value, arg);
}

static void add_row(struct table *table, const struct told *t, int64_t now)
{
	char ended[NUMBER_TEXT * 2], lived[NUMBER_TEXT], files[NUMBER_TEXT], size[NUMBER_TEXT],
		back[NUMBER_TEXT] = "no";
	const char *cells[COLUMNS] = {t->name, ended, t->rule, t->status, lived, files, size, back};

	number_rough_duration(moment_seconds(t->ended, now), files);
	snprintf(ended, sizeof ended, "%s ago", files);
	number_rough_duration(moment_seconds(t->created, t->ended), lived);
	snprintf(files, sizeof files, "%" PRIu64, t->files);
	number_rough_size(t->size, size);
	if (t->until > now)
		number_rough_duration(moment_seconds(now, t->until), back);
	table_add(table, cells);
}

static json_t *object_of(const struct told *t)
{
	json_t *o = json_object();

	json_add(o, "name", json_from_text(t->name));
	json_add(o, "status", json_from_text(t->status));
	json_add(o, "rule", json_from_text(t->rule));
	json_add(o, "created_at", json_from_time(t->created));
	json_add(o, "ended_at", json_from_time(t->ended));
	json_add(o, "until", json_from_time(t->until));
	json_add(o, "duration_seconds", json_integer((json_int_t)moment_seconds(t->created, t->ended)));
	json_add(o, "files", json_integer((json_int_t)t->files));
	json_add(o, "size_bytes", json_integer((json_int_t)t->size));
	json_add(o, "stored_bytes", json_integer((json_int_t)t->stored));
	json_add(o, "files_created", json_integer((json_int_t)t->creations));
	json_add(o, "files_modified", json_integer((json_int_t)t->modifications));
	json_add(o, "operations", json_integer((json_int_t)t->operations));
	json_add(o, "cost", t->cost ? json_deep_copy(t->cost) : json_null());
	return o;
}

static void print_document(const struct place *place, const struct told_list *list, size_t count)
{
	json_t *document = json_object(), *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_append(array, object_of(&list->items[i]));
	json_add(document, "mount", json_from_text(place->mount));
	json_add(document, "sessions", array);
	json_print(document);
}

static void print_table(const struct told_list *list, size_t count)
{
	struct table *table = table_new(columns, true);
	int64_t now = moment_now();

	for (size_t i = 0; i < count; i++)
		add_row(table, &list->items[i], now);
	table_print(table);
}

static int run_history(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	TOLD_AUTO list = {0};
	struct verb_line line;
	uint64_t last = LAST;
	int status = place_begin(verb, argc, argv, take_option, &last, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	if (!told_history(&place, &list))
		return VERB_NOT_DONE;
	size_t count = last < list.count ? (size_t)last : list.count;
	if (line.json)
		print_document(&place, &list, count);
	else if (list.count > 0)
		print_table(&list, count);
	else
		message_note("no session of %s has ended yet", place.mount);
	return VERB_DONE;
}

/* clang-format off */
static const struct verb_option options[] = {
	{'n', "last", "COUNT", "that many of those that ended last (default 20; the last 1000 are kept)"},
	VERB_OPTION_JSON,
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_history = {
	.name = "history",
	.group = VERB_PAST,
	.run = run_history,
	.options = options,
	.summary = "show the sessions that ended, and why",
	.help = "BY: the rule that ended it (ttl, retain, keep, expires_at), or removed. LIVED: from its making to its "
		"end. "
		"BACK: how long `sessfs undelete` can still take it back.\n",
	.usage_status = VERB_USAGE,
};
