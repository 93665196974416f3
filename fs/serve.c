/*
 * serve.c - the connection to the kernel: mounting, the threads that take requests, the end.
 *
 * The loop is our own, because libfuse 3.14 does not know some things that we need of the kernel's protocol
 * (linux/fuse.h): FUSE_HANDLE_KILLPRIV_V2, without which each write is preceded by a question for
 * security.capability, and the flags with which the kernel then asks that set-user-ID bits go; FUSE_PARALLEL_DIROPS,
 * without which a name is not looked up while its directory is listed, is known, but told the kernel from 3.16.2 on
 * only. So the answer to INIT is amended, and requests are looked at, on their way.
 *
 * The end comes in three ways:
 *
 *   unmounted from outside   reading the device says ENODEV; the last thread wakes fs_serve
 *   fs_stop                  fs_serve unmounts lazily while the threads still serve; when nobody uses it, as above
 *   fs_stop, mount in use    after STOP_PATIENCE_MS the threads finish the requests they are at, and leave
 *
 * Where the device fails, which ends the threads too, all requests are ended first, so that nobody waits for an answer:
 * a thread of ours, which has the kernel write something, would not come back either.
 */
#include "fs/serve.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <syslog.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/errand.h"
#include "fs/fault.h"
#include "fs/keeper.h"
#include "fs/operation.h"
#include "fs/ops.h"
#include "fs/rules.h"
#include "fs/run.h"
#include "fs/thread.h"

enum {
	REQUEST_SIZE = (1 << 20) + 4096, /* the largest write and its header */
	STOP_PATIENCE_MS = 1000,
	WAKE_MS = 10,
	LOOK_NS = 30000,
	PROBE = 16, /* requests of one caller between looks at once */
	WAKE_SIGNAL = SIGUSR1, /* gets a thread out of reading the device */
	THREADS_MAX = 64,
};

struct worker {
	pthread_t thread;
	struct server *server;
	char *request; /* REQUEST_SIZE bytes */
	char *answer;  /* answer_size bytes */
	size_t answer_size;
	const struct fuse_in_header *header; /* of the request being served */
	size_t len;
	/* of a single thread, to know when it need not look at once for the next request */
	bool answered;   /* the one before: who waited for it may have another */
	bool ahead;      /* there was none yet when it looked so last */
	uint32_t caller; /* who asked last, */
	unsigned turns;  /* and how often in a row */
};

struct server {
	struct fs *fs;
	struct fuse_session *session;
	bool mounted;
	int connection; /* see serve_connection */
	int wake; /* eventfd: fs_stop was called, or the last worker left */
	void (*ready)(void *);
	void *ready_arg;
	bool single; /* worker; it reads the device without blocking */
	unsigned count;
	struct worker workers[THREADS_MAX];
	_Atomic unsigned running; /* workers */
	_Atomic bool stopped;     /* fs_stop was called */
	_Atomic bool leave;       /* workers are to finish */
	_Atomic int error;        /* errno with which a worker ended */
};

static _Thread_local struct worker *current;

/* Of the request being served, if it is of this kind and has so much; else NULL. */
static const void *body_of(uint32_t opcode, size_t size)
{
	const struct fuse_in_header *header = current->header;

	return header->opcode == opcode && current->len >= sizeof(*header) + size ? header + 1 : NULL;
}

bool serve_kills_suidgid(void)
{
	const struct fuse_write_in *write = body_of(FUSE_WRITE, sizeof(*write));
	const struct fuse_setattr_in *attr = body_of(FUSE_SETATTR, sizeof(*attr));

	return (write && write->write_flags & FUSE_WRITE_KILL_SUIDGID) || (attr && attr->valid & FATTR_KILL_SUIDGID);
}

uint64_t serve_poll_handle(void)
{
	const struct fuse_poll_in *poll = body_of(FUSE_POLL, sizeof(*poll));

	return poll && poll->flags & FUSE_POLL_SCHEDULE_NOTIFY ? poll->kh : 0;
}

