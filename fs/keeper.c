/*
 * keeper.c - see keeper.h.
 */
#include "fs/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/cache_expiry.h"
#include "fs/cut.h"
#include "fs/due.h"
#include "fs/error.h"
#include "fs/expiry.h"
#include "fs/roster.h"
#include "fs/serve.h"
#include "fs/thread.h"

enum {
	VISITS_MAX = 64, /* in one go */
	HOUR_MS = 3600 * 1000,
	FILES_MAX = 4096, /* announcements that wait */
	STOP_PATIENCE_MS = 1000,
	JOIN_MS = 5,
	TACT_MS = 20,
	LOOK_NS = 200000, /* between two looks whether the process is back */
	HUSH_NS = 8000000, /* twice the time after which the kernel lets nobody get ahead of who waits for a lock */
	LAST_STEPS = 100,
};

/* In the order in which they are run: somebody may wait for the first, and of the last there may be a great many. */
enum visit_kind {
	VISIT_LOOK_UP,
	VISIT_CUT, /* see cut.h */
	VISIT_ANNOUNCE, /* rmdir or unlink, so that watchers see it */
};
enum { VISIT_KINDS = VISIT_ANNOUNCE + 1 };

struct visit {
	STAILQ_ENTRY(visit) next;
	enum visit_kind kind;
	struct store_sid sid; /* of what is looked up; of what is announced, the session that its name was in */
	/* of what is announced */
	struct store_ino dir, ino;
	mode_t mode;
	unsigned place;   /* among those that run */
	const char *name; /* in path, its end */
	char path[];      /* from the root */
};

STAILQ_HEAD(visits, visit);

/* In memory that is shared with the process of its own, also where vfork copies, as with a sanitizer. */
struct keeper {
	struct fs *fs;
	pthread_t thread;
	int wake; /* eventfd */
	bool started;
	_Atomic bool stop, ended;
	_Atomic bool woken; /* and has not noticed yet */
	_Atomic pid_t process;  /* that is on a visit; 0: none */
	_Atomic bool greeted;   /* it reached this mount */
	_Atomic int64_t quiet_until; /* session_clock: nothing is announced before, see keeper_hush */
	/* what has become of visits, but for looking up, by their places */
	_Atomic bool done[VISITS_MAX], put_off[VISITS_MAX];
	/* protected by fs->lock */
	unsigned waiting;     /* announcements among them */
	_Atomic unsigned looking; /* of those and the running ones, how many look a name up */
	_Atomic unsigned cutting; /* the same of files that are to be cut */
	struct visits visits[VISIT_KINDS]; /* still to be run */
	struct visits running;
};

/* ---- visits ----------------------------------------------------------------------------------------------------- */

static bool has_path(const struct fs *fs)
{
	return strncmp(fs->options.mount_path, "/dev/fd/", 8) != 0;
}

static bool add_visit(struct fs *fs, const struct visit *what, const char *path)
{
	size_t len = strlen(path);
	struct visit *visit = fs->keeper ? malloc(sizeof(*visit) + len + 1) : NULL;
	const char *slash;

	fs_assert_locked(fs);
	if (!visit)
		return false;
	*visit = *what;
	memcpy(visit->path, path, len + 1);
	slash = strrchr(visit->path, '/');
	visit->name = slash ? slash + 1 : visit->path;
	STAILQ_INSERT_TAIL(&fs->keeper->visits[visit->kind], visit, next);
	fs->keeper->looking += visit->kind == VISIT_LOOK_UP;
	fs->keeper->waiting += visit->kind == VISIT_ANNOUNCE;
	fs->keeper->cutting += visit->kind == VISIT_CUT;
	keeper_wake(fs);
	return true;
}

static bool take_name(void *arg, const struct store_dirent *entry)
{
	struct store_dirent *wanted = arg;

	if (entry->ino.n != wanted->ino.n)
		return false;
	*wanted = *entry;
	return true;
}

/* Puts name and a slash before the path, which begins at *at of the buffer. */
static bool put_before(char *buffer, size_t *at, const char *name)
{
	size_t len = strlen(name);

	if (len + 1 > *at)
		return false;
	buffer[--*at] = '/';
	*at -= len;
	memcpy(buffer + *at, name, len);
	return true;
}

