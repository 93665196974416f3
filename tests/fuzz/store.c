/*
 * store.c - records in any combination, each whole: as a store holds them, seen by check, by a mount that only reads,
 * now and then by one that writes, and by a repair, after which check finds nothing.
 *
 *   input: length u16 | that many bytes of a log: header, batches | for each record: key | length u16 | body
 */
#include "tests/fuzz/fuzz.h"

#include "store/codec.h"
#include "store/warm.h"
#include "tests/fuzz/mounted.h"

#include <fcntl.h>

enum { BODY_MAX = 4096, DEPTH = 5, WRITTEN = 64 /* the first of so many inputs, as it takes long */ };
/* of a log, as FORMAT.md has it; hot.h has names that fs/ has too */
enum { LOG_HEADER = 80, LOG_DATA = 4096, LOG_SIZE = 4 << 20 };

static void empty_scratch(void)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "hot.0", "hot.1", "lock", "reserve",
		"hot.0.foreign", "hot.1.foreign",
		"data.mdb.damaged", "data.mdb.new/data.mdb", "data.mdb.new/lock.mdb"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", scratch, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/data.mdb.new", scratch);
	rmdir(path);
}

static void make_log(const uint8_t *data, size_t size)
{
	char path[128];
	size_t header = size < LOG_HEADER ? size : LOG_HEADER;

	snprintf(path, sizeof(path), "%s/hot.0", scratch);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, LOG_SIZE) || pwrite(fd, data, header, 0) < 0
	    || pwrite(fd, data + header, size - header, LOG_DATA) < 0)
		abort();
	close(fd);
}

static void make_warm(const uint8_t *data, size_t size)
{
	uint8_t value[BODY_MAX + CODEC_CHECK_SIZE];
	struct warm *w;
	struct warm_txn *t;
	int r = warm_open(scratch, false, &w);

	if (r || warm_begin(w, &t))
		abort();
	while (r == 0 && size > KEY_SIZE + 2) {
		struct key key = key_from_bytes(data);
		size_t len = data[KEY_SIZE] | (size_t)data[KEY_SIZE + 1] << 8;

		data += KEY_SIZE + 2;
		size -= KEY_SIZE + 2;
		len = len < size ? len : size;
		len = len < BODY_MAX ? len : BODY_MAX;
		uint32_t check = codec_check(key, data, len);
		memcpy(value, &check, sizeof(check));
		memcpy(value + sizeof(check), data, len);
		r = warm_put(t, &key, value, len + sizeof(check));
		data += len;
		size -= len;
	}
	if (r)
		warm_abort(t);
	else
		warm_commit(t);
	warm_close(w);
}

/* ---- a mount that only reads ------------------------------------------------------------------------------------- */

struct names {
	unsigned count;
	char list[16][STORE_NAME_MAX + 1];
};

static bool take_name(void *arg, const char *name, const struct entry *entry, uint64_t next)
{
	struct names *names = arg;

	(void)entry, (void)next;
	if (strcmp(name, ".") && strcmp(name, ".."))
		strcpy(names->list[names->count++], name);
	return names->count < sizeof(names->list) / sizeof(*names->list);
}

static void visit_file(struct fs_id id)
{
	struct caller caller = {.in_group = in_no_group};
	static char text[1 << 16];
	size_t len;
	uint64_t at;

	if (file_read(fs, id, 0, text, sizeof(text), &len) == 0)
		touch(text, len);
	if (file_readlink(fs, id, text, sizeof(text)) == 0)
		touch(text, strlen(text));
	if (xattr_list(fs, &caller, id, text, sizeof(text), &len) == 0)
		touch(text, len);
	file_seek(fs, id, 0, SEEK_HOLE, &at);
}

static void remove_name(struct fs_id dir, const char *name, mode_t mode)
{
	if (S_ISDIR(mode))
		dir_rmdir(fs, dir, name);
	else
		dir_unlink(fs, dir, name);
}

/* Looks at all that is below a directory, and removes it if `removes`. */
static void visit(struct fs_id dir, unsigned depth, bool removes)
{
	static const char *const hidden[] = {".session", ".sessfs", "info.json", "files.jsonl", "events.jsonl",
		"sessions.json", "history.json", "expiring.json", "trash", "tags", "metrics"};
	struct names *names = calloc(1, sizeof(*names));
	struct entry entry;

	if (!names)
		abort();
	dir_list(fs, dir, 0, 1 << 16, false, take_name, names);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden) + names->count; i++) {
		bool listed = i >= sizeof(hidden) / sizeof(*hidden);
		const char *name = listed ? names->list[i - sizeof(hidden) / sizeof(*hidden)] : hidden[i];

		if (!find(dir, name, &entry))
			continue;
		if (S_ISDIR(entry.attr.st_mode) && depth < DEPTH)
			visit(entry.id, depth + 1, removes);
		else if (!S_ISDIR(entry.attr.st_mode))
			visit_file(entry.id);
		if (removes && listed)
			remove_name(dir, name, entry.attr.st_mode);
		forget(&entry);
	}
	free(names);
}

enum look { LOOK_ONLY, LOOK_AND_WRITE, LOOK_AND_REMOVE };

static void look(enum look how)
{
	bool writes = how != LOOK_ONLY;


	if (!mount_scratch(&(struct store_options){.read_only = !writes, .level = 1, .commit = 3600}))
		return;
	if (writes) {
		make(root_id(), "new", S_IFDIR | 0755);
		dir_rename(fs, root_id(), "s", root_id(), "t", 0);
	}
	visit(root_id(), 0, how == LOOK_AND_REMOVE);
	if (writes)
		dir_rmdir(fs, root_id(), "new");
	unmount_scratch();
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

static void on_finding(void *arg, unsigned invariant, const char *text)
{
	(void)arg, (void)invariant;
	touch(text, strlen(text));
}

/* How much was found; -1 if it could not be looked at. */
static int64_t check(bool repair)
{
	struct store_check_options options = {.repair = repair, .report = on_finding};
	struct store_check_result result;
	struct store_open_info info;

	return store_check(scratch, &options, &result, &info) ? -1 : (int64_t)result.found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned runs;
	size_t log;

	if (!*scratch)
		make_scratch();
	if (size < 2)
		return 0;
	log = data[0] | (size_t)data[1] << 8;
	log = log < size - 2 ? log : size - 2;
	empty_scratch();
	make_warm(data + 2 + log, size - 2 - log);
	if (log)
		make_log(data + 2, log);
	check(false);
	look(LOOK_ONLY);
	if (runs++ % WRITTEN)
		return 0;
	look(size & 1 ? LOOK_AND_REMOVE : LOOK_AND_WRITE);
	if (check(true) < 0)
		return 0;
	if (check(false) != 0)
		abort();
	look(LOOK_AND_REMOVE);
	if (check(false) != 0)
		abort();
	return 0;
}