uint64_t serve_request(const char **ret_name)
{
	static const struct {
		uint32_t opcode;
		size_t offset; /* of the name in the body */
	} named[] = {
		{FUSE_LOOKUP, 0}, {FUSE_UNLINK, 0}, {FUSE_RMDIR, 0}, {FUSE_SYMLINK, 0},
		{FUSE_MKNOD, sizeof(struct fuse_mknod_in)}, {FUSE_MKDIR, sizeof(struct fuse_mkdir_in)},
		{FUSE_LINK, sizeof(struct fuse_link_in)}, {FUSE_RENAME, sizeof(struct fuse_rename_in)},
		{FUSE_RENAME2, sizeof(struct fuse_rename2_in)}, {FUSE_REMOVEXATTR, 0},
		{FUSE_GETXATTR, sizeof(struct fuse_getxattr_in)},
	};
	const struct fuse_in_header *header = current ? current->header : NULL;

	for (size_t i = 0; header && i < sizeof(named) / sizeof(*named); i++) {
		size_t at = sizeof(*header) + named[i].offset;

		if (header->opcode == named[i].opcode && at < current->len
		    && memchr(current->request + at, '\0', current->len - at))
			*ret_name = current->request + at;
	}
	return header ? header->nodeid : 0;
}

char *serve_buffer(size_t size)
{
	struct worker *w = current;

	if (size > w->answer_size || !w->answer) {
		size_t room = size < 65536 ? 65536 : size;
		char *answer = malloc(room);

		if (!answer)
			return NULL;
		free(w->answer);
		w->answer = answer;
		w->answer_size = room;
	}
	return w->answer;
}

bool serve_may_wait(void)
{
	return !current;
}

pid_t serve_caller(void)
{
	return current && current->header ? (pid_t)current->header->pid : 0;
}

static void wake(struct server *s)
{
	uint64_t one = 1;

	(void)!write(s->wake, &one, sizeof(one));
}

/* ---- the kernel's answers and requests on their way -------------------------------------------------------------- */

/* What the kernel offers of that. */
static uint32_t offered(const struct worker *w)
{
	const struct fuse_init_in *init = (const void *)(w->header + 1);

	if (w->len < sizeof(*w->header) + offsetof(struct fuse_init_in, flags2))
		return 0;
	return init->flags & (FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS);
}

static ssize_t device_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	const struct worker *w = current;

	(void)userdata;
	if (w && w->header && w->header->opcode == FUSE_INIT && count == 2
	    && iov[1].iov_len >= offsetof(struct fuse_init_out, max_background))
		((struct fuse_init_out *)iov[1].iov_base)->flags |= offered(w);
	return writev(fd, iov, count);
}

static ssize_t device_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)userdata;
	return read(fd, buf, len);
}

/* ---- serving ----------------------------------------------------------------------------------------------------- */

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void note_caller(struct worker *w)
{
	uint32_t opcode = w->header->opcode, caller = w->header->pid;

	w->answered = opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET;
	if (!w->answered)
		return;
	w->turns = caller == w->caller ? w->turns + 1 : 0;
	w->caller = caller;
}

static void process(struct worker *w, size_t len)
{
	struct server *s = w->server;
	struct fuse_buf buf = {.mem = w->request, .size = len};
	uint32_t opcode;
	uint64_t begun = clock_ns();

	w->header = (const void *)w->request;
	w->len = len;
	opcode = w->header->opcode;
	note_caller(w);
	fault_forget();
	fuse_session_process_buf(s->session, &buf);
	w->header = NULL;
	operation_count(s->fs, opcode, clock_ns() - begun);
	if (opcode == FUSE_INIT && s->ready)
		s->ready(s->ready_arg);
	/* which of several workers is about to sleep is not known */
	if (!s->single && (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET))
		rules_settle(s->fs);
}

/*
 * The next request. A single thread looks again for a moment before it sleeps: a client mostly has its next one ready
 * by then, and to be woken on another CPU costs several times what a request does. The yield leaves a shared CPU to the
 * client; where there is but one, and a look at once was in vain, it comes first. Several threads block, so that one
 * request wakes one of them.
 */
static ssize_t receive(struct worker *w, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	bool at_once = !(w->ahead && w->answered && w->turns % PROBE);
	uint64_t until = 0;

	if (!at_once)
		sched_yield();
	for (;;) {
		ssize_t len = read(fd, w->request, REQUEST_SIZE);
		uint64_t now;

		if (at_once && w->answered)
			w->ahead = len < 0 && w->turns;
		at_once = false;
		if (len >= 0 || errno != EAGAIN)
			return len;
		now = clock_ns();
		if (!until)
			until = now + LOOK_NS;
		if (now < until) {
			sched_yield();
			continue;
		}
		rules_settle(w->server->fs);
		if (poll(&poll_fd, 1, -1) < 0)
			return -1;
		until = 0;
	}
}

