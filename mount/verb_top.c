/* verb_top.c - `sessfs top`: the mount as it works, anew each second. Plain ANSI; what a frame holds is frame.c's. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "mount/frame.h"
#include "mount/message.h"
#include "mount/moment.h"
#include "mount/number.h"

enum { CODE_ONCE = VERB_CODE_OWN, WIDTH = 80, HEIGHT = 24, DELAY_MAX_S = 3600 };

#define MS INT64_C(1000000)

struct top {
	uint64_t frames; /* how many; 0: until it is ended */
	int64_t delay_ms;
	struct place place;
	struct sample before, now;
	bool plain;       /* frame after frame, as to a file */
	sigset_t signals; /* the mask while it waits */
};

/* ---- the terminal ------------------------------------------------------------------------------------------------ */

static struct termios cooked;
static volatile sig_atomic_t taken;         /* the terminal is ours: to be given back */
static volatile sig_atomic_t ended, resized; /* by a signal */

static void say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

/* Safe in a signal handler, and at exit. */
static void give_back(void)
{
	if (!taken)
		return;
	taken = 0;
	say("\033[?25h\033[?1049l"); /* the cursor, and the screen as it was */
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
}

static void take(void)
{
	struct termios raw = cooked;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	taken = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	say("\033[?1049h\033[?25l");
}

/* Who goes on after SIGSTOP could not give the terminal back: others may have changed it meanwhile. */
static void on_signal(int sig)
{
	int error = errno;

	if (sig == SIGCONT && taken)
		take();
	if (sig == SIGWINCH || sig == SIGCONT)
		resized = 1;
	else
		ended = sig;
	errno = error;
}

/* Gives the terminal back, stops, and takes it again when it goes on. */
static void on_stop(int sig)
{
	int error = errno;

	give_back();
	signal(sig, SIG_DFL);
	raise(sig);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* here it stops */
	signal(sig, on_stop);
	take();
	resized = 1;
	errno = error;
}

/* They come while we wait, and only then. */
static void catch_signals(sigset_t *ret_before)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		sigaddset(&set, signals[i]);
		signal(signals[i], signals[i] == SIGTSTP ? on_stop : on_signal);
	}
	sigprocmask(SIG_BLOCK, &set, ret_before);
	atexit(give_back);
}

static void get_size(int *width, int *height)
{
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

	*width = known ? size.ws_col : WIDTH;
	*height = known ? size.ws_row : HEIGHT;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

static bool look(struct top *t)
{
	sample_release(&t->before);
	t->before = t->now;
	t->now = (struct sample){.at = moment_now()};
	t->now.stats = controls_read(&t->place, "stats.json");
	return t->now.stats && told_sessions(&t->place, &t->now.sessions);
}

/* In one write, so that it does not flicker. */
static void draw(struct top *t)
{
	int width, height;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	get_size(&width, &height);
	fputs("\033[H", out);
	frame_print(out, &t->place, t->before.stats ? &t->before : NULL, &t->now, width, height > 1 ? height - 1 : 1,
		"\033[K\n");
	fputs("\033[Jq quits", out);
	if (fclose(out) == 0)
		(void)!write(STDOUT_FILENO, text, len);
	free(text);
}

static int64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / MS;
}

/* Until the next frame is due; false: it is to end. A new size is drawn at once. */
static bool wait_for_next(struct top *t)
{
	int64_t due = ms_now() + t->delay_ms, left;
	struct pollfd keys = {.fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN};
	char key;

	while (!ended && (left = due - ms_now()) > 0) {
		struct timespec wait = {left / 1000, left % 1000 * MS};
		int n = ppoll(&keys, t->plain ? 0 : 1, &wait, &t->signals);

		if (n > 0 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
			return false;
		if (n < 0 && errno != EINTR)
			return false;
		if (resized && !t->plain)
			draw(t);
		resized = 0;
	}
	return !ended;
}

static int show_plain(struct top *t)
{
	for (uint64_t n = 0; n == 0 || (n < t->frames && wait_for_next(t)); n++) {
		if (!look(t))
			return VERB_NOT_DONE;
		fputs(n ? "\n" : "", stdout);
		frame_print(stdout, &t->place, n ? &t->before : NULL, &t->now, LINE_MAX, 0, "\n");
		if (fflush(stdout) != 0)
			return VERB_NOT_DONE;
	}
	return VERB_DONE;
}

static int show_live(struct top *t)
{
	bool alive = true;

	if (!look(t))
		return VERB_NOT_DONE;
	tcgetattr(STDIN_FILENO, &cooked);
	catch_signals(&t->signals);
	take();
	do
		draw(t);
	while (wait_for_next(t) && (alive = look(t)));
	give_back();
	if (alive)
		return VERB_DONE;
	message_error("the mount %s does not answer any more", t->place.mount);
	return VERB_NOT_DONE;
}

/* One on which ANSI's sequences mean something. */
static bool is_screen(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

static bool take_option(void *arg, int code, const char *value)
{
	struct top *t = arg;
	uint64_t seconds;

	if (code == CODE_ONCE)
		t->frames = 1;
	else if (code == 'n')
		return number_parse(value, &t->frames) && t->frames > 0;
	else if (number_parse_duration(value, &seconds) && seconds > 0 && seconds <= DELAY_MAX_S)
		t->delay_ms = (int64_t)seconds * 1000;
	else
		return false;
	return true;
}

static int run_top(const struct verb *verb, int argc, char **argv)
{
	struct top t = {.delay_ms = 1000};
	struct verb_line line;
	int status = place_begin(verb, argc, argv, take_option, &t, &line, &t.place);

	if (status != VERB_GO_ON)
		return status;
	sigprocmask(SIG_SETMASK, NULL, &t.signals);
	t.plain = t.frames > 0 || !is_screen(STDOUT_FILENO);
	if (t.plain && t.frames == 0)
		t.frames = 1;
	status = t.plain ? show_plain(&t) : show_live(&t);
	sample_release(&t.before);
	sample_release(&t.now);
	place_release(&t.place);
	return status;
}

/* clang-format off */
static const struct verb_option options[] = {
	{'d', "delay", "DURATION", "from one frame to the next, 1s if not told"},
	{'n', "frames", "NUMBER", "print so many frames, with all sessions, one below the other, and end"},
	{CODE_ONCE, "once", NULL, "as -n 1, which is what happens where there is no terminal, or a dumb one"},
	VERB_OPTION_MOUNT,
	VERB_NO_OPTION,
};
/* clang-format on */

const struct verb verb_top = {
	.name = "top",
	.group = VERB_WATCH,
	.run = run_top,
	.options = options,
	.summary = "watch the mount at work: sessions, operations, how long they take, what is saved",
	.help = "q ends it. In the table, * is the current session and ! one that was interrupted.\n",
	.usage_status = VERB_USAGE,
};
