/*
 * serve.c - the connection to the kernel: its beginning and its end. In between it is served by serve_threads.c.
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
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/errand.h"
#include "fs/keeper.h"
#include "fs/ops.h"
#include "fs/rules.h"
#include "fs/run.h"
#include "fs/serve_threads.h"

enum { STOP_PATIENCE_MS = 1000 };

struct server {
	struct fs *fs;
	struct fuse_session *session;
	struct serve_threads *threads;
	bool mounted;
	int connection; /* see serve_connection */
};

/* ---- mounting ---------------------------------------------------------------------------------------------------- */

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
	return fuse_session_custom_io(s->session, &serve_io, fuse_session_fd(s->session));
}

/* ---- serving, and the end ---------------------------------------------------------------------------------------- */

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
	int r, error;

	r = errands_new(fs, "sync", &fs->syncs);
	if (!r)
		r = errands_new(fs, "slow", &fs->slow);
	if (!r)
		r = errands_new(fs, "chores", &fs->chores);
	if (!r)
		r = serve_threads_start(s->threads, s->session, ready, arg);
	if (r) {
		free_errands(fs);
		return r;
	}
	if (fs->run.tells)
		errand_add(fs->chores, tell_interrupted, NULL, NULL, NULL);
	if (!fs->options.read_only && keeper_new(fs))
		fs_log(LOG_WARNING, "warning: without a thread for it, sessions expire only when looked at");
	serve_threads_wait(s->threads, -1, true);
	if (serve_threads_error(s->threads) && !serve_threads_are_running(s->threads))
		serve_abort(s->connection);
	keeper_free(fs->keeper);
	if (serve_threads_are_running(s->threads)) {
		unmount_lazily(s);
		/* For libfuse to free what it has: it sees that the connection is closed, and leaves the path alone. */
		s->mounted |= serve_threads_wait(s->threads, STOP_PATIENCE_MS, false)
			&& !serve_threads_error(s->threads);
	}
	errands_end(fs->chores);
	serve_threads_join(s->threads);
	free_errands(fs);
	if (s->mounted)
		fuse_session_unmount(s->session);
	s->mounted = false;
	rules_collect_live_orphans(fs);
	error = serve_threads_error(s->threads);
	if (error)
		fs->run.open = false; /* programs saw it fail */
	return -error;
}

void fs_stop(struct fs *fs)
{
	int saved = errno;

	serve_threads_wake(fs->server->threads);
	errno = saved;
}

/* ---- as an object ------------------------------------------------------------------------------------------------ */

int serve_new(struct fs *fs, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fs = fs;
	r = serve_threads_new(fs, &s->threads);
	if (r) {
		free(s);
		return r;
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
	serve_threads_free(s->threads);
	free(s);
}
