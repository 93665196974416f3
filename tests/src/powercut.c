/*
 * powercut - makes the store as a disk may hold it after a power cut, from a copy of the store and a trace of what was
 * done to it.
 *
 *   powercut count TRACE
 *       prints how many sync boundaries the trace has
 *   powercut cut BASE TRACE OUT -s SEED [-b N [-p]] [-w WAY]
 *       cuts after (-p: before) the N-th boundary, else at a random moment; prints the moment, for `recorder verify
 *       -t`. WAY, a number, says what is lost
 *   powercut twin BASE TRACE OUT -b N
 *       cuts at the end, but the disk lied from the N-th boundary on: it synced nothing
 *   powercut whole BASE TRACE OUT
 *       everything that was written: after a clean end
 *
 * What a sync covered is there. Of the rest each 512-byte sector has any of the contents it had since: nothing is
 * assumed of the order in which a disk writes. Sizes and names change in the order in which they were changed, as on a
 * journaling filesystem.
 */
#include "model.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES = 64 };

enum way { WAY_NONE, WAY_ALL, WAY_HALF, WAY_FEW, WAY_MOST, WAY_BUT_ONE, WAY_IN_ORDER, WAY_LAST, WAY_HEADLESS, WAYS };
static const char *const way_names[WAYS] = {"none", "all", "half", "few", "most", "all but one", "in order", "the last",
	"headless"};

struct write {
	const struct trace_event *event;
	uint64_t number;
};

struct file {
	char *name;
	bool exists;
	uint8_t *data; /* what is durable */
	size_t size, room;
	struct write *pending;
	size_t count, pending_room;
};

static struct file files[FILES];
static const uint8_t *trace;
static size_t trace_size;
static uint64_t rng;
static enum way forced = WAYS; /* WAYS: drawn */

static void die(const char *what)
{
	fprintf(stderr, "powercut: %s: %s\n", what, strerror(errno));
	exit(2);
}

static const struct trace_event *event_at(size_t at)
{
	const struct trace_event *event = (const struct trace_event *)(trace + at);
	if (trace_size - at < sizeof *event || event->length > trace_size - at - sizeof *event)
		return NULL;
	return event;
}

static size_t event_size(const struct trace_event *event)
{
	return sizeof *event + trace_padded(event->length);
}

static const uint8_t *event_bytes(const struct trace_event *event)
{
	return (const uint8_t *)(event + 1);
}

