/*
 * trash.c - which sessions are in the trash, and under which names. In memory, as their records have it.
 *
 * The one that ended last of those called NAME is shown so. The others are shown as NAME~NUMBER, of which NAME is cut
 * where that would be too long, with more ~ behind it where some session in the trash is called just that. So the names
 * shown differ, and they depend on nothing but which sessions are there.
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
	UT_hash_handle by_name; /* of the last one of this name */
	struct trashed *before, *after; /* of this name, in the order in which they ended */
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

static bool ended_later(const struct trashed *a, const struct trashed *b)
{
	return a->ended != b->ended ? a->ended > b->ended : a->sid.n > b->sid.n;
}

/* Among those of its name. They mostly come in the order in which they ended. */
static bool join_namesakes(struct fs *fs, struct trashed *t)
{
	struct trashed *last = find_last(fs, t->name);

	for (t->before = last; t->before && ended_later(t->before, t); t->before = t->before->before)
		t->after = t->before;
	if (!t->after && !set_last(fs, last, t)) {
		set_last(fs, NULL, last);
		return false;
	}
	if (t->before)
		t->before->after = t;
	if (t->after)
		t->after->before = t;
	return true;
}

static void leave_namesakes(struct fs *fs, struct trashed *t)
{
	if (!t->after)
		set_last(fs, t, t->before);
	else
		t->after->before = t->before;
	if (t->before)
		t->before->after = t->after;
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
	HASH_ADD(by_sid, fs->trash->by_sid, sid, sizeof(t->sid), t);
	if (!t->by_sid.tbl) {
		free(t);
		return -ENOMEM;
	}
	if (join_namesakes(fs, t))
		return 0;
	HASH_DELETE(by_sid, fs->trash->by_sid, t);
	free(t);
	return -ENOMEM;
}

void trash_remove(struct fs *fs, struct store_sid sid)
{
	struct trashed *t = find_sid(fs, sid);

	fs_assert_locked(fs);
	if (!t)
		return;
	leave_namesakes(fs, t);
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

static bool is_inside_character(const char *at)
{
	return ((unsigned char)*at & 0xc0) == 0x80;
}

/* How much of the name is left where there must be room for `more` bytes: of UTF-8 whole characters. */
static size_t cut_length(const char *name, size_t more)
{
	size_t whole = strlen(name), len = whole + more > STORE_NAME_MAX ? STORE_NAME_MAX - more : whole, at = len;

	while (at > 0 && len - at < 3 && is_inside_character(name + at))
		at--;
	return is_inside_character(name + at) ? len : at;
}

int life_trash_name(struct fs *fs, struct store_sid sid, char *name)
{
	const struct trashed *t = find_sid(fs, sid);
	char number[STORE_NAME_MAX + 1];
	size_t len;

	if (!t)
		return ENOENT;
	snprintf(name, STORE_NAME_MAX + 1, "%s", t->name);
	if (!t->after)
		return 0;
	len = (size_t)snprintf(number, sizeof(number), "~%u", sid.n);
	do {
		snprintf(name + cut_length(t->name, len), sizeof(number) - cut_length(t->name, len), "%s", number);
		snprintf(number + len, sizeof(number) - len, "~");
	} while (find_last(fs, name) && ++len < STORE_NAME_MAX);
	return 0;
}

/* The number in NAME~NUMBER, whatever ~ follow. */
static struct store_sid number_in(const char *name)
{
	size_t end = strlen(name), at;

	while (end > 0 && name[end - 1] == '~')
		end--;
	for (at = end; at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9'; at--)
		;
	return (struct store_sid){at < end && at > 0 ? (uint32_t)strtoul(name + at, NULL, 10) : 0};
}

int life_trash_find(struct fs *fs, const char *name, struct store_sid *ret)
{
	const struct trashed *last = find_last(fs, name);
	struct store_sid sid = last ? last->sid : number_in(name);
	char shown[STORE_NAME_MAX + 1];

	if (!last && (life_trash_name(fs, sid, shown) || strcmp(shown, name) != 0))
		return ENOENT;
	*ret = sid;
	return 0;
}
