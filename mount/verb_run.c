/* verb_run.c - `sessfs run -- COMMAND`: a session for one program, whose end decides what becomes of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mount/controls.h"
#include "mount/following.h"
#include "mount/making.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/relay.h"
#include "mount/removing.h"
#include "mount/verb.h"

/* As shells have it. */
enum { RUN_CANNOT = 126, RUN_NOT_FOUND = 127, RUN_SIGNAL = 128 };

enum { CODE_KEEP = VERB_CODE_OWN, CODE_NAME, CODE_TAG, CODE_QUERY };

struct run {
	struct making making;
	const char *name;
	bool keep;
	struct place place;
	int session;     /* a descriptor of its directory, which its command may rename */
	char *path;      /* of the session */
	int64_t started; /* nanoseconds since the epoch */
};

static const char *const logs[RELAY_STREAMS] = {"logs/stdout.log", "logs/stderr.log"};

static bool take_option(void *arg, int code, const char *value)
{
	struct run *run = arg;

	if (code == CODE_KEEP)
		run->keep = true;
	if (code == CODE_NAME)
		run->name = value;
	if (code == CODE_QUERY)
		run->making.query = value;
	if (code == CODE_TAG)
		making_add_tag(&run->making, value);
	return true;
}

static char *join(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		message_no_memory();
	return path;
}

/* ---- before ------------------------------------------------------------------------------------------------------ */

static void set_environment(const struct run *run, const char *here)
{
	char *results = join(run->path, "intermediate_results");

	setenv("SESSFS_MOUNT", run->place.mount, 1);
	setenv("SESSFS_SESSION", run->place.name, 1);
	setenv("SESSFS_DIR", run->path, 1);
	setenv("TMPDIR", results, 1);
	setenv("PWD", run->path, 1);
	if (here)
		setenv("OLDPWD", here, 1);
	free(results);
}

static bool open_logs(const struct run *run, struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		char *path = join(run->path, logs[i]);

		relay->copies[i] = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (relay->copies[i] < 0)
			message_error("%s cannot be written: %s", path, strerror(errno));
		free(path);
		if (relay->copies[i] < 0)
			return false;
	}
	return true;
}

static void close_logs(const struct relay *relay)
{
	for (int i = 0; i < RELAY_STREAMS; i++)
		if (relay->copies[i] >= 0)
			close(relay->copies[i]);
}

/* Nothing of it is worth keeping: as if there had been no session. */
static void undo(const struct run *run)
{
	for (int i = 0; i < RELAY_STREAMS; i++) {
		char *path = join(run->path, logs[i]);

		unlink(path);
		free(path);
	}
	rmdir(run->path);
}

/* ---- afterwards -------------------------------------------------------------------------------------------------- */

/* "exit status 3", "signal 9 (Killed)" */
static void tell_end(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
}

/* What its end was, and what its session is then. */
struct verdict {
	bool marked;    /* that is known, and said in how */
	bool completed; /* the session is */
	char how[256];  /* behind its name, in a sentence */
};

/* Gives it a status, unless the command wrote one itself. */
static struct verdict mark(const struct run *run, int status)
{
	char took[NUMBER_TEXT], why[96], text[128] = "completed";
	json_t *info = controls_read(&run->place, "info.json");
	const char *now = json_get_text(info, "status");
	struct verdict v = {.marked = info != NULL, .completed = strcmp(now, "completed") == 0};

	number_say_duration(moment_seconds(run->started, moment_now()), took);
	tell_end(status, why, sizeof why);
	if (strcmp(now, "active") != 0) {
		snprintf(v.how, sizeof v.how, "is %.32s, as its command made it, which ended after %s with %s", now,
			took, why);
	} else {
		if (status != 0)
			snprintf(text, sizeof text, "failed %s", why);
		v.marked = controls_write(&run->place, "status", text) == VERB_DONE;
		v.completed = status == 0;
		snprintf(v.how, sizeof v.how, v.completed ? "completed after %s" : "failed after %s with %s", took,
			why);
	}
	json_decref(info);
	return v;
}

static void say_kept(const struct run *run, const char *how)
{
	char when[MOMENT_TEXT], left[NUMBER_TEXT];
	json_t *info = controls_read(&run->place, "info.json");
	int64_t expires = json_get_time(info, "expires_at");

	message_note("%s %s: its files are in %s, what it printed in %s and %s", run->place.name, how, run->path,
		logs[0], logs[1]);
	moment_format_local(expires, when);
	number_say_duration(moment_seconds(moment_now(), expires), left);
	if (info && expires == 0)
		message_note("it does not expire; `sessfs rm %s` removes it", message_word(run->place.name));
	else if (info)
		message_note("it expires in %s, %s; `sessfs pin %s` keeps it", left, when,
			message_word(run->place.name));
	json_decref(info);
}

static void say_removed(const struct run *run, const char *how, const struct removed *removed)
{
	char when[MOMENT_TEXT];

	moment_format_local(removed->until, when);
	if (removed->name)
		message_note("%s %s and is removed; `sessfs undelete %s` takes it back until %s", run->place.name, how,
			message_word(removed->name), when);
	else
		message_note("%s %s and is removed", run->place.name, how);
}

static void settle(const struct run *run, int status)
{
	REMOVED_AUTO removed = {0};
	struct verdict v = mark(run, status);
	int error = status == 0 && v.marked && v.completed && !run->keep ? removing_move(&run->place, &removed) : -1;

	if (error == 0)
		say_removed(run, v.how, &removed);
	else if (v.marked)
		say_kept(run, v.how);
	if (error > 0)
		message_note("it is not removed: %s", strerror(error));
}

