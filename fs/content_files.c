/*
 * content_files.c - files.jsonl, the registry of a session's files, and errors.jsonl.
 *
 * A small session is listed in one go, a large one in slices, as find(1) would see it: what is renamed meanwhile may be
 * there twice, or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/content.h"
#include "fs/error.h"
#include "fs/fault.h"
#include "fs/json.h"
#include "fs/node.h"

enum {
	SLICE = 48,   /* names of one slice: well below a millisecond */
	AT_ONCE = 512, /* names that are listed before the first pause */
	ERRORS_SHOWN = 100,
};

/* A directory still to be listed. */
struct visit {
	struct visit *next;
	struct store_ino ino;
	const char *type; /* of the files in it; NULL: by their own name, at the top */
	size_t len;
	char path[]; /* below the session, ends with a slash but at the top */
};

struct listing {
	struct session *session;
	struct visit *visits;
	struct json_long doc;
	uint64_t seen;
	/* of the slice */
	unsigned count;
	struct store_dirent names[SLICE];
};

static int push(struct listing *list, const struct visit *in, const struct store_dirent *dir)
{
	size_t above = in ? in->len : 0, len = dir ? above + dir->name_len + 1 : 0;
	struct visit *visit = malloc(sizeof(*visit) + len + 1);

	if (!visit)
		return -ENOMEM;
	*visit = (struct visit){.next = list->visits, .len = len};
	visit->ino = dir ? dir->ino : list->session->record.root;
	if (dir) {
		visit->type = in->type ? in->type : view_name(view_of_name(dir->name));
		memcpy(visit->path, in->path, above);
		memcpy(visit->path + above, dir->name, dir->name_len);
		visit->path[len - 1] = '/';
	}
	visit->path[len] = '\0';
	list->visits = visit;
	return 0;
}

static json_t *maker_value(const struct store_inode *inode)
{
	char command[sizeof(inode->maker) + 1] = "";
	json_t *maker = json_object();

	for (unsigned i = 0; i < sizeof(inode->maker); i++)
		command[i] = (char)(inode->maker[i / 8] >> i % 8 * 8);
	set_number(maker, "pid", inode->maker_pid);
	set_number(maker, "uid", inode->maker_uid);
	set_value(maker, "command", text_value(command));
	return maker;
}

static json_t *path_value(const struct visit *in, const struct store_dirent *name)
{
	char *path = malloc(in->len + name->name_len + 1);
	json_t *value;

	if (!path)
		return NULL;
	memcpy(path, in->path, in->len);
	memcpy(path + in->len, name->name, name->name_len + 1);
	value = text_value(path);
	free(path);
	return value;
}

static int list_file(struct listing *list, const struct visit *in, const struct store_dirent *name)
{
	struct session *session = list->session;
	struct store_inode inode;
	json_t *file;
	int r = error_of_store(store_get_inode(session->fs->store, session->sid, name->ino, &inode));

	if (r)
		return r == ENOENT ? 0 : r; /* unlinked since the names were read */
	file = json_object();
	set_value(file, "path", path_value(in, name));
	set_value(file, "file_type", text_value(in->type ? in->type : view_name(STORE_OTHER)));
	set_value(file, "created_at", time_value(inode.btime));
	set_value(file, "modified_at", time_value(inode.mtime));
	set_number(file, "size_bytes", inode.size);
	set_number(file, "stored_bytes", inode.stored);
	set_value(file, "created_by", inode.maker_pid ? maker_value(&inode) : json_null());
	store_inode_release(&inode);
	json_long_line(&list->doc, file);
	return 0;
}

static bool collect(void *arg, const struct store_dirent *name)
{
	struct listing *list = arg;

	list->names[list->count++] = *name;
	return list->count == SLICE;
}

/* One slice of a directory's names, behind *after. */
static int list_slice(struct listing *list, const struct visit *in, uint64_t *after)
{
	struct session *session = list->session;
	int r;

	list->count = 0;
	r = error_of_store(store_scan_dirents(session->fs->store, session->sid, in->ino, *after, collect, list));
	for (unsigned i = 0; !r && i < list->count; i++)
		r = (S_ISDIR(list->names[i].type) ? push : list_file)(list, in, &list->names[i]);
	if (list->count)
		*after = list->names[list->count - 1].cookie;
	return r;
}

static int list_dir(struct listing *list, const struct visit *dir)
{
	struct session *session = list->session;
	uint64_t after = 0;
	int r;

	do {
		r = list_slice(list, dir, &after);
		list->seen += 1 + list->count;
		if (list->seen > AT_ONCE)
			fs_pause(session->fs);
		if (!r && session->removed)
			r = ENOENT;
	} while (!r && list->count == SLICE);
	return r;
}

int content_files(struct session *session, char **ret, size_t *ret_len)
{
	struct listing *list = calloc(1, sizeof(*list));
	struct visit *visit;
	int r;

	if (!list)
		return -ENOMEM;
	json_begin();
	list->session = session;
	r = push(list, NULL, NULL);
	while ((visit = list->visits)) {
		list->visits = visit->next;
		if (!r)
			r = list_dir(list, visit);
		free(visit);
	}
	r = json_long_take(&list->doc, r, ret, ret_len);
	free(list);
	return r;
}

static void list_fault(void *arg, const struct fault *fault)
{
	json_t *line = json_object();

	set_value(line, "time", time_value(fault->time));
	set_value(line, "operation", text_value(fault->operation));
	set_value(line, "name", optional_value(fault->name[0] ? fault->name : NULL));
	set_value(line, "inode", fault->ino ? json_integer((json_int_t)fault->ino) : json_null());
	set_value(line, "error", text_value(fault_error_name(fault->error)));
	set_number(line, "errno", (uint64_t)fault->error);
	set_value(line, "cause", text_value(fault_cause(fault)));
	set_value(line, "advice", optional_value(fault_advice(fault)));
	json_long_line(arg, line);
}

int content_errors(struct session *session, char **ret, size_t *ret_len)
{
	struct json_long doc = {0};

	json_begin();
	fault_each(session->fs, session->sid, ERRORS_SHOWN, list_fault, &doc);
	return json_long_take(&doc, 0, ret, ret_len);
}
