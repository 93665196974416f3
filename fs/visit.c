/*
 * visit.c - see visit.h.
 */
#include "fs/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/cut.h"
#include "fs/due.h"
#include "fs/error.h"
#include "fs/keeper.h"
#include "fs/serve.h"

enum {
	VISITS_MAX = 64, /* in one go */
	FILES_MAX = 4096, /* announcements that wait */
	LOOK_NS = 200000, /* between two looks whether the process is back */
	HUSH_NS = 8000000, /* twice the time after which the kernel lets nobody get ahead of who waits for a lock */
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

STAILQ_HEAD(visit_list, visit);

/* In memory that is shared with the process of its own, also where vfork copies, as with a sanitizer. */
struct visits {
	struct fs *fs;
	_Atomic bool stop;
	_Atomic pid_t process;  /* that is on a visit; 0: none */
	_Atomic bool greeted;   /* it reached this mount */
	_Atomic int64_t quiet_until; /* session_clock: nothing is announced before, see visit_hush */
	/* what has become of visits, but for looking up, by their places */
	_Atomic bool done[VISITS_MAX], put_off[VISITS_MAX];
	/* protected by fs->lock */
	unsigned waiting;     /* announcements among them */
	_Atomic unsigned looking; /* of those and the running ones, how many look a name up */
	_Atomic unsigned cutting; /* the same of files that are to be cut */
	struct visit_list queued[VISIT_KINDS]; /* still to be run */
	struct visit_list running;
};

/* ---- what is to be visited --------------------------------------------------------------------------------------- */

static bool has_path(const struct fs *fs)
{
	return strncmp(fs->options.mount_path, "/dev/fd/", 8) != 0;
}

static bool add_visit(struct fs *fs, const struct visit *what, const char *path)
{
	size_t len = strlen(path);
	struct visit *visit = fs->visits ? malloc(sizeof(*visit) + len + 1) : NULL;
	const char *slash;

	fs_assert_locked(fs);
	if (!visit)
		return false;
	*visit = *what;
	memcpy(visit->path, path, len + 1);
	slash = strrchr(visit->path, '/');
	visit->name = slash ? slash + 1 : visit->path;
	STAILQ_INSERT_TAIL(&fs->visits->queued[visit->kind], visit, next);
	fs->visits->looking += visit->kind == VISIT_LOOK_UP;
	fs->visits->waiting += visit->kind == VISIT_ANNOUNCE;
	fs->visits->cutting += visit->kind == VISIT_CUT;
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

bool visit_put_path(struct node *dir, char *buffer, size_t *at)
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

void visit_announce(struct node *dir, const char *name, struct store_ino ino, mode_t mode)
{
	struct fs *fs = dir->session->fs;
	const struct visit visit = {.kind = VISIT_ANNOUNCE, .sid = dir->session->sid, .dir = dir->ino, .ino = ino,
		.mode = mode & S_IFMT};
	char path[PATH_MAX];
	size_t at = sizeof(path) - strlen(name) - 1;

	memcpy(path + at, name, strlen(name) + 1);
	if (node_is_root(dir) || (fs->visits && fs->visits->waiting < FILES_MAX && visit_put_path(dir, path, &at)))
		add_visit(fs, &visit, path + at);
}

bool visit_has_news(const struct fs *fs)
{
	return fs->visits && (fs->visits->waiting || !STAILQ_EMPTY(&fs->visits->running));
}

static bool looks_up(const struct visit_list *list, struct store_sid sid)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, list, next)
		if (visit->kind == VISIT_LOOK_UP && visit->sid.n == sid.n)
			return true;
	return false;
}

bool visit_look_up(struct fs *fs, struct store_sid sid)
{
	const struct visit visit = {.kind = VISIT_LOOK_UP, .sid = sid};
	struct session *session;
	bool done;

	if (!fs->visits || !has_path(fs))
		return false;
	if (looks_up(&fs->visits->queued[VISIT_LOOK_UP], sid) || looks_up(&fs->visits->running, sid))
		return true;
	if (session_get(fs, sid, &session))
		return false;
	done = add_visit(fs, &visit, session->record.name);
	session_put(session);
	return done;
}

static bool has_cut(const struct visit_list *list, struct store_ino ino)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, list, next)
		if (visit->kind == VISIT_CUT && visit->ino.n == ino.n)
			return true;
	return false;
}

bool visit_cut(struct fs *fs, struct store_sid sid, struct store_ino ino)
{
	const struct visit visit = {.kind = VISIT_CUT, .sid = sid, .ino = ino};
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)ino.n);
	return has_path(fs) && add_visit(fs, &visit, number);
}

