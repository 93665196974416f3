/*
 * trash.c - which sessions are in the trash, and under which names. In memory, as their records have it.
 */
#include "fs/trash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/life.h"

struct trashed {
	struct store_sid sid; /* key */
	UT_hash_handle by_sid;
	UT_hash_handle by_name; /* of the last one that came with this name */
	struct trashed *before; /* that came with it before this one */
	int64_t ended;
	char name[STORE_NAME_MAX + 1];
};

struct trash {
	struct trashed *by_sid, *by_name;
};

static struct trashed *find_sid(const struct fs *fs, struct store_sid sid)
{
	struct trashed *t = NULL;

	HASH_FIND(by_sid, fs->trash->by_sid, &sid, sizeof(sid), t);
	return t;
}

/* uthash.h hashes numbers. */
static unsigned hash_name(const char *name)
{
	unsigned hash;

	HASH_JEN(name, strlen(name), hash);
	return hash;
}

static struct trashed *find_last(const struct fs *fs, const char *name)
{
	struct trashed *t = NULL;

	HASH_FIND_BYHASHVALUE(by_name, fs->trash->by_name, name, strlen(name), hash_name(name), t);
	return t;
}

/* Makes it, or with NULL nobody, the last one of the name. */
static bool set_last(struct fs *fs, struct trashed *old, struct trashed *t)
{
	if (old)
		HASH_DELETE(by_name, fs->trash->by_name, old);
	if (!t)
		return true;
	HASH_ADD_KEYPTR_BYHASHVALUE(by_name, fs->trash->by_name, t->name, strlen(t->name), hash_name(t->name), t);
	return t->by_name.tbl != NULL;
}

int trash_add(struct fs *fs, const struct store_session *record)
{
	struct trashed *t = calloc(1, sizeof(*t));

	fs_assert_locked(fs);
	if (!t)
		return -ENOMEM;
	t->sid = record->sid;
	t->ended = record->ended;
	memcpy(t->name, record->name, record->name_len);
	t->before = find_last(fs, t->name);
	HASH_ADD(by_sid, fs->trash->by_sid, sid, sizeof(t->sid), t);
	if (!t->by_sid.tbl) {
		free(t);
		return -ENOMEM;
	}
	if (set_last(fs, t->before, t))
		return 0;
	set_last(fs, NULL, t->before);
	HASH_DELETE(by_sid, fs->trash->by_sid, t);
	free(t);
	return -ENOMEM;
}

void trash_remove(struct fs *fs, struct store_sid sid)
{
	struct trashed *t = find_sid(fs, sid), *last, *next;

	fs_assert_locked(fs);
	if (!t)
		return;
	last = find_last(fs, t->name);
	if (last == t) {
		set_last(fs, t, t->before);
	} else {
		for (next = last; next && next->before != t; next = next->before)
			;
		if (next)
			next->before = t->before;
	}
	HASH_DELETE(by_sid, fs->trash->by_sid, t);
	free(t);
}

int trash_new(struct fs *fs)
{
	fs->trash = calloc(1, sizeof(*fs->trash));
	return fs->trash ? 0 : -ENOMEM;
}

void trash_free(struct trash *trash)
{
	struct trashed *t, *next;

	if (!trash)
		return;
	HASH_CLEAR(by_name, trash->by_name);
	HASH_ITER(by_sid, trash->by_sid, t, next) {
		HASH_DELETE(by_sid, trash->by_sid, t);
		free(t);
	}
	free(trash);
}

bool trash_oldest(const struct fs *fs, struct store_sid *ret)
{
	const struct trashed *oldest = fs->trash->by_sid;

	for (const struct trashed *t = oldest; t; t = t->by_sid.next)
		if (t->ended < oldest->ended)
			oldest = t;
	if (oldest)
		*ret = oldest->sid;
	return oldest != NULL;
}

int life_trash_name(struct fs *fs, struct store_sid sid, char *name)
{
	const struct trashed *t = find_sid(fs, sid);

	if (!t)
		return ENOENT;
	if (find_last(fs, t->name) == t)
		snprintf(name, STORE_NAME_MAX + 16, "%s", t->name);
	else
		snprintf(name, STORE_NAME_MAX + 16, "%s~%u", t->name, t->sid.n);
	return 0;
}

int life_trash_find(struct fs *fs, const char *name, struct store_sid *ret)
{
	const char *tilde = strrchr(name, '~');
	const struct trashed *t = find_last(fs, name);
	char shown[STORE_NAME_MAX + 16];
	struct store_sid sid = {0};

	if (!t && tilde) {
		sid.n = (uint32_t)strtoul(tilde + 1, NULL, 10);
		if (!life_trash_name(fs, sid, shown) && strcmp(shown, name) == 0)
			t = find_sid(fs, sid);
	}
	if (!t)
		return ENOENT;
	*ret = t->sid;
	return 0;
}