bool keeper_put_path(struct node *dir, char *buffer, size_t *at)
{
	struct fs *fs = dir->session->fs;
	struct store_ino ino = dir->ino, top = dir->session->record.root;

	while (ino.n != top.n) {
		struct store_dirent found = {.ino = ino};
		NODE_AUTO node = NULL;

		if (node_load(fs, dir->session->sid, ino, &node))
			return false;
		ino.n = node->inode.parent;
		if (store_scan_dirents(fs->store, dir->session->sid, ino, 0, take_name, &found)
		    || !found.name_len || !put_before(buffer, at, found.name))
			return false;
	}
	return put_before(buffer, at, dir->session->record.name);
}

void keeper_announce(struct node *dir, const char *name, struct store_ino ino, mode_t mode)
{
	struct fs *fs = dir->session->fs;
	const struct visit visit = {.kind = VISIT_ANNOUNCE, .sid = dir->session->sid, .dir = dir->ino, .ino = ino,
		.mode = mode & S_IFMT};
	char path[PATH_MAX];
	size_t at = sizeof(path) - strlen(name) - 1;

	memcpy(path + at, name, strlen(name) + 1);
	if (node_is_root(dir) || (fs->keeper && fs->keeper->waiting < FILES_MAX && keeper_put_path(dir, path, &at)))
		add_visit(fs, &visit, path + at);
}

bool keeper_has_news(const struct fs *fs)
{
	return fs->keeper && (fs->keeper->waiting || !STAILQ_EMPTY(&fs->keeper->running));
}

static bool looks_up(const struct visits *visits, struct store_sid sid)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, visits, next)
		if (visit->kind == VISIT_LOOK_UP && visit->sid.n == sid.n)
			return true;
	return false;
}

bool keeper_look_up(struct fs *fs, struct store_sid sid)
{
	const struct visit visit = {.kind = VISIT_LOOK_UP, .sid = sid};
	struct session *session;
	bool done;

	if (!fs->keeper || !has_path(fs))
		return false;
	if (looks_up(&fs->keeper->visits[VISIT_LOOK_UP], sid) || looks_up(&fs->keeper->running, sid))
		return true;
	if (session_get(fs, sid, &session))
		return false;
	done = add_visit(fs, &visit, session->record.name);
	session_put(session);
	return done;
}

static bool has_cut(const struct visits *visits, struct store_ino ino)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, visits, next)
		if (visit->kind == VISIT_CUT && visit->ino.n == ino.n)
			return true;
	return false;
}

bool keeper_cut(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	const struct visit visit = {.kind = VISIT_CUT, .sid = sid, .ino = ino};
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)ino.n);
	return has_path(fs) && add_visit(fs, &visit, number);
}

bool keeper_is_caller(const struct fs *fs)
{
	pid_t process = fs->keeper ? atomic_load(&fs->keeper->process) : 0;

	return process && serve_caller() == process;
}

static void let_others(struct fs *fs)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};

	fs_unlock(fs);
	nanosleep(&look, NULL);
	fs_lock(fs);
}

void keeper_wait(struct fs *fs, int64_t ns)
{
	fs_assert_locked(fs);
	for (; fs->keeper && fs->keeper->looking && ns > 0; ns -= LOOK_NS)
		let_others(fs);
}

static bool is_hushed(const struct keeper *keeper)
{
	return session_clock() < atomic_load(&keeper->quiet_until) && !atomic_load(&keeper->stop);
}

static bool announces(const struct keeper *keeper)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, &keeper->running, next)
		if (visit->kind == VISIT_ANNOUNCE)
			return true;
	return false;
}

bool keeper_hush(struct fs *fs, int64_t ns)
{
	fs_assert_locked(fs);
	if (!fs->keeper)
		return true;
	atomic_store(&fs->keeper->quiet_until, session_clock() + ns);
	for (int64_t waited = 0; fs->keeper && announces(fs->keeper) && waited < HUSH_NS; waited += LOOK_NS)
		let_others(fs);
	return !fs->keeper || !announces(fs->keeper);
}

/*
 * All that the process of its own does. It runs in the memory of the daemon, whose keeper waits for it: it takes no
 * lock and allocates nothing.
 */
