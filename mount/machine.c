/* machine.c - see machine.h. */
#include "mount/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mount/path.h"
#include "mount/verb.h"

enum { FUSE_MAJOR = 10, FUSE_MINOR = 229 };

void machine_say(struct machine_answer *ret, enum machine_state state, int status, const char *format, ...)
{
	va_list args;

	ret->state = state;
	ret->status = status;
	va_start(args, format);
	vsnprintf(ret->text, sizeof ret->text, format, args);
	va_end(args);
}

static void fine(struct machine_answer *ret, const char *text)
{
	machine_say(ret, MACHINE_OK, MOUNT_DONE, "%s", text);
}

bool machine_mount_barred(void)
{
	/* No directory is named: EFAULT, unless a filter answers before the kernel looks. */
	return syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) < 0 && (errno == EPERM || errno == ENOSYS);
}

/* ---- looking below root ------------------------------------------------------------------------------------------ */

/* For the caller to free. */
static char *below(const struct machine *m, const char *path)
{
	char *whole;

	return asprintf(&whole, "%s%s", m->root, path) < 0 ? NULL : whole;
}

static bool is_there(const struct machine *m, const char *path)
{
	char *whole = below(m, path);
	bool found = whole && access(whole, F_OK) == 0;

	free(whole);
	return found;
}

static FILE *open_text(const struct machine *m, const char *path)
{
	char *whole = below(m, path);
	FILE *file = whole ? fopen(whole, "re") : NULL;

	free(whole);
	return file;
}

/* Whether one of the lines is right. */
static bool any_line(const struct machine *m, const char *path, bool (*right)(const char *line, void *), void *arg)
{
	FILE *file = open_text(m, path);
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = right(line, arg);
	if (file)
		fclose(file);
	return found;
}

/* ---- /dev/fuse --------------------------------------------------------------------------------------------------- */

static void say_no_device(int error, struct machine_answer *ret)
{
	switch (error) {
	case ENOENT:
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"there is no /dev/fuse; load the module with `modprobe fuse`, or start the container with "
			"--device /dev/fuse");
		return;
	case ENODEV:
	case ENXIO:
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"the kernel has no FUSE; load the module with `modprobe fuse`");
		return;
	case EPERM:
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"this container may not use /dev/fuse; start it with --device /dev/fuse");
		return;
	case EACCES:
		machine_say(ret, MACHINE_FIX, MOUNT_USAGE,
			"you may not open /dev/fuse; as root: `chmod 666 /dev/fuse`, or mount as root");
		return;
	default:
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM, "/dev/fuse cannot be opened: %s", strerror(error));
	}
}

void machine_device(const struct machine *m, struct machine_answer *ret)
{
	char *path = below(m, "/dev/fuse");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1, error = path ? errno : ENOMEM;
	struct stat st;

	free(path);
	if (fd < 0) {
		say_no_device(error, ret);
		return;
	}
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(FUSE_MAJOR, FUSE_MINOR))
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"/dev/fuse is not the device of FUSE; as root: `rm /dev/fuse && mknod -m 666 /dev/fuse c %d "
			"%d`",
			FUSE_MAJOR, FUSE_MINOR);
	else
		fine(ret, "/dev/fuse is there and can be opened");
	close(fd);
}

/* ---- rights ------------------------------------------------------------------------------------------------------ */

struct field {
	const char *name;
	int base;
	uint64_t value;
};

static bool is_field(const char *line, void *arg)
{
	struct field *field = arg;
	size_t len = strlen(field->name);

	if (strncmp(line, field->name, len) != 0 || line[len] != ':')
		return false;
	field->value = strtoull(line + len + 1, NULL, field->base);
	return true;
}

/* A number from /proc/self/status; what is not there is `otherwise`. */
static uint64_t read_field(const struct machine *m, const char *name, int base, uint64_t otherwise)
{
	struct field field = {name, base, 0};

	return any_line(m, "/proc/self/status", is_field, &field) ? field.value : otherwise;
}

static bool is_container(const struct machine *m)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv", "/run/systemd/container",
		"/dev/.lxc-boot-id"};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (is_there(m, marks[i]))
			return true;
	return false;
}

void machine_rights(const struct machine *m, struct machine_answer *ret)
{
	bool root = m->uid == 0;

	if (!(read_field(m, root ? "CapEff" : "CapBnd", 16, UINT64_MAX) >> CAP_SYS_ADMIN & 1))
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"this container may not mount (no CAP_SYS_ADMIN); start it with --cap-add SYS_ADMIN "
			"--device /dev/fuse, and --security-opt apparmor=unconfined where AppArmor is on");
	else if (m->mount_barred)
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"a filter of system calls (seccomp) refuses mount(2); start the container with "
			"--security-opt seccomp=unconfined, or the service with SystemCallFilter=@mount");
	else if (!root && read_field(m, "NoNewPrivs", 10, 0))
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"fusermount3 cannot get the right to mount here (no_new_privs is set); mount as root, or start "
			"this process without it (systemd: NoNewPrivileges=no)");
	else
		fine(ret, is_container(m) ? "a container, which may mount" : "this process may mount");
}

