/*
 * check.c - verifies a store, and mends it.
 *
 * Beside a mount the last state that was flushed is looked at, which obeys every invariant by itself; without one, also
 * what the logs hold. Mending goes in rounds, because what one mends may uncover something: data.mdb is written anew if
 * need be, then what is in the tables is mended through batches.
 */
#include "store/check.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 5, STEPS = 10, PATH_DEPTH = 24, ASIDE_MAX = 1000, LOOKS = 8 };

/* ---- words ------------------------------------------------------------------------------------------------------ */

void check_finding(struct check *c, unsigned invariant, const char *format, ...)
{
	char text[2 * CHECK_TEXT];
	va_list args;
	c->result->found++;
	if (c->quiet || !c->options->report)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	if (c->held)
		fprintf(c->held, "%u %s\n", invariant, text);
	else
		c->options->report(c->options->arg, invariant, text);
}

static void report_held(struct check *c, char *lines)
{
	for (char *line; (line = strsep(&lines, "\n")) && *line;) {
		unsigned invariant = (unsigned)strtoul(line, &line, 10);
		c->options->report(c->options->arg, invariant, line + 1);
	}
}

const char *check_describe_session(struct check *c, uint32_t sid, char text[CHECK_TEXT])
{
	const struct checked_session *s = check_session(c, sid);
	if (s)
		snprintf(text, CHECK_TEXT, "session %" PRIu32 " (%s)", sid, s->record.name);
	else
		snprintf(text, CHECK_TEXT, "session %" PRIu32, sid);
	return text;
}

bool check_read_name(struct check *c, uint32_t sid, uint64_t dir, uint64_t cookie, struct store_dirent *ret)
{
	struct key key = key_make((struct store_sid){sid}, (struct store_ino){dir}, KIND_DIRENT, cookie);
	struct found f;
	pthread_mutex_lock(&c->store->lock);
	bool found = store_find(c->store, &key, &f) == 0 && record_decode(&dirent_schema, f.body, f.len, ret) == 0;
	pthread_mutex_unlock(&c->store->lock);
	ret->cookie = cookie;
	return found;
}

/* Puts the path together from its end. */
const char *check_describe(struct check *c, const struct checked_inode *i, char text[CHECK_TEXT])
{
	char session[CHECK_TEXT], path[CHECK_TEXT / 2];
	struct store_dirent d;
	size_t at = sizeof path - 1;
	const struct checked_inode *from = i;
	path[at] = 0;
	for (int depth = 0; depth < PATH_DEPTH && i && i->names && !i->root &&
			    check_read_name(c, i->sid, i->named_in, i->cookie, &d);
		depth++) {
		if (d.name_len + 1 > at)
			break;
		at -= d.name_len;
		memcpy(path + at, d.name, d.name_len);
		i = check_inode(c, i->sid, i->named_in);
		if (i && !i->root)
			path[--at] = '/';
	}
	check_describe_session(c, from->sid, session);
	if (path[at])
		snprintf(text, CHECK_TEXT, "%.*s, inode %" PRIu64 " (%s)", CHECK_TEXT / 3, session, from->ino,
			path + at);
	else
		snprintf(text, CHECK_TEXT, "%.*s, inode %" PRIu64, CHECK_TEXT / 3, session, from->ino);
	return text;
}