static void load_trace(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		die(path);
	trace_size = (size_t)st.st_size;
	trace = mmap(NULL, trace_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (trace == MAP_FAILED)
		die(path);
	close(fd);
}

/* ---- the durable image of a file --------------------------------------------------------------------------------- */

static void resize(struct file *f, size_t size)
{
	if (size > f->room) {
		f->room = size + size / 2;
		f->data = realloc(f->data, f->room);
		if (!f->data)
			die("memory");
	}
	if (size > f->size)
		memset(f->data + f->size, 0, size - f->size);
	f->size = size;
}

static void put(struct file *f, uint64_t offset, const uint8_t *data, size_t length)
{
	if (offset + length > f->size)
		resize(f, offset + length);
	memcpy(f->data + offset, data, length);
}

static bool is_write(const struct trace_event *event)
{
	return event->type == TRACE_WRITE || event->type == TRACE_DURABLE;
}

static void apply(struct file *f, const struct trace_event *event)
{
	if (is_write(event))
		put(f, event->offset, event_bytes(event), event->length);
	else if (event->type == TRACE_SIZE || event->offset > f->size)
		resize(f, event->offset);
}

/* Whether a sync of this part of the file makes the event durable. What is recorded of mapped files are sectors. */
static bool is_within(const struct trace_event *event, uint64_t offset, uint64_t end)
{
	if (!is_write(event))
		return true;
	return event->offset >= offset && event->offset < end;
}

/* All events before `covers` that lie within this part of the file become durable. */
static void settle(struct file *f, uint64_t covers, uint64_t offset, uint64_t end)
{
	size_t left = 0;
	for (size_t i = 0; i < f->count; i++) {
		if (f->pending[i].number < covers && is_within(f->pending[i].event, offset, end))
			apply(f, f->pending[i].event);
		else
			f->pending[left++] = f->pending[i];
	}
	f->count = left;
}

static void add_pending(struct file *f, const struct trace_event *event, uint64_t number)
{
	if (f->count == f->pending_room) {
		f->pending_room = f->pending_room ? f->pending_room * 2 : 256;
		f->pending = realloc(f->pending, f->pending_room * sizeof *f->pending);
		if (!f->pending)
			die("memory");
	}
	f->pending[f->count++] = (struct write){event, number};
}

/* ---- following the trace ----------------------------------------------------------------------------------------- */

static void load_base(struct file *f, const char *base)
{
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", base, f->name);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (fstat(fd, &st))
		die(path);
	resize(f, (size_t)st.st_size);
	for (size_t at = 0; at < f->size;) {
		ssize_t n = read(fd, f->data + at, f->size - at);
		if (n <= 0)
			die(path);
		at += (size_t)n;
	}
	close(fd);
}

static struct file *file_named(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].exists && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

static void follow_name(const struct trace_event *event)
{
	const char *old = (const char *)event_bytes(event), *new = old + strlen(old) + 1;
	struct file *f = file_named(old), *replaced = event->type == TRACE_RENAME ? file_named(new) : NULL;
	if (replaced)
		replaced->exists = false;
	if (f && event->type == TRACE_RENAME) {
		char *name = strdup(new);
		free(f->name);
		f->name = name;
	} else if (f)
		f->exists = false;
}

static void follow_file(const struct trace_event *event, const char *base)
{
	struct file *f = &files[event->file];
	if (f->exists)
		return;
	free(f->name);
	free(f->data);
	free(f->pending);
	*f = (struct file){.name = strndup((const char *)event_bytes(event), event->length), .exists = true};
	if (!event->offset)
		load_base(f, base);
}

static void follow(const struct trace_event *event, uint64_t number, const char *base)
{
	if (event->file >= FILES)
		die("trace");
	struct file *f = &files[event->file];
	switch ((enum trace_type)event->type) {
	case TRACE_FILE:
		follow_file(event, base);
		break;
	case TRACE_WRITE:
	case TRACE_SIZE:
	case TRACE_ALLOC:
		add_pending(f, event, number);
		break;
	case TRACE_DURABLE:
		apply(f, event);
		break;
	case TRACE_SYNC:
		settle(f, event->covers, event->offset, event->end);
		break;
	case TRACE_UNLINK:
	case TRACE_RENAME:
		follow_name(event);
		break;
	case TRACE_MOMENT:
		break;
	}
}

/* ---- the moment of the cut --------------------------------------------------------------------------------------- */

static bool is_boundary(const struct trace_event *event)
{
	return event->type == TRACE_SYNC || event->type == TRACE_DURABLE;
}

static uint64_t count(bool boundaries)
{
	uint64_t n = 0;
	const struct trace_event *event;
	for (size_t at = 0; (event = event_at(at)); at += event_size(event))
		n += !boundaries || is_boundary(event);
	return n;
}

/* Number of the event of the n-th boundary. */
static uint64_t boundary(uint64_t n)
{
	uint64_t number = 0;
	const struct trace_event *event;
	for (size_t at = 0; (event = event_at(at)); at += event_size(event), number++)
		if (is_boundary(event) && n-- == 0)
			return number;
	errno = ERANGE;
	die("no such boundary");
	return 0;
}

/* ---- what the disk had of the rest ------------------------------------------------------------------------------- */

static void put_some_sectors(struct file *f, const struct trace_event *event, unsigned of_16)
{
	for (uint64_t at = 0; at < event->length; at += TRACE_SECTOR) {
		uint64_t n = event->length - at < TRACE_SECTOR ? event->length - at : TRACE_SECTOR;
		if (random_below(&rng, 16) < of_16)
			put(f, event->offset + at, event_bytes(event) + at, n);
	}
}

/* Of 16 sectors of write i how many are on the disk. */
static unsigned share(enum way way, const struct trace_event *event, size_t i, size_t all, size_t chosen)
{
	switch (way) {
	case WAY_NONE: return 0;
	case WAY_ALL: return 16;
	case WAY_HALF: return 8;
	case WAY_FEW: return 1;
	case WAY_MOST: return 15;
	case WAY_BUT_ONE: return i == chosen ? 0 : 16;
	case WAY_IN_ORDER: return i < chosen ? 16 : i == chosen ? 8 : 0;
	case WAY_LAST: return i + 1 + chosen % 8 >= all ? 16 : 0;
	case WAY_HEADLESS: return event->offset == 0 ? 0 : 16;
	case WAYS: break;
	}
	return 0;
}

static enum way lose(struct file *f)
{
	enum way way = forced == WAYS ? (enum way)random_below(&rng, WAYS) : forced;
	size_t chosen = random_below(&rng, f->count);
	bool order = true; /* sizes change in order */
	for (size_t i = 0; i < f->count; i++) {
		const struct trace_event *event = f->pending[i].event;
		unsigned n = share(way, event, i, f->count, chosen);
		if (is_write(event))
			put_some_sectors(f, event, n);
		else if ((order = order && n >= 8))
			apply(f, event);
	}
	return way;
}

/* ---- writing it -------------------------------------------------------------------------------------------------- */

static void save(const char *dir, const char *name, const uint8_t *data, size_t size)
{
	char path[8192];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		die(path);
	for (size_t at = 0; at < size;) {
		ssize_t n = write(fd, data + at, size - at);
		if (n <= 0)
			die(path);
		at += (size_t)n;
	}
	close(fd);
}

static bool is_known(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].name && !strcmp(files[i].name, name))
			return true;
	return false;
}

