/*
 * work - the works that are measured: `work NAME DIR [key=value ...]` does one below DIR and prints what it took, one
 * line a figure: "metric value unit". Time is taken around the calls themselves. On which filesystem, in which order
 * and how often is the business of `run`.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "content.h"

#define POOL (16u << 20) /* bytes of content made beforehand; writes cycle through it */
#define PIECE_MAX (1u << 20)

static struct {
	uint64_t files;   /* how many files or operations */
	uint64_t per;     /* files a directory; 0: all in one */
	uint64_t size;    /* bytes of a small file */
	uint64_t bytes;   /* bytes of a large one */
	uint64_t piece;   /* bytes a call */
	uint64_t seconds;
	uint64_t sync;    /* 1: fsync at the end */
	uint64_t write;   /* 1: random writes, 0: random reads */
	const char *kind; /* of content: json, log, random */
	const char *tree; /* name below DIR to work in */
	const char *mode; /* sqlite: journal mode */
} par = {.files = 5000, .size = 1024, .bytes = 512u << 20, .piece = 1u << 20, .seconds = 15, .kind = "json",
	.tree = "tree", .mode = "delete"};

static char *pool, *buffer, *top;

/* ---- helpers ----------------------------------------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void print_per_op(const char *metric, uint64_t ns, uint64_t count)
{
	printf("%s %.0f ns\n", metric, (double)ns / (double)(count ? count : 1));
}

static void print_rate(const char *metric, uint64_t ns, uint64_t bytes)
{
	printf("%s %.1f MB/s\n", metric, (double)bytes * 1000.0 / (double)ns);
}

static enum content_kind kind_of(const char *kind)
{
	return strcmp(kind, "json") ? strcmp(kind, "log") ? CONTENT_RANDOM : CONTENT_LOG : CONTENT_JSON;
}

static int must_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "open %s", path);
	return fd;
}

static void must_write(int fd, const void *data, size_t len, off_t offset, const char *path)
{
	ssize_t n = offset < 0 ? write(fd, data, len) : pwrite(fd, data, len, offset);

	if (n != (ssize_t)len)
		err(1, "write %s", path);
}

static void must_close(int fd, const char *path)
{
	if (close(fd))
		err(1, "close %s", path);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		err(1, "mkdir %s", path);
}

static void path_dir(char *path, const char *tree, uint64_t dir)
{
	snprintf(path, PATH_MAX, par.per ? "%s/%s/d%04llu" : "%s/%s", top, tree, (unsigned long long)dir);
}

static void path_file(char *path, const char *tree, uint64_t i)
{
	path_dir(path, tree, par.per ? i / par.per : 0);
	sprintf(path + strlen(path), "/document_%06llu.json", (unsigned long long)i);
}

static uint64_t dirs(void)
{
	return par.per ? (par.files + par.per - 1) / par.per : 0;
}

static void make_dirs(const char *tree)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, tree);
	make_dir(path);
	for (uint64_t i = 0; i < dirs(); i++) {
		path_dir(path, tree, i);
		make_dir(path);
	}
}

static const char *content_at(uint64_t i, uint64_t len)
{
	return pool + i * len % (POOL - PIECE_MAX);
}

static void write_file(const char *path, const char *data, size_t len)
{
	int fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC);

	must_write(fd, data, len, -1, path);
	must_close(fd, path);
}

/* ---- small files ------------------------------------------------------------------------------------------- */

static void create_files(const char *tree)
{
	char path[PATH_MAX];

	for (uint64_t i = 0; i < par.files; i++) {
		path_file(path, tree, i);
		write_file(path, content_at(i, par.size), par.size);
	}
}

static void work_create(void)
{
	uint64_t start;

	make_dirs(par.tree);
	start = now();
	create_files(par.tree);
	print_per_op("create", now() - start, par.files);
}

static void work_stat(void)
{
	char path[PATH_MAX];
	struct stat st;
	uint64_t start = now();

	for (uint64_t i = 0; i < par.files; i++) {
		path_file(path, par.tree, i);
		if (stat(path, &st))
			err(1, "stat %s", path);
	}
	print_per_op("stat", now() - start, par.files);
}

static void work_open(void)
{
	char path[PATH_MAX];
	uint64_t start = now();

	for (uint64_t i = 0; i < par.files; i++) {
		path_file(path, par.tree, i);
		int fd = must_open(path, O_RDONLY);

		if (read(fd, buffer, PIECE_MAX) != (ssize_t)par.size)
			err(1, "read %s", path);
		must_close(fd, path);
	}
	print_per_op("open", now() - start, par.files);
}

