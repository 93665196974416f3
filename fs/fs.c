/*
 * fs.c - the beginning and the end of a mount's state, and the log.
 */
#include "fs/fs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/control.h"
#include "fs/current.h"
#include "fs/error.h"
#include "fs/fault.h"
#include "fs/roster.h"
#include "fs/history.h"
#include "fs/rules.h"
#include "fs/run.h"
#include "fs/serve.h"
#include "fs/trash.h"

static void log_to_stderr(int priority, const char *text)
{
	(void)priority;
	fprintf(stderr, "sessfs: %s\n", text);
}

static void (*log_function)(int, const char *) = log_to_stderr;

void fs_set_log(void (*log)(int syslog_priority, const char *text))
{
	log_function = log ? log : log_to_stderr;
}

void fs_log(int priority, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text[strcspn(text, "\n")] = '\0';
	log_function(priority, text);
}

/* So long it is held; and where somebody waits who serves a request. */
enum { HELD_NS = 2000000, WANTED_NS = 200000 };

bool fs_held_enough(const struct fs *fs, int64_t ns)
{
	return ns >= (lock_is_wanted(&fs->lock) ? WANTED_NS : HELD_NS);
}

void fs_pause(struct fs *fs)
{
	static _Thread_local int64_t held_since; /* as far as it is known */
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!fs_held_enough(fs, now.tv_sec * FS_SECOND + now.tv_nsec - held_since))
		return;
	fs_unlock(fs);
	fs_give_way();
	fs_lock(fs);
	clock_gettime(CLOCK_MONOTONIC, &now);
	held_since = now.tv_sec * FS_SECOND + now.tv_nsec;
}

/* The root directory of a new store. */
static int make_root(struct fs *fs)
{
	int64_t now = fs_now();
	struct store_inode inode = {
		.mode = S_IFDIR | 0755, .uid = geteuid(), .gid = getegid(), .nlink = 2,
		.atime = now, .mtime = now, .ctime = now, .btime = now, .parent = STORE_ROOT_INO.n,
	};
	struct store_batch *batch;
	int r = error_of_store(store_batch_begin(fs->store, STORE_GROW, 0, &batch));

	if (r)
		return r;
	store_batch_put_inode(batch, STORE_ROOT_SID, STORE_ROOT_INO, &inode);
	return error_of_store(store_batch_commit(batch));
}

/* A store that is opened read-only before it was ever mounted shows an empty root. */
static int make_virtual_root(struct fs *fs, struct session *session)
{
	struct store_inode inode = {.mode = S_IFDIR | 0555, .uid = geteuid(), .gid = getegid(), .nlink = 2,
		.parent = STORE_ROOT_INO.n};

	return node_new(session, STORE_ROOT_INO, &inode, &fs->root);
}

static int load_root(struct fs *fs)
{
	FS_GUARD(fs);
	struct store_inode inode;
	struct session *session;
	int r = session_get(fs, STORE_ROOT_SID, &session);

	if (r)
		return r;
	r = error_of_store(store_get_inode(fs->store, STORE_ROOT_SID, STORE_ROOT_INO, &inode));
	if (r == 0)
		store_inode_release(&inode);
	if (r == ENOENT && !fs->options.read_only)
		r = make_root(fs);
	if (r == ENOENT)
		r = make_virtual_root(fs, session);
	else if (!r)
		r = node_load(fs, STORE_ROOT_SID, STORE_ROOT_INO, &fs->root);
	session_put(session);
	return r;
}

/* What is known of all sessions from the start, and that this mount begins. */
static int load_life(struct fs *fs)
{
	FS_GUARD(fs);
	int r = age_clock_open(fs);

	if (!r)
		r = run_begin(fs);
	if (!r)
		r = trash_new(fs);
	if (!r)
		r = roster_new(fs);
	if (!r)
		r = history_load(fs);
	return r ? r : current_load(fs);
}

int fs_new(struct store *store, const struct fs_options *options, struct fs **ret)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->store = store;
	fs->options = *options;
	fs->started = fs->told = fs_now();
	fs->max_file_size = options->max_file_size ? options->max_file_size : (uint64_t)STORE_FILE_MAX;
	if (fs->max_file_size > (uint64_t)STORE_FILE_MAX)
		fs->max_file_size = (uint64_t)STORE_FILE_MAX;
	fs->next_control = CONTROL_ID_FILES;
	lock_init(&fs->lock);
	TAILQ_INIT(&fs->unsaved);
	TAILQ_INIT(&fs->dropping);
	r = load_root(fs);
	if (!r)
		r = load_life(fs);
	if (!r && !options->read_only)
		r = rules_collect_orphans(fs);
	if (!r)
		r = serve_new(fs, &fs->server);
	if (r) {
		fs_free(fs);
		return r > 0 ? -r : r;
	}
	*ret = fs;
	return 0;
}

void fs_free(struct fs *fs)
{
	if (!fs)
		return;
	serve_free(fs->server);
	fs->server = NULL;
	fs_lock(fs);
	control_free_all(fs); /* ends lines of events: changes, the last ones */
	run_end(fs);
	trash_leave(fs);
	session_leave_unsaved(fs);
	node_free_all(fs);
	fault_free(fs);
	roster_free(fs->roster);
	trash_free(fs->trash);
	history_free(fs->history);
	fs_unlock(fs);
	lock_release(&fs->lock);
	free(fs);
}
