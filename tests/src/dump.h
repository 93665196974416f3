/*
 * dump.h - a tree as text, one line a name, sorted: the model's and the mounted one's come out alike, byte for byte,
 * or differ.
 *
 *   alpha/logs/n7 f 0640 n2 s1234 h0123456789abcdef x1 user.alpha=... t1000000001 =alpha/n3
 *   alpha files 1 0 0 2 0 bytes 1234          active (of info.json)
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/xattr.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model.h"

enum { DUMP_LINE = 1024, DUMP_PATH = 4096, DUMP_FILE = 1 << 21 };

struct dump_line {
	char *path, *text;
	uint64_t id; /* of a file with several names: what they share */
};

struct dump {
	struct dump_line *lines;
	size_t count, room;
	uint8_t *buffer;
	int error; /* errno of the first thing that could not be read */
	char error_path[2 * DUMP_PATH];
};

static inline void dump_add(struct dump *d, const char *path, uint64_t id, const char *text)
{
	if (d->count == d->room) {
		d->room = d->room ? d->room * 2 : 256;
		d->lines = realloc(d->lines, d->room * sizeof *d->lines);
		if (!d->lines)
			abort();
	}
	d->lines[d->count++] = (struct dump_line){strdup(path), strdup(text), id};
}

static inline void dump_release(struct dump *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->lines[i].path);
		free(d->lines[i].text);
	}
	free(d->lines);
	free(d->buffer);
	*d = (struct dump){0};
}

__attribute__((format(printf, 3, 4))) static inline void dump_print(char *text, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t at = strlen(text);
	vsnprintf(text + at, size - at, format, args);
	va_end(args);
}

static inline int dump_order(const void *a, const void *b)
{
	return strcmp(((const struct dump_line *)a)->path, ((const struct dump_line *)b)->path);
}

