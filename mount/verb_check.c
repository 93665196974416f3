/* verb_check.c - `sessfs check STORE`: has the store verify itself, and prints what it finds. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mount/json.h"
#include "mount/message.h"
#include "mount/number.h"
#include "mount/path.h"
#include "mount/sentence.h"
#include "mount/table.h"
#include "mount/verb.h"
#include "store/store.h"

enum {
	BAR_WIDTH = 40,
	BAR_AFTER_MS = 1000, /* shorter work has no bar */
	BAR_EVERY_MS = 100,
	CODE_REPAIR = VERB_CODE_OWN,
};

struct checking {
	json_t *findings; /* NULL: they are printed at once */
	bool bar, color;
	bool drawn;
	int64_t last_ms; /* when the bar was drawn; at first: when it may be */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wipe_bar(struct checking *c)
{
	if (c->drawn)
		fprintf(stderr, "\r%*s\r", BAR_WIDTH + 9, "");
	c->drawn = false;
}

static void on_progress(void *arg, uint64_t done, uint64_t all)
{
	struct checking *c = arg;
	int64_t now = now_ms();

	if (!c->bar || now - c->last_ms < BAR_EVERY_MS || all == 0)
		return;
	c->last_ms = now;
	c->drawn = true;
	int filled = (int)(done >= all ? BAR_WIDTH : (double)done / (double)all * BAR_WIDTH);
	fprintf(stderr, "\r[%.*s%*s] %3d %%", filled, "========================================", BAR_WIDTH - filled,
		"", (int)(done >= all ? 100 : (double)done / (double)all * 100));
}

static void on_finding(void *arg, unsigned invariant, const char *text)
{
	struct checking *c = arg;
	char label[32] = "damage";

	wipe_bar(c);
	if (c->findings) {
		json_t *finding = json_object();
		json_add(finding, "invariant", invariant ? json_integer(invariant) : json_null());
		json_add(finding, "text", json_from_text(text));
		json_append(c->findings, finding);
		return;
	}
	if (invariant > 0)
		snprintf(label, sizeof label, "invariant %u", invariant);
	printf("%s%s:%s %s\n", c->color ? "\033[31m" : "", label, c->color ? "\033[0m" : "", text);
}

static void print_document(const char *store, const struct store_check_result *r, const struct checking *c)
{
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {{"sessions", r->sessions}, {"inodes", r->inodes}, {"names", r->names}, {"chunks", r->chunks},
		{"stored_bytes", r->bytes}, {"found", r->found}, {"repaired", r->repaired}, {"kept", r->kept}};
	json_t *document = json_object();

	json_add(document, "store", json_from_text(store));
	json_add(document, "clean", json_boolean(r->found == 0));
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		json_add(document, numbers[i].key, json_integer((json_int_t)numbers[i].n));
	json_add(document, "findings", json_incref(c->findings));
	json_print(document);
}

static void print_summary(const struct store_check_result *r, bool repair)
{
	char bytes[NUMBER_TEXT];

	number_format_size(r->bytes >= 10240 ? r->bytes & ~UINT64_C(1023) : r->bytes, bytes);
	const struct {
		const char *what;
		uint64_t count;
	} counts[] = {{"session", r->sessions}, {"inode", r->inodes}, {"name", r->names}, {"chunk", r->chunks}};
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		printf("%" PRIu64 " %s%s, ", counts[i].count, counts[i].what, counts[i].count == 1 ? "" : "s");
	printf("%s stored: ", bytes);
	if (r->found == 0) {
		printf("clean\n");
		return;
	}
	printf("%" PRIu64 " finding%s", r->found, r->found == 1 ? "" : "s");
	if (repair)
		printf(", %" PRIu64 " mended, %" PRIu64 " inodes kept in lost+found\n", r->repaired, r->kept);
	else
		printf("; `sessfs check --repair` mends what can be mended\n");
}

static int status_of(const struct store_check_result *r)
{
	if (r->found == 0)
		return CHECK_CLEAN;
	return (r->repaired ? CHECK_MENDED : 0) | (r->repaired < r->found ? CHECK_LEFT : 0);
}

static int check(const char *name, bool repair, bool json)
{
	struct checking c = {
		.findings = json ? json_array() : NULL,
		.bar = isatty(STDERR_FILENO),
		.color = table_has_colors(stdout),
		.last_ms = now_ms() + BAR_AFTER_MS - BAR_EVERY_MS,
	};
	struct store_check_options options = {
		.repair = repair,
		.report = on_finding,
		.progress = on_progress,
		.arg = &c,
	};
	struct store_check_result result = {0};
	struct store_open_info info = {0};
	char *path = path_resolve(name);

	int r = path ? store_check(path, &options, &result, &info) : STORE_NO_DIR;
	wipe_bar(&c);
	if (repair && (r == STORE_DAMAGED || r == -EIO))
		message_error("too much of %s/data.mdb is damaged for it to be mended (%s); put it back from a copy",
			path, info.what);
	else if (r != 0)
		sentence_store(r, path ? path : name, &info);
	else if (json)
		print_document(path, &result, &c);
	else
		print_summary(&result, repair);
	json_decref(c.findings);
	free(path);
	return r ? CHECK_FAILED : status_of(&result);
}

static bool take_option(void *arg, int code, const char *value)
{
	(void)value;
	*(bool *)arg = code == CODE_REPAIR;
	return true;
}

static int run_check(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;
	bool repair = false;
	int status = verb_parse(verb, argc, argv, &line, take_option, &repair);

	return status == VERB_GO_ON ? check(line.words[0], repair, line.json) : status;
}

static const struct verb_option options[] = {
	{CODE_REPAIR, "repair", NULL,
		"mend what can be mended, keep the rest in a session lost+found (the store may not be mounted)"},
	VERB_OPTION_JSON,
	VERB_NO_OPTION,
};

const struct verb verb_check = {
	.name = "check",
	.group = VERB_STORE,
	.run = run_check,
	.options = options,
	.words = "STORE",
	.word = VERB_A_DIR,
	.min_words = 1,
	.max_words = 1,
	.summary = "verify a store, also while it is mounted",
	.help = "Findings are printed with the number of the invariant of FORMAT.md they break.\n"
		"Exit status, bits as of fsck(8): 0 clean, 1 mended, 4 not all mended, 8 could not be checked, 16 "
		"usage.\n",
	.usage_status = CHECK_USAGE,
	.unprinted_status = CHECK_FAILED,
};
