/* preflight.c - see preflight.h. */
#include "mount/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/message.h"
#include "mount/path.h"
#include "mount/verb.h"

#define FUSE_CONF "/etc/fuse.conf"

void plan_release(struct mount_plan *p)
{
	free(p->store);
	free(p->dir);
	options_release(&p->options);
	*p = (struct mount_plan){0};
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static int say_unwritable(const char *what, const char *path)
{
	if (errno == EROFS) {
		message_error("%s %s lies on a read-only filesystem; mount it with -o ro", what, path);
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
			: say_unwritable("the directory for a new store,", *p->store ? p->store : "/");
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
		return say_unwritable("the store", p->store);
	p->fresh = !path_holds_store(p->store);
	if (p->fresh && p->options.read_only) {
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
			p->dir);
		return MOUNT_FAILED;
	}
	bool same = mounted_is_sessfs(&m) && strcmp(m.source, p->store) == 0;
	if (dead && same) {
		p->replace = true;
	} else if (dead) {
		message_error("on %s lies a dead mount of %s (%s); unmount it first with `umount -l %s`", p->dir,
			m.source, m.type, p->dir);
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
			name, errno == ENOENT ? name : strerror(errno));
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

static int check_device(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	switch (errno) {
	case ENOENT:
		message_error(
			"there is no /dev/fuse; load the module with `modprobe fuse`, or start the container with "
			"--device /dev/fuse");
		return MOUNT_SYSTEM;
	case ENODEV:
	case ENXIO:
		message_error("the kernel has no FUSE; load the module with `modprobe fuse`");
		return MOUNT_SYSTEM;
	case EPERM:
		message_error("this container may not use /dev/fuse; start it with --device /dev/fuse");
		return MOUNT_SYSTEM;
	case EACCES:
		message_error("you may not open /dev/fuse; as root: `chmod 666 /dev/fuse`, or mount as root");
		return MOUNT_USAGE;
	default:
		message_error("/dev/fuse cannot be opened: %s", strerror(errno));
		return MOUNT_SYSTEM;
	}
}

/* A number from /proc/self/status; false if it is not there. */
static bool read_status(const char *field, int base, uint64_t *ret)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t len = strlen(field);
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		found = strncmp(line, field, len) == 0 && line[len] == ':';
		if (found)
			*ret = strtoull(line + len + 1, NULL, base);
	}
	if (file)
		fclose(file);
	return found;
}

static int check_capability(void)
{
	bool root = geteuid() == 0;
	uint64_t caps = 0, locked = 0;

	if (read_status(root ? "CapEff" : "CapBnd", 16, &caps) && !(caps >> CAP_SYS_ADMIN & 1)) {
		message_error("this container may not mount (no CAP_SYS_ADMIN); start it with --cap-add SYS_ADMIN "
			      "--device /dev/fuse, and --security-opt apparmor=unconfined where AppArmor is on");
		return MOUNT_SYSTEM;
	}
	if (!root && read_status("NoNewPrivs", 10, &locked) && locked) {
		message_error(
			"fusermount3 cannot get the right to mount here (no_new_privs is set); mount as root, or start "
			"this process without it (systemd: NoNewPrivileges=no)");
		return MOUNT_SYSTEM;
	}
	return 0;
}

static bool find_program(const char *name, struct stat *ret)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path && *path ? path : "/usr/local/bin:/usr/bin:/bin"), *rest = copy, *dir, *file;
	bool found = false;

	while (copy && !found && (dir = strsep(&rest, ":"))) {
		if (asprintf(&file, "%s/%s", *dir ? dir : ".", name) < 0)
			break;
		found = access(file, X_OK) == 0 && stat(file, ret) == 0;
		free(file);
	}
	free(copy);
	return found;
}

/* Only root mounts by itself; and even root does not for auto_unmount. */
static int check_fusermount(const struct mount_plan *p)
{
	bool root = geteuid() == 0;
	struct stat st;

	if (root && !(p->options.kernel && strstr(p->options.kernel, "auto_unmount")))
		return 0;
	if (!find_program("fusermount3", &st)) {
		message_error("there is no fusermount3, which lets users mount; as root: `apt-get install fuse3`");
		return MOUNT_SYSTEM;
	}
	if (!root && !(st.st_mode & S_ISUID)) {
		message_error("fusermount3 is not set-user-ID root, so users cannot mount; as root: "
			      "`chmod u+s $(command -v fusermount3)`");
		return MOUNT_SYSTEM;
	}
	return 0;
}

static bool conf_allows_other(void)
{
	FILE *file = fopen(FUSE_CONF, "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = strncmp(line, "user_allow_other", 16) == 0 && strspn(line + 16, " \t\n") == strlen(line + 16);
	if (file)
		fclose(file);
	return found;
}

static int check_allow(const struct mount_plan *p)
{
	if (p->options.allow_other && p->options.allow_root) {
		message_error("allow_other and allow_root exclude each other; allow_other lets root in too");
		return MOUNT_USAGE;
	}
	if ((p->options.allow_other || p->options.allow_root) && geteuid() != 0 && !conf_allows_other()) {
		message_error("the option %s is for root only, until " FUSE_CONF " has a line `user_allow_other`",
			p->options.allow_other ? "allow_other" : "allow_root");
		return MOUNT_USAGE;
	}
	return 0;
}

static int check_machine(const struct mount_plan *p)
{
	int r = check_allow(p);

	if (r == 0)
		r = check_capability();
	if (r == 0)
		r = check_fusermount(p);
	if (r == 0)
		r = check_device();
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