static void work_readdir(void)
{
	char path[PATH_MAX];
	uint64_t names = 0, start = now();

	for (uint64_t i = 0; i < (par.per ? dirs() : 1); i++) {
		path_dir(path, par.tree, i);
		DIR *dir = opendir(path);

		if (!dir)
			err(1, "opendir %s", path);
		for (; readdir(dir); names++)
			;
		closedir(dir);
	}
	print_per_op("readdir", now() - start, names);
}

static void work_unlink(void)
{
	char path[PATH_MAX];
	uint64_t start = now();

	for (uint64_t i = 0; i < par.files; i++) {
		path_file(path, par.tree, i);
		if (unlink(path))
			err(1, "unlink %s", path);
	}
	print_per_op("unlink", now() - start, par.files);
}

static void work_rmrf(void)
{
	char path[PATH_MAX];
	uint64_t start = now();
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", top, par.tree);
	pid = fork();
	if (!pid) {
		execlp("rm", "rm", "-rf", path, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		errx(1, "rm -rf %s failed", path);
	print_per_op("rmrf", now() - start, par.files);
}

static void work_append(void)
{
	char path[PATH_MAX];
	uint64_t start;
	int fd;

	snprintf(path, sizeof(path), "%s/append.log", top);
	fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
	start = now();
	for (uint64_t i = 0; i < par.files; i++)
		must_write(fd, content_at(i, 200), 200, -1, path);
	must_close(fd, path);
	print_per_op("append", now() - start, par.files);
}

static void work_replace(void)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	uint64_t start;

	make_dirs(par.tree);
	snprintf(path, sizeof(path), "%s/%s/state", top, par.tree);
	snprintf(temporary, sizeof(temporary), "%s/%s/state.tmp", top, par.tree);
	start = now();
	for (uint64_t i = 0; i < par.files; i++) {
		write_file(temporary, content_at(i, par.size), par.size);
		if (rename(temporary, path))
			err(1, "rename %s", path);
	}
	print_per_op("replace", now() - start, par.files);
}

/* Each client has a tree of its own; the time is that of the slower one. */
static void work_clients(void)
{
	char tree[2][NAME_MAX];
	pid_t pids[2];
	uint64_t start;
	int status;

	for (int c = 0; c < 2; c++) {
		snprintf(tree[c], sizeof(tree[c]), "%s.%d", par.tree, c);
		make_dirs(tree[c]);
	}
	start = now();
	for (int c = 0; c < 2; c++) {
		pids[c] = fork();
		if (!pids[c]) {
			create_files(tree[c]);
			_exit(0);
		}
	}
	for (int c = 0; c < 2; c++)
		if (waitpid(pids[c], &status, 0) < 0 || status)
			errx(1, "a client failed");
	print_per_op("clients", now() - start, 2 * par.files);
}

/* ---- large files ------------------------------------------------------------------------------------------- */

static void large_path(char *path)
{
	snprintf(path, PATH_MAX, "%s/large.%s", top, par.kind);
}

static void work_seqwrite(void)
{
	char path[PATH_MAX];
	uint64_t start, closed;
	int fd;

	large_path(path);
	unlink(path);
	start = now();
	fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC);
	for (uint64_t offset = 0; offset < par.bytes; offset += par.piece)
		must_write(fd, pool + offset % (POOL - PIECE_MAX), par.piece, -1, path);
	closed = now();
	if (par.sync && fsync(fd))
		err(1, "fsync %s", path);
	must_close(fd, path);
	print_rate("seqwrite", closed - start, par.bytes);
	if (par.sync)
		print_rate("seqwrite+fsync", now() - start, par.bytes);
}

static void work_seqread(void)
{
	char path[PATH_MAX];
	uint64_t start, sum = 0;
	ssize_t n;
	int fd;

	large_path(path);
	start = now();
	fd = must_open(path, O_RDONLY);
	while ((n = read(fd, buffer, par.piece)) > 0)
		sum += (uint64_t)n;
	must_close(fd, path);
	if (n < 0 || sum != par.bytes)
		err(1, "read %s", path);
	print_rate("seqread", now() - start, sum);
}

