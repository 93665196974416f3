/* told.c - see told.h. */
#include "mount/told.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount/message.h"

enum type { TEXT, TIME, NUMBER, REAL, FLAG, ANY };

/* The same thing has two names where that is so in the contract: sessions.json says it otherwise than info.json. */
static const struct member {
	const char *key;
	enum type type;
	size_t offset;
} members[] = {
#define AT(member) offsetof(struct told, member)
	{"id", TEXT, AT(name)},
	{"session_id", TEXT, AT(name)},
	{"number", NUMBER, AT(number)},
	{"status", TEXT, AT(status)},
	{"path", TEXT, AT(path)},
	{"creation_time", TIME, AT(created)},
	{"created_at", TIME, AT(created)},
	{"last_write_at", TIME, AT(written)},
	{"expires_at", TIME, AT(expires)},
	{"files", NUMBER, AT(files)},
	{"size_bytes", NUMBER, AT(size)},
	{"total_size_bytes", NUMBER, AT(size)},
	{"stored_bytes", NUMBER, AT(stored)},
	{"compression_ratio", REAL, AT(ratio)},
	{"is_current", FLAG, AT(current)},
	{"pinned", FLAG, AT(pinned)},
	{"interrupted", FLAG, AT(interrupted)},
	{"protected_by", TEXT, AT(guard)},
	{"due", FLAG, AT(due)},
	{"age_seconds", NUMBER, AT(age)},
	{"limit_seconds", NUMBER, AT(limit)},
	{"newer", NUMBER, AT(newer)},
	{"keep", NUMBER, AT(keep)},
	{"rule", TEXT, AT(rule)},
	{"ended_at", TIME, AT(ended)},
	{"until", TIME, AT(until)},
	{"files_created", NUMBER, AT(creations)},
	{"files_modified", NUMBER, AT(modifications)},
	{"operations", NUMBER, AT(operations)},
	{"cost", ANY, AT(cost)},
#undef AT
};

static uint64_t number_of(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return n > 0 ? (uint64_t)n : 0;
}

static void fill(struct told *t, const struct member *m, const json_t *object)
{
	const json_t *value = json_object_get(object, m->key);
	void *to = (char *)t + m->offset;

	if (!value)
		return;
	switch (m->type) {
	case TEXT:
		*(const char **)to = json_get_text(object, m->key);
		return;
	case TIME:
		*(int64_t *)to = json_get_time(object, m->key);
		return;
	case NUMBER:
		*(uint64_t *)to = number_of(value);
		return;
	case REAL:
		*(double *)to = json_get_real(object, m->key);
		return;
	case FLAG:
		*(bool *)to = json_is_true(value);
		return;
	case ANY:
		*(const json_t **)to = value;
		return;
	}
}

void told_one(const json_t *object, struct told *ret)
{
	const json_t *counts = json_object_get(object, "file_counts"), *count;
	struct told t = {.name = "", .status = "", .path = "", .rule = "", .guard = ""};
	const char *view;

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		fill(&t, &members[i], object);
	json_object_foreach((json_t *)counts, view, count)
		t.files += number_of(count);
	if (t.ratio <= 0)
		t.ratio = t.stored ? (double)t.size / (double)t.stored : 1;
	*ret = t;
}

static int newest_first(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	return x->number < y->number ? 1 : x->number > y->number ? -1 : 0;
}

static int last_ended_first(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->ended != y->ended)
		return x->ended < y->ended ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int next_first(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->expires != y->expires)
		return x->expires < y->expires ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Fills the list from an array of the document, which it takes over. */
static void fill_list(json_t *document, const char *key, int (*order)(const void *, const void *),
	struct told_list *ret)
{
	const json_t *array = json_object_get(document, key), *item;
	size_t count = json_array_size(array), i;
	struct told_list list = {.document = document, .items = calloc(count + 1, sizeof(struct told))};

	if (!list.items)
		message_no_memory();
	json_array_foreach(array, i, item)
		told_one(item, &list.items[list.count++]);
	qsort(list.items, list.count, sizeof *list.items, order);
	*ret = list;
}

void told_release(struct told_list *list)
{
	json_decref(list->document);
	free(list->items);
	*list = (struct told_list){0};
}

static bool read_list(const struct place *place, const char *file, const char *key,
	int (*order)(const void *, const void *), struct told_list *ret)
{
	struct place root = {.mount = place->mount};
	json_t *document = controls_read(&root, file);

	if (document)
		fill_list(document, key, order, ret);
	return document != NULL;
}

bool told_sessions(const struct place *place, struct told_list *ret)
{
	return read_list(place, "sessions.json", "sessions", newest_first, ret);
}

bool told_history(const struct place *place, struct told_list *ret)
{
	struct place root = {.mount = place->mount};
	json_t *lines = controls_read_lines(&root, "endings.jsonl"), *document = lines ? json_object() : NULL;

	if (!lines)
		return false;
	json_add(document, "sessions", lines);
	fill_list(document, "sessions", last_ended_first, ret);
	return true;
}

bool told_expiring(const struct place *place, struct told_list *ret, struct told_list *ret_staying)
{
	if (!read_list(place, "expiring.json", "expiring", next_first, ret))
		return false;
	fill_list(json_incref(ret->document), "staying", next_first, ret_staying);
	return true;
}

/* Each is told by its own info.json, under the name by which it is found there. */
static json_t *read_infos(DIR *d, const char *dir, size_t *ret_hidden)
{
	json_t *document = json_object(), *array = json_array();
	const struct dirent *e;

	*ret_hidden = 0;
	while ((e = readdir(d))) {
		char *path = NULL;
		json_t *info = NULL;

		if (*e->d_name == '.')
			continue;
		if (asprintf(&path, "%s/%s/.session/info.json", dir, e->d_name) < 0)
			message_no_memory();
		info = json_read(path); /* it may be gone by now */
		*ret_hidden += !info && errno == EACCES;
		free(path);
		if (!info)
			continue;
		json_add(info, "session_id", json_from_text(e->d_name));
		json_append(array, info);
	}
	json_add(document, "sessions", array);
	return document;
}

static bool read_dir(const struct place *place, const char *name, int (*order)(const void *, const void *),
	struct told_list *ret)
{
	struct place root = {.mount = place->mount};
	char *dir = place_control(&root, name);
	DIR *d = opendir(dir);
	size_t hidden;

	if (d) {
		fill_list(read_infos(d, dir, &hidden), "sessions", order, ret);
		ret->hidden = hidden;
		closedir(d);
	} else {
		message_error("%s cannot be listed: %s", dir, strerror(errno));
	}
	free(dir);
	return d != NULL;
}

bool told_trash(const struct place *place, struct told_list *ret)
{
	return read_dir(place, "trash", last_ended_first, ret);
}

bool told_found(const struct place *place, const char *text, struct told_list *ret)
{
	char *dir = NULL;
	bool fine = asprintf(&dir, "search/%s", text) >= 0 && read_dir(place, dir, newest_first, ret);

	free(dir);
	return fine;
}
