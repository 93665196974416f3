/*
 * posix_names.c - files of every type, their names, links and renames, and what is refused.
 */
#include "posix.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* ---- types of files ---------------------------------------------------------------------------------------------- */

static void regular_file(void)
{
	make_file("f", "hello");
	struct stat st = stat_of("f");
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644);
	CHECK(st.st_size == 5 && st.st_nlink == 1);
	CHECK(st.st_uid == geteuid() && st.st_gid == getegid());
	CHECK(file_holds("f", "hello"));
	OK(unlink("f"));
	CHECK(!exists("f"));
	FAILS(open("f", O_RDONLY), ENOENT);
}

/* Of a directory, links are 2 + subdirectories, or 1: not counted. */
static bool links_right(const char *dir, nlink_t subdirectories)
{
	nlink_t n = stat_of(dir).st_nlink;
	return n == 1 || n == 2 + subdirectories;
}

static void directories(void)
{
	OK(mkdir("d", 0777));
	CHECK(S_ISDIR(stat_of("d").st_mode) && (stat_of("d").st_mode & 07777) == 0755);
	CHECK(links_right("d", 0));
	OK(mkdir("d/e", 0700));
	CHECK(links_right("d", 1));
	make_file("d/f", "");
	CHECK(links_right("d", 1));
	CHECK(stat_of("d/e/..").st_ino == stat_of("d").st_ino);
	FAILS(rmdir("d"), ENOTEMPTY);
	OK(unlink("d/f"));
	FAILS(rmdir("d"), ENOTEMPTY);
	OK(rmdir("d/e"));
	CHECK(links_right("d", 0));
	OK(rmdir("d/"));
}

static void deep_directories(void)
{
	for (int i = 0; i < 200; i++) {
		OK(mkdir("deep", 0755));
		OK(chdir("deep"));
	}
	make_file("bottom", "x");
	char *path = getcwd(NULL, 0);
	CHECK(path && strlen(path) > 200 * 5);
	free(path);
	for (int i = 0; i < 200; i++)
		OK(chdir(".."));
	CHECK(exists("deep/deep/deep"));
}

static void removed_directory(void)
{
	OK(mkdir("gone", 0755));
	int fd = OK(open("gone", O_RDONLY | O_DIRECTORY));
	OK(chdir("gone"));
	OK(rmdir("../gone"));
	FAILS(open("f", O_WRONLY | O_CREAT, 0644), ENOENT);
	FAILS(mkdir("d", 0755), ENOENT);
	FAILS(symlink("x", "l"), ENOENT);
	CHECK(getcwd(NULL, 0) == NULL && errno == ENOENT);
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(S_ISDIR(st.st_mode) && st.st_nlink == 0);
	DIR *dir = fdopendir(fd);
	CHECK(dir && !(readdir(dir) && readdir(dir) && readdir(dir)));
	closedir(dir);
	OK(chdir("/"));
}

static void symlinks(void)
{
	char target[PATH_MAX], back[PATH_MAX];

	OK(symlink("to nowhere", "l"));
	struct stat st = stat_of("l");
	CHECK(S_ISLNK(st.st_mode) && st.st_size == 10 && (st.st_mode & 0777) == 0777);
	CHECK(readlink("l", back, sizeof back) == 10 && memcmp(back, "to nowhere", 10) == 0);
	CHECK(readlink("l", back, 3) == 3);
	FAILS(open("l", O_RDONLY), ENOENT);
	FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	memset(target, 'x', PATH_MAX - 1);
	target[PATH_MAX - 1] = '\0';
	OK(symlink(target, "long"));
	CHECK(readlink("long", back, sizeof back) == PATH_MAX - 1 && memcmp(back, target, PATH_MAX - 1) == 0);
	CHECK(stat_of("long").st_size == PATH_MAX - 1);
	OK(symlink("\xff\n\x01", "bytes"));
	CHECK(readlink("bytes", back, sizeof back) == 3 && memcmp(back, "\xff\n\x01", 3) == 0);
	OK(symlink("loop", "loop"));
	FAILS(open("loop", O_RDONLY), ELOOP);
	FAILS(symlink("", "empty"), ENOENT);
	FAILS(symlink("x", "l"), EEXIST);
	make_file("f", "through");
	OK(symlink("f", "good"));
	CHECK(file_holds("good", "through"));
	OK(mkdir("d", 0755));
	OK(symlink("d", "dl"));
	make_file("dl/inside", "x");
	CHECK(exists("d/inside"));
	FAILS(rmdir("dl"), ENOTDIR);
	FAILS(readlink("f", back, sizeof back), EINVAL);
}