static void serve_requests(struct worker *w)
{
	struct server *s = w->server;
	int fd = fuse_session_fd(s->session);

	while (!atomic_load(&s->leave) && !fuse_session_exited(s->session)) {
		ssize_t len = receive(w, fd);

		if (len >= (ssize_t)sizeof(struct fuse_in_header)) {
			process(w, (size_t)len);
			continue;
		}
		if (len < 0 && (errno == EINTR || errno == ENOENT))
			continue; /* ENOENT: the request was interrupted before it was read */
		if (len < 0 && errno != ENODEV)
			atomic_store(&s->error, errno);
		return;
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	sigset_t signals;

	current = w;
	lock_first = true;
	pthread_setname_np(pthread_self(), "serve");
	sigemptyset(&signals);
	sigaddset(&signals, WAKE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	serve_requests(w);
	if (atomic_fetch_sub(&w->server->running, 1) == 1)
		wake(w->server);
	return NULL;
}

static void on_wake_signal(int sig)
{
	(void)sig;
}

unsigned fs_threads(unsigned wanted)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted)
		return wanted < THREADS_MAX ? wanted : THREADS_MAX;
	return cores <= 2 ? 1 : cores >= 16 ? 8 : (unsigned)cores / 2;
}

/* Starts as many workers as can be had, at least one; all signals but WAKE_SIGNAL stay with other threads. */
static int start_workers(struct server *s)
{
	unsigned wanted = fs_threads(s->fs->options.max_threads);
	struct sigaction action = {.sa_handler = on_wake_signal};
	int r = 0;

	s->single = wanted == 1;
	if (s->single && fcntl(fuse_session_fd(s->session), F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	sigaction(WAKE_SIGNAL, &action, NULL);
	for (s->count = 0; !r && s->count < wanted;) {
		struct worker *w = &s->workers[s->count];

		w->server = s;
		w->request = malloc(REQUEST_SIZE);
		atomic_fetch_add(&s->running, 1);
		r = w->request ? thread_start(&w->thread, worker_main, w) : -ENOMEM;
		if (!r)
			s->count++;
		else
			atomic_fetch_sub(&s->running, 1);
	}
	return s->count ? 0 : r;
}

/* Whether the last worker left within the time (-1: any), or fs_stop was called meanwhile. */
static bool wait_for_end(struct server *s, int ms, bool until_stop)
{
	struct pollfd poll_fd = {.fd = s->wake, .events = POLLIN};
	uint64_t count;
	int r;

	while (atomic_load(&s->running) && !(until_stop && atomic_load(&s->stopped))) {
		r = poll(&poll_fd, 1, ms);
		if (r == 0)
			return false;
		if (r > 0)
			(void)!read(s->wake, &count, sizeof(count));
	}
	return true;
}

static void join_workers(struct server *s)
{
	atomic_store(&s->leave, true);
	while (atomic_load(&s->running)) {
		for (unsigned i = 0; i < s->count; i++)
			pthread_kill(s->workers[i].thread, WAKE_SIGNAL);
		wait_for_end(s, WAKE_MS, false);
	}
	for (unsigned i = 0; i < s->count; i++)
		pthread_join(s->workers[i].thread, NULL);
	s->count = 0;
}

/* Not root: the set-user-ID helper unmounts. */
static int run_helper(const char *path)
{
	char *const argv[] = {"fusermount3", "-u", "-z", "-q", "--", (char *)path, NULL};
	int status;
	pid_t pid;
	int r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

	if (r)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

/*
 * Takes the mount out of the tree while it is still served, so that what the kernel buffers is written. The connection
 * is closed when the session is freed.
 */
static void unmount_lazily(struct server *s)
{
	const char *path = s->fs->options.mount_path;
	int fd;

	if (s->fs->options.writeback) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			syncfs(fd);
			close(fd);
		}
	}
	s->mounted = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) && (errno != EPERM || run_helper(path));
	if (s->mounted)
		fs_log(LOG_WARNING, "warning: %s could not be unmounted", path);
}

static void free_errands(struct fs *fs)
{
	errands_free(fs->syncs);
	errands_free(fs->slow);
	errands_free(fs->chores);
	fs->syncs = fs->slow = fs->chores = NULL;
}

static int tell_interrupted(struct fs *fs, void *subject)
{
	bool more = true;

	(void)subject;
	while (more) {
		FS_GUARD(fs);

		more = run_tell_interrupted(fs);
	}
	return 0;
}