static void work_random(void)
{
	const bool writing = par.write;
	struct random random = {.state = 88172645463325252};
	char path[PATH_MAX];
	uint64_t start;
	int fd;

	large_path(path);
	fd = must_open(path, writing ? O_WRONLY : O_RDONLY);
	start = now();
	for (uint64_t i = 0; i < par.files; i++) {
		off_t offset = (off_t)random_below(&random, (uint32_t)(par.bytes / 4096)) * 4096;

		if (writing)
			must_write(fd, pool + offset % (POOL - PIECE_MAX), 4096, offset, path);
		else if (pread(fd, buffer, 4096, offset) != 4096)
			err(1, "read %s", path);
	}
	must_close(fd, path);
	print_per_op(writing ? "randwrite" : "randread", now() - start, par.files);
}

/* ---- SQLite ------------------------------------------------------------------------------------------------ */

static void *sqlite_symbol(const char *name)
{
	static void *library;
	void *symbol;

	if (!library)
		library = dlopen("libsqlite3.so.0", RTLD_NOW);
	symbol = library ? dlsym(library, name) : NULL;
	if (!symbol)
		errx(77, "%s", dlerror());
	return symbol;
}

/* One INSERT a transaction, each synced (synchronous=FULL), in the journal mode asked for. */
static void work_sqlite(void)
{
	int (*sqlite_open)(const char *, void **) = (int (*)(const char *, void **))sqlite_symbol("sqlite3_open");
	int (*sqlite_exec)(void *, const char *, void *, void *, char **) =
		(int (*)(void *, const char *, void *, void *, char **))sqlite_symbol("sqlite3_exec");
	int (*sqlite_close)(void *) = (int (*)(void *))sqlite_symbol("sqlite3_close");
	char path[PATH_MAX], sql[2048], *message = NULL;
	uint64_t start;
	void *db;

	snprintf(path, sizeof(path), "%s/%s.db", top, par.mode);
	snprintf(sql, sizeof(sql), "PRAGMA journal_mode=%s; PRAGMA synchronous=FULL; "
		"CREATE TABLE result(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body TEXT)", par.mode);
	if (sqlite_open(path, &db) || sqlite_exec(db, sql, NULL, NULL, &message))
		errx(1, "sqlite %s: %s", path, message ? message : "cannot open");
	start = now();
	for (uint64_t i = 0; i < par.files; i++) {
		snprintf(sql, sizeof(sql), "INSERT INTO result(name, body) VALUES('name%llu', '%s')",
			(unsigned long long)i, "a finding of the usual length, with nothing to quote in it");
		if (sqlite_exec(db, sql, NULL, NULL, &message))
			errx(1, "sqlite %s: %s", path, message ? message : "");
	}
	sqlite_close(db);
	print_per_op("sqlite", now() - start, par.files);
}

/* ---- stalls ------------------------------------------------------------------------------------------------ */

#define LATENCIES (1u << 25)

static struct {
	uint32_t *ns;
	uint64_t count, longest;
	const char *culprit;
} stall;