/* The session is where the command left it. */
static enum following follow(struct run *run)
{
	char *name;
	enum following found = following_find(run->session, &run->place, &name);

	if (found != FOLLOWING_ALIVE || strcmp(name, run->place.name) == 0) {
		free(name);
		return found;
	}
	message_note("its command renamed the session %s to %s", run->place.name, name);
	free(run->place.name);
	free(run->path);
	run->place.name = name;
	run->path = place_path(&run->place);
	return found;
}

/* By the command, or somebody else meanwhile. */
static void say_ended(const struct run *run, int status, const struct removed *removed)
{
	char took[NUMBER_TEXT], why[96], how[256];

	number_say_duration(moment_seconds(run->started, moment_now()), took);
	tell_end(status, why, sizeof why);
	snprintf(how, sizeof how, "was left by its command, which ended after %s with %s,", took, why);
	say_removed(run, how, removed);
}

static void say_lost(const struct run *run, int status)
{
	char took[NUMBER_TEXT], why[96];

	number_say_duration(moment_seconds(run->started, moment_now()), took);
	tell_end(status, why, sizeof why);
	message_error("the mount %s died or was unmounted while the command ran, which ended after %s with %s: mount "
		      "it again, and `sessfs status %s` tells how its session is",
		run->place.mount, took, why, message_word(run->place.name));
}

static int finish(struct run *run, int status, int lost)
{
	REMOVED_AUTO removed = {0};
	enum following found = follow(run);

	if (lost && found == FOLLOWING_ALIVE)
		message_error("not all that it printed is in %s/logs: %s", run->path,
			lost == EROFS ? "the session was made read-only before" : strerror(lost));
	if (found == FOLLOWING_ALIVE) {
		settle(run, status);
	} else if (found == FOLLOWING_LOST) {
		say_lost(run, status);
	} else {
		removing_find(run->session, &run->place, &removed);
		say_ended(run, status, &removed);
	}
	return WIFSIGNALED(status) ? RUN_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int say_cannot(const struct run *run, const char *command, int error)
{
	char text[160];

	message_error("%s cannot be run: %s", command, strerror(error));
	snprintf(text, sizeof text, "failed cannot be run: %s", strerror(error));
	if (!run->keep)
		undo(run);
	else if (controls_write(&run->place, "status", text) == VERB_DONE)
		say_kept(run, "failed");
	return error == ENOENT ? RUN_NOT_FOUND : RUN_CANNOT;
}

static int run_command(struct run *run, char **argv)
{
	struct relay relay = {.argv = argv, .dir = run->path, .copies = {-1, -1}};
	char *here = getcwd(NULL, 0), *absolute = NULL;
	int status = 0, lost = 0;

	if (!open_logs(run, &relay)) {
		close_logs(&relay);
		undo(run);
		free(here);
		return VERB_NOT_DONE;
	}
	if (here && argv[0][0] != '/' && strchr(argv[0], '/')) /* meant from here, but it starts there */
		argv[0] = absolute = join(here, argv[0]);
	set_environment(run, here);
	int error = relay_run(&relay, &status, &lost);
	close_logs(&relay);
	int result = error ? say_cannot(run, argv[0], error) : finish(run, status, lost);
	free(absolute);
	free(here);
	return result;
}

static int run_in_session(struct run *run, const struct verb_line *line)
{
	run->place.name = run->name ? strdup(run->name) : NULL;
	int status = making_make(&run->place, &run->making);

	if (status != VERB_DONE)
		return status;
	run->path = place_path(&run->place);
	run->session = following_open(&run->place);
	run->started = moment_now();
	if (run->session < 0) {
		message_error("%s cannot be opened: %s", run->path, strerror(errno));
		undo(run);
		return VERB_NOT_DONE;
	}
	return run_command(run, line->words);
}

static int run_run(const struct verb *verb, int argc, char **argv)
{
	struct run run = {.making.prefix = "run", .session = -1};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, take_option, &run, &line, &run.place);

	if (status == VERB_GO_ON)
		status = run_in_session(&run, &line);
	making_release(&run.making);
	place_release(&run.place);
	free(run.path);
	if (run.session >= 0)
		close(run.session);
	return status;
}

/* clang-format off */
static const struct verb_option options[] = {
	{CODE_KEEP, "keep", NULL, "keep the session also when the command succeeds"},
	{CODE_NAME, "name", "NAME", "the name of the session"},
	{CODE_QUERY, "query", "TEXT", "what it is about"},
	{CODE_TAG, "tag", "TAG", "a tag, by which it is found; may be given again"},
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_run = {
	.name = "run",
	.group = VERB_SESSION,
	.run = run_run,
	.options = options,
	.words = "-- COMMAND [ARGUMENT...]",
	.word = VERB_A_COMMAND,
	.min_words = 1,
	.max_words = -1,
	.ends_options = true,
	.summary = "run a command in a session of its own, which its end completes or fails",
	.help = "The session is called run_YYYYMMDD_HHMMSS. The command starts in its directory, with $SESSFS_SESSION "
		"(its name), $SESSFS_DIR (its path), $TMPDIR (its intermediate_results) and $OLDPWD (where you were).\n"
		"What it prints is also kept in logs/stdout.log and logs/stderr.log. Signals are passed on to it. When "
		"it succeeds the session is completed and, without --keep, removed; else it has failed, and stays. A "
		"status that the command sets itself is left, and a session that is not completed then stays.\n"
		"Exit status: the command's, 128 and the number of a signal, 126 or 127 if it cannot be run.\n",
	.usage_status = VERB_USAGE,
};
