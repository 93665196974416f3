/*
 * recorder - random operations on a mount against a model of them, through deaths of the daemon.
 *
 *   recorder crash STORE MOUNT -s SEED -k KILLS [-c EVERY] [-o OPTIONS] [-w]
 *       kill -9 at random moments, also while it starts and while it stops; after the remount the tree is the model's,
 *       where the operation that was in flight may or may not have happened, whole. -w: each file is closed before the
 *       next operation
 *   recorder twin STORE MOUNT -s SEED
 *       alters the tree behind the model's back: must be noticed
 *   recorder run MOUNT -s SEED -n OPERATIONS -l LOG [-r K]...
 *       a workload; LOG takes the time of each operation. -r: goes on after a power cut that left K operations
 *   recorder verify MOUNT -s SEED -l LOG -t TIME [-g AGE] [-a] [-r K]...
 *       the tree is one that a power cut at TIME may leave. -a: says of an older one, too, which it is
 *
 * Every operation follows from the seed; only the moments of the kills are left to chance. Exit status 0: as it should
 * be, 1: not, 2: could not be run.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>

#include "daemon.h"
#include "draw.h"
#include "dump.h"
#include "run.h"

#define CUT_AT_END INT64_MAX
enum { RESUMES = 16 };

struct options {
	uint64_t seed;
	long kills, every, ops;
	const char *log;
	int64_t now, age; /* ns: moment of the cut, CUT_AT_END: after a clean end; how old what is lost may be */
	bool closes, any; /* any: also say which older state it is, and fail */
	long resumed[RESUMES]; /* numbers of operations after which a power cut had already been, ascending */
	int resumes;
};

static struct model model;
static struct run run;
static struct daemon daemon_under_test;
static uint64_t chance; /* for the moments of kills: apart from the model's numbers */
static atomic_bool killed;

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static bool compare(bool quiet)
{
	char *expected = dump_model(&model, true), *found = dump_tree(run.mount);
	bool same = found && !strcmp(expected, found);
	if (found && !same && !quiet)
		dump_differences(expected, found);
	free(expected);
	free(found);
	return same;
}

static bool matches(const char *found, bool live)
{
	char *expected = dump_model(&model, live);
	bool same = !strcmp(expected, found);
	free(expected);
	return same;
}

/*
 * Whether the tree is that of a write half done: the kernel may send it in several requests, cut between pages.
 * Whatever comes out, the model is then at some beginning of it, and doing it as a whole, at op->offset, is right.
 */
static bool is_begun_write(const struct op *op, const char *found, bool live)
{
	struct op part = *op;
	if (op->kind != OP_WRITE && op->kind != OP_APPEND)
		return false;
	part.kind = OP_WRITE;
	for (uint64_t end = (op->offset / 4096 + 1) * 4096; end < op->offset + op->len; end += 4096) {
		part.len = end - op->offset;
		model_apply(&model, &part);
		model.ops--;
		if (matches(found, live))
			return true;
	}
	return false;
}

static void apply_whole(const struct op *op)
{
	struct op whole = *op;
	whole.kind = op->kind == OP_APPEND ? OP_WRITE : op->kind;
	model_apply(&model, &whole);
}

/* After a kill: with or without the operation in flight, if there is one. */
static bool settle(const struct op *in_flight)
{
	if (!in_flight)
		return compare(false);
	if (compare(true))
		return true;
	char *before = dump_model(&model, true), *found = dump_tree(run.mount);
	bool right = found && is_begun_write(in_flight, found, true);
	if (!right && found) {
		apply_whole(in_flight);
		right = matches(found, true);
	}
	if (!right && found) {
		op_print(&model, in_flight);
		fprintf(stderr, "was in flight; the tree differs from that before it:\n");
		dump_differences(before, found);
		fprintf(stderr, "and from that after it:\n");
		compare(false);
	}
	free(before);
	free(found);
	return right;
}

static bool step(struct op *op)
{
	op_draw(&model, op);
	int error = op_run(&run, &model, op);
	if (!error)
		model_apply(&model, op);
	else if (!killed) {
		op_print(&model, op);
		fprintf(stderr, "failed: %s\n", strerror(error));
	}
	return !error;
}

/* ---- kills ------------------------------------------------------------------------------------------------------- */

static void *killer(void *arg)
{
	uint64_t microseconds = *(uint64_t *)arg;
	struct timespec moment = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
	nanosleep(&moment, NULL);
	killed = true;
	kill(daemon_under_test.pid, SIGKILL);
	return NULL;
}

static pthread_t kill_after(uint64_t *microseconds)
{
	pthread_t thread;
	killed = false;
	if (pthread_create(&thread, NULL, killer, microseconds))
		daemon_die("pthread_create");
	return thread;
}

/* Operations until the daemon dies. False: one failed while it was alive. */
static bool kill_at_work(struct op *in_flight)
{
	uint64_t after = random_below(&chance, random_below(&chance, 3) ? 60000 : 1500000);
	pthread_t thread = kill_after(&after);
	while (step(in_flight))
		continue;
	bool fine = killed;
	pthread_join(thread, NULL);
	return fine;
}