static void hard_links(void)
{
	char name[16];
	make_file("a", "one");
	OK(link("a", "b"));
	CHECK(stat_of("a").st_ino == stat_of("b").st_ino && stat_of("a").st_nlink == 2);
	int fd = OK(open("b", O_WRONLY | O_APPEND));
	CHECK(write(fd, "+", 1) == 1);
	OK(close(fd));
	CHECK(file_holds("a", "one+"));
	OK(mkdir("d", 0755));
	OK(link("b", "d/c"));
	CHECK(stat_of("a").st_nlink == 3);
	OK(unlink("a"));
	CHECK(stat_of("b").st_nlink == 2 && file_holds("d/c", "one+"));
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "d/%d", i);
		OK(link("b", name));
	}
	CHECK(stat_of("b").st_nlink == 202);
	FAILS(link("b", "d/c"), EEXIST);
	FAILS(link("d", "e"), EPERM);
	FAILS(link("absent", "e"), ENOENT);
	OK(symlink("b", "sl"));
	OK(link("sl", "sl2")); /* of the symlink itself */
	CHECK(S_ISLNK(stat_of("sl2").st_mode) && stat_of("sl").st_nlink == 2);
	OK(linkat(AT_FDCWD, "sl", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
	CHECK(stat_of("followed").st_ino == stat_of("b").st_ino);
}

static void write_to_fifo(void)
{
	int fd = OK(open("p", O_WRONLY));
	CHECK(write(fd, "through the pipe", 16) == 16);
}

static void fifos(void)
{
	char buf[32];
	OK(mkfifo("p", 0600));
	CHECK(S_ISFIFO(stat_of("p").st_mode) && (stat_of("p").st_mode & 0777) == 0600);
	FAILS(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	pid_t writer = fork_to(write_to_fifo);
	int fd = OK(open("p", O_RDONLY));
	CHECK(read(fd, buf, sizeof buf) == 16 && memcmp(buf, "through the pipe", 16) == 0);
	join(writer);
	CHECK(stat_of("p").st_size == 0);
	FAILS(mkfifo("p", 0600), EEXIST);
}

static const struct sockaddr_un socket_address = { .sun_family = AF_UNIX, .sun_path = "s" };

static void connect_and_send(void)
{
	int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(connect(fd, (const struct sockaddr *)&socket_address, sizeof socket_address));
	CHECK(write(fd, "hello", 5) == 5);
}

static void sockets(void)
{
	char buf[8];
	int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(fd, (const struct sockaddr *)&socket_address, sizeof socket_address));
	CHECK(S_ISSOCK(stat_of("s").st_mode));
	OK(listen(fd, 1));
	pid_t client = fork_to(connect_and_send);
	int peer = OK(accept(fd, NULL, NULL));
	CHECK(read(peer, buf, sizeof buf) == 5);
	join(client);
	int second = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	FAILS(bind(second, (const struct sockaddr *)&socket_address, sizeof socket_address), EADDRINUSE);
	FAILS(open("s", O_RDONLY), ENXIO);
}

static void device_nodes(void)
{
	if (geteuid() != 0) {
		FAILS(mknod("null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
		return;
	}
	OK(mknod("null", S_IFCHR | 0660, makedev(1, 3)));
	struct stat st = stat_of("null");
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) && (st.st_mode & 0777) == 0640);
	OK(mknod("block", S_IFBLK | 0600, makedev(259, 1000)));
	st = stat_of("block");
	CHECK(S_ISBLK(st.st_mode) && st.st_rdev == makedev(259, 1000));
	int fd = open("null", O_WRONLY);
	CHECK(fd == -1 ? errno == EACCES : write(fd, "x", 1) == 1);
	OK(mknod("plain", S_IFREG | 0600, 0));
	CHECK(S_ISREG(stat_of("plain").st_mode));
	FAILS(mknod("null", S_IFREG | 0600, 0), EEXIST);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void any_byte_in_names(void)
{
	for (int c = 1; c < 256; c++) {
		char name[] = { 'n', (char)c, '\0' };
		if (c == '/')
			continue;
		make_file(name, name);
		CHECK(file_holds(name, name));
	}
	DIR *dir = opendir(".");
	int seen = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		seen += entry->d_name[0] == 'n' && strlen(entry->d_name) == 2;
	closedir(dir);
	CHECK(seen == 254);
}

static void long_names(void)
{
	char name[NAME_MAX + 2], other[NAME_MAX + 2];
	for (int c = 2; c < 256; c += 126) {
		memset(name, c, NAME_MAX);
		name[NAME_MAX] = '\0';
		make_file(name, "long");
		CHECK(file_holds(name, "long"));
		memset(other, c ^ 1, NAME_MAX);
		other[NAME_MAX] = '\0';
		OK(rename(name, other));
		OK(link(other, name));
		OK(unlink(other));
	}
	memset(name, 'x', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	FAILS(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
	FAILS(mkdir(name, 0755), ENAMETOOLONG);
	FAILS(symlink("x", name), ENAMETOOLONG);
	make_file("short", "");
	FAILS(rename("short", name), ENAMETOOLONG);
	FAILS(link("short", name), ENAMETOOLONG);
	FAILS(access(name, F_OK), ENAMETOOLONG);
}

static void names_apart(void)
{
	static const char *const names[] = { "a", "A", " a", "a ", "\xc3\xa4", "a\xcc\x88", "-rf", "*", "...", "..a",
		".a", "a.", NULL };
	for (const char *const *n = names; *n; n++)
		make_file(*n, *n);
	for (const char *const *n = names; *n; n++)
		CHECK(file_holds(*n, *n));
}

/* ---- rename ------------------------------------------------------------------------------------------------------ */

/* Makes a thing of kind: - absent, f file, e empty directory, d full directory, l symlink, p fifo. */
static void make_kind(char kind, const char *name)
{
	char inside[64];
	snprintf(inside, sizeof inside, "%s/inside", name);
	switch (kind) {
	case 'f':
		make_file(name, name);
		break;
	case 'd':
	case 'e':
		OK(mkdir(name, 0755));
		if (kind == 'd')
			make_file(inside, "");
		break;
	case 'l':
		OK(symlink("nowhere", name));
		break;
	case 'p':
		OK(mkfifo(name, 0644));
		break;
	}
}

static void remove_kind(const char *name)
{
	char inside[64];
	snprintf(inside, sizeof inside, "%s/inside", name);
	unlink(inside);
	if (exists(name))
		OK(remove(name));
}

static bool is_directory(const char *name)
{
	return exists(name) && S_ISDIR(stat_of(name).st_mode);
}

static int expected_rename(char from, char to, unsigned flags)
{
	bool from_dir = from == 'd' || from == 'e', to_dir = to == 'd' || to == 'e';
	if (flags & RENAME_EXCHANGE)
		return to == '-' ? ENOENT : 0;
	if (to == '-')
		return 0;
	if (flags & RENAME_NOREPLACE)
		return EEXIST;
	if (from_dir && !to_dir)
		return ENOTDIR;
	if (!from_dir && to_dir)
		return EISDIR;
	return to == 'd' ? ENOTEMPTY : 0;
}

static void rename_one(char from, char to, const char *target, unsigned flags)
{
	make_kind(from, "x/from");
	make_kind(to, target);
	ino_t from_ino = stat_of("x/from").st_ino, to_ino = to == '-' ? 0 : stat_of(target).st_ino;
	int expected = expected_rename(from, to, flags);
	int result = renameat2(AT_FDCWD, "x/from", AT_FDCWD, target, flags);
	if (result == -1 ? errno != expected : expected != 0)
		printf("  %c to %c (%s), flags %u: expected %s\n", from, to, target, flags, strerror(expected));
	CHECK(result == 0 ? expected == 0 : errno == expected);
	if (result == 0) {
		CHECK(stat_of(target).st_ino == from_ino);
		CHECK(flags & RENAME_EXCHANGE ? stat_of("x/from").st_ino == to_ino : !exists("x/from"));
	} else {
		CHECK(stat_of("x/from").st_ino == from_ino);
		CHECK(to == '-' ? !exists(target) : stat_of(target).st_ino == to_ino);
	}
	CHECK(links_right("x", is_directory("x/from") + is_directory("x/to")));
	CHECK(links_right("y", is_directory("y/to")));
	if (is_directory("y/to"))
		CHECK(stat_of("y/to/..").st_ino == stat_of("y").st_ino);
	remove_kind("x/from");
	remove_kind(target);
}

static void rename_matrix(void)
{
	static const unsigned flags[] = { 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	OK(mkdir("x", 0755));
	OK(mkdir("y", 0755));
	for (size_t i = 0; i < 3; i++)
		for (const char *from = "fedlp"; *from; from++)
			for (const char *to = "-fedlp"; *to; to++) {
				rename_one(*from, *to, "x/to", flags[i]);
				rename_one(*from, *to, "y/to", flags[i]);
			}
}

static void rename_rules(void)
{
	OK(mkdir("d", 0755));
	OK(mkdir("d/e", 0755));
	FAILS(rename("d", "d/e/f"), EINVAL);
	FAILS(rename("d", "d/f"), EINVAL);
	FAILS(rename("d/e", "d"), ENOTEMPTY);
	FAILS(renameat2(AT_FDCWD, "d", AT_FDCWD, "d/e", RENAME_EXCHANGE), EINVAL);
	FAILS(rename("absent", "x"), ENOENT);
	FAILS(rename("d", "absent/x"), ENOENT);
	make_file("f", "f");
	FAILS(rename("f", "f/x"), ENOTDIR);
	FAILS(rename("f/", "x"), ENOTDIR);
	FAILS(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	OK(rename("f", "f"));
	OK(rename("d", "d"));
	OK(link("f", "same"));
	OK(rename("f", "same")); /* two names of one file: nothing happens */
	CHECK(exists("f") && exists("same") && stat_of("f").st_nlink == 2);
	FAILS(rename("d/.", "x"), EBUSY);
	FAILS(rename("d/e/..", "x"), EBUSY);
	OK(rename("d", "moved"));
	CHECK(exists("moved/e") && !exists("d"));
}

static void rename_over_open_file(void)
{
	char buf[8] = "";
	make_file("old", "old");
	make_file("new", "new");
	int fd = OK(open("old", O_RDWR));
	OK(rename("new", "old"));
	CHECK(read(fd, buf, sizeof buf) == 3 && strcmp(buf, "old") == 0);
	CHECK(pwrite(fd, "more", 4, 3) == 4);
	struct stat st;
	OK(fstat(fd, &st));
	CHECK(st.st_nlink == 0 && st.st_size == 7);
	CHECK(file_holds("old", "new"));
	make_file("third", "3");
	OK(link("old", "kept"));
	OK(rename("third", "old"));
	CHECK(file_holds("kept", "new") && stat_of("kept").st_nlink == 1);
}

static void rename_stress_part(void)
{
	for (int i = 0; i < 300; i++) {
		if (rename("ping", "d/pong") == -1)
			CHECK(errno == ENOENT);
		if (rename("d/pong", "ping") == -1)
			CHECK(errno == ENOENT);
	}
}

static void rename_by_two(void)
{
	OK(mkdir("d", 0755));
	make_file("ping", "ball");
	pid_t first = fork_to(rename_stress_part), second = fork_to(rename_stress_part);
	join(first);
	join(second);
	CHECK(exists("ping") != exists("d/pong"));
	CHECK(file_holds(exists("ping") ? "ping" : "d/pong", "ball"));
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void refused_names(void)
{
	char path[PATH_MAX + 2];
	make_file("f", "f");
	OK(mkdir("d", 0755));
	FAILS(open("f/x", O_RDONLY), ENOTDIR);
	FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("d", O_WRONLY), EISDIR);
	FAILS(open("d", O_RDWR | O_CREAT, 0644), EISDIR);
	FAILS(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR);
	FAILS(open("f", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	FAILS(open("d", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(mkdir("d", 0755), EEXIST);
	FAILS(mkdir("f", 0755), EEXIST);
	FAILS(mkdir("absent/x", 0755), ENOENT);
	FAILS(mkdir("f/x", 0755), ENOTDIR);
	FAILS(rmdir("f"), ENOTDIR);
	FAILS(rmdir("absent"), ENOENT);
	FAILS(rmdir("d/."), EINVAL);
	FAILS(rmdir("d/.."), ENOTEMPTY);
	FAILS(unlink("d"), EISDIR);
	FAILS(unlink("f/"), ENOTDIR);
	FAILS(unlink("absent"), ENOENT);
	FAILS(chdir("f"), ENOTDIR);
	FAILS(truncate("d", 0), EISDIR);
	memset(path, 'x', sizeof path - 1);
	for (size_t i = 100; i < sizeof path; i += 100)
		path[i] = '/';
	path[PATH_MAX + 1] = '\0';
	FAILS(open(path, O_RDONLY), ENAMETOOLONG);
}

static void refuse_to_other(void)
{
	FAILS(open("secret", O_RDONLY), EACCES);
	FAILS(open("secret", O_WRONLY), EACCES);
	FAILS(open("readable", O_WRONLY), EACCES);
	FAILS(truncate("readable", 0), EACCES);
	FAILS(open("private/f", O_RDONLY), EACCES);
	FAILS(open("shown/new", O_WRONLY | O_CREAT, 0644), EACCES);
	FAILS(mkdir("shown/new", 0755), EACCES);
	FAILS(unlink("shown/f"), EACCES);
	FAILS(rename("shown/f", "shown/g"), EACCES);
	FAILS(symlink("x", "shown/g"), EACCES);
	FAILS(chmod("readable", 0777), EPERM);
	FAILS(chown("readable", OTHER_ID, OTHER_ID), EPERM);
	FAILS(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
	CHECK(opendir("private") == NULL && errno == EACCES);
	OK(close(OK(open("readable", O_RDONLY))));
}

static void permissions(void)
{
	need_root();
	make_file("secret", "s");
	OK(chmod("secret", 0600));
	make_file("readable", "r");
	OK(mkdir("private", 0700));
	make_file("private/f", "");
	OK(mkdir("shown", 0755));
	make_file("shown/f", "");
	as_other(refuse_to_other);
}

static const struct posix_test tests[] = {
	{ "regular_file", regular_file },
	{ "directories", directories },
	{ "deep_directories", deep_directories },
	{ "removed_directory", removed_directory },
	{ "symlinks", symlinks },
	{ "hard_links", hard_links },
	{ "fifos", fifos },
	{ "sockets", sockets },
	{ "device_nodes", device_nodes },
	{ "any_byte_in_names", any_byte_in_names },
	{ "long_names", long_names },
	{ "names_apart", names_apart },
	{ "rename_matrix", rename_matrix },
	{ "rename_rules", rename_rules },
	{ "rename_over_open_file", rename_over_open_file },
	{ "rename_by_two", rename_by_two },
	{ "refused_names", refused_names },
	{ "permissions", permissions },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return posix_main(argc, argv, tests);
}
