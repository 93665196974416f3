/*
 * faulter - makes the n-th allocation, LMDB call or system call of a daemon fail, n = 1, 2, ... until one run meets no
 * fault, under every kind of operation, during a flush, while reading, while mounting and while unmounting.
 *
 *   faulter STORE MOUNT CONTROL PRELOAD -s SEED [-q] [-c CLASS]
 *       CONTROL: a file to be shared with PRELOAD, build/tests/preload_fault.so. -q tries some n only
 *
 * An operation that met a fault either was done or has an errno that says why not and changed nothing; the daemon lives
 * on; with the fault gone everything works; `sessfs check` is clean. Exit status 0: so it is, 1: not, 2: could not be
 * run.
 */
#include "daemon.h"
#include "draw.h"
#include "dump.h"
#include "fault.h"
#include "run.h"

#include <getopt.h>
#include <sys/mman.h>

enum { MOST = 3000, QUICK_MOST = 40, FLUSH_LIMIT_MS = 10000, TRIES = 1000 };

static struct model model;
static struct run run;
static struct daemon daemon_under_test;
static struct fault_control *control;
static bool quick;
static uint64_t seed;
static struct {
	uint64_t tries, fired, refused, late;
} total;

static const char *const class_names[FAULT_CLASSES] = {"alloc", "lmdb", "system"};

/* ---- faults ------------------------------------------------------------------------------------------------------ */

struct fault {
	enum fault_class class;
	int error;
	bool lasting;
	uint64_t n;
};

static void arm(const struct fault *f)
{
	memset(control->name, 0, sizeof control->name);
	control->class = f->class;
	control->error = f->error;
	control->lasting = f->lasting;
	control->nth = f->n;
	control->count = 0;
	control->fired = 0;
	control->armed = 1;
}

/* Whether the fault was met. */
static bool disarm(void)
{
	control->armed = 0;
	total.tries++;
	total.fired += control->fired != 0;
	return control->fired != 0;
}

static bool wrong(const struct fault *f, const char *where, const char *what)
{
	fprintf(stderr, "%s: %s; %s call %llu (%s)%s failing with %s; seed %llu, operation %llu\n", where, what,
		class_names[f->class], (unsigned long long)f->n, control->name, f->lasting ? " and all after it" : "",
		strerror(f->error), (unsigned long long)seed, (unsigned long long)model.ops);
	return false;
}

static uint64_t next(uint64_t n)
{
	return quick && n > 6 ? n + n / 2 : n > 200 ? n + n / 8 : n + 1;
}

static bool may_fail_with(int error)
{
	return error == ENOMEM || error == EIO || error == ENOSPC;
}

/* ---- the state between faults ------------------------------------------------------------------------------------ */

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

static bool step(enum op_kind kind)
{
	struct op op;
	if (kind == OP_KINDS)
		op_draw(&model, &op);
	else if (!op_draw_kind(&model, kind, &op))
		return true;
	int error = op_run(&run, &model, &op);
	if (!error) {
		model_apply(&model, &op);
		return true;
	}
	op_print(&model, &op);
	fprintf(stderr, "failed with no fault: %s\n", strerror(error));
	return false;
}

static void lose_held(void)
{
	run_lose_held(&run);
	model_lose_held(&model);
}

static bool restart(void)
{
	lose_held();
	bool fine = daemon_stop(&daemon_under_test) && daemon_check(&daemon_under_test);
	daemon_start(&daemon_under_test);
	return compare(false) && fine;
}