/* Starts the daemon and kills it before or soon after the mount is there: in the middle of recovery. */
static void kill_at_start(void)
{
	uint64_t after = random_below(&chance, 40000);
	daemon_spawn(&daemon_under_test);
	pthread_join(kill_after(&after), NULL);
	daemon_kill(&daemon_under_test);
}

/* Everything was answered before: nothing is in flight. */
static bool kill_at_stop(void)
{
	struct op op;
	uint64_t after = random_below(&chance, 30000);
	killed = false;
	for (int i = 0; i < 300; i++)
		if (!step(&op))
			return false;
	pthread_t thread = kill_after(&after);
	kill(daemon_under_test.pid, SIGTERM);
	pthread_join(thread, NULL);
	return true;
}

/* Whether the operation that the daemon's death interrupted can be seen in the tree at all. */
static bool leaves_trace(const struct op *op)
{
	bool on_orphan = op->entry < 0 && op->node && !model.nodes[op->node].links;
	return !on_orphan && op->kind != OP_HOLD && op->kind != OP_DROP;
}

/* One life of the daemon: work, death, start, comparison. */
static bool live_and_die(bool check)
{
	struct op op = {0};
	uint64_t way = random_below(&chance, 6);
	bool at_stop = way == 0, fine = at_stop ? kill_at_stop() : kill_at_work(&op);
	daemon_kill(&daemon_under_test);
	if (way == 1)
		kill_at_start();
	bool in_flight = !at_stop && leaves_trace(&op);
	run_lose_held(&run);
	model_lose_held(&model);
	if (check && !daemon_check(&daemon_under_test))
		return false; /* the store is left as it is, to be looked at */
	daemon_start(&daemon_under_test);
	return settle(in_flight ? &op : NULL) && fine;
}

/* A clean stop, a check, a start: the tree is the same. */
static bool stop_and_start(void)
{
	run_lose_held(&run);
	model_lose_held(&model);
	if (!daemon_stop(&daemon_under_test) || !daemon_check(&daemon_under_test))
		return false;
	daemon_start(&daemon_under_test);
	return compare(false);
}

static void make_store(void)
{
	const char *store = daemon_under_test.store;
	char *const argv[] = {(char *)daemon_under_test.program, "init", (char *)store, NULL};
	if (access(store, F_OK) && daemon_command(&daemon_under_test, argv))
		daemon_die("sessfs init");
}

static int crash(const struct options *o)
{
	bool fine = true;
	long number = 0;
	make_store();
	daemon_start(&daemon_under_test);
	while (fine && number < o->kills) {
		number++;
		fine = live_and_die(number % o->every == o->every / 2);
		if (fine && number % o->every == 0)
			fine = stop_and_start();
	}
	run_lose_held(&run);
	if (!fine) {
		daemon_kill(&daemon_under_test);
		fprintf(stderr, "wrong after kill %ld, operation %llu, seed %llu\n", number,
			(unsigned long long)model.ops, (unsigned long long)o->seed);
		return 1;
	}
	fine = daemon_stop(&daemon_under_test) && daemon_check(&daemon_under_test);
	printf("%ld kills, %llu operations, %d inodes\n", number, (unsigned long long)model.ops, model.used);
	return !fine;
}

/* ---- a workload with times, and the tree after some of it -------------------------------------------------------- */

static void small_model(void)
{
	model.max_size = 150000;
	model.max_write = 12288;
	model.max_nodes = 70;
	model.syncs = true;
}

/* After operation k: was it the last one before a power cut, then nothing is open any more. */
static void pass_cut(const struct options *o, long k)
{
	for (int i = 0; i < o->resumes; i++)
		if (o->resumed[i] == k)
			model_lose_held(&model);
}

static long last_resume(const struct options *o)
{
	return o->resumes ? o->resumed[o->resumes - 1] : 0;
}

/* Operation k; with `found`, says first whether that is the tree half-way. */
static bool replay(const struct options *o, long k, const char *found)
{
	struct op op;
	op_draw(&model, &op);
	bool begun = found && is_begun_write(&op, found, false);
	if (!begun) {
		apply_whole(&op);
		pass_cut(o, k);
	}
	return begun;
}

/* One line an operation: begin, end (CLOCK_MONOTONIC, ns), 1 if it promises that all before it is durable. */
static int workload(const struct options *o)
{
	FILE *log = fopen(o->log, "w");
	if (!log)
		daemon_die(o->log);
	small_model();
	for (long k = 1; k <= last_resume(o); k++)
		replay(o, k, NULL);
	for (long i = 0; i < o->ops; i++) {
		struct op op;
		int64_t begin = daemon_now();
		if (!step(&op))
			return 1;
		int64_t end = daemon_now();
		fprintf(log, "%lld %lld %d\n", (long long)begin, (long long)end,
			op.kind == OP_FSYNC || op.kind == OP_FSYNCDIR);
	}
	run_lose_held(&run);
	model_lose_held(&model);
	return fclose(log) != 0;
}