/* ---- fusermount3 ------------------------------------------------------------------------------------------------- */

static bool find_program(const struct machine *m, const char *name, struct stat *ret)
{
	const char *path = m->path && *m->path ? m->path : "/usr/local/bin:/usr/bin:/bin";
	char *copy = strdup(path), *rest = copy, *dir, *file;
	bool found = false;

	while (copy && !found && (dir = strsep(&rest, ":"))) {
		if (asprintf(&file, "%s%s/%s", m->root, *dir ? dir : ".", name) < 0)
			break;
		found = access(file, X_OK) == 0 && stat(file, ret) == 0;
		free(file);
	}
	free(copy);
	return found;
}

void machine_fusermount(const struct machine *m, struct machine_answer *ret)
{
	struct stat st;

	if (!find_program(m, "fusermount3", &st))
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"there is no fusermount3, which lets users mount; as root: `apt-get install fuse3`");
	else if (!(st.st_mode & S_ISUID))
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"fusermount3 is not set-user-ID root, so users cannot mount; as root: "
			"`chmod u+s $(command -v fusermount3)`");
	else
		fine(ret, "fusermount3 is there, set-user-ID root: users can mount");
}

/* ---- /etc/fuse.conf ---------------------------------------------------------------------------------------------- */

static bool is_allow_other(const char *line, void *arg)
{
	static const char word[] = "user_allow_other";
	size_t len = sizeof word - 1;

	(void)arg;
	return strncmp(line, word, len) == 0 && strspn(line + len, " \t\n") == strlen(line + len);
}

void machine_allow_other(const struct machine *m, struct machine_answer *ret)
{
	if (m->uid == 0)
		fine(ret, "root may mount with allow_other");
	else if (any_line(m, "/etc/fuse.conf", is_allow_other, NULL))
		fine(ret, "users may mount with allow_other");
	else
		machine_say(ret, MACHINE_NOTE, MOUNT_USAGE,
			"only root may mount with allow_other, until /etc/fuse.conf has a line `user_allow_other`; as "
			"root: `echo user_allow_other >>/etc/fuse.conf`");
}

/* ---- AppArmor ---------------------------------------------------------------------------------------------------- */

static const char profile[] = "/etc/apparmor.d/fusermount3";
static const char profile_local[] = "/etc/apparmor.d/local/fusermount3";

static bool is_yes(const char *line, void *arg)
{
	(void)arg;
	return line[0] == 'Y';
}

/* "mount fstype=fuse.* ... -> /srv/sessions/," of somebody's own. */
static bool names_dir(const char *line, void *arg)
{
	const char *target = strstr(line, "-> ");

	line += strspn(line, " \t");
	return strncmp(line, "mount", 5) == 0 && target && strncmp(target + 3, arg, strlen(arg)) == 0;
}

static bool is_allowed(const struct machine *m, const char *dir)
{
	static const char *const places[] = {"/home", "/root", "/mnt", "/media", "/tmp", "/run/user"};
	char copy[4096];

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strcmp(dir, places[i]) != 0 && path_within(dir, places[i]))
			return true;
	snprintf(copy, sizeof copy, "%s", dir);
	return any_line(m, profile_local, names_dir, copy);
}

void machine_apparmor(const struct machine *m, const char *dir, struct machine_answer *ret)
{
	static const char places[] = "a home directory, /mnt, /media, /tmp and /run/user";

	if (!any_line(m, "/sys/module/apparmor/parameters/enabled", is_yes, NULL) || !is_there(m, profile))
		fine(ret, "no profile of AppArmor limits where users may mount");
	else if (m->uid == 0)
		fine(ret, "AppArmor's profile of fusermount3 limits users, not root");
	else if (!dir)
		machine_say(ret, MACHINE_NOTE, MOUNT_SYSTEM,
			"AppArmor lets users mount only below %s; `sessfs doctor -m DIR` tells for a place and how to "
			"allow it",
			places);
	else if (is_allowed(m, dir))
		fine(ret, "AppArmor's profile of fusermount3 lets users mount there");
	else
		machine_say(ret, MACHINE_FIX, MOUNT_SYSTEM,
			"AppArmor lets users mount only below %s: mount there, or allow the place, as root: "
			"`echo 'mount fstype=fuse.sessfs options=(nosuid,nodev) -> %s/,' >>%s && "
			"apparmor_parser -r %s`",
			places, dir, profile_local, profile);
}

/* ---- mount(8) ---------------------------------------------------------------------------------------------------- */

void machine_helper(const struct machine *m, struct machine_answer *ret)
{
	if (is_there(m, "/sbin/mount.sessfs") || is_there(m, "/usr/sbin/mount.sessfs"))
		fine(ret, "/sbin/mount.sessfs is there: mount(8) and /etc/fstab know the type sessfs");
	else
		machine_say(ret, MACHINE_NOTE, MOUNT_SYSTEM,
			"there is no /sbin/mount.sessfs, so `mount -t sessfs` and /etc/fstab do not work; as root: "
			"`ln -s $(command -v sessfs) /sbin/mount.sessfs`");
}
