/*
 * keeper.c - see keeper.h.
 */
#include "fs/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/cache_expiry.h"
#include "fs/error.h"
#include "fs/expiry.h"
#include "fs/roster.h"
#include "fs/serve.h"

/* A name by which the keeper's process finds out that it reaches this mount. */
#define GREETING ".sessfs-keeper"

enum {
	VISITS_MAX = 64, /* in one go */
	HOUR_MS = 3600 * 1000,
	STOP_PATIENCE_MS = 1000,
	JOIN_MS = 5,
	TACT_MS = 20,
	LAST_STEPS = 100,
};

enum visit_kind {
	VISIT_ANNOUNCE, /* rmdir, so that watchers see it */
	VISIT_LOOK_UP,
};

struct visit {
	STAILQ_ENTRY(visit) next;
	enum visit_kind kind;
	struct store_ino top; /* of what is announced: its directory */
	struct store_sid sid; /* of what is looked up */
	bool done;
	char name[STORE_NAME_MAX + 1];
};

STAILQ_HEAD(visits, visit);

struct keeper {
	struct fs *fs;
	pthread_t thread;
	int wake; /* eventfd */
	bool started;
	_Atomic bool stop, ended;
	_Atomic bool woken; /* and has not noticed yet */
	_Atomic pid_t process;  /* that is on a visit; 0: none */
	_Atomic bool greeted;   /* it reached this mount */
	/* protected by fs->lock */
	struct visits visits; /* still to be run */
	struct visits running;
};

/* ---- visits ----------------------------------------------------------------------------------------------------- */

static bool has_path(const struct fs *fs)
{
	return strncmp(fs->options.mount_path, "/dev/fd/", 8) != 0;
}

static bool add_visit(struct fs *fs, enum visit_kind kind, const char *name, struct store_sid sid,
	struct store_ino top)
{
	struct visit *visit = fs->keeper ? calloc(1, sizeof(*visit)) : NULL;

	fs_assert_locked(fs);
	if (!visit)
		return false;
	visit->kind = kind;
	visit->sid = sid;
	visit->top = top;
	memcpy(visit->name, name, strlen(name) + 1);
	STAILQ_INSERT_TAIL(&fs->keeper->visits, visit, next);
	keeper_wake(fs);
	return true;
}

void keeper_announce(struct fs *fs, const char *name, struct store_ino top)
{
	add_visit(fs, VISIT_ANNOUNCE, name, STORE_ROOT_SID, top);
}

bool keeper_look_up(struct fs *fs, struct store_sid sid)
{
	struct session *session;
	bool done;

	if (!has_path(fs) || session_get(fs, sid, &session))
		return false;
	done = add_visit(fs, VISIT_LOOK_UP, session->record.name, sid, STORE_ROOT_INO);
	session_put(session);
	return done;
}

/*
 * All that the process of its own does. It runs in the memory of the daemon, whose keeper waits for it: it takes no
 * lock and allocates nothing.
 */
