/*
 * content_metrics.c - stats.json, and the same in Prometheus' text format (prometheus.io/docs/instrumenting/
 * exposition_formats, version 0.0.4): one table of figures feeds both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "fs/content_life.h"
#include "fs/fault.h"
#include "fs/json.h"
#include "fs/node.h"
#include "fs/operation.h"

struct figures {
	int64_t started;
	struct store_stats store;
	uint64_t sessions, statuses[STORE_STATUSES], trash, trash_stored;
	uint64_t files, logical, stored, cold;
	uint64_t inodes, sessions_in_memory, errors;
};

enum unit {
	NUMBER,
	NANOSECONDS, /* seconds for Prometheus */
	MOMENT,      /* ISO 8601; seconds since the epoch */
	ERROR,       /* errno, negative */
};

static const struct figure {
	const char *key, *metric, *type;
	enum unit unit;
	size_t offset;
	const char *help;
} table[] = {
#define AT(member) offsetof(struct figures, member)
	{"started_at", "start_time_seconds", "gauge", MOMENT, AT(started), "When the mount began."},
	{"sessions", "sessions", "gauge", NUMBER, AT(sessions), "Living sessions."},
	{"trash", "trash_sessions", "gauge", NUMBER, AT(trash), "Sessions in the trash."},
	{"trash_stored_bytes", "trash_stored_bytes", "gauge", NUMBER, AT(trash_stored),
		"Bytes that sessions in the trash occupy, compressed."},
	{"files", "files", "gauge", NUMBER, AT(files), "Names of files in living sessions."},
	{"total_size_bytes", "logical_bytes", "gauge", NUMBER, AT(logical), "Sizes of the files of living sessions."},
	{"stored_bytes", "stored_bytes", "gauge", NUMBER, AT(stored),
		"Bytes that the content of living sessions occupies, compressed."},
	{"space_bytes", "space_bytes", "gauge", NUMBER, AT(store.total), "Bytes that records and data may take."},
	{"free_bytes", "free_bytes", "gauge", NUMBER, AT(store.free), "What is left of these."},
	{"hot_bytes", "hot_bytes", "gauge", NUMBER, AT(store.hot_bytes), "Bytes in the logs."},
	{"hot_size", "hot_size_bytes", "gauge", NUMBER, AT(store.hot_size), "Room in the logs, which grow."},
	{"warm_bytes", "warm_bytes", "gauge", NUMBER, AT(store.warm_bytes), "Bytes of the data file in use."},
	{"cold_bytes", "cold_bytes", "gauge", NUMBER, AT(cold),
		"Bytes that archived sessions occupy, of the stored ones."},
	{"unsaved_bytes", "unsaved_bytes", "gauge", NUMBER, AT(store.unsaved_bytes),
		"Bytes that a power cut would lose."},
	{"last_saved_at", "last_saved_timestamp_seconds", "gauge", MOMENT, AT(store.saved_at),
		"Everything up to then is durable."},
	{"flushes", "flushes_total", "counter", NUMBER, AT(store.flushes), "Logs taken into the data file."},
	{"flush_last_ns", "flush_last_seconds", "gauge", NANOSECONDS, AT(store.flush_last_ns),
		"What the last one took."},
	{"flush_longest_ns", "flush_longest_seconds", "gauge", NANOSECONDS, AT(store.flush_longest_ns),
		"What the longest one took."},
	{"batches", "batches_total", "counter", NUMBER, AT(store.batches), "Changes written."},
	{"syncs", "syncs_total", "counter", NUMBER, AT(store.syncs), "Times that the device was waited for."},
	{"chunk_hits", "chunk_hits_total", "counter", NUMBER, AT(store.chunk_hits),
		"Reads that found their chunk decompressed."},
	{"chunk_misses", "chunk_misses_total", "counter", NUMBER, AT(store.chunk_misses), "Reads that did not."},
	{"drops", "drops_pending", "gauge", NUMBER, AT(store.drops),
		"Dropped sessions of which something is left."},
	{"drops_damaged", "drops_damaged", "gauge", NUMBER, AT(store.drops_damaged),
		"Dropped sessions that are damaged, of which something stays until a repair."},
	{"dropped_records", "dropped_records_total", "counter", NUMBER, AT(store.dropped),
		"Records of dropped sessions deleted."},
	{"inodes_in_memory", "inodes_in_memory", "gauge", NUMBER, AT(inodes), "Inodes that the kernel knows."},
	{"sessions_in_memory", "sessions_in_memory", "gauge", NUMBER, AT(sessions_in_memory),
		"Sessions of which the kernel knows something."},
	{"errors", "errors_total", "counter", NUMBER, AT(errors), "Errors that were answered."},
	{"last_error", "last_flush_error", "gauge", ERROR, AT(store.last_error),
		"Negative errno of the last flush, 0 if it was fine."},
#undef AT
};

static void add_session(void *arg, const struct store_session *record)
{
	struct figures *figures = arg;

	if (record->ended) {
		figures->trash++;
		figures->trash_stored += record->stored;
		return;
	}
	figures->sessions++;
	if (record->status < STORE_STATUSES)
		figures->statuses[record->status]++;
	figures->files += session_files(record);
	figures->logical += record->logical;
	figures->stored += record->stored;
	if (record->status == STORE_ARCHIVED)
		figures->cold += record->stored;
}

static int collect(struct fs *fs, struct figures *figures)
{
	int r;

	*figures = (struct figures){.started = fs->started};
	r = content_each_session(fs, false, add_session, figures);
	if (!r)
		r = content_each_session(fs, true, add_session, figures);
	store_stats(fs->store, &figures->store);
	for (unsigned i = 0; i < FS_TABLES; i++) {
		figures->inodes += HASH_COUNT(fs->nodes[i]);
		figures->sessions_in_memory += HASH_COUNT(fs->sessions[i]);
	}
	figures->errors = fault_count(fs);
	return r;
}