static uint64_t stall_add(const char *what, uint64_t start)
{
	uint64_t end = now(), took = end - start;

	if (stall.count < LATENCIES)
		stall.ns[stall.count++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
	if (took > stall.longest) {
		stall.longest = took;
		stall.culprit = what;
	}
	return end;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Files come, are looked at, replaced and go, a log grows: each call is timed, for longer than several commits. */
static void stall_step(uint64_t i, int log)
{
	const uint64_t alive = 20000;
	char path[PATH_MAX], other[PATH_MAX];
	struct stat st;
	uint64_t start;
	int fd;

	path_file(path, par.tree, i % alive);
	snprintf(other, sizeof(other), "%s/%s/new", top, par.tree);
	start = now();
	fd = must_open(other, O_WRONLY | O_CREAT | O_TRUNC);
	start = stall_add("open", start);
	must_write(fd, content_at(i, par.size), par.size, -1, other);
	start = stall_add("write", start);
	must_close(fd, other);
	start = stall_add("close", start);
	if (rename(other, path))
		err(1, "rename %s", path);
	start = stall_add("rename", start);
	must_write(log, content_at(i, 200), 200, -1, "log");
	start = stall_add("append", start);
	if (stat(path, &st))
		err(1, "stat %s", path);
	start = stall_add("stat", start);
	if (i % 4 == 0) {
		if (unlink(path))
			err(1, "unlink %s", path);
		stall_add("unlink", start);
	}
}

static void work_stall(void)
{
	char path[PATH_MAX];
	uint64_t start, steps = 0, took;
	int log;

	if (!(stall.ns = malloc(LATENCIES * sizeof(*stall.ns))))
		err(1, "memory");
	memset(stall.ns, 1, LATENCIES * sizeof(*stall.ns)); /* no page faults inside the timed loop */
	par.per = 0;
	make_dirs(par.tree);
	snprintf(path, sizeof(path), "%s/stall.log", top);
	log = must_open(path, O_WRONLY | O_CREAT | O_APPEND);
	start = now();
	while (now() - start < par.seconds * 1000000000u)
		stall_step(steps++, log);
	took = now() - start;
	must_close(log, path);
	qsort(stall.ns, stall.count, sizeof(*stall.ns), compare_u32);
	print_per_op("sustained", took, stall.count);
	printf("p99.9 %u ns\n", stall.ns[stall.count - stall.count / 1000 - 1]);
	printf("longest %llu ns %s\n", (unsigned long long)stall.longest, stall.culprit);
}

/* ---- datasets, whose space is measured --------------------------------------------------------------------- */

/* files= documents of their natural length, one a file. */
static void work_documents(void)
{
	struct random random = {.state = 42};
	char path[PATH_MAX], line[2048];

	make_dirs(par.tree);
	for (uint64_t i = 0; i < par.files; i++) {
		path_file(path, par.tree, i);
		write_file(path, line, content_json(&random, (uint32_t)i, line, sizeof(line)));
	}
	printf("documents %llu files\n", (unsigned long long)par.files);
}

/* files= files of bytes= each, all different. */
static void work_volumes(void)
{
	char path[PATH_MAX], *data = malloc(par.bytes);

	if (!data)
		err(1, "memory");
	make_dirs(par.tree);
	for (uint64_t i = 0; i < par.files; i++) {
		content_fill(kind_of(par.kind), i + 1, data, par.bytes);
		path_file(path, par.tree, i);
		write_file(path, data, par.bytes);
	}
	free(data);
	printf("volumes %llu files\n", (unsigned long long)par.files);
}

/* ---- main -------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
	const char *help;
} works[] = {
	{"create", work_create, "create, write, close files= files of size= bytes, per= in a directory"},
	{"stat", work_stat, "stat each of them"},
	{"open", work_open, "open, read, close each of them"},
	{"readdir", work_readdir, "list their directories"},
	{"unlink", work_unlink, "unlink each of them"},
	{"rmrf", work_rmrf, "rm -rf the tree"},
	{"append", work_append, "append 200 bytes files= times"},
	{"replace", work_replace, "write a temporary file and rename it over another, files= times"},
	{"clients", work_clients, "create as two processes at once"},
	{"seqwrite", work_seqwrite, "write one file of bytes= in pieces of piece="},
	{"seqread", work_seqread, "read it"},
	{"random", work_random, "read (write=1: write) 4 KiB at files= random places of it"},
	{"sqlite", work_sqlite, "files= transactions in journal mode mode="},
	{"stall", work_stall, "a mixture for seconds=, each call timed"},
	{"documents", work_documents, "write files= JSON documents"},
	{"volumes", work_volumes, "write files= files of bytes= of kind="},
};

static void parse(const char *arg)
{
	const struct {
		const char *key;
		uint64_t *number;
		const char **text;
	} keys[] = {
		{"files=", &par.files, NULL}, {"per=", &par.per, NULL}, {"size=", &par.size, NULL},
		{"bytes=", &par.bytes, NULL}, {"piece=", &par.piece, NULL}, {"seconds=", &par.seconds, NULL},
		{"sync=", &par.sync, NULL}, {"write=", &par.write, NULL},
		{"kind=", NULL, &par.kind}, {"tree=", NULL, &par.tree}, {"mode=", NULL, &par.mode},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(arg, keys[i].key, len))
			continue;
		if (keys[i].number)
			*keys[i].number = strtoull(arg + len, NULL, 10);
		else
			*keys[i].text = arg + len;
		return;
	}
	errx(2, "unknown parameter %s", arg);
}

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		parse(argv[i]);
	if (par.piece > PIECE_MAX || par.size > PIECE_MAX)
		errx(2, "piece= and size= are at most %u", PIECE_MAX);
	top = argv[2];
	for (size_t i = 0; argc > 2 && i < sizeof(works) / sizeof(works[0]); i++) {
		if (strcmp(argv[1], works[i].name))
			continue;
		pool = malloc(POOL);
		buffer = calloc(1, PIECE_MAX);
		if (!pool || !buffer)
			err(1, "memory");
		content_fill(kind_of(par.kind), 1, pool, POOL);
		works[i].run();
		return 0;
	}
	fprintf(stderr, "usage: work NAME DIR [key=value ...]\n");
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		fprintf(stderr, "  %-10s %s\n", works[i].name, works[i].help);
	return 2;
}
