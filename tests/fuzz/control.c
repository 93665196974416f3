/*
 * control.c - what programs write to a session: values and lines of .session, attributes, names below .sessfs. Whatever
 * is taken or refused, info.json stays JSON and events.jsonl lines of it.
 *
 *   input: for each: what u8 | how u8 | length u16 | bytes
 */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/mounted.h"

enum { FILES_ROOM = 16 << 20 };

static const char *const files[] = {"status", "pin", "progress", "expires_at", "query", "phase", "notes", "project",
	"tags", "events.jsonl", "info.json"};
static const char *const attributes[] = {"user.sessfs.status", "user.sessfs.expires_at", "user.sessfs.pin",
	"system.posix_acl_access", "system.posix_acl_default", "user.sessfs.created_at", "user.own"};
static const char *const directories[] = {"search", "by-tag", "by-status", "trash", "current"};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct input {
	uint8_t what, how;
	const uint8_t *bytes;
	size_t len;
};

/* The kernel's truncation comes before its write. */
static void write_file(struct fs_id control, const char *name, const struct input *in)
{
	struct stat attr = {.st_size = 0};
	struct entry file;
	double timeout;
	size_t done;

	if (!find(control, name, &file))
		return;
	if (in->how & 1)
		attr_set(fs, file.id, ATTR_SIZE, &attr, &attr, &timeout);
	file_write(fs, file.id, in->how >> 1, (const char *)in->bytes, in->len / 2, 0, &done);
	file_write(fs, file.id, (in->how >> 1) + in->len / 2, (const char *)in->bytes + in->len / 2,
		in->len - in->len / 2, 0, &done);
	forget(&file);
}

static void set_attribute(struct fs_id session, const char *name, const struct input *in)
{
	struct caller caller = {.in_group = in_no_group};
	char value[256];
	size_t len;

	xattr_set(fs, &caller, session, name, in->bytes, in->len, in->how & 3);
	if (xattr_get(fs, session, name, value, sizeof(value), &len) == 0)
		touch(value, len);
	if (in->how & 4)
		make(session, "inherits", (in->how & 8 ? S_IFDIR : S_IFREG) | 0777);
}

static bool touch_name(void *arg, const char *name, const struct entry *entry, uint64_t next)
{
	(void)arg, (void)entry, (void)next;
	touch(name, strlen(name));
	return true;
}

/* .sessfs/DIRECTORY/WORD, where the word comes in; and what it lists. */
static void look_up(const char *directory, const struct input *in)
{
	struct entry top, dir, word;
	char name[STORE_NAME_MAX + 1] = "";

	memcpy(name, in->bytes, in->len < STORE_NAME_MAX ? in->len : STORE_NAME_MAX);
	if (!*name || strchr(name, '/') || !find(root_id(), ".sessfs", &top))
		return;
	if (find(top.id, directory, &dir)) {
		if (find(dir.id, name, &word)) {
			dir_list(fs, word.id, 0, 1 << 16, false, touch_name, NULL);
			forget(&word);
		}
		forget(&dir);
	}
	forget(&top);
}

static void apply(struct fs_id session, struct fs_id control, const struct input *in)
{
	size_t what = in->what % (COUNT(files) + COUNT(attributes) + COUNT(directories));

	if (what < COUNT(files))
		write_file(control, files[what], in);
	else if ((what -= COUNT(files)) < COUNT(attributes))
		set_attribute(session, attributes[what], in);
	else
		look_up(directories[what - COUNT(attributes)], in);
}

/* All of a control file is JSON: one document, or one on each line. */
static void expect_json(struct fs_id control, const char *name, bool lines)
{
	static char text[FILES_ROOM];
	size_t len = read_file(control, name, text, sizeof(text));

	for (size_t at = 0; at < len;) {
		const char *end = lines ? memchr(text + at, '\n', len - at) : text + len;
		json_t *document = end ? json_loadb(text + at, (size_t)(end - text) - at, JSON_ALLOW_NUL, NULL) : NULL;

		if (!json_is_object(document))
			abort();
		json_decref(document);
		at = (size_t)(end - text) + lines;
	}
}

/* Into the trash, which takes a session of any status, and from there out of the store. */
static void remove_session(void)
{
	struct entry top, trash;

	if (!find(root_id(), ".sessfs", &top) || !find(top.id, "trash", &trash))
		abort();
	if (dir_rename(fs, root_id(), "s", trash.id, "s", 0) || dir_rmdir(fs, trash.id, "s"))
		abort();
	forget(&trash);
	forget(&top);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry session, control;

	if (!fs)
		mount_new();
	make(root_id(), "s", S_IFDIR | 0755);
	if (!find(root_id(), "s", &session) || !find(session.id, ".session", &control))
		abort();
	while (size >= 4) {
		struct input in = {data[0], data[1], data + 4, data[2] | (size_t)data[3] << 8};

		data += 4;
		size -= 4;
		in.len = in.len < size ? in.len : size;
		apply(session.id, control.id, &in);
		data += in.len;
		size -= in.len;
	}
	expect_json(control.id, "info.json", false);
	expect_json(control.id, "events.jsonl", true);
	expect_json(control.id, "errors.jsonl", true);
	forget(&control);
	forget(&session);
	remove_session();
	return 0;
}
