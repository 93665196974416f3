/*
 * control_names.c - the made-up names of .sessfs: by-status, by-tag and search, in which each session is a link, and
 * trash, in which it is its directory.
 */
#include "fs/control_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "fs/content_search.h"
#include "fs/dir.h"
#include "fs/grow.h"
#include "fs/life.h"
#include "fs/trash.h"

enum { SLICE = 64 }; /* sessions looked at before others get the lock */

/* Calls each() with every living session, or with those in the trash, behind a number, until it answers not 0. */
static int each_session(struct fs *fs, bool trash, uint64_t after, int (*each)(void *arg, struct session *), void *arg)
{
	struct store_sid sids[SLICE];
	unsigned count;
	int r = 0;

	while (!r && after < UINT32_MAX && (count = life_list(fs, trash, (uint32_t)after, sids, SLICE))) {
		for (unsigned i = 0; !r && i < count; i++) {
			struct session *session;

			after = sids[i].n;
			r = session_get(fs, sids[i], &session);
			if (!r) {
				r = each(arg, session);
				session_put(session);
			} else if (r == ENOENT) {
				r = 0;
			}
		}
	}
	return r;
}

enum { ENOUGH = INT32_MAX }; /* each() has what it wanted */

static int end_of(int r)
{
	return r == ENOUGH ? 0 : r;
}

/* ---- sessions of one kind ---------------------------------------------------------------------------------------- */

static int link_target(struct session *session, char *ret, size_t size)
{
	snprintf(ret, size, "../../../%s", session->record.name);
	return 0;
}

static const struct content_row link_row = {.name = "session", .kind = CONTENT_LINK, .target = link_target};

/* Whether a directory names a session. */
struct test {
	const struct content_dir *dir;
	int (*holds)(const struct test *, const struct store_session *, bool *ret);
	struct search *search;
};

static int has_status(const struct test *test, const struct store_session *record, bool *ret)
{
	*ret = strcmp(life_status_name((enum store_status)record->status), test->dir->word) == 0;
	return 0;
}

static int has_tag(const struct test *test, const struct store_session *record, bool *ret)
{
	return search_has_tag(test->dir->session->fs, record, test->dir->word, ret);
}

static int has_text(const struct test *test, const struct store_session *record, bool *ret)
{
	return search_matches(test->dir->session->fs, record, test->search, ret);
}

static void name_link(const struct store_session *record, struct content_name *ret)
{
	*ret = (struct content_name){.row = &link_row, .sid = record->sid};
	memcpy(ret->name, record->name, record->name_len + 1);
}

static int find_link(const struct test *test, const char *name, struct content_name *ret)
{
	struct fs *fs = test->dir->session->fs;
	struct store_dirent entry;
	struct session *session;
	bool holds = false;
	int r = dir_find_name(fs->root, name, &entry);

	if (!r)
		r = session_get(fs, entry.session, &session);
	if (r)
		return r;
	r = test->holds(test, &session->record, &holds);
	if (!r && holds)
		name_link(&session->record, ret);
	session_put(session);
	return r ? r : holds ? 0 : ENOENT;
}

struct listing {
	const struct test *test;
	content_each each;
	void *arg;
};

static int list_link(void *arg, struct session *session)
{
	const struct listing *list = arg;
	struct content_name name;
	bool holds = false;
	int r = list->test->holds(list->test, &session->record, &holds);

	if (r || !holds)
		return r;
	name_link(&session->record, &name);
	return list->each(list->arg, &name, session->sid.n) ? ENOUGH : 0;
}

static int list_links(const struct test *test, uint64_t from, content_each each, void *arg)
{
	struct listing list = {test, each, arg};

	return end_of(each_session(test->dir->session->fs, false, from, list_link, &list));
}

/* ---- by-status --------------------------------------------------------------------------------------------------- */

static int find_by_status(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	return find_link(&(struct test){.dir = dir, .holds = has_status}, name, ret);
}

static int list_by_status(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	return list_links(&(struct test){.dir = dir, .holds = has_status}, from, each, arg);
}

const struct content_names control_one_status = {.find = find_by_status, .list = list_by_status};

/* ---- by-tag ------------------------------------------------------------------------------------------------------ */

static int find_by_tag(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	return find_link(&(struct test){.dir = dir, .holds = has_tag}, name, ret);
}

static int list_by_tag(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	return list_links(&(struct test){.dir = dir, .holds = has_tag}, from, each, arg);
}

static const struct content_names one_tag = {.find = find_by_tag, .list = list_by_tag};
static const struct content_row tag_row = {
	.name = "tag", .kind = CONTENT_DIR, .flags = CONTENT_SLOW, .names = &one_tag};

