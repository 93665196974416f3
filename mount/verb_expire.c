/* verb_expire.c - `sessfs expire`: has expiry happen now, or, with --dry-run, tells what would go and what stays. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mount/listing.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"

enum {
	WHY_MAX = 160,
	RECENT = 10, /* seconds: the timer may have been quicker than we */
};

static const struct table_column columns[] = {{"NAME", TABLE_SHORTEN}, {"GOES", TABLE_RIGHT}, {"BY", 0},
	{"SIZE", TABLE_RIGHT}, {"WHY", TABLE_SHORTEN}, {NULL, 0}};

/* ---- --dry-run --------------------------------------------------------------------------------------------------- */

/* The numbers that decide, in words. */
static void put_why(const struct told *t, char why[WHY_MAX])
{
	char age[NUMBER_TEXT], limit[NUMBER_TEXT];

	number_say_duration(t->age, age);
	number_say_duration(t->limit, limit);
	if (*t->guard)
		snprintf(why, WHY_MAX, "it is %.32s", t->guard);
	else if (strcmp(t->rule, "keep") == 0)
		snprintf(why, WHY_MAX, "%" PRIu64 " newer, keep is %" PRIu64, t->newer, t->keep);
	else if (t->limit > 0)
		snprintf(why, WHY_MAX, "no write for %s, %.16s is %s", age, t->rule, limit);
	else if (strcmp(t->rule, "expires_at") == 0)
		snprintf(why, WHY_MAX, "its expires_at says so");
	else
		snprintf(why, WHY_MAX, "no rule ends it");
}

static void add_rows(struct table *table, const struct told_list *list, bool stays)
{
	char goes[NUMBER_TEXT], in[NUMBER_TEXT], size[NUMBER_TEXT], why[WHY_MAX];
	int64_t now = moment_now();

	for (size_t i = 0; i < list->count; i++) {
		const struct told *t = &list->items[i];
		const char *cells[] = {t->name, stays ? "stays" : t->due ? "now" : goes, t->rule, size, why};

		number_rough_duration(moment_seconds(now, t->expires), in);
		snprintf(goes, sizeof goes, "in %.20s", in);
		number_rough_size(t->size, size);
		put_why(t, why);
		table_add(table, cells);
		table_color(table, 1, stays ? "green" : t->due ? "red" : "yellow");
	}
}

static int say_dry(const struct place *place, bool json)
{
	TOLD_AUTO going = {0}, staying = {0};

	if (!told_expiring(place, &going, &staying))
		return VERB_NOT_DONE;
	if (json) {
		json_print(json_incref(going.document));
		return VERB_DONE;
	}
	if (going.count + staying.count == 0) {
		message_note("there are no sessions in %s", place->mount);
		return VERB_DONE;
	}
	struct table *table = table_new(columns, true);
	add_rows(table, &going, false);
	add_rows(table, &staying, true);
	table_print(table);
	return VERB_DONE;
}

/* ---- for real ---------------------------------------------------------------------------------------------------- */

/* Expiry is decided before a listing is answered. */
static int list_root(const struct place *place)
{
	DIR *d = opendir(place->mount);
	int error = d ? 0 : errno;

	errno = 0;
	while (d && readdir(d))
		;
	if (d) {
		error = errno;
		closedir(d);
	}
	if (error)
		message_error("%s cannot be listed: %s", place->mount, strerror(error));
	return error ? VERB_NOT_DONE : VERB_DONE;
}

static void say_gone(const struct told *t, int64_t now)
{
	char size[NUMBER_TEXT], ago[NUMBER_TEXT], left[NUMBER_TEXT];

	number_say_size(t->size, size);
	number_say_duration(moment_seconds(t->ended, now), ago);
	number_say_duration(moment_seconds(now, t->until), left);
	if (t->until > now)
		message_say("%s expired %s ago (%s, %s); `sessfs undelete %s` takes it back within %s", t->name, ago,
			t->rule, size, message_word(t->name), left);
	else
		message_say("%s expired %s ago (%s, %s)", t->name, ago, t->rule, size);
}

struct gone {
	int64_t now;
	json_t *array; /* or NULL: they are printed */
	size_t count;
};

/* Those of a list that expired just now, in the trash or, by their tombstones, not in it any more. */
static void take_gone(struct gone *gone, const struct told_list *list, bool in_trash)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct told *t = &list->items[i];

		if (moment_seconds(t->ended, gone->now) >= RECENT || strcmp(t->rule, "removed") == 0)
			continue;
		if (!in_trash && t->until > gone->now)
			continue;
		gone->count++;
		if (gone->array)
			json_append(gone->array, listing_object(t));
		else
			say_gone(t, gone->now);
	}
}

static int say_what_went(const struct place *place, bool json)
{
	TOLD_AUTO trash = {0}, history = {0};
	struct gone gone = {.now = moment_now(), .array = json ? json_array() : NULL};
	json_t *document = json ? json_object() : NULL;

	if (!told_trash(place, &trash) || !told_history(place, &history))
		return VERB_NOT_DONE;
	take_gone(&gone, &trash, true);
	take_gone(&gone, &history, false);
	if (json) {
		json_add(document, "mount", json_from_text(place->mount));
		json_add(document, "expired", gone.array);
		json_print(document);
	} else if (gone.count == 0) {
		message_say("nothing expired");
	}
	return VERB_DONE;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static bool take_option(void *arg, int code, const char *value)
{
	(void)value;
	*(bool *)arg = code == 'n';
	return true;
}

static int run_expire(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct verb_line line;
	bool dry = false;
	int status = place_begin(verb, argc, argv, take_option, &dry, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	if (dry)
		return say_dry(&place, line.json);
	status = list_root(&place);
	return status == VERB_DONE ? say_what_went(&place, line.json) : status;
}

/* clang-format off */
static const struct verb_option options[] = {
	{'n', "dry-run", NULL, "only tell what would go, when and by which rule, and why the rest stays"},
	VERB_OPTION_JSON,
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_expire = {
	.name = "expire",
	.group = VERB_PAST,
	.run = run_expire,
	.options = options,
	.summary = "let expire what is due, now",
	.help = "Expiry happens by itself too, on every access and on a quiet timer. What expired rests in the "
		"trash for `grace`.\n--dry-run --json prints .sessfs/expiring.json.\n",
	.usage_status = VERB_USAGE,
};
