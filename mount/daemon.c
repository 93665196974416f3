/*
 * daemon.c - see daemon.h. A life in the background:
 *
 *   parent   forks, waits on the pipe .................................. reads the status, exits with it
 *   child    opens the store, mounts, serves; INIT answered: leaves the terminal, writes 0; ... closes the store
 */
#include "mount/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "fs/fs.h"
#include "mount/closing.h"
#include "mount/message.h"
#include "mount/notify.h"
#include "mount/path.h"
#include "mount/preflight.h"
#include "mount/sentence.h"
#include "mount/verb.h"
#include "store/store.h"

enum {
	CLOSING_POLL_MS = 20,   /* how often a store is tried that its last daemon is just closing */
	CLOSING_NOTE_MS = 1000, /* when to say what is waited for */
	CLOSING_PATIENCE_MS = 10000,
};

struct daemon {
	const struct mount_plan *plan;
	struct fs_setting *settings;
	struct store *store;
	struct fs *fs;
	int pipe;         /* to the waiting parent, or -1 */
	int closing;      /* see closing.h */
	sigset_t signals; /* the caller's mask */
};

static _Atomic(struct fs *) serving; /* what a signal stops */

static void on_signal(int sig)
{
	struct fs *fs = atomic_load(&serving);

	(void)sig;
	if (fs)
		fs_stop(fs);
}

static const int stops[] = {SIGTERM, SIGINT, SIGHUP};
enum { N_STOPS = sizeof stops / sizeof stops[0] };

/* They wait for catch_signals, and reach no thread that is made meanwhile: the handler shall not run beside fs_free. */
static void hold_signals(sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < N_STOPS; i++)
		sigaddset(&set, stops[i]);
	pthread_sigmask(SIG_BLOCK, &set, ret_before);
}

static void catch_signals(struct daemon *d)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	atomic_store(&serving, d->fs);
	for (int i = 0; i < N_STOPS; i++)
		sigaction(stops[i], &act, NULL);
	pthread_sigmask(SIG_SETMASK, &d->signals, NULL);
}