/* A tag, and its place in a listing: by a hash of it, so that it stays when other tags come and go. */
struct tag {
	uint64_t place;
	char *name;
};

struct tags {
	struct tag *list;
	size_t count, room;
	uint64_t from;
	bool no_memory;
};

static bool note_tag(void *arg, const char *name)
{
	struct tags *tags = arg;
	struct tag tag = {.place = 1 + (XXH3_64bits(name, strlen(name)) >> 3)}, *list;

	if (tag.place <= tags->from)
		return false;
	list = grow(tags->list, tags->count, &tags->room, sizeof(*list));
	if (list) {
		tags->list = list;
		tag.name = strdup(name);
	}
	if (tag.name)
		tags->list[tags->count++] = tag;
	tags->no_memory = !tag.name;
	return tags->no_memory;
}

static int note_tags(void *arg, struct session *session)
{
	struct tags *tags = arg;
	int r = search_each_tag(session->fs, &session->record, note_tag, tags);

	return r ? r : tags->no_memory ? -ENOMEM : 0;
}

static int compare_tags(const void *a, const void *b)
{
	uint64_t x = ((const struct tag *)a)->place, y = ((const struct tag *)b)->place;

	return (x > y) - (x < y);
}

static void tell_tags(struct tags *tags, content_each each, void *arg)
{
	struct content_name name = {.row = &tag_row};
	uint64_t told = 0;

	qsort(tags->list, tags->count, sizeof(*tags->list), compare_tags);
	for (size_t i = 0; i < tags->count; i++) {
		const struct tag *tag = &tags->list[i];

		if (tag->place == told)
			continue;
		told = tag->place;
		snprintf(name.name, sizeof(name.name), "%s", tag->name);
		if (each(arg, &name, told))
			return;
	}
}

static int list_tags(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	struct tags tags = {.from = from};
	int r = each_session(dir->session->fs, false, 0, note_tags, &tags);

	if (!r && tags.count)
		tell_tags(&tags, each, arg);
	while (tags.count)
		free(tags.list[--tags.count].name);
	free(tags.list);
	return r;
}

static int look_for_tag(void *arg, struct session *session)
{
	bool has = false;
	int r = search_has_tag(session->fs, &session->record, arg, &has);

	return r ? r : has ? ENOUGH : 0;
}

static int find_tag(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	int r = each_session(dir->session->fs, false, 0, look_for_tag, (void *)name);

	if (r != ENOUGH)
		return r ? r : ENOENT;
	*ret = (struct content_name){.row = &tag_row};
	return 0;
}

const struct content_names control_tags = {.find = find_tag, .list = list_tags};

/* ---- search ------------------------------------------------------------------------------------------------------ */

static int find_found(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	struct test test = {.dir = dir, .holds = has_text};
	int r = search_new(dir->word, &test.search);

	if (r)
		return r;
	r = find_link(&test, name, ret);
	search_free(test.search);
	return r;
}

static int list_found(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	struct test test = {.dir = dir, .holds = has_text};
	int r = search_new(dir->word, &test.search);

	if (r)
		return r;
	r = list_links(&test, from, each, arg);
	search_free(test.search);
	return r;
}

static const struct content_names one_search = {.find = find_found, .list = list_found};
static const struct content_row search_row = {
	.name = "search", .kind = CONTENT_DIR, .flags = CONTENT_SLOW, .names = &one_search};

/* Every text can be looked for. */
static int find_search(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	(void)dir, (void)name;
	*ret = (struct content_name){.row = &search_row};
	return 0;
}

/* They are too many to be told. */
static int list_searches(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	(void)dir, (void)from, (void)each, (void)arg;
	return 0;
}

const struct content_names control_searches = {.find = find_search, .list = list_searches};

/* ---- trash ------------------------------------------------------------------------------------------------------- */

static int find_trashed(const struct content_dir *dir, const char *name, struct content_name *ret)
{
	*ret = (struct content_name){0};
	return life_trash_find(dir->session->fs, name, &ret->sid);
}

static int list_one_trashed(void *arg, struct session *session)
{
	const struct listing *list = arg;
	struct content_name name = {.sid = session->sid, .ino = session->record.root};
	int r = life_trash_name(session->fs, session->sid, name.name);

	if (r)
		return r == ENOENT ? 0 : r;
	return list->each(list->arg, &name, session->sid.n) ? ENOUGH : 0;
}

static int list_trashed(const struct content_dir *dir, uint64_t from, content_each each, void *arg)
{
	struct listing list = {.each = each, .arg = arg};

	return end_of(each_session(dir->session->fs, true, from, list_one_trashed, &list));
}

const struct content_names control_trash = {
	.find = find_trashed, .list = list_trashed,
	.enter = trash_rename_in, .leave = trash_rename_out, .remove = trash_rmdir,
};
