/*
 * trash.c - which sessions are in the trash, and under which names. In memory, as their records have it.
 *
 * A session keeps the name under which it came there, NAME, as long as it is there. Where another one has that name
 * already it is shown as NAME~NUMBER instead, of which NAME is cut where that would be too long, and its record says so
 * (STORE_SESSION_NUMBERED). So is one whose own name ends like that, ~ and digits: what ends so is of the session of
 * that number, and no two names are the same.
 */
#include "fs/trash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bsd/sys/tree.h>

#include "fs/life.h"
#include "fs/utf8.h"

struct trashed {
	struct store_sid sid; /* key */
	UT_hash_handle by_sid;
	UT_hash_handle by_name; /* unless numbered */
	RB_ENTRY(trashed) by_end;
	int64_t ended;
	bool numbered; /* shown as NAME~NUMBER */
	char name[STORE_NAME_MAX + 1];
};

RB_HEAD(ends, trashed);

struct trash {
	struct trashed *by_sid[FS_TABLES], *by_name[FS_TABLES];
	struct ends ends;
};

static int compare_ends(const struct trashed *a, const struct trashed *b)
{
	if (a->ended != b->ended)
		return a->ended < b->ended ? -1 : 1;
	return a->sid.n < b->sid.n ? -1 : a->sid.n > b->sid.n;
}

RB_GENERATE_INTERNAL(ends, trashed, by_end, compare_ends, __attribute__((unused)) static)

static struct trashed *find_sid(const struct fs *fs, struct store_sid sid)
{
	struct trashed *t = NULL;

	HASH_FIND(by_sid, FS_TABLE(fs->trash->by_sid, sid.n), &sid, sizeof(sid), t);
	return t;
}

/* uthash.h hashes numbers. */
static unsigned hash_name(const char *name)
{
	unsigned hash;

	HASH_JEN(name, strlen(name), hash);
	return hash;
}

/* By bits of which the table itself has no use. */
static struct trashed **table_of_hash(const struct fs *fs, unsigned hash)
{
	return &FS_TABLE(fs->trash->by_name, hash >> 20);
}

static struct trashed *find_name(const struct fs *fs, const char *name)
{
	unsigned hash = hash_name(name);
	struct trashed *t = NULL;

	HASH_FIND_BYHASHVALUE(by_name, *table_of_hash(fs, hash), name, strlen(name), hash, t);
	return t;
}

/* The digits of NAME~NUMBER; NULL: it does not end so. */
static const char *number_in(const char *name)
{
	const char *last = strrchr(name, '~');

	return last && last[1] && !last[1 + strspn(last + 1, "0123456789")] ? last + 1 : NULL;
}

bool trash_has_name(const struct fs *fs, const char *name)
{
	return find_name(fs, name) != NULL;
}

static bool put_in(struct fs *fs, struct trashed *t)
{
	struct trashed **sids = &FS_TABLE(fs->trash->by_sid, t->sid.n);
	unsigned hash = hash_name(t->name);

	HASH_ADD(by_sid, *sids, sid, sizeof(t->sid), t);
	if (!t->by_sid.tbl)
		return false;
	if (t->numbered)
		return true;
	HASH_ADD_KEYPTR_BYHASHVALUE(by_name, *table_of_hash(fs, hash), t->name, strlen(t->name), hash, t);
	if (!t->by_name.tbl)
		HASH_DELETE(by_sid, *sids, t);
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
	t->numbered = record->flags & STORE_SESSION_NUMBERED || number_in(t->name) || trash_has_name(fs, t->name);
	if (!put_in(fs, t)) {
		free(t);
		return -ENOMEM;
	}
	RB_INSERT(ends, &fs->trash->ends, t);
	return 0;
}

void trash_remove(struct fs *fs, struct store_sid sid)
{
	struct trashed *t = find_sid(fs, sid);

	fs_assert_locked(fs);
	if (!t)
		return;
	if (!t->numbered)
		HASH_DELETE(by_name, *table_of_hash(fs, t->by_name.hashv), t);
	HASH_DELETE(by_sid, FS_TABLE(fs->trash->by_sid, sid.n), t);
	RB_REMOVE(ends, &fs->trash->ends, t);
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
	for (unsigned i = 0; i < FS_TABLES; i++)
		HASH_CLEAR(by_name, trash->by_name[i]);
	for (unsigned i = 0; i < FS_TABLES; i++) {
		HASH_ITER(by_sid, trash->by_sid[i], t, next) {
			HASH_DELETE(by_sid, trash->by_sid[i], t);
			free(t);
		}
	}
	free(trash);
}

bool trash_oldest(const struct fs *fs, struct store_sid *ret)
{
	const struct trashed *oldest = RB_MIN(ends, &fs->trash->ends);

	if (oldest)
		*ret = oldest->sid;
	return oldest != NULL;
}

bool trash_before(const struct fs *fs, int64_t ended, struct store_sid *ret)
{
	struct ends *ends = &fs->trash->ends;
	struct trashed key = {.ended = ended}, *next = RB_NFIND(ends, ends, &key);
	const struct trashed *last = next ? RB_PREV(ends, ends, next) : RB_MAX(ends, ends);

	if (last)
		*ret = last->sid;
	return last != NULL;
}

/* How much of the name is left where there must be room for `more` bytes. */
static size_t cut_length(const char *name, size_t more)
{
	size_t len = strlen(name);

	return utf8_cut(name, len + more > STORE_NAME_MAX ? STORE_NAME_MAX - more : len);
}

int life_trash_name(struct fs *fs, struct store_sid sid, char *name)
{
	const struct trashed *t = find_sid(fs, sid);
	char number[16] = "";
	size_t len = 0;

	if (!t)
		return ENOENT;
	if (t->numbered)
		len = (size_t)snprintf(number, sizeof(number), "~%u", sid.n);
	snprintf(name, STORE_NAME_MAX + 1, "%.*s%s", (int)cut_length(t->name, len), t->name, number);
	return 0;
}

int life_trash_find(struct fs *fs, const char *name, struct store_sid *ret)
{
	const struct trashed *t = find_name(fs, name);
	const char *number = number_in(name);
	char shown[STORE_NAME_MAX + 1];

	if (!t && number)
		t = find_sid(fs, (struct store_sid){(uint32_t)strtoul(number, NULL, 10)});
	if (!t || life_trash_name(fs, t->sid, shown) || strcmp(shown, name) != 0)
		return ENOENT;
	*ret = t->sid;
	return 0;
}