struct store_inode check_make_up(const struct check *c, uint32_t mode)
{
	int64_t now = store_now();
	return (struct store_inode){.mode = mode,
		.uid = c->uid,
		.gid = c->gid,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now};
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static int open_store(const char *path, bool read_only, struct store **ret, struct store_open_info *info)
{
	struct store_options options = {.read_only = read_only, .level = 3, .commit = 3600};
	return store_open(path, &options, ret, info);
}

static void close_beside(struct store *s)
{
	if (!s)
		return;
	warm_snapshot_free(s->snapshot);
	warm_close(s->warm);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* As much of a store as reading warm takes: of one that is mounted, or too damaged to be opened. */
static int open_beside(const char *path, struct store **ret, struct store_open_info *info)
{
	struct key key = key_front(KIND_SUPER, 0);
	struct found f;
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->options.read_only = true;
	int r = warm_open(path, true, &s->warm);
	r = r ? r : warm_snapshot_new(s->warm, &s->snapshot);
	if (r) {
		close_beside(s);
		*info = (struct store_open_info){.what = "read data.mdb", .error = r < 0 ? -r : EIO};
		return r;
	}
	if (store_find(s, &key, &f) == 0 && record_decode(&super_schema, f.body, f.len, &s->super))
		s->super = (struct super){0};
	if (s->super.format > STORE_FORMAT) {
		*info = (struct store_open_info){.what = "read the format version", .format = s->super.format};
		close_beside(s);
		return STORE_NEWER;
	}
	*ret = s;
	return 0;
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

/* Fills the tables anew, and compares them. */
static int look(struct check *c, struct store *s)
{
	c->store = s;
	check_release(c);
	int res = check_scan(c);
	return res ? res : check_tree(c);
}

/* What was found in pages that the daemon may have used again meanwhile is no finding. */
static int look_and_report(struct check *c, struct store *s)
{
	uint64_t before = c->result->found;
	char *lines = NULL;
	size_t size;
	c->held = open_memstream(&lines, &size);
	if (!c->held)
		return -ENOMEM;
	int r = look(c, s);
	if (fclose(c->held) != 0)
		r = -ENOMEM;
	c->held = NULL;
	if ((r || c->result->found > before) && warm_snapshot_is_overtaken(s->snapshot)) {
		c->result->found = before;
		r = STORE_OVERTAKEN;
	} else {
		report_held(c, lines);
	}
	free(lines);
	return r;
}

static int look_once(struct check *c, const char *path, struct store_open_info *info)
{
	struct store *s;
	int r = open_beside(path, &s, info);
	if (r)
		return r;
	*info = (struct store_open_info){.what = "look at the store"};
	r = look_and_report(c, s);
	close_beside(s);
	return r;
}

/* What cannot be opened, though nothing is found in it, is not clean. */
static int look_beside(struct check *c, const char *path, int opened, struct store_open_info *info)
{
	const struct store_open_info why = *info;
	uint64_t before = c->result->found;
	int r = look_once(c, path, info);
	for (int again = 1; r == STORE_OVERTAKEN && again < LOOKS; again++)
		r = look_once(c, path, info);
	if (r || opened == STORE_BUSY || opened == STORE_FOREIGN || c->result->found > before)
		return r;
	*info = why;
	return opened;
}

static int look_only(struct check *c, const char *path, struct store_open_info *info)
{
	struct store *s;
	int r = open_store(path, true, &s, info);
	c->foreign = r == STORE_FOREIGN ? info->foreign : 0;
	for (unsigned i = 0; i < 2; i++)
		if (c->foreign >> i & 1)
			check_finding(c, 24,
				"hot.%u: is the log of another store than data.mdb, and not empty; a repair keeps it "
				"as hot.%u.foreign", i, i);
	if ((r == STORE_BUSY && !c->options->repair) || r == STORE_DAMAGED || r == -EIO || c->foreign)
		return look_beside(c, path, r, info);
	if (r)
		return r;
	if (info->logs_missing)
		check_finding(c, 25,
			"hot.0, hot.1: the last daemon did not end in order, and the log it wrote last is gone; what "
			"was done last may be lost");
	if (info->logs_damaged)
		check_finding(c, 0, "hot.0, hot.1: the logs cannot be read to their end; what was done last is lost");
	info->what = "look at the store";
	r = look(c, s);
	store_close(s);
	return r;
}

static int take_lock(const char *path, int *ret_fd, struct store_open_info *info)
{
	char text[32] = "";
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR ? STORE_NO_DIR : STORE_DENIED;
	int fd =
		faccessat(dir, "data.mdb", F_OK, 0) == 0 ? openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	int r = fd >= 0 ? 0 : errno == ENOENT ? store_without_data(dir) : STORE_DENIED;
	close(dir);
	if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK ? STORE_BUSY : STORE_DENIED;
		if (pread(fd, text, sizeof text - 1, 0) > 0)
			info->pid = atoi(text);
		close(fd);
	}
	*ret_fd = fd;
	return r;
}

/* Runs work() with the store's lock held but no store open. */
static int with_lock(struct check *c, const char *path, int (*work)(const char *path, struct check *), const char *what,
	struct store_open_info *info)
{
	int fd, r = take_lock(path, &fd, info);
	if (r) {
		info->what = "lock the store";
		info->error = errno;
		return r;
	}
	r = work(path, c);
	if (r)
		*info = (struct store_open_info){.what = what, .error = r < 0 ? -r : EIO};
	close(fd);
	return r;
}

static int mend_heads(const char *path, struct check *c)
{
	if (pages_inspect(path) != STORE_DAMAGED)
		return 0;
	check_finding(c, 0, "data.mdb: one of its two heads is damaged");
	return pages_mend_heads(path);
}

/* Under a name that is free, so that nothing is lost. */
static int put_aside(int dir, unsigned log)
{
	char name[16], aside[32];
	snprintf(name, sizeof name, "hot.%u", log);
	for (unsigned n = 1; n <= ASIDE_MAX; n++) {
		snprintf(aside, sizeof aside, n > 1 ? "%s.foreign.%u" : "%s.foreign", name, n);
		if (faccessat(dir, aside, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			return renameat(dir, name, dir, aside) < 0 ? -errno : 0;
	}
	return -EEXIST;
}

static int keep_foreign(const char *path, struct check *c)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : 0;
	for (unsigned i = 0; i < 2 && r == 0; i++)
		if (c->foreign >> i & 1)
			r = put_aside(dir, i);
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	if (dir >= 0)
		close(dir);
	return r;
}

/* Opens the store, which settles the logs, and mends what the tables disagree in, step by step. */
static int mend(struct check *c, const char *path, struct store_open_info *info)
{
	struct store *s;
	bool any = true;
	int r = open_store(path, false, &s, info);
	if (r)
		return r;
	drops_finish(s);
	for (int step = 0; step < STEPS && r == 0 && any; step++) {
		c->result->found = 0;
		r = store_flush(s);
		r = r ? r : look(c, s);
		if (r || c->result->found == 0)
			break;
		r = check_mend(c, &any);
	}
	int closed = store_close(s);
	if (r || closed)
		*info = (struct store_open_info){.what = "mend the store", .error = abs(r ? r : closed)};
	return r ? r : closed;
}

/* One round's work. Logs of another store go first: with them it cannot be opened. */
static int mend_found(struct check *c, const char *path, struct store_open_info *info)
{
	if (c->foreign)
		return with_lock(c, path, keep_foreign, "put the logs of another store aside", info);
	int r = c->new_data ? with_lock(c, path, check_new_data, "write data.mdb anew", info) : 0;
	r = r ? r : mend(c, path, info);
	return r == STORE_FOREIGN ? 0 : r;
}

static int repair(struct check *c, const char *path, struct store_open_info *info)
{
	uint64_t all = 0, left = 0;
	for (int round = 0; round <= ROUNDS; round++) {
		c->result->found = 0;
		int r = with_lock(c, path, mend_heads, "mend the heads of data.mdb", info);
		r = r ? r : look_only(c, path, info);
		if (r)
			return r;
		c->quiet = true;
		left = c->result->found;
		all = round ? all : left;
		if (!left || round == ROUNDS)
			break;
		r = mend_found(c, path, info);
		if (r)
			return r;
	}
	c->result->found = all;
	c->result->repaired = all > left ? all - left : 0;
	return 0;
}

static void note_owner(struct check *c, const char *path)
{
	struct stat st;
	bool known = stat(path, &st) == 0;
	c->uid = known ? st.st_uid : geteuid();
	c->gid = known ? st.st_gid : getegid();
}

int store_check(const char *path, const struct store_check_options *options, struct store_check_result *ret,
	struct store_open_info *ret_info)
{
	struct store_check_result result = {0};
	struct dictionaries dictionaries = {{NULL}};
	struct check c = {.options = options, .result = &result, .raw = malloc(STORE_CHUNK_SIZE)};
	c.pieces.data = malloc(GATHER_SIZE);
	*ret_info = (struct store_open_info){.what = "look at the store"};
	note_owner(&c, path);
	int r = c.raw && c.pieces.data ? codec_new(&dictionaries, &c.codec) : -ENOMEM;
	if (r == 0)
		r = options->repair ? repair(&c, path, ret_info) : look_only(&c, path, ret_info);
	check_release(&c);
	codec_free(c.codec);
	dictionaries_release(&dictionaries);
	free(c.pieces.data);
	free(c.raw);
	if (r == 0)
		*ret = result;
	return r;
}
