/*
 * posix_attr.c - times, modes, owners, extended attributes, access control lists.
 */
#include "posix.h"

#include <sys/xattr.h>
#include <time.h>

/* ---- times ------------------------------------------------------------------------------------------------------- */

static const struct timespec omit = { .tv_nsec = UTIME_OMIT }, now = { .tv_nsec = UTIME_NOW };

static void set_times(const char *name, struct timespec atime, struct timespec mtime)
{
	struct timespec times[2] = { atime, mtime };
	OK(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW));
}

static bool times_are(const char *name, time_t atime, long atime_ns, time_t mtime, long mtime_ns)
{
	struct stat st = stat_of(name);
	return st.st_atim.tv_sec == atime && st.st_atim.tv_nsec == atime_ns && st.st_mtim.tv_sec == mtime &&
		st.st_mtim.tv_nsec == mtime_ns;
}

static bool is_recent(struct timespec t)
{
	struct timespec clock;
	OK(clock_gettime(CLOCK_REALTIME, &clock));
	return t.tv_sec <= clock.tv_sec + 1 && t.tv_sec >= clock.tv_sec - POSIX_SECONDS;
}

/* Until the clock of file times has moved on by two ticks: the kernel may have given out the end of the first. */
static void next_tick(void)
{
	struct timespec start, at;
	OK(clock_gettime(CLOCK_REALTIME_COARSE, &start));
	do
		OK(clock_gettime(CLOCK_REALTIME_COARSE, &at));
	while (nanoseconds(at) < nanoseconds(start) + 20000000);
}

static void exact_times(void)
{
	make_file("f", "");
	OK(mkdir("d", 0755));
	OK(symlink("f", "l"));
	for (const char *const *name = (const char *const[]){ "f", "d", "l", NULL }; *name; name++) {
		struct timespec before = stat_of(*name).st_ctim;
		next_tick();
		set_times(*name, (struct timespec){ 1, 999999999 }, (struct timespec){ INT64_C(1) << 33, 1 });
		CHECK(times_are(*name, 1, 999999999, INT64_C(1) << 33, 1));
		CHECK(nanoseconds(stat_of(*name).st_ctim) >= nanoseconds(before) && is_recent(stat_of(*name).st_ctim));
		set_times(*name, (struct timespec){ -5, 5 }, (struct timespec){ 0, 0 });
		CHECK(times_are(*name, -5, 5, 0, 0));
		set_times(*name, omit, (struct timespec){ 7, 7 });
		CHECK(times_are(*name, -5, 5, 7, 7));
		set_times(*name, (struct timespec){ 8, 8 }, omit);
		CHECK(times_are(*name, 8, 8, 7, 7));
		set_times(*name, omit, now);
		CHECK(stat_of(*name).st_atim.tv_sec == 8 && is_recent(stat_of(*name).st_mtim));
	}
	CHECK(is_recent(stat_of("f").st_mtim));
	struct timespec bad[2] = { { 0, 1000000000 }, { 0, 0 } };
	FAILS(utimensat(AT_FDCWD, "f", bad, 0), EINVAL);
}

static void age(const char *name)
{
	set_times(name, (struct timespec){ 1000, 0 }, (struct timespec){ 1000, 0 });
}

/* The step changes those times: M, C of the directory "d" (mtime, ctime), m, c of the file "d/f". */
static void changes(const char *expected, void (*step)(void))
{
	age("d");
	if (exists("d/f"))
		age("d/f");
	struct timespec dir_ctime = stat_of("d").st_ctim, file_ctime = { 0 };
	if (exists("d/f"))
		file_ctime = stat_of("d/f").st_ctim;
	step();
	CHECK((stat_of("d").st_mtime != 1000) == !!strchr(expected, 'M'));
	CHECK(!strchr(expected, 'C') || nanoseconds(stat_of("d").st_ctim) > nanoseconds(dir_ctime));
	if (!exists("d/f"))
		return;
	CHECK((stat_of("d/f").st_mtime != 1000) == !!strchr(expected, 'm'));
	CHECK(!strchr(expected, 'c') || nanoseconds(stat_of("d/f").st_ctim) >= nanoseconds(file_ctime));
}