static void save_all(const char *base, const char *out)
{
	struct dirent *entry;
	DIR *dir = opendir(base);
	if (!dir || (mkdir(out, 0700) && errno != EEXIST))
		die(out);
	while ((entry = readdir(dir))) {
		struct file copy = {.name = entry->d_name};
		if (entry->d_type != DT_REG || is_known(entry->d_name))
			continue;
		load_base(&copy, base);
		save(out, copy.name, copy.data, copy.size);
		free(copy.data);
	}
	closedir(dir);
	for (int i = 0; i < FILES; i++)
		if (files[i].exists)
			save(out, files[i].name, files[i].data, files[i].size);
}

struct cut {
	uint64_t end;      /* number of the last event */
	uint64_t lie_from; /* event from which on nothing is synced */
	bool whole;
};

static void make(const char *base, const char *out, const struct cut *cut)
{
	const struct trace_event *event;
	int64_t time = 0;
	uint64_t number = 0;
	for (size_t at = 0; number <= cut->end && (event = event_at(at)); at += event_size(event), number++) {
		time = event->time;
		if (number < cut->lie_from || !is_boundary(event))
			follow(event, number, base);
	}
	fprintf(stderr, "cut after event %llu:", (unsigned long long)cut->end);
	for (int i = 0; i < FILES; i++) {
		struct file *f = &files[i];
		if (cut->whole)
			settle(f, UINT64_MAX, 0, UINT64_MAX);
		else if (f->count && cut->lie_from == UINT64_MAX)
			fprintf(stderr, " %s %s of %zu;", f->name, way_names[lose(f)], f->count);
	}
	fprintf(stderr, "\n");
	save_all(base, out);
	printf("%lld\n", cut->whole ? (long long)INT64_MAX : (long long)time);
}

static int usage(void)
{
	fprintf(stderr, "usage: powercut count TRACE | cut|twin|whole BASE TRACE OUT [-s SEED] [-b N [-p]] [-w WAY]\n");
	return 2;
}

int main(int argc, char **argv)
{
	long n = -1;
	bool before = false;
	int c;
	while ((c = getopt(argc, argv, "s:b:pw:")) >= 0) {
		switch (c) {
		case 's': rng = strtoull(optarg, NULL, 0); break;
		case 'b': n = strtol(optarg, NULL, 0); break;
		case 'w': forced = (enum way)strtol(optarg, NULL, 0); break;
		case 'p': before = true; break;
		default: return usage();
		}
	}
	char **words = argv + optind;
	int words_count = argc - optind;
	if (words_count == 2 && !strcmp(words[0], "count")) {
		load_trace(words[1]);
		printf("%llu\n", (unsigned long long)count(true));
		return 0;
	}
	if (words_count != 4)
		return usage();
	load_trace(words[2]);
	struct cut cut = {.lie_from = UINT64_MAX, .whole = !strcmp(words[0], "whole"), .end = count(false) - 1};
	if (!strcmp(words[0], "twin"))
		cut.lie_from = boundary((uint64_t)n);
	else if (n >= 0)
		cut.end = boundary((uint64_t)n) - before;
	else if (!cut.whole)
		cut.end = random_below(&rng, cut.end + 1);
	make(words[1], words[3], &cut);
	return 0;
}
