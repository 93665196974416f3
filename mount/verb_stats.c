/* verb_stats.c - `sessfs stats`: figures of the mount as a whole. */
#include <inttypes.h>
#include <stdio.h>

#include "mount/controls.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/table.h"

enum kind { COUNT, SIZE, RATIO, TIME, DURATION };

static const struct figure {
	const char *what, *key;
	enum kind kind;
} figures[] = {
	{"sessions", "sessions", COUNT},
	{"in the trash", "trash", COUNT},
	{"size", "total_size_bytes", SIZE},
	{"stored", "stored_bytes", SIZE},
	{"ratio", "compression_ratio", RATIO},
	{"room", "space_bytes", SIZE},
	{"free", "free_bytes", SIZE},
	{"in the logs (hot)", "hot_bytes", SIZE},
	{"in the database (warm)", "warm_bytes", SIZE},
	{"archived (cold)", "cold_bytes", SIZE},
	{"not saved yet", "unsaved_bytes", SIZE},
	{"last saved", "last_saved_at", TIME},
	{"flushes", "flushes", COUNT},
	{"last flush took", "flush_last_ns", DURATION},
	{"longest flush took", "flush_longest_ns", DURATION},
	{"syncs", "syncs", COUNT},
	{"chunks found in memory", "chunk_hits", COUNT},
	{"chunks decompressed", "chunk_misses", COUNT},
	{"inodes in memory", "inodes_in_memory", COUNT},
	{"daemon started", "started_at", TIME},
};

static const struct table_column figure_columns[] = {{"WHAT", 0}, {"VALUE", 0}, {NULL, 0}};
static const struct table_column operation_columns[] = {{"OPERATION", 0}, {"COUNT", TABLE_RIGHT},
	{"MEAN", TABLE_RIGHT}, {"LEAST", TABLE_RIGHT}, {"MOST", TABLE_RIGHT}, {NULL, 0}};

static uint64_t get(const json_t *object, const char *key)
{
	int64_t n = json_get_number(object, key);

	return n > 0 ? (uint64_t)n : 0;
}

static void format(const struct figure *f, const json_t *stats, char buf[NUMBER_TEXT])
{
	char ago[NUMBER_TEXT];

	switch (f->kind) {
	case COUNT:
		snprintf(buf, NUMBER_TEXT, "%" PRIu64, get(stats, f->key));
		return;
	case SIZE:
		number_say_size(get(stats, f->key), buf);
		return;
	case RATIO:
		snprintf(buf, NUMBER_TEXT, "%.1f : 1", json_get_real(stats, f->key));
		return;
	case TIME:
		number_say_duration(moment_seconds(json_get_time(stats, f->key), moment_now()), ago);
		snprintf(buf, NUMBER_TEXT, "%.20s ago", ago);
		return;
	case DURATION:
		number_rough_ns(get(stats, f->key), buf);
		return;
	}
}

static void print_figures(const json_t *stats)
{
	struct table *table = table_new(figure_columns, false);
	char value[NUMBER_TEXT];

	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		const char *cells[] = {figures[i].what, value};
		if (!json_object_get(stats, figures[i].key))
			continue;
		format(&figures[i], stats, value);
		table_add(table, cells);
	}
	table_print(table);
}

static void print_operations(const json_t *operations)
{
	struct table *table = table_new(operation_columns, true);
	char count[NUMBER_TEXT], mean[NUMBER_TEXT], least[NUMBER_TEXT], most[NUMBER_TEXT];
	const json_t *one;
	const char *name;

	json_object_foreach((json_t *)operations, name, one) {
		const char *cells[] = {name, count, mean, least, most};
		snprintf(count, sizeof count, "%" PRIu64, get(one, "count"));
		number_rough_ns(get(one, "avg_ns"), mean);
		number_rough_ns(get(one, "min_ns"), least);
		number_rough_ns(get(one, "max_ns"), most);
		table_add(table, cells);
	}
	if (json_object_size(operations) > 0)
		putchar('\n');
	table_print(table);
}

static int run_stats(const struct verb *verb, int argc, char **argv)
{
	PLACE_AUTO place = {0};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, NULL, NULL, &line, &place);

	if (status != VERB_GO_ON)
		return status;
	json_t *stats = controls_read(&place, "stats.json");
	if (!stats)
		return VERB_NOT_DONE;
	if (line.json) {
		json_print(stats);
		return VERB_DONE;
	}
	print_figures(stats);
	print_operations(json_object_get(stats, "operations"));
	json_decref(stats);
	return VERB_DONE;
}

static const struct verb_option options[] = {VERB_OPTION_JSON, VERB_OPTION_MOUNT, VERB_NO_OPTION};

const struct verb verb_stats = {
	.name = "stats",
	.group = VERB_WATCH,
	.run = run_stats,
	.options = options,
	.summary = "show figures of the mount: sizes, saving, operations and how long they take",
	.help = "--json prints .sessfs/stats.json.\n",
	.usage_status = VERB_USAGE,
};