static void step_create(void) { make_file("d/f", "x"); }
static void step_write(void)
{
	int fd = OK(open("d/f", O_WRONLY));
	CHECK(write(fd, "y", 1) == 1);
	OK(close(fd));
}
static void step_truncate(void) { OK(truncate("d/f", 0)); }
static void step_truncate_open(void) { OK(close(OK(open("d/f", O_WRONLY | O_TRUNC)))); }
static void step_chmod(void) { OK(chmod("d/f", 0600)); }
static void step_link(void) { OK(link("d/f", "d/g")); }
static void step_unlink_other(void) { OK(unlink("d/g")); }
static void step_mkdir(void) { OK(mkdir("d/sub", 0755)); }
static void step_rmdir(void) { OK(rmdir("d/sub")); }
static void step_rename(void) { OK(rename("d/f", "d/h")); }
static void step_rename_back(void) { OK(rename("d/h", "d/f")); }
static void step_unlink(void) { OK(unlink("d/f")); }
static void step_read(void) { CHECK(file_holds("d/f", "") || true); }
static void step_xattr(void) { OK(setxattr("d/f", "user.a", "b", 1, 0)); }

static void changed_times(void)
{
	OK(mkdir("d", 0755));
	changes("MCm", step_create);
	changes("mc", step_write);
	changes("mc", step_truncate);
	changes("mc", step_truncate_open);
	changes("c", step_chmod);
	changes("MCc", step_link);
	changes("MCc", step_unlink_other);
	changes("MC", step_mkdir);
	changes("MC", step_rmdir);
	changes("MC", step_rename);
	changes("MCc", step_rename_back);
	changes("", step_read);
	changes("c", step_xattr);
	changes("MC", step_unlink);
}

static void read_uncached(const char *name)
{
	char buf[8];
	int fd = OK(open(name, O_RDONLY));
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK(read(fd, buf, sizeof buf) > 0);
	OK(close(fd));
}

/* A read of changed content is noted in atime; a read of what was read since is not. */
static void relatime(void)
{
	make_file("f", "content");
	set_times("f", (struct timespec){ 1000, 0 }, (struct timespec){ 2000, 0 });
	next_tick();
	read_uncached("f");
	struct timespec first = stat_of("f").st_atim;
	CHECK(is_recent(first));
	next_tick();
	read_uncached("f");
	CHECK(nanoseconds(stat_of("f").st_atim) == nanoseconds(first) && stat_of("f").st_mtime == 2000);
}