/* The whole text, for the caller to free. Bytes of names that are not printable are written as \xNN. */
static inline char *dump_text(struct dump *d)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		abort();
	if (d->count)
		qsort(d->lines, d->count, sizeof *d->lines, dump_order);
	for (size_t i = 0; i < d->count; i++) {
		for (const char *p = d->lines[i].path; *p; p++)
			fprintf(out, *p > ' ' && *p < 127 ? "%c" : "\\x%02x", (unsigned char)*p);
		fprintf(out, " %s", d->lines[i].text);
		size_t first = 0;
		while (d->lines[i].id && d->lines[first].id != d->lines[i].id)
			first++;
		if (d->lines[i].id && first != i)
			fprintf(out, " =%s", d->lines[first].path);
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static inline void dump_model_xattrs(const struct model_node *node, char *text)
{
	int count = 0;
	for (int i = 0; i < MODEL_XATTRS; i++)
		count += node->xattrs[i].value != NULL;
	dump_print(text, DUMP_LINE, " x%d", count);
	for (int i = 0; i < MODEL_XATTRS; i++)
		if (node->xattrs[i].value)
			dump_print(text, DUMP_LINE, " %s=%016llx", model_xattr_names[i],
				(unsigned long long)XXH3_64bits(node->xattrs[i].value, node->xattrs[i].len));
}

static inline void dump_model_node(struct model *m, int n, char *text)
{
	struct model_node *node = &m->nodes[n];
	unsigned mode = node->mode & 07777;
	if (S_ISLNK(node->mode)) {
		dump_print(text, DUMP_LINE, "l %.*s", (int)node->size, (const char *)node->data);
		return;
	}
	if (S_ISDIR(node->mode)) {
		dump_print(text, DUMP_LINE, "d %04o n%d", mode, 2 + model_children(m, n, true));
	} else {
		if (!node->hashed)
			node->hash = XXH3_64bits(node->data, node->size);
		node->hashed = true;
		dump_print(text, DUMP_LINE, "f %04o n%u s%zu h%016llx", mode, node->links, node->size,
			(unsigned long long)node->hash);
	}
	dump_model_xattrs(node, text);
	if (node->mtime)
		dump_print(text, DUMP_LINE, " t%lld", (long long)node->mtime);
}

static inline int model_view_of(const struct model *m, int dir)
{
	int top = -1;
	for (; m->nodes[dir].session != dir; dir = m->nodes[dir].parent)
		top = dir;
	int entry = top < 0 ? -1 : model_entry_of(m, top);
	for (int i = 0; entry >= 0 && i < 4; i++)
		if (!strcmp(m->entries[entry].name, model_views[i]))
			return i;
	return 4;
}

static inline void dump_model_counters(struct model *m, struct dump *d, int session, const char *name, bool live)
{
	unsigned long long files[5] = {0}, bytes = 0;
	for (int i = 0; i < m->entry_count; i++) {
		const struct model_node *node = &m->nodes[m->entries[i].node];
		if (m->entries[i].dir != 0 && node->session == session && !S_ISDIR(node->mode))
			files[model_view_of(m, m->entries[i].dir)]++;
	}
	for (int i = 1; i < MODEL_NODES; i++)
		if (m->nodes[i].session == session && S_ISREG(m->nodes[i].mode) && (live || m->nodes[i].links))
			bytes += m->nodes[i].size;
	char text[DUMP_LINE] = "";
	dump_print(text, sizeof text, "files %llu %llu %llu %llu %llu bytes %llu %s", files[0], files[1], files[2],
		files[3], files[4], bytes, m->nodes[session].paused ? "paused" : "active");
	dump_add(d, name, 0, text);
}

/* live: files without a name that are held open still count; they do not after a restart of the daemon. */
static inline char *dump_model(struct model *m, bool live)
{
	struct dump d = {0};
	char path[DUMP_PATH], text[DUMP_LINE];
	for (int i = 0; i < m->entry_count; i++) {
		const struct model_entry *entry = &m->entries[i];
		const struct model_node *node = &m->nodes[entry->node];
		text[0] = 0;
		model_path(m, entry->dir, entry->name, path, sizeof path);
		dump_model_node(m, entry->node, text);
		dump_add(&d, path, S_ISREG(node->mode) && node->links > 1 ? (uint64_t)entry->node : 0, text);
		if (entry->dir == 0)
			dump_model_counters(m, &d, entry->node, strcat(path, "/.session"), live);
	}
	char *out = dump_text(&d);
	dump_release(&d);
	return out;
}

/* ---- the mounted tree -------------------------------------------------------------------------------------------- */

static inline void dump_fail(struct dump *d, const char *path)
{
	if (!d->error) {
		d->error = errno ? errno : EIO;
		snprintf(d->error_path, sizeof d->error_path, "%s", path);
	}
}

/* All of a file, or of what a pseudo-file gives, into d->buffer. */
static inline ssize_t dump_read(struct dump *d, int at, const char *path)
{
	if (!d->buffer && !(d->buffer = malloc(DUMP_FILE)))
		abort();
	int fd = openat(at, path, O_RDONLY | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	ssize_t n, size = 0;
	while ((n = read(fd, d->buffer + size, (size_t)(DUMP_FILE - size))) > 0)
		size += n;
	close(fd);
	return n < 0 ? -1 : size;
}

static inline void dump_tree_xattrs(struct dump *d, const char *full, const char *path, char *text)
{
	char names[4096];
	static uint8_t value[65536];
	ssize_t n = llistxattr(full, names, sizeof names);
	if (n < 0) {
		dump_fail(d, path);
		return;
	}
	int count = 0;
	for (char *p = names; p < names + n; p += strlen(p) + 1)
		count += strncmp(p, "user.sessfs.", 12) != 0;
	dump_print(text, DUMP_LINE, " x%d", count);
	for (int i = 0; i < MODEL_XATTRS; i++) {
		n = lgetxattr(full, model_xattr_names[i], value, sizeof value);
		if (n >= 0)
			dump_print(text, DUMP_LINE, " %s=%016llx", model_xattr_names[i],
				(unsigned long long)XXH3_64bits(value, (size_t)n));
		else if (errno != ENODATA)
			dump_fail(d, path);
	}
}

static inline void dump_tree_name(struct dump *d, int root, const char *mount, const char *path)
{
	char full[2 * DUMP_PATH], text[DUMP_LINE] = "";
	struct stat st;
	snprintf(full, sizeof full, "%s/%s", mount, path);
	if (lstat(full, &st)) {
		dump_fail(d, path);
		return;
	}
	unsigned mode = st.st_mode & 07777;
	if (S_ISLNK(st.st_mode)) {
		char target[512];
		ssize_t n = readlink(full, target, sizeof target);
		if (n < 0)
			dump_fail(d, path);
		dump_print(text, sizeof text, "l %.*s", (int)(n < 0 ? 0 : n), target);
		dump_add(d, path, 0, text);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		dump_print(text, sizeof text, "d %04o n%u", mode, (unsigned)st.st_nlink);
	} else {
		ssize_t n = dump_read(d, root, path);
		if (n < 0)
			dump_fail(d, path);
		dump_print(text, sizeof text, "f %04o n%u s%lld h%016llx", mode, (unsigned)st.st_nlink,
			(long long)st.st_size, (unsigned long long)XXH3_64bits(d->buffer, n < 0 ? 0 : (size_t)n));
	}
	dump_tree_xattrs(d, full, path, text);
	if (st.st_mtim.tv_sec < MODEL_OLD + 100000000)
		dump_print(text, sizeof text, " t%lld", (long long)st.st_mtim.tv_sec);
	dump_add(d, path, S_ISREG(st.st_mode) && st.st_nlink > 1 ? st.st_ino : 0, text);
}

static inline unsigned long long dump_number(const char *json, const char *name)
{
	char key[64];
	snprintf(key, sizeof key, "\"%s\"", name);
	const char *at = json ? strstr(json, key) : NULL;
	return at ? strtoull(at + strlen(key) + strspn(at + strlen(key), ": "), NULL, 10) : ~0ull;
}

static inline void dump_tree_counters(struct dump *d, int root, const char *session)
{
	char path[DUMP_PATH + 32], text[DUMP_LINE] = "files";
	snprintf(path, sizeof path, "%s/.session/info.json", session);
	ssize_t n = dump_read(d, root, path);
	if (n < 0 || n >= DUMP_FILE) {
		dump_fail(d, path);
		return;
	}
	d->buffer[n] = 0;
	const char *json = (const char *)d->buffer, *counts = strstr(json, "\"file_counts\"");
	for (int i = 0; i < 4; i++)
		dump_print(text, sizeof text, " %llu", dump_number(counts, model_views[i]));
	dump_print(text, sizeof text, " %llu bytes %llu %s", dump_number(counts, "other"),
		dump_number(json, "total_size_bytes"), strstr(json, "\"status\": \"paused\"") ? "paused" : "active");
	snprintf(path, sizeof path, "%s/.session", session);
	dump_add(d, path, 0, text);
}

static inline void dump_tree_dir(struct dump *d, int root, const char *mount, const char *path)
{
	char full[2 * DUMP_PATH], child[DUMP_PATH];
	snprintf(full, sizeof full, "%s/%s", mount, path);
	DIR *dir = opendir(full);
	if (!dir) {
		dump_fail(d, path);
		return;
	}
	struct dirent *entry;
	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !strcmp(entry->d_name, "lost+found"))
			continue;
		snprintf(child, sizeof child, "%s%s%s", path, path[0] ? "/" : "", entry->d_name);
		dump_tree_name(d, root, mount, child);
		if (!path[0])
			dump_tree_counters(d, root, child);
		if (entry->d_type == DT_DIR)
			dump_tree_dir(d, root, mount, child);
	}
	if (errno)
		dump_fail(d, path);
	closedir(dir);
}