static void run_in_mount(struct keeper *keeper)
{
	struct statx attr;
	struct visit *visit;
	int root, cuts;

	if (close_range(3, ~0U, 0))
		return;
	root = open(keeper->fs->options.mount_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return;
	atomic_store(&keeper->greeted, false);
	statx(root, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &attr);
	if (!atomic_load(&keeper->greeted))
		return;
	cuts = atomic_load(&keeper->cutting) ? openat(root, CUT_DIR, O_PATH | O_DIRECTORY) : -1;
	STAILQ_FOREACH(visit, &keeper->running, next)
		switch (visit->kind) {
		case VISIT_LOOK_UP:
			/* The answer, ESTALE, has the kernel ask for the name, also when it knows it. */
			statx(root, visit->path, AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &attr);
			break;
		case VISIT_CUT:
			keeper->done[visit->place] = fchdir(cuts) || cut_run(visit->path);
			break;
		case VISIT_ANNOUNCE:
			keeper->put_off[visit->place] = is_hushed(keeper);
			if (!keeper->put_off[visit->place]
			    && unlinkat(root, visit->path, S_ISDIR(visit->mode) ? AT_REMOVEDIR : 0) == 0)
				keeper->done[visit->place] = true;
			break;
		}
}

static void send_process(struct keeper *keeper)
{
	pid_t pid;
	int status;

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

/*
 * Takes some of the visits over into keeper->running. While sessions end one after the other nothing is announced for
 * its own sake: it takes ten times what an end does.
 */
static bool take_visits(struct keeper *keeper, bool ends)
{
	unsigned n = 0;

	for (unsigned kind = 0; kind < VISIT_KINDS; kind++) {
		struct visits *visits = &keeper->visits[kind];
		struct visit *visit;

		if (kind == VISIT_ANNOUNCE && (is_hushed(keeper) || (ends && !n)))
			break;
		/* A cut that fails is tried again and again: there is room beside. */
		for (unsigned max = kind == VISIT_CUT ? (n + VISITS_MAX) / 2 : VISITS_MAX;
		     n < max && (visit = STAILQ_FIRST(visits)); n++) {
			STAILQ_REMOVE_HEAD(visits, next);
			STAILQ_INSERT_TAIL(&keeper->running, visit, next);
			visit->place = n;
			keeper->done[n] = kind == VISIT_CUT; /* once, where the mount is not reached */
			keeper->put_off[n] = false;
			keeper->waiting -= kind == VISIT_ANNOUNCE;
		}
	}
	return n != 0;
}

/* What the process could not tell is told as far as it goes without it. */
static void tell_the_rest(struct keeper *keeper)
{
	struct visit *visit;

	STAILQ_FOREACH(visit, &keeper->running, next) {
		if (visit->kind != VISIT_ANNOUNCE || keeper->done[visit->place] || keeper->put_off[visit->place])
			continue;
		keeper->put_off[visit->place] = is_hushed(keeper);
		if (keeper->put_off[visit->place])
			continue;
		serve_forget_name(keeper->fs, fs_id_of_ino(visit->dir), visit->name);
		serve_forget_listing(keeper->fs, fs_id_of_ino(visit->dir));
	}
}

/* A session that is still over after it was looked up is one about which nothing could be found out. */
static void finish_visits(struct keeper *keeper)
{
	struct fs *fs = keeper->fs;
	struct visits again = STAILQ_HEAD_INITIALIZER(again);
	struct visit *visit;
	FS_GUARD(fs);

	while ((visit = STAILQ_FIRST(&keeper->running))) {
		int64_t now = fs_age_now(fs);

		if (visit->kind == VISIT_LOOK_UP && due_is_over(fs, visit->sid, now))
			due_put_off(fs, visit->sid, now);
		keeper->looking -= visit->kind == VISIT_LOOK_UP;
		STAILQ_REMOVE_HEAD(&keeper->running, next);
		if (visit->kind == VISIT_CUT && !keeper->done[visit->place] && !atomic_load(&keeper->stop)) {
			STAILQ_INSERT_TAIL(&keeper->visits[VISIT_CUT], visit, next);
			continue;
		}
		if (visit->kind == VISIT_ANNOUNCE && keeper->put_off[visit->place]) {
			STAILQ_INSERT_TAIL(&again, visit, next);
			keeper->waiting++;
			continue;
		}
		if (visit->kind == VISIT_CUT) {
			keeper->cutting--;
			cut_end(fs, visit->ino, has_cut(&keeper->visits[VISIT_CUT], visit->ino));
		}
		free(visit);
	}
	STAILQ_CONCAT(&again, &keeper->visits[VISIT_ANNOUNCE]);
	STAILQ_CONCAT(&keeper->visits[VISIT_ANNOUNCE], &again);
}

static void run_visits(struct keeper *keeper)
{
	if (has_path(keeper->fs))
		send_process(keeper);
	tell_the_rest(keeper);
	finish_visits(keeper);
}

static struct visit *find_running(struct keeper *keeper, const struct node *dir, const char *name)
{
	struct visit *visit;

	STAILQ_FOREACH(visit, &keeper->running, next)
		if (visit->kind == VISIT_ANNOUNCE && visit->dir.n == dir->ino.n && strcmp(visit->name, name) == 0)
			return visit;
	return NULL;
}

/*
 * The directory or file as it was, for a moment. With a node id of its own: what the kernel does with it and forgets
 * does not concern the node, which may have been forgotten already, or lie in the trash.
 */
static struct entry entry_of(struct fs *fs, const struct visit *visit)
{
	return (struct entry){.id = {fs->next_control++}, .attr = {.st_ino = visit->ino.n,
		.st_mode = visit->mode | 0700, .st_nlink = 2, .st_uid = geteuid(), .st_gid = getegid()}};
}

bool keeper_answers(struct node *dir, const char *name, struct entry *ret_entry, int *ret)
{
	struct fs *fs = dir->session->fs;
	struct keeper *keeper = fs->keeper;
	struct visit *visit;
	struct store_dirent found;

	if (!keeper_is_caller(fs))
		return false;
	visit = find_running(keeper, dir, name);
	if (!visit)
		return false;
	*ret = 0;
	if (!error_of_store(store_lookup(fs->store, dir->session->sid, dir->ino, name, strlen(name), &found))) {
		*ret = EBUSY; /* another one has that name already: what the kernel knows by it is to stay */
		keeper->done[visit->place] = true;
	}
	if (!*ret && ret_entry)
		*ret_entry = entry_of(fs, visit);
	return true;
}

bool keeper_stales(struct node *node)
{
	struct keeper *keeper = node->session->fs->keeper;

	if (!keeper_is_caller(node->session->fs))
		return false;
	if (node_is_root(node))
		atomic_store(&keeper->greeted, true);
	return node_is_session(node) && looks_up(&keeper->running, node->session->sid);
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
	bool sessions = expiry_step(fs), files = cache_expiry_step(fs);
	int64_t now = fs_age_now(fs), hour = (int64_t)HOUR_MS * 1000000, moment;

	if (now - fs->clock.saved >= hour)
		age_clock_save(fs);
	if (take_visits(keeper, sessions) || sessions || files)
		return true;
	moment = roster_moment(fs);
	if (moment > now + hour)
		moment = now + hour;
	*ret_ms = moment > now ? (int)((moment - now) / 1000000) + 1 : 0;
	if (keeper->waiting && *ret_ms > TACT_MS)
		*ret_ms = TACT_MS; /* hushed */
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
			if (sleep_for(keeper, ms) && !atomic_load(&keeper->stop) && !atomic_load(&keeper->looking)
			    && !atomic_load(&keeper->cutting))
				sleep_for(keeper, TACT_MS);
		} else if (!STAILQ_EMPTY(&keeper->running)) {
			run_visits(keeper);
		} else {
			fs_give_way();
		}
	}
	atomic_store(&keeper->ended, true);
	return NULL;
}

int keeper_new(struct fs *fs)
{
	struct keeper *keeper =
		mmap(NULL, sizeof(*keeper), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (keeper == MAP_FAILED)
		return -errno;
	keeper->fs = fs;
	for (unsigned kind = 0; kind < VISIT_KINDS; kind++)
		STAILQ_INIT(&keeper->visits[kind]);
	STAILQ_INIT(&keeper->running);
	keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = keeper->wake < 0 ? -errno : 0;
	fs_lock(fs);
	fs->keeper = keeper;
	fs_unlock(fs);
	if (!r)
		r = thread_start(&keeper->thread, keeper_main, keeper);
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
	fs->cuts = 0;
	fs_unlock(fs);
	for (unsigned kind = 0; kind < VISIT_KINDS; kind++)
		free_visits(&keeper->visits[kind]);
	free_visits(&keeper->running);
	if (keeper->wake >= 0)
		close(keeper->wake);
	munmap(keeper, sizeof(*keeper));
}