static const void *field(const struct figures *figures, const struct figure *figure)
{
	return (const char *)figures + figure->offset;
}

/* ---- stats.json -------------------------------------------------------------------------------------------------- */

static json_t *figure_value(const struct figures *figures, const struct figure *figure)
{
	switch (figure->unit) {
	case NUMBER:
	case NANOSECONDS:
		return json_integer((json_int_t)*(const uint64_t *)field(figures, figure));
	case MOMENT:
		return moment_value(*(const int64_t *)field(figures, figure));
	case ERROR:
		return json_integer(*(const int *)field(figures, figure));
	}
	return NULL;
}

static json_t *operation_value(const struct operation_figures *figures)
{
	json_t *one = json_object();

	set_number(one, "count", figures->count);
	set_number(one, "avg_ns", figures->total_ns / figures->count);
	set_number(one, "min_ns", figures->min_ns);
	set_number(one, "p50_ns", operation_quantile(figures, 0.50));
	set_number(one, "p95_ns", operation_quantile(figures, 0.95));
	set_number(one, "p99_ns", operation_quantile(figures, 0.99));
	set_number(one, "max_ns", figures->max_ns);
	return one;
}

static json_t *operations_value(const struct fs *fs)
{
	json_t *all = json_object();

	for (unsigned code = 0; code < FS_OPERATIONS; code++) {
		struct operation_figures figures;

		operation_figures(fs, code, &figures);
		if (figures.count)
			set_value(all, operation_name(code), operation_value(&figures));
	}
	return all;
}

static json_t *statuses_value(const struct figures *figures)
{
	json_t *all = json_object();

	for (unsigned status = 0; status < STORE_STATUSES; status++)
		set_number(all, life_status_name(status), figures->statuses[status]);
	return all;
}

static json_t *hit_rate_value(const struct store_stats *stats)
{
	uint64_t reads = stats->chunk_hits + stats->chunk_misses;

	return reads ? json_real((double)(stats->chunk_hits * 1000 / reads) / 1000) : json_null();
}

int content_stats(struct session *root, json_t *object)
{
	struct figures figures;
	int r = collect(root->fs, &figures);

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		set_value(object, table[i].key, figure_value(&figures, &table[i]));
	set_value(object, "compression_ratio", ratio_value(figures.logical, figures.stored));
	set_value(object, "chunk_hit_rate", hit_rate_value(&figures.store));
	set_value(object, "sessions_by_status", statuses_value(&figures));
	set_value(object, "operations", operations_value(root->fs));
	return r;
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

static void print_head(FILE *out, const char *metric, const char *type, const char *help)
{
	fprintf(out, "# HELP sessfs_%s %s\n# TYPE sessfs_%s %s\n", metric, help, metric, type);
}

static void print_figure(FILE *out, const struct figures *figures, const struct figure *figure)
{
	print_head(out, figure->metric, figure->type, figure->help);
	fprintf(out, "sessfs_%s ", figure->metric);
	switch (figure->unit) {
	case NUMBER:
		fprintf(out, "%" PRIu64 "\n", *(const uint64_t *)field(figures, figure));
		break;
	case NANOSECONDS:
		fprintf(out, "%.9f\n", (double)*(const uint64_t *)field(figures, figure) / 1e9);
		break;
	case MOMENT:
		fprintf(out, "%.3f\n", (double)*(const int64_t *)field(figures, figure) / 1e9);
		break;
	case ERROR:
		fprintf(out, "%d\n", *(const int *)field(figures, figure));
		break;
	}
}

/* Bounds from 4 us to 1 s, each four times the one before; exact, as they are bounds of buckets. */
static void print_operation(FILE *out, const char *name, const struct operation_figures *figures)
{
	for (unsigned power = 12; power <= 30; power += 2)
		fprintf(out, "sessfs_request_duration_seconds_bucket{operation=\"%s\",le=\"%.9f\"} %" PRIu64 "\n", name,
			(double)(UINT64_C(1) << power) / 1e9, operation_within(figures, power));
	fprintf(out, "sessfs_request_duration_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name,
		figures->count);
	fprintf(out, "sessfs_request_duration_seconds_sum{operation=\"%s\"} %.9f\n", name,
		(double)figures->total_ns / 1e9);
	fprintf(out, "sessfs_request_duration_seconds_count{operation=\"%s\"} %" PRIu64 "\n", name, figures->count);
}

static void print_all(FILE *out, const struct fs *fs, const struct figures *figures)
{
	print_head(out, "build_info", "gauge", "Always 1; its label tells the version.");
	fprintf(out, "sessfs_build_info{version=\"%s\"} 1\n", SESSFS_VERSION);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		print_figure(out, figures, &table[i]);
	print_head(out, "sessions_by_status", "gauge", "Living sessions, by their status.");
	for (unsigned status = 0; status < STORE_STATUSES; status++)
		fprintf(out, "sessfs_sessions_by_status{status=\"%s\"} %" PRIu64 "\n", life_status_name(status),
			figures->statuses[status]);
	print_head(out, "request_duration_seconds", "histogram", "What requests of the kernel took.");
	for (unsigned code = 0; code < FS_OPERATIONS; code++) {
		struct operation_figures one;

		operation_figures(fs, code, &one);
		if (one.count)
			print_operation(out, operation_name(code), &one);
	}
}

int content_metrics(struct session *root, char **ret, size_t *ret_len)
{
	struct figures figures;
	char *text = NULL;
	size_t len;
	FILE *out;
	int r = collect(root->fs, &figures);

	if (r)
		return r;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	print_all(out, root->fs, &figures);
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}