/* At time `now` at least *first operations are durable, at most *last have begun. */
static void bounds(const struct options *o, long *first, long *last)
{
	long long begin, end;
	int sync;
	FILE *log = fopen(o->log, "r");
	if (!log)
		daemon_die(o->log);
	*first = *last = last_resume(o);
	for (long k = *first + 1; fscanf(log, "%lld %lld %d", &begin, &end, &sync) == 3; k++) {
		if (begin < o->now)
			*last = k;
		if (end < o->now && (sync || end < o->now - o->age || o->now == CUT_AT_END))
			*first = k;
	}
	fclose(log);
}

static int verify(const struct options *o)
{
	long first, last, k = 0;
	bool half = false;
	char *found = dump_tree(run.mount), *expected;
	if (!found)
		return 1;
	small_model();
	bounds(o, &first, &last);
	while (!half && (!(k >= first || o->any) || !matches(found, false))) {
		expected = dump_model(&model, false);
		if (k == first || k == last) {
			fprintf(stderr, "not the tree after %ld operations:\n", k);
			dump_differences(expected, found);
		}
		free(expected);
		if (k == last) {
			fprintf(stderr, "no tree between %ld and %ld operations\n", first, last);
			free(found);
			return 1;
		}
		half = replay(o, k + 1, k >= first || o->any ? found : NULL);
		k += !half;
	}
	printf("%ld operations%s, of %ld to %ld\n", k, half ? " and a half" : "", first, last);
	free(found);
	return k < first;
}

/* ---- the twin that shows that a comparison can fail -------------------------------------------------------------- */

static int twin(void)
{
	struct op op;
	int missed = 0;
	make_store();
	daemon_start(&daemon_under_test);
	for (int i = 0; i < 400; i++)
		if (!step(&op))
			return 1;
	for (int kind = 0; kind < OP_KINDS && compare(false); kind++) {
		bool silent = kind == OP_HOLD || kind == OP_DROP || kind == OP_FSYNC || kind == OP_FSYNCDIR;
		if (silent || !op_draw_kind(&model, kind, &op))
			continue;
		char *before = dump_model(&model, true);
		bool ran = op_run(&run, &model, &op) == 0, noticed = !compare(true);
		model_apply(&model, &op);
		char *after = dump_model(&model, true);
		if (!ran || (!noticed && strcmp(before, after))) {
			fprintf(stderr, "%s was not noticed\n", op_table[kind].name);
			missed++;
		}
		free(before);
		free(after);
	}
	bool same = compare(false);
	run_lose_held(&run);
	return !daemon_stop(&daemon_under_test) || missed || !same;
}

/* ---- command line ------------------------------------------------------------------------------------------------ */

static int usage(void)
{
	fprintf(stderr, "usage: recorder crash|twin STORE MOUNT | run|verify MOUNT, with options: see recorder.c\n");
	return 2;
}

static struct options parse(int argc, char **argv)
{
	struct options o = {.seed = (uint64_t)daemon_now(), .kills = 5, .every = 10, .ops = 1000, .age = INT64_MAX / 2};
	int c;
	while ((c = getopt(argc, argv, "s:k:c:o:n:l:t:g:awr:")) >= 0) {
		switch (c) {
		case 's': o.seed = strtoull(optarg, NULL, 0); break;
		case 'k': o.kills = strtol(optarg, NULL, 0); break;
		case 'c': o.every = strtol(optarg, NULL, 0); break;
		case 'o': daemon_under_test.options = optarg; break;
		case 'n': o.ops = strtol(optarg, NULL, 0); break;
		case 'l': o.log = optarg; break;
		case 't': o.now = strtoll(optarg, NULL, 0); break;
		case 'g': o.age = strtoll(optarg, NULL, 0); break;
		case 'a': o.any = true; break;
		case 'w': o.closes = true; break;
		case 'r':
			if (o.resumes == RESUMES)
				exit(usage());
			o.resumed[o.resumes++] = strtol(optarg, NULL, 0);
			break;
		default: exit(usage());
		}
	}
	return o;
}

int main(int argc, char **argv)
{
	daemon_under_test.program = getenv("SESSFS") ? getenv("SESSFS") : "build/sessfs";
	daemon_under_test.log = getenv("DAEMON_LOG") ? getenv("DAEMON_LOG") : "daemon.log";
	daemon_under_test.options = "hot_size=4M,commit=1,ttl=0,cache_ttl=0"; /* the model does not age */
	struct options o = parse(argc, argv);
	char **words = argv + optind;
	int count = argc - optind;
	umask(0);
	model_init(&model, o.seed);
	model.no_holds = o.closes;
	model.trash = true;
	chance = o.seed ^ (uint64_t)daemon_now();
	if (count == 3 && (!strcmp(words[0], "crash") || !strcmp(words[0], "twin"))) {
		daemon_under_test.store = words[1];
		daemon_under_test.mount = words[2];
		run_init(&run, words[2]);
		run.confirm = o.closes;
		printf("seed %llu\n", (unsigned long long)o.seed);
		return words[0][0] == 'c' ? crash(&o) : twin();
	}
	if (count != 2)
		return usage();
	run_init(&run, words[1]);
	if (!strcmp(words[0], "run"))
		return workload(&o);
	return strcmp(words[0], "verify") ? usage() : verify(&o);
}
