/* verb_doctor.c - `sessfs doctor [STORE]`: says of everything sessfs needs whether it is fine, or how to mend it. */
#include <stdlib.h>
#include <unistd.h>

#include "mount/doctor.h"
#include "mount/json.h"
#include "mount/path.h"
#include "mount/table.h"
#include "mount/verb.h"

static const char *const states[] = {[MACHINE_OK] = "ok", [MACHINE_NOTE] = "note", [MACHINE_FIX] = "fix"};
static const char *const colors[] = {[MACHINE_OK] = "green", [MACHINE_NOTE] = "yellow", [MACHINE_FIX] = "red"};

static void add_row(void *arg, const char *check, const struct machine_answer *answer)
{
	const char *const cells[] = {states[answer->state], check, answer->text};

	table_add(arg, cells);
	table_color(arg, 0, colors[answer->state]);
}

static void add_object(void *arg, const char *check, const struct machine_answer *answer)
{
	json_t *object = json_object();

	json_add(object, "check", json_from_text(check));
	json_add(object, "state", json_from_text(states[answer->state]));
	json_add(object, "text", json_from_text(answer->text));
	json_append(arg, object);
}

static bool print_table(struct doctor *d)
{
	static const struct table_column columns[] = {{"STATE", 0}, {"CHECK", 0}, {"", 0}, {NULL, 0}};
	struct table *table = table_new(columns, false);

	d->tell = add_row;
	d->arg = table;
	bool good = doctor_run(d);
	table_print(table);
	return good;
}

static bool print_document(struct doctor *d)
{
	json_t *document = json_object(), *checks = json_array();

	d->tell = add_object;
	d->arg = checks;
	bool good = doctor_run(d);
	json_add(document, "ok", json_boolean(good));
	json_add(document, "checks", checks);
	json_print(document);
	return good;
}

/* Resolved, for the caller to free; a path that cannot be is taken as it is. */
static char *resolve(const char *path)
{
	char *whole = path && *path ? path_resolve(path) : NULL;

	return whole || !path || !*path ? whole : strdup(path);
}

static int run_doctor(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	if (status != VERB_GO_ON)
		return status;
	char *dir = resolve(line.mount ? line.mount : getenv("SESSFS_MOUNT"));
	char *store = resolve(line.count ? line.words[0] : NULL);
	struct doctor doctor = {
		.machine = {.root = "",
			.path = getenv("PATH"),
			.uid = geteuid(),
			.mount_barred = machine_mount_barred()},
		.dir = dir,
		.store = store,
		.is_dead = path_is_dead,
	};
	bool good = line.json ? print_document(&doctor) : print_table(&doctor);
	free(dir);
	free(store);
	return good ? VERB_DONE : VERB_NOT_DONE;
}

static const struct verb_option options[] = {
	{'m', "mount", "DIR", "where a store is to be mounted (else $SESSFS_MOUNT)"},
	VERB_OPTION_JSON,
	VERB_NO_OPTION,
};

const struct verb verb_doctor = {
	.name = "doctor",
	.group = VERB_STORE,
	.run = run_doctor,
	.options = options,
	.words = "[STORE]",
	.word = VERB_A_DIR,
	.max_words = 1,
	.summary = "say what keeps sessfs from working here, and how to mend it",
	.help = "Looks at /dev/fuse, the right to mount, fusermount3, AppArmor, /etc/fuse.conf, "
		"mount(8), stale mounts, the STORE (else those that are mounted) and its disk.\n"
		"Each line begins with `ok`, `note` (it works, within a limit) or `fix` (the line "
		"says how). Exit status: 0 nothing to fix, 1 something to fix.\n",
	.usage_status = VERB_USAGE,
};