bool visit_is_caller(const struct fs *fs)
{
	pid_t process = fs->visits ? atomic_load(&fs->visits->process) : 0;

	return process && serve_caller() == process;
}

static void let_others(struct fs *fs)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};

	fs_unlock(fs);
	nanosleep(&look, NULL);
	fs_lock(fs);
}

void visit_wait(struct fs *fs, int64_t ns)
{
	fs_assert_locked(fs);
	for (; fs->visits && fs->visits->looking && ns > 0; ns -= LOOK_NS)
		let_others(fs);
}

static bool is_hushed(const struct visits *visits)
{
	return session_clock() < atomic_load(&visits->quiet_until) && !atomic_load(&visits->stop);
}

static bool announces(const struct visits *visits)
{
	const struct visit *visit;

	STAILQ_FOREACH(visit, &visits->running, next)
		if (visit->kind == VISIT_ANNOUNCE)
			return true;
	return false;
}

bool visit_hush(struct fs *fs, int64_t ns)
{
	fs_assert_locked(fs);
	if (!fs->visits)
		return true;
	atomic_store(&fs->visits->quiet_until, session_clock() + ns);
	for (int64_t waited = 0; fs->visits && announces(fs->visits) && waited < HUSH_NS; waited += LOOK_NS)
		let_others(fs);
	return !fs->visits || !announces(fs->visits);
}

/*
 * All that the process of its own does. It runs in the memory of the daemon, whose keeper waits for it: it takes no
 * lock and allocates nothing.
 */
