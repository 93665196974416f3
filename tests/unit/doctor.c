/*
 * doctor.c - the checks of `sessfs doctor` against machines that are made-up trees: each fault is found, each answer
 * names what to do, and a machine without fault has none.
 */
#include "mount/doctor.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct doctor doctor;
static char said[8192]; /* "check state text\n" for each answer */

static void take_down(void *arg, const char *check, const struct machine_answer *answer)
{
	static const char *const states[] = {"ok", "note", "fix"};
	size_t used = strlen(said);

	(void)arg;
	snprintf(said + used, sizeof said - used, "%s %s %s\n", check, states[answer->state], answer->text);
}

static bool is_named_dead(const char *dir)
{
	return strstr(dir, "dead") != NULL;
}

static void make(const char *path, const char *text)
{
	char whole[512];

	snprintf(whole, sizeof whole, "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(whole, 0755);
		*slash = '/';
	}
	FILE *file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void mode(const char *path, mode_t mode)
{
	char whole[512];

	snprintf(whole, sizeof whole, "%s%s", root, path);
	assert_return_code(chmod(whole, mode), 0);
}

static bool make_device(void)
{
	char path[512];

	make("/dev/null", "");
	snprintf(path, sizeof path, "%s/dev/fuse", root);
	if (mknod(path, S_IFCHR | 0666, makedev(10, 229)) < 0)
		return false;
	int fd = open(path, O_RDWR);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "sessfs-doctor.XXXXXX");
	assert_non_null(mkdtemp(root));
	doctor = (struct doctor){
		.machine = {.root = root, .path = "/opt/bin:/usr/bin", .uid = 1000},
		.is_dead = is_named_dead,
		.tell = take_down,
	};
	make("/usr/bin/fusermount3", "");
	mode("/usr/bin/fusermount3", 04755);
	make("/etc/fuse.conf", "# user_allow_other\nuser_allow_other \n");
	make("/sbin/mount.sessfs", "");
	make("/proc/self/status", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n");
	make("/proc/self/mountinfo", "36 35 98:0 / / rw - ext4 /dev/sda1 rw\n");
	return 0;
}

static int take_away(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static bool run(void)
{
	said[0] = 0;
	return doctor_run(&doctor);
}

static void expect(const char *words)
{
	if (!strstr(said, words))
		fail_msg("no \"%s\" in:\n%s", words, said);
}

static void test_sound(void **state)
{
	(void)state;
	if (!make_device())
		skip();
	assert_true(run());
	assert_null(strstr(said, " fix "));
	assert_null(strstr(said, " note "));
	expect("device ok ");
	expect("fusermount3 ok ");
	expect("allow_other ok users may");
	expect("mounts ok no store is mounted");
}

static void test_device(void **state)
{
	(void)state;
	assert_false(run());
	expect("device fix there is no /dev/fuse; load the module with `modprobe fuse`");
	make("/dev/fuse", "");
	assert_false(run());
	expect("device fix /dev/fuse is not the device of FUSE");
	if (geteuid() == 0)
		return;
	mode("/dev/fuse", 0);
	assert_false(run());
	expect("device fix you may not open /dev/fuse");
}

static void test_fusermount(void **state)
{
	(void)state;
	mode("/usr/bin/fusermount3", 0755);
	assert_false(run());
	expect("fusermount3 fix fusermount3 is not set-user-ID root, so users cannot mount; as root: `chmod u+s");
	doctor.machine.path = "/opt/bin";
	assert_false(run());
	expect("fusermount3 fix there is no fusermount3, which lets users mount; as root: `apt-get install fuse3`");
}

static void test_allow_other(void **state)
{
	(void)state;
	make("/etc/fuse.conf", "#user_allow_other\nuser_allow_others\n");
	run();
	expect("allow_other note only root may mount with allow_other");
	doctor.machine.uid = 0;
	run();
	expect("allow_other ok root");
}

static void test_apparmor(void **state)
{
	(void)state;
	make("/etc/apparmor.d/fusermount3", "");
	run();
	expect("apparmor ok no profile");
	make("/sys/module/apparmor/parameters/enabled", "Y\n");
	run();
	expect("apparmor note AppArmor lets users mount only below a home directory");
	doctor.dir = "/home/me/sessions";
	run();
	expect("apparmor ok AppArmor's profile of fusermount3 lets users mount there");
	doctor.dir = "/srv/sessions";
	assert_false(run());
	expect("apparmor fix AppArmor lets users mount only below");
	expect("-> /srv/sessions/,' >>/etc/apparmor.d/local/fusermount3 && apparmor_parser -r");
	make("/etc/apparmor.d/local/fusermount3", "# ours\n  mount fstype=fuse.sessfs -> /srv/sessions/,\n");
	run();
	expect("apparmor ok AppArmor's profile of fusermount3 lets users mount there");
	doctor.dir = "/srv/other";
	doctor.machine.uid = 0;
	run();
	expect("apparmor ok AppArmor's profile of fusermount3 limits users, not root");
}

static void test_rights(void **state)
{
	(void)state;
	make("/proc/self/status", "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n");
	assert_false(run());
	expect("rights fix this container may not mount (no CAP_SYS_ADMIN); start it with --cap-add SYS_ADMIN");
	make("/proc/self/status", "CapEff:\t0\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n");
	assert_false(run());
	expect("rights fix fusermount3 cannot get the right to mount here (no_new_privs is set)");
	make("/proc/self/status", "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n");
	make("/.dockerenv", "");
	doctor.machine.uid = 0;
	run();
	expect("rights ok a container, which may mount");
	doctor.machine.mount_barred = true;
	assert_false(run());
	expect("rights fix a filter of system calls (seccomp) refuses mount(2)");
}

static void test_mounts(void **state)
{
	(void)state;
	make("/proc/self/mountinfo",
		"36 35 98:0 / / rw - ext4 /dev/sda1 rw\n"
		"40 36 0:50 / /srv/a\\040live rw,nosuid - fuse.sessfs /nowhere/store\\040one rw\n"
		"41 36 0:51 / /srv/dead rw,nosuid - fuse.sessfs /nowhere/two rw\n"
		"42 36 0:52 / /srv/dead-too rw,nosuid - fuse.sshfs host: rw\n");
	assert_false(run());
	expect("mounts ok /nowhere/store one is mounted on /srv/a live and answers\n");
	expect("mounts fix on /srv/dead lies a dead mount of /nowhere/two; `sessfs mount /nowhere/two /srv/dead` "
	       "replaces it, `fusermount3 -uz /srv/dead` takes it away\n");
	assert_null(strstr(said, "dead-too"));
	expect("store fix there is no store /nowhere/two");
	doctor.machine.uid = 0;
	run();
	expect("`umount -l /srv/dead`");
}

static void test_helper(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof path, "%s/sbin/mount.sessfs", root);
	assert_return_code(unlink(path), 0);
	run();
	expect("mount(8) note there is no /sbin/mount.sessfs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sound, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_device, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_fusermount, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_allow_other, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_apparmor, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_rights, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_mounts, set_up, take_away),
		cmocka_unit_test_setup_teardown(test_helper, set_up, take_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