static void touch_by_other(void)
{
	OK(utimensat(AT_FDCWD, "writable", NULL, 0));
	CHECK(is_recent(stat_of("writable").st_mtim));
	struct timespec exact[2] = { { 5, 0 }, { 5, 0 } };
	FAILS(utimensat(AT_FDCWD, "writable", exact, 0), EPERM);
	FAILS(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
}

static void times_of_others_files(void)
{
	need_root();
	make_file("writable", "");
	OK(chmod("writable", 0666));
	age("writable");
	make_file("readable", "");
	as_other(touch_by_other);
}

/* ---- modes and owners -------------------------------------------------------------------------------------------- */

static mode_t mode_of(const char *name)
{
	return stat_of(name).st_mode & 07777;
}

static void modes(void)
{
	make_file("f", "");
	for (mode_t mode = 0; mode <= 07777; mode += 0111) {
		OK(chmod("f", mode));
		CHECK(mode_of("f") == mode);
	}
	OK(mkdir("d", 0755));
	OK(chmod("d", 03750));
	CHECK(mode_of("d") == 03750);
	int fd = OK(open("d", O_RDONLY));
	OK(fchmod(fd, 0700));
	CHECK(mode_of("d") == 0700);
	FAILS(chmod("absent", 0), ENOENT);
}

static void umasks(void)
{
	umask(027);
	OK(close(OK(open("f", O_CREAT | O_WRONLY, 0666))));
	OK(mkdir("d", 0777));
	OK(mkfifo("p", 0666));
	CHECK(mode_of("f") == 0640 && mode_of("d") == 0750 && mode_of("p") == 0640);
	umask(0);
	OK(close(OK(open("g", O_CREAT | O_WRONLY, 06777))));
	OK(mkdir("e", 01777));
	CHECK(mode_of("g") == 06777 && mode_of("e") == 01777);
	OK(symlink("x", "l"));
	CHECK(mode_of("l") == 0777);
}

static void owners(void)
{
	make_file("f", "");
	OK(chown("f", (uid_t)-1, (gid_t)-1));
	if (geteuid() != 0) {
		FAILS(chown("f", 0, (gid_t)-1), EPERM);
		FAILS(chown("f", (uid_t)-1, 0), EPERM);
		OK(chown("f", geteuid(), getegid()));
		return;
	}
	OK(chown("f", 1, 2));
	CHECK(stat_of("f").st_uid == 1 && stat_of("f").st_gid == 2);
	OK(chown("f", (uid_t)-1, 3));
	CHECK(stat_of("f").st_uid == 1 && stat_of("f").st_gid == 3);
	OK(symlink("f", "l"));
	OK(lchown("l", 4, 5));
	CHECK(stat_of("l").st_uid == 4 && stat_of("f").st_uid == 1);
	OK(chown("l", UINT32_MAX - 1, 6));
	CHECK(stat_of("f").st_uid == UINT32_MAX - 1 && stat_of("f").st_gid == 6);
}

static void suid_cleared_by_chown(void)
{
	need_root();
	make_file("f", "");
	OK(chmod("f", 06755));
	OK(chown("f", OTHER_ID, OTHER_ID));
	CHECK(mode_of("f") == 0755);
	OK(chmod("f", 06744));
	OK(chown("f", 0, 0));
	CHECK(mode_of("f") == 02744); /* without group execution the bit means something else */
	OK(mkdir("d", 0755));
	OK(chmod("d", 06755));
	OK(chown("d", OTHER_ID, OTHER_ID));
	CHECK(mode_of("d") == 06755);
}

static void write_suid(void)
{
	int fd = OK(open("w", O_WRONLY));
	CHECK(write(fd, "x", 1) == 1);
	OK(truncate("t", 0));
	OK(close(OK(open("o", O_WRONLY | O_TRUNC))));
	fd = OK(open("a", O_RDWR));
	OK(fallocate(fd, 0, 0, 100));
}

/* Who writes without privilege takes the privilege from the file. */
static void suid_cleared_by_write(void)
{
	need_root();
	for (const char *const *name = (const char *const[]){ "w", "t", "o", "a", NULL }; *name; name++) {
		make_file(*name, "content");
		OK(chmod(*name, 06777));
	}
	int fd = OK(open("w", O_WRONLY));
	CHECK(write(fd, "r", 1) == 1);
	CHECK(mode_of("w") == 06777);
	as_other(write_suid);
	CHECK(mode_of("w") == 0777);
	CHECK(mode_of("t") == 0777);
	CHECK(mode_of("o") == 0777);
	CHECK(mode_of("a") == 0777);
}

static void chmod_sgid(void)
{
	OK(chmod("own", 02755));
	CHECK(mode_of("own") == 0755); /* its group is not one of ours */
	OK(close(OK(open("sgid/f", O_CREAT | O_WRONLY, 0644))));
	CHECK(stat_of("sgid/f").st_gid == 12345);
}

static void sgid_directories(void)
{
	need_root();
	OK(mkdir("sgid", 0777));
	OK(chown("sgid", 0, 12345));
	OK(chmod("sgid", 02777));
	make_file("sgid/r", "");
	OK(mkdir("sgid/d", 0755));
	OK(symlink("x", "sgid/l"));
	CHECK(stat_of("sgid/r").st_gid == 12345 && stat_of("sgid/l").st_gid == 12345);
	CHECK(stat_of("sgid/d").st_gid == 12345 && mode_of("sgid/d") == 02755 && mode_of("sgid/r") == 0644);
	make_file("own", "");
	OK(chown("own", OTHER_ID, 12345));
	as_other(chmod_sgid);
}

static void meddle(void)
{
	FAILS(unlink("sticky/f"), EPERM);
	FAILS(rename("sticky/f", "sticky/g"), EPERM);
	FAILS(rmdir("sticky/d"), EPERM);
	make_file("sticky/mine", "");
	FAILS(rename("sticky/mine", "sticky/f"), EPERM);
	OK(rename("sticky/mine", "sticky/still mine"));
	OK(unlink("sticky/still mine"));
}

static void sticky_directories(void)
{
	need_root();
	OK(mkdir("sticky", 0777));
	OK(chmod("sticky", 01777));
	make_file("sticky/f", "");
	OK(chmod("sticky/f", 0666));
	OK(mkdir("sticky/d", 0777));
	as_other(meddle);
}

/* ---- extended attributes ----------------------------------------------------------------------------------------- */

static bool lists(const char *file, const char *name)
{
	char list[65536];
	ssize_t len = OK(listxattr(file, list, sizeof list));
	for (const char *at = list; at < list + len; at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

static void user_attributes(void)
{
	char buf[64];
	make_file("f", "");
	OK(mkdir("d", 0755));
	for (const char *const *name = (const char *const[]){ "f", "d", NULL }; *name; name++) {
		FAILS(getxattr(*name, "user.a", buf, sizeof buf), ENODATA);
		OK(setxattr(*name, "user.a", "\0\xff\1", 3, 0));
		CHECK(getxattr(*name, "user.a", buf, sizeof buf) == 3 && memcmp(buf, "\0\xff\1", 3) == 0);
		CHECK(getxattr(*name, "user.a", NULL, 0) == 3);
		FAILS(getxattr(*name, "user.a", buf, 2), ERANGE);
		FAILS(setxattr(*name, "user.a", "x", 1, XATTR_CREATE), EEXIST);
		FAILS(setxattr(*name, "user.b", "x", 1, XATTR_REPLACE), ENODATA);
		OK(setxattr(*name, "user.b", "", 0, XATTR_CREATE));
		OK(setxattr(*name, "user.a", "longer value", 12, XATTR_REPLACE));
		CHECK(getxattr(*name, "user.a", buf, sizeof buf) == 12);
		CHECK(getxattr(*name, "user.b", buf, sizeof buf) == 0);
		CHECK(lists(*name, "user.a") && lists(*name, "user.b"));
		FAILS(listxattr(*name, buf, 3), ERANGE);
		OK(removexattr(*name, "user.a"));
		FAILS(removexattr(*name, "user.a"), ENODATA);
		CHECK(!lists(*name, "user.a") && lists(*name, "user.b"));
	}
	FAILS(setxattr("f", "nonsense.a", "x", 1, 0), EOPNOTSUPP);
	FAILS(setxattr("f", "user.", "x", 1, 0), EINVAL);
	OK(symlink("f", "l"));
	FAILS(lsetxattr("l", "user.a", "x", 1, 0), EPERM);
	CHECK(lists("l", "user.b")); /* of the file it leads to */
}

static void large_attributes(void)
{
	static char value[65537], back[65537];
	char name[NAME_MAX + 2] = "user.";
	make_file("f", "");
	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (char)(i * 31 >> 3);
	for (size_t i = strlen(name); i < NAME_MAX; i++)
		name[i] = (char)(i % 2 ? 'n' : '\xff');
	OK(setxattr("f", name, value, 2000, 0));
	CHECK(getxattr("f", name, back, sizeof back) == 2000 && memcmp(value, back, 2000) == 0);
	name[NAME_MAX] = 'x';
	FAILS(setxattr("f", name, value, 1, 0), ERANGE);
	FAILS(setxattr("f", "user.big", value, 65537, 0), E2BIG);
	if (setxattr("f", "user.big", value, 65536, 0) == -1) {
		CHECK(!on_fuse() && errno == ENOSPC);
		return;
	}
	CHECK(getxattr("f", "user.big", back, sizeof back) == 65536 && memcmp(value, back, 65536) == 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "user.number%d", i);
		OK(setxattr("f", name, value + i, 300, 0));
	}
	CHECK(lists("f", "user.number0") && lists("f", "user.number99") && lists("f", "user.big"));
	CHECK(getxattr("f", "user.number57", back, sizeof back) == 300 && memcmp(value + 57, back, 300) == 0);
}

static void privileged_attributes(void)
{
	char buf[64];
	make_file("f", "");
	if (geteuid() != 0) {
		FAILS(setxattr("f", "trusted.a", "x", 1, 0), EPERM);
		FAILS(getxattr("f", "trusted.a", buf, sizeof buf), ENODATA);
		return;
	}
	OK(setxattr("f", "trusted.a", "t", 1, 0));
	CHECK(getxattr("f", "trusted.a", buf, sizeof buf) == 1);
	OK(setxattr("f", "security.sessfs", "s", 1, 0));
	CHECK(lists("f", "trusted.a") && lists("f", "security.sessfs"));
	/* cap_net_raw+p, revision 2: dropped by a write */
	static const uint8_t capability[20] = { 0, 0, 0, 2, 0, 0x20 };
	OK(setxattr("f", "security.capability", capability, sizeof capability, 0));
	CHECK(getxattr("f", "security.capability", buf, sizeof buf) == 20);
	int fd = OK(open("f", O_WRONLY));
	CHECK(write(fd, "x", 1) == 1);
	FAILS(getxattr("f", "security.capability", buf, sizeof buf), ENODATA);
	OK(mkfifo("p", 0644));
	OK(setxattr("p", "trusted.a", "t", 1, 0));
	FAILS(setxattr("p", "user.a", "t", 1, 0), EPERM);
	OK(symlink("f", "l"));
	OK(lsetxattr("l", "trusted.own", "l", 1, 0));
	CHECK(!lists("f", "trusted.own"));
}

static void see_no_trusted(void)
{
	CHECK(lists("f", "security.sessfs") && !lists("f", "trusted.a"));
}

static void trusted_attributes_of_others(void)
{
	need_root();
	make_file("f", "");
	OK(setxattr("f", "trusted.a", "t", 1, 0));
	OK(setxattr("f", "security.sessfs", "s", 1, 0));
	as_other(see_no_trusted);
}

/* ---- access control lists ---------------------------------------------------------------------------------------- */

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};
enum { ACL_OWNER = 1, ACL_USER = 2, ACL_GROUP_OWNER = 4, ACL_GROUP = 8, ACL_MASK = 16, ACL_OTHERS = 32 };

/* As the kernel takes it: version 2, then the entries in this order of tags. */
struct acl {
	uint32_t version;
	struct acl_entry entries[5];
};

static struct acl acl_with_other(uint16_t owner, uint16_t other_user, uint16_t group, uint16_t mask, uint16_t others)
{
	return (struct acl){ 2, { { ACL_OWNER, owner, UINT32_MAX }, { ACL_USER, other_user, OTHER_ID },
		{ ACL_GROUP_OWNER, group, UINT32_MAX }, { ACL_MASK, mask, UINT32_MAX },
		{ ACL_OTHERS, others, UINT32_MAX } } };
}

static void set_acl(const char *name, const char *kind, struct acl acl)
{
	if (setxattr(name, kind, &acl, sizeof acl, 0) == -1 && errno == EOPNOTSUPP && !on_fuse())
		SKIP("mounted without acl");
	CHECK(errno != EOPNOTSUPP);
	OK(setxattr(name, kind, &acl, sizeof acl, 0));
}

static const char access_acl[] = "system.posix_acl_access", default_acl[] = "system.posix_acl_default";

static void acl_and_mode(void)
{
	struct acl acl = acl_with_other(6, 4, 0, 4, 0), back;
	struct stat before, after;
	make_file("f", "");
	errno = 0;
	set_acl("f", access_acl, acl);
	CHECK(mode_of("f") == 0640); /* the mask shows as the group's bits */
	CHECK(getxattr("f", access_acl, &back, sizeof back) == sizeof back && memcmp(&acl, &back, sizeof back) == 0);
	OK(chmod("f", 0666));
	OK(getxattr("f", access_acl, &back, sizeof back));
	CHECK(back.entries[3].perm == 6 && back.entries[2].perm == 0 && back.entries[4].perm == 6);
	CHECK(lists("f", access_acl));
	OK(removexattr("f", access_acl));
	FAILS(getxattr("f", access_acl, &back, sizeof back), ENODATA);
	OK(stat("f", &before));
	OK(removexattr("f", access_acl)); /* the mode is one, too: there is nothing that could be missing */
	acl.version = 2;
	OK(setxattr("f", access_acl, &acl, sizeof acl.version, 0)); /* without entries: the same */
	OK(stat("f", &after));
	CHECK(after.st_mode == before.st_mode);
	acl.version = 77;
	CHECK(setxattr("f", access_acl, &acl, sizeof acl, 0) == -1);
	acl.version = 2;
	FAILS(setxattr("f", default_acl, &acl, sizeof acl, 0), EACCES);
	struct acl minimal = { 2, { { ACL_OWNER, 7, UINT32_MAX }, { ACL_GROUP_OWNER, 5, UINT32_MAX },
		{ ACL_OTHERS, 1, UINT32_MAX } } };
	OK(setxattr("f", access_acl, &minimal, 4 + 3 * sizeof(struct acl_entry), 0));
	CHECK(mode_of("f") == 0751);
	FAILS(getxattr("f", access_acl, &back, sizeof back), ENODATA); /* no more than the mode says */
}

static void acl_inherited(void)
{
	struct acl acl = acl_with_other(7, 5, 0, 7, 0), back;
	OK(mkdir("d", 0755));
	errno = 0;
	set_acl("d", default_acl, acl);
	CHECK(mode_of("d") == 0755);
	umask(077); /* has no say where a default list rules */
	OK(close(OK(open("d/f", O_CREAT | O_WRONLY, 0666))));
	CHECK(mode_of("d/f") == 0660);
	OK(getxattr("d/f", access_acl, &back, sizeof back));
	CHECK(back.entries[0].perm == 6 && back.entries[1].perm == 5 && back.entries[3].perm == 6);
	CHECK(back.entries[1].id == OTHER_ID);
	FAILS(getxattr("d/f", default_acl, &back, sizeof back), ENODATA);
	OK(mkdir("d/sub", 0777));
	CHECK(mode_of("d/sub") == 0770);
	OK(getxattr("d/sub", default_acl, &back, sizeof back));
	CHECK(memcmp(&acl, &back, sizeof back) == 0);
	OK(mkfifo("d/sub/p", 0666));
	CHECK(mode_of("d/sub/p") == 0660);
	OK(symlink("x", "d/l"));
	CHECK(mode_of("d/l") == 0777);
	OK(removexattr("d", default_acl));
	OK(close(OK(open("d/g", O_CREAT | O_WRONLY, 0666))));
	CHECK(mode_of("d/g") == 0600);
}

static void use_acl(void)
{
	OK(close(OK(open("allowed", O_RDONLY))));
	FAILS(open("allowed", O_WRONLY), EACCES);
	FAILS(open("denied", O_RDONLY), EACCES);
	FAILS(open("masked", O_WRONLY), EACCES);
	make_file("dir/mine", "");
}

static void acl_obeyed(void)
{
	need_root();
	make_file("allowed", "");
	make_file("denied", "");
	make_file("masked", "");
	OK(mkdir("dir", 0700));
	errno = 0;
	set_acl("allowed", access_acl, acl_with_other(6, 4, 0, 4, 0));
	set_acl("denied", access_acl, acl_with_other(6, 0, 0, 4, 4));
	set_acl("masked", access_acl, acl_with_other(6, 6, 0, 4, 0));
	set_acl("dir", access_acl, acl_with_other(7, 7, 0, 7, 0));
	as_other(use_acl);
}

static const struct posix_test tests[] = {
	{ "exact_times", exact_times },
	{ "changed_times", changed_times },
	{ "relatime", relatime },
	{ "times_of_others_files", times_of_others_files },
	{ "modes", modes },
	{ "umasks", umasks },
	{ "owners", owners },
	{ "suid_cleared_by_chown", suid_cleared_by_chown },
	{ "suid_cleared_by_write", suid_cleared_by_write },
	{ "sgid_directories", sgid_directories },
	{ "sticky_directories", sticky_directories },
	{ "user_attributes", user_attributes },
	{ "large_attributes", large_attributes },
	{ "privileged_attributes", privileged_attributes },
	{ "trusted_attributes_of_others", trusted_attributes_of_others },
	{ "acl_and_mode", acl_and_mode },
	{ "acl_inherited", acl_inherited },
	{ "acl_obeyed", acl_obeyed },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return posix_main(argc, argv, tests);
}