static void run_in_mount(struct visits *visits)
{
	struct statx attr;
	struct visit *visit;
	int root, cuts;

	if (close_range(3, ~0U, 0))
		return;
	root = open(visits->fs->options.mount_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return;
	atomic_store(&visits->greeted, false);
	statx(root, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &attr);
	if (!atomic_load(&visits->greeted))
		return;
	cuts = atomic_load(&visits->cutting) ? openat(root, CUT_DIR, O_PATH | O_DIRECTORY) : -1;
	STAILQ_FOREACH(visit, &visits->running, next)
		switch (visit->kind) {
		case VISIT_LOOK_UP:
			/* The answer, ESTALE, has the kernel ask for the name, also when it knows it. */
			statx(root, visit->path, AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &attr);
			break;
		case VISIT_CUT:
			visits->done[visit->place] = fchdir(cuts) || cut_run(visit->path);
			break;
		case VISIT_ANNOUNCE:
			visits->put_off[visit->place] = is_hushed(visits);
			if (!visits->put_off[visit->place]
			    && unlinkat(root, visit->path, S_ISDIR(visit->mode) ? AT_REMOVEDIR : 0) == 0)
				visits->done[visit->place] = true;
			break;
		}
}

static void send_process(struct visits *visits)
{
	pid_t pid;
	int status;

	pid = vfork();
	if (pid == 0) {
		atomic_store(&visits->process, getpid());
		run_in_mount(visits);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	atomic_store(&visits->process, 0);
}

bool visit_take(struct visits *visits, bool ends)
{
	unsigned n = 0;

	for (unsigned kind = 0; kind < VISIT_KINDS; kind++) {
		struct visit_list *list = &visits->queued[kind];
		struct visit *visit;

		if (kind == VISIT_ANNOUNCE && (is_hushed(visits) || (ends && !n)))
			break;
		/* A cut that fails is tried again and again: there is room beside. */
		for (unsigned max = kind == VISIT_CUT ? (n + VISITS_MAX) / 2 : VISITS_MAX;
		     n < max && (visit = STAILQ_FIRST(list)); n++) {
			STAILQ_REMOVE_HEAD(list, next);
			STAILQ_INSERT_TAIL(&visits->running, visit, next);
			visit->place = n;
			visits->done[n] = kind == VISIT_CUT; /* once, where the mount is not reached */
			visits->put_off[n] = false;
			visits->waiting -= kind == VISIT_ANNOUNCE;
		}
	}
	return n != 0;
}

/* What the process could not tell is told as far as it goes without it. */
static void tell_the_rest(struct visits *visits)
{
	struct visit *visit;

	STAILQ_FOREACH(visit, &visits->running, next) {
		if (visit->kind != VISIT_ANNOUNCE || visits->done[visit->place] || visits->put_off[visit->place])
			continue;
		visits->put_off[visit->place] = is_hushed(visits);
		if (visits->put_off[visit->place])
			continue;
		serve_forget_name(visits->fs, fs_id_of_ino(visit->dir), visit->name);
		serve_forget_listing(visits->fs, fs_id_of_ino(visit->dir));
	}
}

/* A session that is still over after it was looked up is one about which nothing could be found out. */
static void finish_visits(struct visits *visits)
{
	struct fs *fs = visits->fs;
	struct visit_list again = STAILQ_HEAD_INITIALIZER(again);
	struct visit *visit;
	FS_GUARD(fs);

	while ((visit = STAILQ_FIRST(&visits->running))) {
		int64_t now = fs_age_now(fs);

		if (visit->kind == VISIT_LOOK_UP && due_is_over(fs, visit->sid, now))
			due_put_off(fs, visit->sid, now);
		visits->looking -= visit->kind == VISIT_LOOK_UP;
		STAILQ_REMOVE_HEAD(&visits->running, next);
		if (visit->kind == VISIT_CUT && !visits->done[visit->place] && !atomic_load(&visits->stop)) {
			STAILQ_INSERT_TAIL(&visits->queued[VISIT_CUT], visit, next);
			continue;
		}
		if (visit->kind == VISIT_ANNOUNCE && visits->put_off[visit->place]) {
			STAILQ_INSERT_TAIL(&again, visit, next);
			visits->waiting++;
			continue;
		}
		if (visit->kind == VISIT_CUT) {
			visits->cutting--;
			cut_end(fs, visit->ino, has_cut(&visits->queued[VISIT_CUT], visit->ino));
		}
		free(visit);
	}
	STAILQ_CONCAT(&again, &visits->queued[VISIT_ANNOUNCE]);
	STAILQ_CONCAT(&visits->queued[VISIT_ANNOUNCE], &again);
}

bool visit_run(struct visits *visits)
{
	if (STAILQ_EMPTY(&visits->running))
		return false;
	if (has_path(visits->fs))
		send_process(visits);
	tell_the_rest(visits);
	finish_visits(visits);
	return true;
}

bool visit_is_awaited(const struct visits *visits)
{
	return atomic_load(&visits->looking) || atomic_load(&visits->cutting);
}

static struct visit *find_running(struct visits *visits, const struct node *dir, const char *name)
{
	struct visit *visit;

	STAILQ_FOREACH(visit, &visits->running, next)
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

bool visit_answers(struct node *dir, const char *name, struct entry *ret_entry, int *ret)
{
	struct fs *fs = dir->session->fs;
	struct visits *visits = fs->visits;
	struct visit *visit;
	struct store_dirent found;

	if (!visit_is_caller(fs))
		return false;
	visit = find_running(visits, dir, name);
	if (!visit)
		return false;
	*ret = 0;
	if (!error_of_store(store_lookup(fs->store, dir->session->sid, dir->ino, name, strlen(name), &found))) {
		*ret = EBUSY; /* another one has that name already: what the kernel knows by it is to stay */
		visits->done[visit->place] = true;
	}
	if (!*ret && ret_entry)
		*ret_entry = entry_of(fs, visit);
	return true;
}

bool visit_stales(struct node *node)
{
	struct visits *visits = node->session->fs->visits;

	if (!visit_is_caller(node->session->fs))
		return false;
	if (node_is_root(node))
		atomic_store(&visits->greeted, true);
	return node_is_session(node) && looks_up(&visits->running, node->session->sid);
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

int visits_new(struct fs *fs, struct visits **ret)
{
	struct visits *visits =
		mmap(NULL, sizeof(*visits), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (visits == MAP_FAILED)
		return -errno;
	visits->fs = fs;
	for (unsigned kind = 0; kind < VISIT_KINDS; kind++)
		STAILQ_INIT(&visits->queued[kind]);
	STAILQ_INIT(&visits->running);
	*ret = visits;
	return 0;
}

void visits_stop(struct visits *visits)
{
	atomic_store(&visits->stop, true);
}

void visits_kill(struct visits *visits)
{
	pid_t process = atomic_load(&visits->process);

	if (process)
		kill(process, SIGKILL);
}

static void free_list(struct visit_list *list)
{
	struct visit *visit;

	while ((visit = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, next);
		free(visit);
	}
}

void visits_free(struct visits *visits)
{
	if (!visits)
		return;
	for (unsigned kind = 0; kind < VISIT_KINDS; kind++)
		free_list(&visits->queued[kind]);
	free_list(&visits->running);
	munmap(visits, sizeof(*visits));
}