int fs_serve(struct fs *fs, void (*ready)(void *arg), void *arg)
{
	struct server *s = fs->server;
	int r;

	s->ready = ready;
	s->ready_arg = arg;
	r = errands_new(fs, "sync", &fs->syncs);
	if (!r)
		r = errands_new(fs, "slow", &fs->slow);
	if (!r)
		r = errands_new(fs, "chores", &fs->chores);
	if (!r)
		r = start_workers(s);
	if (r) {
		free_errands(fs);
		return r;
	}
	if (fs->run.tells)
		errand_add(fs->chores, tell_interrupted, NULL, NULL, NULL);
	if (!fs->options.read_only && keeper_new(fs))
		fs_log(LOG_WARNING, "warning: without a thread for it, sessions expire only when looked at");
	wait_for_end(s, -1, true);
	if (atomic_load(&s->error) && !atomic_load(&s->running))
		serve_abort(s->connection);
	keeper_free(fs->keeper);
	if (atomic_load(&s->running)) {
		unmount_lazily(s);
		/* For libfuse to free what it has: it sees that the connection is closed, and leaves the path alone. */
		s->mounted |= wait_for_end(s, STOP_PATIENCE_MS, false) && !atomic_load(&s->error);
	}
	errands_end(fs->chores);
	join_workers(s);
	free_errands(fs);
	if (s->mounted)
		fuse_session_unmount(s->session);
	s->mounted = false;
	rules_collect_live_orphans(fs);
	if (atomic_load(&s->error))
		fs->run.open = false; /* programs saw it fail */
	return -atomic_load(&s->error);
}

void fs_stop(struct fs *fs)
{
	int saved = errno;

	atomic_store(&fs->server->stopped, true);
	wake(fs->server);
	errno = saved;
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static void log_from_libfuse(enum fuse_log_level level, const char *format, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, ap);
	fs_log((int)level, "%s", text);
}

static bool add_option(char **options, const char *option)
{
	return fuse_opt_add_opt(options, option) == 0;
}

static bool add_path_option(char **options, const char *key, const char *path)
{
	char *option;
	bool done = asprintf(&option, "%s=%s", key, path) >= 0;

	if (done) {
		done = fuse_opt_add_opt_escaped(options, option) == 0;
		free(option);
	}
	return done;
}

static bool make_arguments(const struct fs_options *o, struct fuse_args *args)
{
	char *options = NULL;
	bool done = add_path_option(&options, "fsname", o->store_path) && add_option(&options, "subtype=sessfs")
		&& add_option(&options, "default_permissions") && (!o->read_only || add_option(&options, "ro"))
		&& (!o->allow_other || add_option(&options, "allow_other"))
		&& (!o->allow_root || add_option(&options, "allow_root"))
		&& (!o->fuse_options || !*o->fuse_options || add_option(&options, o->fuse_options))
		&& fuse_opt_add_arg(args, "sessfs") == 0 && fuse_opt_add_arg(args, "-o") == 0
		&& fuse_opt_add_arg(args, options) == 0 && (!o->debug || fuse_opt_add_arg(args, "-d") == 0);

	free(options);
	return done;
}

int fs_mount(struct fs *fs)
{
	static const struct fuse_custom_io io = {.writev = device_writev, .read = device_read};
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct server *s = fs->server;
	int r = make_arguments(&fs->options, &args) ? 0 : -ENOMEM;

	fuse_set_log_func(log_from_libfuse);
	if (!r) {
		s->session = fuse_session_new(&args, &ops_table, sizeof(ops_table), fs);
		r = s->session ? 0 : -EINVAL;
	}
	fuse_opt_free_args(&args);
	if (r)
		return r;
	errno = 0;
	if (fuse_session_mount(s->session, fs->options.mount_path))
		return errno ? -errno : -EIO;
	s->mounted = true;
	s->connection = serve_connection(s->fs->options.mount_path);
	return fuse_session_custom_io(s->session, &io, fuse_session_fd(s->session));
}

int serve_new(struct fs *fs, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fs = fs;
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0) {
		free(s);
		return -errno;
	}
	*ret = s;
	return 0;
}

struct fuse_session *serve_session(const struct fs *fs)
{
	return fs->server ? fs->server->session : NULL;
}

void serve_free(struct server *s)
{
	if (!s)
		return;
	if (s->mounted)
		fuse_session_unmount(s->session);
	if (s->session)
		fuse_session_destroy(s->session);
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		free(s->workers[i].request);
		free(s->workers[i].answer);
	}
	close(s->wake);
	free(s);
}
