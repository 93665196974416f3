/* verb_umount.c - `sessfs umount DIR`: unmounts, waits until the store is closed, says whether all was saved. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount/closing.h"
#include "mount/message.h"
#include "mount/outlook.h"
#include "mount/path.h"
#include "mount/verb.h"

enum { USERS_NAMED = 5, TRY_MS = 5, PATIENCE_MS = 1000 };

/* Whether the link /proc/PID/NAME leads into dir. */
static bool leads_into(int process, const char *name, const char *dir)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(process, name, target, sizeof target - 1);

	target[n > 0 ? n : 0] = 0;
	return n > 0 && path_within(target, dir);
}

static bool uses(int process, const char *dir)
{
	bool found =
		leads_into(process, "cwd", dir) || leads_into(process, "root", dir) || leads_into(process, "exe", dir);
	int fd = found ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	while (fds && !found && (e = readdir(fds)))
		found = leads_into(fd, e->d_name, dir);
	if (fds)
		closedir(fds);
	return found;
}

static void name_user(int process, const char *pid, char *list, size_t size)
{
	char name[32] = "?";
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, name, sizeof name - 1) : 0;
	size_t used = strlen(list);

	if (n > 0)
		name[n - 1] = 0;
	if (fd >= 0)
		close(fd);
	snprintf(list + used, size - used, "%s%s (process %s)", used ? ", " : "", name, pid);
}

/* Who uses what lies in dir, as far as we may look. */
static void list_users(const char *dir, char *list, size_t size)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	int named = 0;

	list[0] = 0;
	while (proc && named < USERS_NAMED && (e = readdir(proc))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' || strtol(e->d_name, NULL, 10) == getpid())
			continue;
		int process = openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		if (uses(process, dir)) {
			name_user(process, e->d_name, list, size);
			named++;
		}
		close(process);
	}
	if (proc)
		closedir(proc);
}

static int say_not_unmounted(const char *dir, int error)
{
	char users[512];

	list_users(dir, users, sizeof users);
	if (*users)
		message_error("%s is in use by %s; end that, or leave the directory, and try again", dir, users);
	else if (error == EBUSY)
		message_error("%s is in use; `fuser -vm %s` as root tells by whom", dir, message_word(dir));
	else if (error == ENOENT)
		message_error("%s could not be unmounted: there is no fusermount3, which lets users do so; as root: "
			      "`apt-get install fuse3`, or `sessfs umount %s`", dir, message_word(dir));
	else
		message_error("%s could not be unmounted: %s", dir, strerror(error));
	return MOUNT_FAILED;
}

static void say_slow(int pid)
{
	message_note("waiting for process %d to save everything ...", pid);
}

static int report(enum closing_result result, const char *store, char *why)
{
	switch (result) {
	case CLOSING_SAVED:
		return MOUNT_DONE;
	case CLOSING_FAILED:
		message_error(
			"unmounted, but not everything could be saved in %s: %s", store, why ? why : "out of memory");
		free(why);
		return MOUNT_PARTIAL;
	case CLOSING_DIED:
		message_error("unmounted; the daemon had died before it closed %s: the next mount takes up what it had "
			      "acknowledged",
			store);
		return MOUNT_PARTIAL;
	case CLOSING_UNKNOWN:
		message_error("unmounted; whether everything was saved in %s stands in the system's log", store);
		return MOUNT_PARTIAL;
	case CLOSING_ALIVE:
		break;
	}
	return MOUNT_INTERNAL;
}

/* Who holds it for a moment only - a df, the daemon's own look at the mount - is waited for. */
static int unmount_patiently(const char *dir, bool lazy)
{
	int error = path_unmount(dir, lazy);

	for (int ms = 0; error && ms < PATIENCE_MS; ms += TRY_MS) {
		poll(NULL, 0, TRY_MS);
		error = path_unmount(dir, lazy);
	}
	return error;
}

/* What a daemon that may not write leaves unsaved is nothing. */
static int unmount_sessfs(const struct mounted *m)
{
	char *why = NULL;
	bool dead = path_is_dead(m->dir);

	if (!dead && m->whole)
		outlook_say(m->dir);
	int fd = m->read_only ? -1 : closing_watch(m->source);
	int error = unmount_patiently(m->dir, dead);

	if (error) {
		if (fd >= 0)
			close(fd);
		return say_not_unmounted(m->dir, error);
	}
	if (m->read_only)
		return MOUNT_DONE;
	enum closing_result result = closing_wait(fd, say_slow, &why);
	return report(result, m->source, why);
}

static int unmount(const char *name)
{
	struct mounted m = {0};
	char *dir = path_resolve(name);
	int status = MOUNT_FAILED;

	if (!dir || !mounted_at(dir, &m))
		message_error("nothing is mounted on %s", dir ? dir : name);
	else if (!mounted_is_sessfs(&m))
		message_error(
			"on %s is mounted %s (%s), which is not sessfs; use `umount %s`", dir, m.source, m.type,
			message_word(dir));
	else
		status = unmount_sessfs(&m);
	mounted_release(&m);
	free(dir);
	return status;
}

static int run_umount(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	return status == VERB_GO_ON ? unmount(line.words[0]) : status;
}

const struct verb verb_umount = {
	.name = "umount",
	.group = VERB_STORE,
	.run = run_umount,
	.words = "DIR",
	.word = VERB_A_DIR,
	.min_words = 1,
	.max_words = 1,
	.summary = "unmount, wait until everything is saved, and say so by exit status",
	.help = "Exit status: 0 all is saved, 32 still mounted, 64 unmounted but not all is known to be saved.\n",
	.usage_status = MOUNT_USAGE,
	.unprinted_status = MOUNT_SYSTEM,
};
