/* relay.c - see relay.h. No terminal is made for the command: what it prints to a pipe is what we get. */
#include "mount/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 65536 };

static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};
enum { N_PASSED = sizeof passed / sizeof passed[0] };

static volatile sig_atomic_t child; /* 0: there is none */

/* What the terminal sends, it sends to the command too, which is of our group. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	int error = errno;

	(void)context;
	if (child > 0 && info->si_code != SI_KERNEL)
		kill((pid_t)child, sig);
	errno = error;
}

static void hold_signals(sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < N_PASSED; i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, ret_before);
}

/* One that was ignored (nohup) stays so, for the command too. */
static void catch_signals(const sigset_t *before)
{
	struct sigaction old, act = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};

	for (int i = 0; i < N_PASSED; i++)
		if (sigaction(passed[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(passed[i], &act, NULL);
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* ---- the streams ------------------------------------------------------------------------------------------------- */

struct stream {
	int from, to, copy; /* from: -1 once it has ended; copy: -1 once it is lost */
};

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) /* somebody else's terminal or pipe is set so */
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static void end(struct stream *s)
{
	if (s->from >= 0)
		close(s->from);
	s->from = -1;
}

/* How much was passed on; the stream has ended where nobody writes to it, or nobody reads from us any more. */
static size_t pass_some(struct stream *s, int *lost)
{
	char data[BLOCK];
	ssize_t n = read(s->from, data, sizeof data);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n > 0 && s->copy >= 0 && !write_all(s->copy, data, (size_t)n)) {
		*lost = errno;
		s->copy = -1;
	}
	if (n <= 0 || !write_all(s->to, data, (size_t)n))
		end(s);
	return n > 0 ? (size_t)n : 0;
}

/* What is in the pipe, and no more: others may go on writing to it for ever. */
static void drain(struct stream *s, int *lost)
{
	size_t left = (size_t)fcntl(s->from, F_GETPIPE_SZ), n = 1;

	if (s->from < 0 || fcntl(s->from, F_SETFL, O_NONBLOCK) < 0)
		return;
	for (; s->from >= 0 && n > 0 && left > 0; left -= n < left ? n : left)
		n = pass_some(s, lost);
	end(s);
}

static void pass_all(struct stream *streams, int process, int *lost)
{
	struct pollfd fds[RELAY_STREAMS + 1] = {[RELAY_STREAMS] = {.fd = process, .events = POLLIN}};

	while (!fds[RELAY_STREAMS].revents) {
		for (int i = 0; i < RELAY_STREAMS; i++)
			fds[i] = (struct pollfd){.fd = streams[i].from, .events = POLLIN};
		if (poll(fds, RELAY_STREAMS + 1, -1) < 0)
			continue;
		for (int i = 0; i < RELAY_STREAMS; i++)
			if (fds[i].revents)
				pass_some(&streams[i], lost);
	}
	for (int i = 0; i < RELAY_STREAMS; i++)
		drain(&streams[i], lost);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

struct pipes {
	int out[RELAY_STREAMS][2]; /* of each stream: the end to read, and the command's */
	int failure[2];            /* brings the errno of what kept it from running; closed when it runs */
};

static _Noreturn void become(const struct relay *r, const struct pipes *p, const sigset_t *mask)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (dup2(p->out[0][1], STDOUT_FILENO) >= 0 && dup2(p->out[1][1], STDERR_FILENO) >= 0 && chdir(r->dir) == 0)
		execvp(r->argv[0], r->argv);
	int error = errno;
	(void)!write(p->failure[1], &error, sizeof error);
	_exit(EXIT_FAILURE);
}

static void close_pipes(struct pipes *p, int from, int to)
{
	for (int side = from; side <= to; side++) {
		for (int i = 0; i < RELAY_STREAMS; i++)
			close(p->out[i][side]);
		close(p->failure[side]);
	}
}

static bool make_pipes(struct pipes *p)
{
	if (pipe2(p->out[0], O_CLOEXEC) < 0)
		return false;
	if (pipe2(p->out[1], O_CLOEXEC) == 0) {
		if (pipe2(p->failure, O_CLOEXEC) == 0)
			return true;
		close(p->out[1][0]);
		close(p->out[1][1]);
	}
	close(p->out[0][0]);
	close(p->out[0][1]);
	return false;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int relay_run(const struct relay *r, int *ret_status, int *ret_lost)
{
	sigset_t before;
	struct pipes p;
	int failure = 0, lost = 0;

	if (!make_pipes(&p))
		return errno;
	hold_signals(&before);
	pid_t pid = fork();
	if (pid == 0)
		become(r, &p, &before);
	failure = pid < 0 ? errno : 0;
	child = pid;
	catch_signals(&before);
	close_pipes(&p, 1, 1);
	while (!failure && read(p.failure[0], &failure, sizeof failure) < 0 && errno == EINTR)
		;
	int process = failure ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (!failure && process < 0)
		failure = errno;
	if (failure) {
		child = 0;
		close_pipes(&p, 0, 0);
		if (pid > 0)
			wait_for(pid);
		return failure;
	}
	close(p.failure[0]);
	struct stream streams[RELAY_STREAMS] = {
		{p.out[0][0], STDOUT_FILENO, r->copies[0]},
		{p.out[1][0], STDERR_FILENO, r->copies[1]},
	};
	pass_all(streams, process, &lost);
	close(process);
	child = 0;
	*ret_status = wait_for(pid);
	*ret_lost = lost;
	return 0;
}
