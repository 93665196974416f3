/*
 * serve_threads.c - see serve_threads.h; and what the request at hand says (serve.h, ops.h).
 *
 * The loop is our own, because libfuse 3.14 does not know some things that we need of the kernel's protocol
 * (linux/fuse.h): FUSE_HANDLE_KILLPRIV_V2, without which each write is preceded by a question for
 * security.capability, and the flags with which the kernel then asks that set-user-ID bits go; FUSE_PARALLEL_DIROPS,
 * without which a name is not looked up while its directory is listed, is known, but told the kernel from 3.16.2 on
 * only. So the answer to INIT is amended, and requests are looked at, on their way.
 */
#include "fs/serve_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fault.h"
#include "fs/operation.h"
#include "fs/ops.h"
#include "fs/rules.h"
#include "fs/serve.h"
#include "fs/thread.h"

enum {
	REQUEST_SIZE = (1 << 20) + 4096, /* the largest write and its header */
	WAKE_MS = 10,
	LOOK_NS = 30000,
	PROBE = 16, /* requests of one caller between looks at once */
	WAKE_SIGNAL = SIGUSR1, /* gets a thread out of reading the device */
	THREADS_MAX = 64,
};

struct worker {
	pthread_t thread;
	struct serve_threads *all;
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

struct serve_threads {
	struct fs *fs;
	int wake; /* eventfd: serve_threads_wake was called, or the last worker left */
	struct fuse_session *session;
	void (*ready)(void *);
	void *ready_arg;
	bool single; /* worker; it reads the device without blocking */
	unsigned count;
	struct worker workers[THREADS_MAX];
	_Atomic unsigned running; /* workers */
	_Atomic bool woken;       /* serve_threads_wake was called */
	_Atomic bool leave;       /* workers are to finish */
	_Atomic int error;        /* errno with which a worker ended */
};

static _Thread_local struct worker *current;

/* ---- what the request says --------------------------------------------------------------------------------------- */

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

const struct fuse_custom_io serve_io = {.writev = device_writev, .read = device_read};

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
	struct serve_threads *t = w->all;
	struct fuse_buf buf = {.mem = w->request, .size = len};
	uint32_t opcode;
	uint64_t begun = clock_ns();

	w->header = (const void *)w->request;
	w->len = len;
	opcode = w->header->opcode;
	note_caller(w);
	fault_forget();
	fuse_session_process_buf(t->session, &buf);
	w->header = NULL;
	operation_count(t->fs, opcode, clock_ns() - begun);
	if (opcode == FUSE_INIT && t->ready)
		t->ready(t->ready_arg);
	/* which of several workers is about to sleep is not known */
	if (!t->single && (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET))
		rules_settle(t->fs);
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
		rules_settle(w->all->fs);
		if (poll(&poll_fd, 1, -1) < 0)
			return -1;
		until = 0;
	}
}

static void serve_requests(struct worker *w)
{
	struct serve_threads *t = w->all;
	int fd = fuse_session_fd(t->session);

	while (!atomic_load(&t->leave) && !fuse_session_exited(t->session)) {
		ssize_t len = receive(w, fd);

		if (len >= (ssize_t)sizeof(struct fuse_in_header)) {
			process(w, (size_t)len);
			continue;
		}
		if (len < 0 && (errno == EINTR || errno == ENOENT))
			continue; /* ENOENT: the request was interrupted before it was read */
		if (len < 0 && errno != ENODEV)
			atomic_store(&t->error, errno);
		return;
	}
}

static void wake(struct serve_threads *t)
{
	uint64_t one = 1;

	(void)!write(t->wake, &one, sizeof(one));
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
	if (atomic_fetch_sub(&w->all->running, 1) == 1)
		wake(w->all);
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
int serve_threads_start(struct serve_threads *t, struct fuse_session *session, void (*ready)(void *arg), void *arg)
{
	unsigned wanted = fs_threads(t->fs->options.max_threads);
	struct sigaction action = {.sa_handler = on_wake_signal};
	int r = 0;

	t->session = session;
	t->ready = ready;
	t->ready_arg = arg;
	t->single = wanted == 1;
	if (t->single && fcntl(fuse_session_fd(t->session), F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	sigaction(WAKE_SIGNAL, &action, NULL);
	for (t->count = 0; !r && t->count < wanted;) {
		struct worker *w = &t->workers[t->count];

		w->all = t;
		w->request = malloc(REQUEST_SIZE);
		atomic_fetch_add(&t->running, 1);
		r = w->request ? thread_start(&w->thread, worker_main, w) : -ENOMEM;
		if (!r)
			t->count++;
		else
			atomic_fetch_sub(&t->running, 1);
	}
	return t->count ? 0 : r;
}

bool serve_threads_wait(struct serve_threads *t, int ms, bool until_woken)
{
	struct pollfd poll_fd = {.fd = t->wake, .events = POLLIN};
	uint64_t count;
	int r;

	while (atomic_load(&t->running) && !(until_woken && atomic_load(&t->woken))) {
		r = poll(&poll_fd, 1, ms);
		if (r == 0)
			return false;
		if (r > 0)
			(void)!read(t->wake, &count, sizeof(count));
	}
	return true;
}

void serve_threads_join(struct serve_threads *t)
{
	atomic_store(&t->leave, true);
	while (atomic_load(&t->running)) {
		for (unsigned i = 0; i < t->count; i++)
			pthread_kill(t->workers[i].thread, WAKE_SIGNAL);
		serve_threads_wait(t, WAKE_MS, false);
	}
	for (unsigned i = 0; i < t->count; i++)
		pthread_join(t->workers[i].thread, NULL);
	t->count = 0;
}

void serve_threads_wake(struct serve_threads *t)
{
	atomic_store(&t->woken, true);
	wake(t);
}

bool serve_threads_are_running(const struct serve_threads *t)
{
	return atomic_load(&t->running) != 0;
}

int serve_threads_error(const struct serve_threads *t)
{
	return atomic_load(&t->error);
}

int serve_threads_new(struct fs *fs, struct serve_threads **ret)
{
	struct serve_threads *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fs = fs;
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake < 0) {
		free(t);
		return -errno;
	}
	*ret = t;
	return 0;
}

void serve_threads_free(struct serve_threads *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		free(t->workers[i].request);
		free(t->workers[i].answer);
	}
	close(t->wake);
	free(t);
}