static void run_in_mount(struct keeper *keeper)
{
	struct stat attr;
	struct visit *visit;
	int root;

	if (close_range(3, ~0U, 0))
		return;
	root = open(keeper->fs->options.mount_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return;
	fstatat(root, GREETING, &attr, AT_SYMLINK_NOFOLLOW);
	if (!atomic_load(&keeper->greeted))
		return;
	STAILQ_FOREACH(visit, &keeper->running, next)
		if (visit->kind == VISIT_LOOK_UP)
			/* Never made, of a directory; but its name is asked for, also when the kernel knows it. */
			(void)!linkat(root, ".", root, visit->name, 0);
		else
			visit->done = unlinkat(root, visit->name, AT_REMOVEDIR) == 0;
}

static void send_process(struct keeper *keeper)
{
	pid_t pid;
	int status;

	atomic_store(&keeper->greeted, false);
	pid = vfork();
	if (pid == 0) {
		atomic_store(&keeper->process, getpid());
		run_in_mount(keeper);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	atomic_store(&keeper->process, 0);
}

/* Takes some of the visits over into keeper->running. */
static bool take_visits(struct keeper *keeper)
{
	struct visit *visit;

	for (unsigned n = 0; n < VISITS_MAX && (visit = STAILQ_FIRST(&keeper->visits)); n++) {
		STAILQ_REMOVE_HEAD(&keeper->visits, next);
		STAILQ_INSERT_TAIL(&keeper->running, visit, next);
	}
	return !STAILQ_EMPTY(&keeper->running);
}

/* What the process could not tell is told as far as it goes without it. */
static void tell_the_rest(struct keeper *keeper)
{
	struct visit *visit;
	bool told = false;

	STAILQ_FOREACH(visit, &keeper->running, next)
		if (visit->kind == VISIT_ANNOUNCE && !visit->done) {
			serve_forget_name(keeper->fs, fs_id_of_ino(STORE_ROOT_INO), visit->name);
			told = true;
		}
	if (told)
		serve_forget_listing(keeper->fs, fs_id_of_ino(STORE_ROOT_INO));
}

/* A session that is still over after it was looked up is one about which nothing could be found out. */
static void finish_visits(struct keeper *keeper)
{
	struct fs *fs = keeper->fs;
	struct visit *visit;
	FS_GUARD(fs);

	while ((visit = STAILQ_FIRST(&keeper->running))) {
		int64_t now = fs_age_now(fs);

		if (visit->kind == VISIT_LOOK_UP && roster_is_over(fs, visit->sid, now))
			roster_found_in_use(fs, visit->sid, now);
		STAILQ_REMOVE_HEAD(&keeper->running, next);
		free(visit);
	}
}

static void run_visits(struct keeper *keeper)
{
	if (has_path(keeper->fs))
		send_process(keeper);
	tell_the_rest(keeper);
	finish_visits(keeper);
}

static struct visit *find_running(struct keeper *keeper, const char *name)
{
	struct visit *visit;

	STAILQ_FOREACH(visit, &keeper->running, next)
		if (visit->kind == VISIT_ANNOUNCE && strcmp(visit->name, name) == 0)
			return visit;
	return NULL;
}

/* The directory as it was, for a moment. */
static struct entry entry_of(struct fs *fs, const struct visit *visit)
{
	struct node *node = NULL;
	struct entry entry = {.id = fs_id_of_ino(visit->top), .attr = {.st_ino = visit->top.n,
		.st_mode = S_IFDIR | 0700, .st_nlink = 2, .st_uid = geteuid(), .st_gid = getegid()}};

	HASH_FIND(hh, fs->nodes, &visit->top, sizeof(visit->top), node);
	if (node)
		node->nlookup++;
	return entry;
}

bool keeper_answers(struct fs *fs, const char *name, struct entry *ret_entry, int *ret)
{
	struct keeper *keeper = fs->keeper;
	struct visit *visit;
	struct store_dirent found;
	pid_t process = keeper ? atomic_load(&keeper->process) : 0;

	if (!process || serve_caller() != process)
		return false;
	if (strcmp(name, GREETING) == 0) {
		atomic_store(&keeper->greeted, true);
		*ret = ENOENT;
		return true;
	}
	visit = find_running(keeper, name);
	if (!visit)
		return false;
	if (!error_of_store(store_lookup(fs->store, STORE_ROOT_SID, STORE_ROOT_INO, name, strlen(name), &found)))
		*ret = EBUSY; /* there is another one of that name already */
	else
		*ret = 0;
	if (!*ret && ret_entry)
		*ret_entry = entry_of(fs, visit);
	return true;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

void keeper_wake(struct fs *fs)
{
	uint64_t one = 1;

	if (fs->keeper && !atomic_exchange(&fs->keeper->woken, true))
		(void)!write(fs->keeper->wake, &one, sizeof(one));
}

/* What is due is done; true while there is more. *ret_ms: for how long it may sleep. */
static bool keep(struct keeper *keeper, int *ret_ms)
{
	struct fs *fs = keeper->fs;
	FS_GUARD(fs);
	bool more = expiry_step(fs) | cache_expiry_step(fs);
	int64_t now = fs_age_now(fs), hour = (int64_t)HOUR_MS * 1000000, moment;

	if (now - fs->clock.saved >= hour)
		age_clock_save(fs);
	if (take_visits(keeper) || more)
		return true;
	moment = roster_moment(fs);
	if (moment > now + hour)
		moment = now + hour;
	*ret_ms = moment > now ? (int)((moment - now) / 1000000) + 1 : 0;
	return false;
}

/* Whether it was woken. */
static bool sleep_for(struct keeper *keeper, int ms)
{
	struct pollfd poll_fd = {.fd = keeper->wake, .events = POLLIN};
	uint64_t count;

	if (poll(&poll_fd, 1, ms) <= 0 || read(keeper->wake, &count, sizeof(count)) <= 0)
		return false;
	atomic_store(&keeper->woken, false);
	return true;
}

static void *keeper_main(void *arg)
{
	struct keeper *keeper = arg;
	int ms;

	pthread_setname_np(pthread_self(), "keeper");
	while (!atomic_load(&keeper->stop)) {
		if (!keep(keeper, &ms)) {
			/* Who woke it still holds what it is about, until its request is answered. */
			if (sleep_for(keeper, ms) && !atomic_load(&keeper->stop))
				sleep_for(keeper, TACT_MS);
		} else if (!STAILQ_EMPTY(&keeper->running)) {
			run_visits(keeper);
		} else {
			sched_yield();
		}
	}
	atomic_store(&keeper->ended, true);
	return NULL;
}

int keeper_new(struct fs *fs)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	sigset_t all, before;
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->fs = fs;
	STAILQ_INIT(&keeper->visits);
	STAILQ_INIT(&keeper->running);
	keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = keeper->wake < 0 ? -errno : 0;
	fs_lock(fs);
	fs->keeper = keeper;
	fs_unlock(fs);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!r)
		r = -pthread_create(&keeper->thread, NULL, keeper_main, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keeper->started = !r;
	if (r)
		keeper_free(keeper);
	return r;
}

static void free_visits(struct visits *visits)
{
	struct visit *visit;

	while ((visit = STAILQ_FIRST(visits))) {
		STAILQ_REMOVE_HEAD(visits, next);
		free(visit);
	}
}

/* If nobody answers the process any more, it is killed: no request of it is being served. */
static void join(struct keeper *keeper)
{
	for (int ms = 0; !atomic_load(&keeper->ended); ms += JOIN_MS) {
		pid_t process = atomic_load(&keeper->process);

		if (ms >= STOP_PATIENCE_MS && process)
			kill(process, SIGKILL);
		poll(NULL, 0, JOIN_MS);
	}
	pthread_join(keeper->thread, NULL);
}

void keeper_free(struct keeper *keeper)
{
	struct fs *fs;

	if (!keeper)
		return;
	fs = keeper->fs;
	atomic_store(&keeper->stop, true);
	keeper_wake(fs);
	if (keeper->started)
		join(keeper);
	fs_lock(fs);
	fs->keeper = NULL;
	/* What a listing left out already shall not be there again after the next mount. */
	for (unsigned step = 0; step < LAST_STEPS && expiry_step(fs); step++)
		;
	age_clock_save(fs);
	cache_expiry_free(fs->cache_walk);
	fs->cache_walk = NULL;
	fs_unlock(fs);
	free_visits(&keeper->visits);
	free_visits(&keeper->running);
	if (keeper->wake >= 0)
		close(keeper->wake);
	free(keeper);
}