/* NULL, with errno and a message on stderr, when something could not be read. */
static inline char *dump_tree(const char *mount)
{
	struct dump d = {0};
	char *out = NULL;
	int root = open(mount, O_RDONLY | O_DIRECTORY);
	if (root < 0) {
		d.error = errno;
	} else {
		dump_tree_dir(&d, root, mount, "");
		dump_tree_dir(&d, root, mount, ".sessfs/trash");
		close(root);
	}
	if (d.error)
		fprintf(stderr, "cannot read %s/%s: %s\n", mount, d.error_path, strerror(d.error));
	else
		out = dump_text(&d);
	errno = d.error;
	dump_release(&d);
	return out;
}

/* Lines that only one of the two has, at most 20, on stderr. */
static inline void dump_differences(const char *expected, const char *found)
{
	int shown = 0;
	while ((*expected || *found) && shown < 20) {
		size_t a = strcspn(expected, "\n"), b = strcspn(found, "\n");
		size_t least = a < b ? a : b;
		int order = !*expected ? 1 : !*found ? -1 : memcmp(expected, found, least);
		if (order == 0 && a == b) {
			expected += a + 1;
			found += b + 1;
			continue;
		}
		shown++;
		if (order < 0 || (order == 0 && a < b)) {
			fprintf(stderr, "  expected %.*s\n", (int)a, expected);
			expected += a + !!expected[a];
		} else {
			fprintf(stderr, "  found    %.*s\n", (int)b, found);
			found += b + !!found[b];
		}
	}
}
