/* preflight.c - see preflight.h. */
#include "mount/preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/machine.h"
#include "mount/message.h"
#include "mount/path.h"
#include "mount/verb.h"

void plan_release(struct mount_plan *p)
{
	free(p->store);
	free(p->dir);
	options_release(&p->options);
	*p = (struct mount_plan){0};
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static int say_unwritable(const char *what, const char *path, bool is_new)
{
	if (errno == EROFS) {
		message_error("%s %s lies on a read-only filesystem; %s", what, path,
			is_new ? "name another directory" : "mount it with -o ro");
		return MOUNT_FAILED;
	}
	message_error("you may not write to %s %s (%s); make it yours with `chown`, or name another", what, path,
		strerror(errno));
	return MOUNT_USAGE;
}

static int check_missing_store(struct mount_plan *p)
{
	if (p->options.read_only) {
		message_error("there is no store %s to be mounted read-only", p->store);
		return MOUNT_FAILED;
	}
	p->fresh = p->missing = true;
	char *slash = strrchr(p->store, '/');
	*slash = 0;
	int r = access(*p->store ? p->store : "/", W_OK) == 0
			? 0
			: say_unwritable("the directory for a new store", *p->store ? p->store : "/", true);
	*slash = '/';
	return r;
}

static int check_store(struct mount_plan *p, const char *name)
{
	struct stat st;

	p->store = path_resolve(name);
	if (!p->store) {
		message_error("the store %s cannot be made: what stands before its last part is not there (%s)", name,
			strerror(errno));
		return MOUNT_FAILED;
	}
	if (stat(p->store, &st) < 0 && errno == ENOENT)
		return check_missing_store(p);
	if (stat(p->store, &st) < 0) {
		message_error("the store %s cannot be looked at: %s", p->store, strerror(errno));
		return MOUNT_USAGE;
	}
	if (!S_ISDIR(st.st_mode)) {
		message_error("the store %s is not a directory; a store is a directory of sessfs's own", p->store);
		return MOUNT_FAILED;
	}
	if (access(p->store, p->options.read_only ? R_OK | X_OK : R_OK | W_OK | X_OK) < 0)
		return say_unwritable("the store", p->store, false);
	p->fresh = !path_holds_store(p->store);
	if (p->fresh && p->options.read_only && !path_holds_logs(p->store)) {
		message_error("there is no store in the directory %s to be mounted read-only", p->store);
		return MOUNT_FAILED;
	}
	return 0;
}

/* ---- the mount point --------------------------------------------------------------------------------------------- */

static int check_mounted(struct mount_plan *p, bool dead)
{
	struct mounted m;
	int r = 0;

	if (!mounted_at(p->dir, &m)) {
		if (!dead)
			return 0;
		message_error("the mount point %s does not answer; unmount what is there with `umount -l %s`", p->dir,
			message_word(p->dir));
		return MOUNT_FAILED;
	}
	bool same = mounted_is_sessfs(&m) && strcmp(m.source, p->store) == 0;
	if (dead && same) {
		p->replace = true;
	} else if (dead) {
		message_error("on %s lies a dead mount of %s (%s); unmount it first with `umount -l %s`", p->dir,
			m.source, m.type, message_word(p->dir));
		r = MOUNT_FAILED;
	} else if (mounted_is_sessfs(&m)) {
		message_error(same ? "%s is mounted on %s already"
				   : "%s cannot be mounted on %s: another store, %s, is mounted there",
			p->store, p->dir, m.source);
		r = MOUNT_FAILED;
	}
	mounted_release(&m);
	return r;
}

static int check_nesting(const struct mount_plan *p)
{
	if (path_within(p->dir, p->store)) {
		message_error("the mount point %s lies inside the store %s: the daemon would wait for itself; mount "
			      "elsewhere",
			p->dir, p->store);
		return MOUNT_FAILED;
	}
	if (path_within(p->store, p->dir)) {
		message_error("the store %s lies inside the mount point %s and would be hidden by it; mount elsewhere",
			p->store, p->dir);
		return MOUNT_FAILED;
	}
	return 0;
}

static int check_dir(struct mount_plan *p, const char *name)
{
	struct stat st;

	p->handed_over = strncmp(name, "/dev/fd/", 8) == 0;
	if (p->handed_over) {
		p->dir = strdup(name);
		return p->dir ? 0 : MOUNT_SYSTEM;
	}
	p->dir = path_resolve(name);
	bool dead = p->dir && path_is_dead(p->dir);
	if (!p->dir || (!dead && stat(p->dir, &st) < 0)) {
		message_error(errno == ENOENT ? "there is no mount point %s; make it with `mkdir -p %s`"
					      : "the mount point %s cannot be looked at: %s",
			name, errno == ENOENT ? message_word(name) : strerror(errno));
		return MOUNT_FAILED;
	}
	if (!dead && !S_ISDIR(st.st_mode)) {
		message_error("the mount point %s is not a directory", p->dir);
		return MOUNT_FAILED;
	}
	int r = check_nesting(p);
	if (r == 0)
		r = check_mounted(p, dead);
	if (r == 0 && !dead && geteuid() != 0 && access(p->dir, W_OK) < 0) {
		message_error("you may not write to the mount point %s (%s); mount on a directory of your own", p->dir,
			strerror(errno));
		return MOUNT_USAGE;
	}
	return r;
}

/* ---- the machine ------------------------------------------------------------------------------------------------- */

static int demand(const struct machine *m, machine_look *look)
{
	struct machine_answer answer;

	look(m, &answer);
	if (answer.state != MACHINE_FIX)
		return 0;
	message_error("%s", answer.text);
	return answer.status;
}

/* Only root mounts by itself; and even root does not for auto_unmount. */
static bool needs_fusermount(const struct mount_plan *p)
{
	return geteuid() != 0 || p->options.auto_unmount;
}

static int check_allow(const struct mount_plan *p, const struct machine *m)
{
	struct machine_answer answer;

	if (p->options.allow_other && p->options.allow_root) {
		message_error("allow_other and allow_root exclude each other; allow_other lets root in too");
		return MOUNT_USAGE;
	}
	machine_allow_other(m, &answer);
	if ((p->options.allow_other || p->options.allow_root) && answer.state != MACHINE_OK) {
		message_error("the option %s is for root only, until /etc/fuse.conf has a line `user_allow_other`",
			p->options.allow_other ? "allow_other" : "allow_root");
		return MOUNT_USAGE;
	}
	return 0;
}

static int check_machine(const struct mount_plan *p)
{
	const struct machine here = {
		.root = "",
		.path = getenv("PATH"),
		.uid = geteuid(),
		.mount_barred = machine_mount_barred(),
	};
	int r = check_allow(p, &here);

	if (r == 0)
		r = demand(&here, machine_rights);
	if (r == 0 && needs_fusermount(p))
		r = demand(&here, machine_fusermount);
	if (r == 0)
		r = demand(&here, machine_device);
	return r;
}

int preflight(struct mount_plan *p, const char *store, const char *dir)
{
	int r = check_store(p, store);

	if (r == 0)
		r = check_dir(p, dir);
	if (r == 0 && !p->handed_over)
		r = check_machine(p);
	return r;
}