static void tell_parent(struct daemon *d, int status)
{
	unsigned char byte = (unsigned char)status;

	if (d->pipe >= 0) {
		(void)!write(d->pipe, &byte, 1);
		close(d->pipe);
	}
	d->pipe = -1;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	message_to_syslog();
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void on_ready(void *arg)
{
	struct daemon *d = arg;

	if (d->plan->verbose)
		message_note("%s is mounted on %s", d->plan->store, d->plan->dir);
	notify_ready();
	if (d->pipe >= 0)
		leave_terminal();
	tell_parent(d, MOUNT_DONE);
}

static int open_status(int r)
{
	return r == STORE_DENIED ? MOUNT_USAGE : r < 0 || r == STORE_FULL ? MOUNT_SYSTEM : MOUNT_FAILED;
}

/* In use, but mounted nowhere: its last daemon is still closing it. */
static bool is_closing(const char *store, int pid)
{
	struct mounted m;
	bool here = mounted_store(store, &m);

	if (!here && !mounted_store_by(pid, store, &m))
		return true;
	bool dead = here && path_is_dead(m.dir);
	mounted_release(&m);
	return dead;
}

/* Also of a store that is not opened after all: the next start may find its logs made anew. */
static void tell_logs(const char *store, const struct store_open_info *info)
{
	if (info->logs_damaged)
		message_error("the logs of %s are damaged: what was done last before it was closed is lost", store);
	if (info->logs_missing)
		message_error("the last daemon of %s did not end in order, and the log it wrote (hot.0, hot.1) is "
			      "gone: what was done last may be lost",
			store);
}

static int open_store(struct daemon *d)
{
	const struct mount_plan *p = d->plan;
	const struct mount_options *o = &p->options;
	struct store_options options = {
		.read_only = o->read_only,
		.create = !o->read_only,
		.level = (int)o->compress,
		.commit = (unsigned)o->commit,
		.hot_size = o->hot_size & ~UINT64_C(4095),
		.max_size = o->max_store_size,
	};
	const struct timespec pause = {.tv_nsec = CLOSING_POLL_MS * 1000000};
	struct store_open_info info = {0};

	if (p->missing && mkdir(p->store, 0700) < 0 && errno != EEXIST) {
		message_error("the directory %s for a new store cannot be made: %s", p->store, strerror(errno));
		return MOUNT_FAILED;
	}
	int r = store_open(p->store, &options, &d->store, &info);
	for (int ms = 0; r == STORE_BUSY && ms < CLOSING_PATIENCE_MS && is_closing(p->store, info.pid);
		ms += CLOSING_POLL_MS) {
		if (ms == CLOSING_NOTE_MS)
			message_note("waiting for process %d to close the store %s ...", info.pid, p->store);
		ppoll(NULL, 0, &pause, &d->signals);
		r = store_open(p->store, &options, &d->store, &info);
	}
	tell_logs(p->store, &info);
	if (r != 0) {
		sentence_store(r, p->store, &info);
		if (p->missing)
			rmdir(p->store);
		return open_status(r);
	}
	if (p->fresh)
		message_note("made a new store in %s", p->store);
	d->closing = o->read_only ? -1 : closing_begin(p->store);
	return 0;
}

static void say_apparmor(int error)
{
	if ((error == EPERM || error == EACCES) && access("/etc/apparmor.d/fusermount3", F_OK) == 0)
		message_error("AppArmor's profile of fusermount3 lets users mount only below their home, /mnt, /media, "
			      "/tmp and "
			      "/run/user: mount there, or allow the path in /etc/apparmor.d/local/fusermount3");
}

/* The options as they hold: what was left to the machine is found out. */
static struct fs_setting *settings_in_force(const struct daemon *d)
{
	struct mount_options in_force = d->plan->options;
	struct store_stats stats;

	store_stats(d->store, &stats);
	if (stats.hot_limit)
		in_force.hot_size = stats.hot_limit;
	in_force.max_threads = fs_threads((unsigned)in_force.max_threads);
	return options_settings(&in_force);
}

static int mount_it(struct daemon *d)
{
	const struct mount_plan *p = d->plan;
	const struct mount_options *o = &p->options;
	struct fs_options options = {
		.store_path = p->store,
		.mount_path = p->dir,
		.read_only = o->read_only,
		.writeback = o->writeback,
		.noatime = o->noatime,
		.nodiratime = o->nodiratime,
		.show_control = o->show_control,
		.auto_unmount = o->auto_unmount,
		.allow_other = o->allow_other,
		.allow_root = o->allow_root,
		.debug = p->debug,
		.max_file_size = o->max_file_size,
		.ttl = o->ttl,
		.retain = o->retain,
		.keep = o->keep,
		.cache_ttl = o->cache_ttl,
		.cache_size = o->cache_size,
		.grace = o->grace,
		.max_threads = (unsigned)o->max_threads,
		.max_write = (unsigned)o->max_write,
		.max_readahead = (unsigned)o->max_readahead,
		.max_background = (unsigned)o->max_background,
		.congestion_threshold = (unsigned)o->congestion_threshold,
		.fuse_options = o->kernel,
		.settings = d->settings,
	};
	int error = p->replace ? path_unmount(p->dir, true) : 0;

	if (error) {
		message_error("the dead mount on %s could not be taken away: %s", p->dir, strerror(error));
		return MOUNT_FAILED;
	}
	int r = fs_new(d->store, &options, &d->fs);
	if (r < 0) {
		sentence_store(r, p->store, &(struct store_open_info){.what = "read what it begins with"});
		return MOUNT_SYSTEM;
	}
	catch_signals(d);
	r = fs_mount(d->fs);
	if (r < 0) {
		message_error("%s could not be mounted on %s: %s", p->store, p->dir, strerror(-r));
		say_apparmor(-r);
		return MOUNT_FAILED;
	}
	return 0;
}

/* Once it is unmounted it can be mended. */
static void tell_damage(const struct daemon *d)
{
	struct store_stats stats;

	store_stats(d->store, &stats);
	if (stats.drops_damaged)
		message_error("of %" PRIu64 " removed sessions something is left in %s that is damaged; "
			      "`sessfs check --repair %s` and the next mount free it",
			stats.drops_damaged, d->plan->store, message_word(d->plan->store));
}

static int close_store(struct daemon *d)
{
	if (d->store)
		tell_damage(d);
	int r = store_close(d->store);
	char why[256] = "";

	if (r != 0) {
		snprintf(why, sizeof why, "%s", strerror(r < 0 ? -r : ENOSPC));
		message_error("not everything could be saved in %s: %s", d->plan->store, why);
	}
	closing_end(d->plan->store, d->closing, r ? why : NULL);
	return r ? MOUNT_SYSTEM : MOUNT_DONE;
}

static int serve(const struct mount_plan *plan, int pipe)
{
	struct daemon d = {.plan = plan, .pipe = pipe, .closing = -1};

	umask(077);
	hold_signals(&d.signals);
	fs_set_log(message_log);
	int status = open_store(&d);
	if (status == 0)
		d.settings = settings_in_force(&d);
	if (status == 0)
		status = d.settings ? mount_it(&d) : MOUNT_SYSTEM;
	if (status == 0) {
		int r = fs_serve(d.fs, on_ready, &d);
		if (r < 0) {
			message_error("serving %s ended: %s", plan->dir, strerror(-r));
			status = MOUNT_SYSTEM;
		}
	}
	if (status == 0 && d.pipe >= 0)
		message_error("%s was unmounted before it answered", plan->dir);
	notify_stopping();
	atomic_store(&serving, NULL);
	fs_free(d.fs);
	int closed = close_store(&d);
	free(d.settings);
	status = status ? status : closed;
	tell_parent(&d, status ? status : MOUNT_INTERNAL); /* heard only if it never was ready */
	return status;
}

static int wait_for_child(int fd, pid_t child)
{
	unsigned char status;
	int how = 0;
	ssize_t n;

	while ((n = read(fd, &status, 1)) < 0 && errno == EINTR)
		;
	close(fd);
	if (n == 1)
		return status;
	waitpid(child, &how, 0);
	message_error("the daemon ended before the mount answered (%s)",
		WIFSIGNALED(how) ? strsignal(WTERMSIG(how)) : "no reason given");
	return MOUNT_INTERNAL;
}

/* Keeps nothing of the caller's but stderr, until the mount answers, and the pipe, whose new number it returns. */
static int leave_caller(const struct mount_plan *plan, int pipe)
{
	enum { PIPE = 3 };

	setsid();
	if (chdir("/") < 0)
		message_error("cannot leave the working directory: %s", strerror(errno));
	if (plan->handed_over)
		return pipe;
	if (pipe != PIPE && dup3(pipe, PIPE, O_CLOEXEC) < 0)
		return pipe;
	closefrom(PIPE + 1);
	return PIPE;
}

int daemon_run(const struct mount_plan *plan)
{
	int ends[2];

	if (plan->foreground)
		return serve(plan, -1);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		message_error("no pipe: %s", strerror(errno));
		return MOUNT_SYSTEM;
	}
	pid_t child = fork();
	if (child < 0) {
		message_error("no process for the daemon: %s", strerror(errno));
		return MOUNT_SYSTEM;
	}
	if (child > 0) {
		close(ends[1]);
		return wait_for_child(ends[0], child);
	}
	return serve(plan, leave_caller(plan, ends[1]));
}
