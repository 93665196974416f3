/* path.c - see path.h. */
#include "mount/path.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

char *path_resolve(const char *path)
{
	char *whole = realpath(path, NULL), *copy = NULL, *head = NULL;

	if (whole || (errno != ENOENT && errno != ENOTCONN && errno != EACCES && errno != EIO))
		return whole;
	int error = errno;
	copy = strdup(path);
	if (!copy)
		return NULL;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = 0;
	char *slash = strrchr(copy, '/');
	const char *last = slash ? slash + 1 : copy;
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		free(copy);
		errno = error;
		return NULL;
	}
	if (slash)
		*slash = 0;
	head = realpath(!slash ? "." : *copy ? copy : "/", NULL);
	if (head && asprintf(&whole, "%s/%s", strcmp(head, "/") == 0 ? "" : head, last) < 0)
		whole = NULL;
	error = errno;
	free(head);
	free(copy);
	errno = error;
	return whole;
}

static bool holds(const char *path, const char *name)
{
	char *whole = NULL;
	bool found = asprintf(&whole, "%s/%s", path, name) >= 0 && access(whole, F_OK) == 0;

	free(whole);
	return found;
}

bool path_holds_store(const char *path)
{
	return holds(path, "data.mdb");
}

bool path_holds_logs(const char *path)
{
	return holds(path, "hot.0") || holds(path, "hot.1");
}

bool path_within(const char *inner, const char *outer)
{
	size_t len = strlen(outer);

	if (len == 1)
		return true;
	return strncmp(inner, outer, len) == 0 && (inner[len] == 0 || inner[len] == '/');
}

bool path_is_dead(const char *dir)
{
	struct statfs st;

	return statfs(dir, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

void mounted_release(struct mounted *m)
{
	free(m->dir);
	free(m->type);
	free(m->source);
	*m = (struct mounted){0};
}

bool mounted_is_sessfs(const struct mounted *m)
{
	return strcmp(m->type, "fuse.sessfs") == 0;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Undoes the octal escapes of proc(5), in place. */
static char *unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; out++) {
		if (in[0] == '\\' && is_octal(in[1]) && is_octal(in[2]) && is_octal(in[3])) {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = 0;
	return text;
}

/* "36 35 98:0 /root /dir rw,noatime master:1 - type source super-options"; the outputs point into line. */
static bool parse_line(char *line, struct mounted *m)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);

	for (int i = 1; i < 4 && word; i++)
		word = strtok_r(NULL, " \n", &save);
	m->whole = word && strcmp(word, "/") == 0;
	m->dir = word ? strtok_r(NULL, " \n", &save) : NULL;
	word = m->dir ? strtok_r(NULL, " \n", &save) : NULL;
	m->read_only = word && strncmp(word, "ro", strcspn(word, ",")) == 0;
	while (word && strcmp(word, "-") != 0)
		word = strtok_r(NULL, " \n", &save);
	m->type = word ? strtok_r(NULL, " \n", &save) : NULL;
	m->source = m->type ? strtok_r(NULL, " \n", &save) : NULL;
	if (!m->source)
		return false;
	unescape(m->dir);
	unescape(m->source);
	return true;
}

void mounted_each_in(FILE *file, void (*each)(void *arg, const struct mounted *), void *arg)
{
	struct mounted m;
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		if (parse_line(line, &m))
			each(arg, &m);
	free(line);
}

void mounted_each(void (*each)(void *arg, const struct mounted *), void *arg)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");

	mounted_each_in(file, each, arg);
	if (file)
		fclose(file);
}

/* What is looked for, and the last that was found, which is the one on top. */
struct search {
	const char *dir, *source, *below; /* NULL: any */
	struct mounted found;
};

static void keep_wanted(void *arg, const struct mounted *m)
{
	struct search *s = arg;
	struct mounted copy;

	if (s->dir && strcmp(m->dir, s->dir) != 0)
		return;
	if (s->source && (strcmp(m->source, s->source) != 0 || !mounted_is_sessfs(m)))
		return;
	if (s->below && (!path_within(s->below, m->dir) ||
				(s->found.dir && strlen(m->dir) < strlen(s->found.dir))))
		return;
	copy = *m;
	copy.dir = strdup(m->dir);
	copy.type = strdup(m->type);
	copy.source = strdup(m->source);
	mounted_release(&s->found);
	s->found = copy;
}

static bool take_found(struct search *s, struct mounted *ret)
{
	if (!s->found.dir || !s->found.type || !s->found.source) {
		mounted_release(&s->found);
		return false;
	}
	*ret = s->found;
	return true;
}

static bool find(struct search *s, struct mounted *ret)
{
	mounted_each(keep_wanted, s);
	return take_found(s, ret);
}

bool mounted_at(const char *dir, struct mounted *ret)
{
	return find(&(struct search){.dir = dir}, ret);
}

bool mounted_store(const char *store, struct mounted *ret)
{
	return find(&(struct search){.source = store}, ret);
}

bool mounted_store_by(int pid, const char *store, struct mounted *ret)
{
	struct search search = {.source = store};
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mountinfo", pid);
	FILE *file = fopen(path, "re");
	mounted_each_in(file, keep_wanted, &search);
	if (file)
		fclose(file);
	return take_found(&search, ret);
}

bool mounted_over(const char *path, struct mounted *ret)
{
	return find(&(struct search){.below = path}, ret);
}

static int run_fusermount(const char *dir, bool lazy)
{
	const char *const argv[] = {
		"fusermount3", "-q", "-u", lazy ? "-z" : "--", lazy ? "--" : dir, lazy ? dir : NULL, NULL};
	pid_t pid;
	int status;

	int r = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (r)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

int path_unmount(const char *dir, bool lazy)
{
	if (geteuid() != 0)
		return run_fusermount(dir, lazy);
	return umount2(dir, (lazy ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW) == 0 ? 0 : errno;
}