static bool lives(void)
{
	struct pollfd ended = {.fd = daemon_under_test.pidfd, .events = POLLIN};
	return poll(&ended, 1, 0) == 0;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

/* One operation with one fault. *met tells whether it was met. */
static bool try_operation(const struct fault *f, enum op_kind kind, bool *met)
{
	struct op op;
	*met = false;
	for (int i = 0; !op_draw_kind(&model, kind, &op); i++) {
		if (i == 200)
			return true;
		if (!step(OP_KINDS))
			return wrong(f, op_table[kind].name, "the operations before it do not work");
	}
	arm(f);
	int error = op_run(&run, &model, &op);
	*met = disarm();
	total.refused += error != 0;
	if (error && run.written && *met) {
		op.len = run.written; /* the first of several requests was done, and a short count says so */
		error = 0;
	}
	if (!error)
		model_apply(&model, &op);
	if (!lives())
		return wrong(f, op_table[kind].name, "the daemon has died");
	if (error && (!*met || !may_fail_with(error)))
		return wrong(f, op_table[kind].name, strerror(error));
	if (!*met || compare(error != 0))
		return true;
	if (!error)
		return wrong(f, op_table[kind].name, "succeeded, not whole");
	/* Done, and then the answer could not be made: whole, but a pity. */
	total.late++;
	printf("%s was done, but answered %s: %s\n", op_table[kind].name, strerror(error), control->name);
	model_apply(&model, &op);
	return compare(false) || wrong(f, op_table[kind].name, "failed, and left something");
}

static bool try_operations(struct fault f)
{
	for (int kind = 0; kind < OP_KINDS; kind++) {
		bool met = true;
		for (f.n = 1; met && f.n < (quick ? QUICK_MOST : MOST); f.n = next(f.n)) {
			if (!try_operation(&f, kind, &met))
				return false;
			if (!step(OP_KINDS))
				return wrong(&f, op_table[kind].name, "what follows does not work");
		}
		if (!restart())
			return wrong(&f, op_table[kind].name, "after a restart");
	}
	return true;
}

/* ---- flushes ----------------------------------------------------------------------------------------------------- */

static unsigned long long stat_number(const char *name)
{
	struct dump d = {0};
	int root = open(run.mount, O_RDONLY | O_DIRECTORY);
	ssize_t n = dump_read(&d, root, ".sessfs/stats.json");
	if (root >= 0)
		close(root);
	unsigned long long value = ~0ull;
	if (n >= 0 && n < DUMP_FILE) {
		d.buffer[n] = 0;
		value = dump_number((const char *)d.buffer, name);
	}
	dump_release(&d);
	return value;
}

/* Until a flush has ended, or the fault was met and the daemon had time to notice; asks again every millisecond. */
static bool wait_flushed(unsigned long long flushes, bool or_fired)
{
	int64_t until = daemon_now() + (int64_t)FLUSH_LIMIT_MS * 1000000;
	while (daemon_now() < until) {
		if (stat_number("flushes") > flushes || (or_fired && control->fired))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return false;
}

/* Operations until something has changed: where no directory is left, no file is made. */
static bool change_something(void)
{
	unsigned long long batches = stat_number("batches");
	for (int i = 0; i < 3 || stat_number("batches") == batches; i++)
		if (i == TRIES || !step(OP_CREATE) || !step(OP_WRITE) || !step(OP_UNLINK) || (i > 2 && !step(OP_KINDS)))
			return false;
	return true;
}

/* A flush comes by itself, `commit` seconds after a change. */
static bool try_flush(const struct fault *f, bool *met)
{
	unsigned long long flushes = stat_number("flushes");
	if (!change_something())
		return wrong(f, "flush", "the operations before it do not work");
	arm(f);
	bool ended = wait_flushed(flushes, true);
	*met = disarm();
	if (!lives())
		return wrong(f, "flush", "the daemon has died");
	if (!ended)
		return wrong(f, "flush", "none came");
	if (*met && !wait_flushed(flushes, false))
		return wrong(f, "flush", "none came after the fault was gone");
	return compare(false) || wrong(f, "flush", "something was lost");
}

static bool try_flushes(struct fault f)
{
	bool met = true;
	for (f.n = 1; met && f.n < (quick ? 4 : MOST); f.n = next(f.n))
		if (!try_flush(&f, &met))
			return false;
	return restart() || wrong(&f, "flush", "after a restart");
}

/* ---- reading, mounting, unmounting ------------------------------------------------------------------------------- */

/* All of the tree, with nothing cached by the kernel: what can be read is right, what cannot has an errno. */
static bool try_reading(struct fault f)
{
	bool met = true;
	for (f.n = 1; met && f.n < (quick ? QUICK_MOST : MOST); f.n = next(next(f.n))) {
		if (!restart())
			return wrong(&f, "reading", "the restart before it");
		lose_held();
		daemon_stop(&daemon_under_test);
		daemon_start(&daemon_under_test);
		char *expected = dump_model(&model, true);
		arm(&f);
		char *found = dump_tree(run.mount);
		int error = found ? 0 : errno;
		met = disarm();
		bool same = found && !strcmp(expected, found);
		if (found && !same)
			dump_differences(expected, found);
		free(expected);
		free(found);
		if (error ? !may_fail_with(error) : !same)
			return wrong(&f, "reading", error ? strerror(error) : "something else came back");
		if (!lives() || !compare(false))
			return wrong(&f, "reading", "what follows does not work");
	}
	return true;
}

static bool ended_by_signal(int status)
{
	return status == -1 || WIFSIGNALED(status);
}

static bool try_mounting(struct fault f)
{
	bool met = true;
	for (f.n = 1; met && f.n < (quick ? QUICK_MOST : MOST); f.n = next(f.n)) {
		for (int i = 0; i < 5; i++)
			if (!step(OP_KINDS))
				return wrong(&f, "mounting", "the operations before it do not work");
		lose_held();
		daemon_kill(&daemon_under_test);
		arm(&f);
		daemon_spawn(&daemon_under_test);
		bool up = daemon_wait_mounted(&daemon_under_test);
		met = disarm();
		if (!up && ended_by_signal(daemon_wait(&daemon_under_test)))
			return wrong(&f, "mounting", "ended by a signal, or not at all");
		if (!up) {
			total.refused++;
			daemon_kill(&daemon_under_test);
			daemon_start(&daemon_under_test);
		}
		if (!compare(false))
			return wrong(&f, "mounting", "something was lost");
	}
	daemon_kill(&daemon_under_test);
	daemon_start(&daemon_under_test);
	return restart() || wrong(&f, "mounting", "after a restart");
}

static bool try_unmounting(struct fault f)
{
	bool met = true;
	char *const argv[] = {(char *)daemon_under_test.program, "umount", (char *)daemon_under_test.mount, NULL};
	for (f.n = 1; met && f.n < (quick ? QUICK_MOST : MOST); f.n = next(f.n)) {
		for (int i = 0; i < 5; i++)
			if (!step(OP_KINDS))
				return wrong(&f, "unmounting", "the operations before it do not work");
		lose_held();
		arm(&f);
		int status = daemon_command(&daemon_under_test, argv), ended = daemon_wait(&daemon_under_test);
		met = disarm();
		total.refused += status != 0;
		if (ended_by_signal(ended) || ended_by_signal(status))
			return wrong(&f, "unmounting", "ended by a signal, or not at all");
		daemon_detach(&daemon_under_test);
		daemon_start(&daemon_under_test);
		if (!compare(false))
			return wrong(&f, "unmounting", "something was lost");
	}
	return restart() || wrong(&f, "unmounting", "after a restart");
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static bool try_class(enum fault_class class, bool lasting)
{
	static const int errors[FAULT_CLASSES][3] = {{ENOMEM}, {ENOMEM, EIO, ENOSPC}, {EIO, ENOSPC, ENOMEM}};
	for (int i = 0; i < 3 && errors[class][i]; i++) {
		struct fault f = {.class = class, .error = errors[class][i], .lasting = lasting};
		if (quick && i > 1)
			break;
		bool fine =
			try_operations(f) && try_flushes(f) && try_reading(f) && try_mounting(f) && try_unmounting(f);
		printf("%s %s%s: %llu tries, %llu faults met, %llu refusals, %llu of them late\n",
			class_names[class], strerror(f.error), lasting ? ", lasting" : "",
			(unsigned long long)total.tries, (unsigned long long)total.fired,
			(unsigned long long)total.refused, (unsigned long long)total.late);
		fflush(stdout);
		if (!fine)
			return false;
	}
	return true;
}

static bool try_all(int only)
{
	for (int class = 0; class < FAULT_CLASSES; class++) {
		if (only >= 0 && class != only)
			continue;
		if (!try_class(class, false) || (!quick && !try_class(class, true)))
			return false;
	}
	return true;
}

static void map_control(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *control))
		daemon_die(path);
	control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		daemon_die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	static char preload[4096], control_path[4096];
	static char *environment[] = {preload, control_path, NULL};
	int c, only = -1;
	seed = (uint64_t)daemon_now();
	while ((c = getopt(argc, argv, "s:qc:")) >= 0) {
		switch (c) {
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 'q': quick = true; break;
		case 'c': only = (int)strtol(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (argc - optind != 4) {
		fprintf(stderr, "usage: faulter STORE MOUNT CONTROL PRELOAD [-s SEED] [-q] [-c CLASS]\n");
		return 2;
	}
	char **words = argv + optind;
	snprintf(control_path, sizeof control_path, "FAULT_CONTROL=%s", words[2]);
	snprintf(preload, sizeof preload, "LD_PRELOAD=%s", words[3]);
	daemon_under_test = (struct daemon){.program = getenv("SESSFS"), .log = getenv("DAEMON_LOG"), .store = words[0],
		.mount = words[1], .options = "hot_size=4M,commit=1,ttl=0,cache_ttl=0", .environment = environment};
	printf("seed %llu\n", (unsigned long long)seed);
	umask(0);
	map_control(words[2]);
	model_init(&model, seed);
	model.trash = true;
	model.max_size = 200000;
	model.max_write = 20000;
	model.max_nodes = 40;
	run_init(&run, words[1]);
	daemon_start(&daemon_under_test);
	bool fine = try_all(only);
	lose_held();
	if (!fine)
		daemon_kill(&daemon_under_test);
	return !fine || !daemon_stop(&daemon_under_test) || !daemon_check(&daemon_under_test);
}
