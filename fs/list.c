/*
 * list.c - listing a directory. The order is the store's; a place in it is the cookie of the last name that was told.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/attr.h"
#include "fs/cache_expiry.h"
#include "fs/control.h"
#include "fs/dir.h"
#include "fs/due.h"
#include "fs/error.h"
#include "fs/expiry.h"
#include "fs/serve.h"
#include "fs/visit.h"

/* Places before the store's first cookie: behind ".", behind "..", behind .sessfs or .session. */
enum { BEHIND_DOT = 1, BEHIND_DOTDOT = 2, BEHIND_CONTROL = 3 };
/* What the kernel's form of a name takes beside it: struct fuse_dirent, and struct fuse_entry_out for plus. */
enum { NAME_BYTES = 24, ENTRY_BYTES = 128 };
/* Room of the answer that is filled at a time where names may be left out, each of which costs some microseconds. */
enum { HIDING_ROOM = 16384 };
enum { DOUBTS = 64 }; /* sessions that are asked about in one go */
#define DOUBTS_NS (500 * INT64_C(1000000)) /* for which one answer may wait, as long as nobody can change the root */

struct name {
	uint64_t cookie;
	struct store_ino ino;
	struct store_sid session;
	uint32_t type, len;
	char text[];
};

/* Names taken from the store in one go: each() may not ask it for more. */
struct names {
	char *data; /* struct name, each aligned to 8 */
	size_t used, size;
	size_t room, overhead; /* of the answer: what is left of it, and what a name costs beside its text */
	bool no_memory;
	uint64_t last; /* cookie of the last one taken */
	int64_t budget; /* for getting rid of doubts */
	int64_t until;  /* until then what is over is ended too; 0: it is left out only */
};

static size_t size_of_name(size_t len)
{
	return (sizeof(struct name) + len + 1 + 7) & ~(size_t)7;
}

static bool names_reserve(struct names *names, size_t need)
{
	size_t size = names->size ? names->size : 8192;
	char *data;

	if (names->used + need <= names->size)
		return true;
	while (size < names->used + need)
		size *= 2;
	data = realloc(names->data, size);
	if (!data)
		return false;
	names->data = data;
	names->size = size;
	return true;
}

/* A damaged record's: the kernel would refuse the whole listing. */
static bool is_no_name(const struct store_dirent *entry)
{
	return entry->name_len == 0 || memchr(entry->name, '/', entry->name_len)
		|| memchr(entry->name, '\0', entry->name_len) || strcmp(entry->name, ".") == 0
		|| strcmp(entry->name, "..") == 0;
}

static bool take_name(void *arg, const struct store_dirent *entry)
{
	struct names *names = arg;
	size_t cost = (names->overhead + entry->name_len + 7) & ~(size_t)7;
	size_t need = size_of_name(entry->name_len);
	struct name *name;

	if (is_no_name(entry))
		return false;
	if (cost > names->room)
		return true;
	if (!names_reserve(names, need)) {
		names->no_memory = true;
		return true;
	}
	name = (struct name *)(names->data + names->used);
	*name = (struct name){.cookie = entry->cookie, .ino = entry->ino, .session = entry->session,
		.type = entry->type, .len = entry->name_len};
	memcpy(name->text, entry->name, entry->name_len + 1);
	names->used += need;
	names->last = entry->cookie;
	names->room -= cost;
	return false;
}

/* A whole entry; if its inode cannot be read, one that only has a type, so that the rest is listed. */
static void refer_name(struct node *dir, const struct name *name, struct entry *entry)
{
	NODE_AUTO node = NULL;

	if (node_load(dir->session->fs, name->session, name->ino, &node) == 0)
		dir_refer_in(dir, node, entry);
}

/* The name, of a directory whose names expire, is over. */
static bool is_left_out(struct node *dir, const struct name *name, int64_t now, int64_t *until)
{
	struct store_dirent entry = {.cookie = name->cookie, .ino = name->ino, .session = name->session,
		.type = name->type, .name_len = name->len};

	if (node_is_root(dir))
		return expiry_leaves_out(dir->session->fs, name->session, now, until);
	memcpy(entry.name, name->text, name->len + 1);
	return cache_expiry_leaves_out(dir, &entry, *until);
}

/* Finds out what is in use of the sessions that were taken. True: they may be others now. */
static bool clear_doubts(struct node *dir, const struct names *names, int64_t *budget)
{
	struct store_sid sids[DOUBTS];
	bool paused = false;
	unsigned count = 0;

	for (size_t at = 0; at < names->used;) {
		const struct name *name = (const struct name *)(names->data + at);

		at += size_of_name(name->len);
		sids[count++] = name->session;
		if (count < DOUBTS && at < names->used)
			continue;
		paused |= expiry_clear_doubts(dir->session->fs, sids, count, budget);
		count = 0;
	}
	return paused;
}

/* How many were added; *ret_full: the answer is full. */
static unsigned add_names(struct node *dir, struct names *names, bool plus, dir_add add, void *arg,
	bool *ret_full)
{
	struct fs *fs = dir->session->fs;
	bool expires = node_is_root(dir) || cache_expiry_applies(dir);
	int64_t now = expires ? fs_age_now(fs) : 0;
	unsigned added = 0;

	for (size_t at = 0; at < names->used;) {
		const struct name *name = (const struct name *)(names->data + at);
		struct entry entry = {.attr = {.st_ino = name->ino.n, .st_mode = name->type}};

		at += size_of_name(name->len);
		if (expires && is_left_out(dir, name, now, &names->until))
			continue;
		if (plus)
			refer_name(dir, name, &entry);
		if (!add(arg, name->text, &entry, name->cookie)) {
			struct forget_item item = {entry.id, 1};

			if (entry.id.n)
				forget_locked(fs, &item, 1);
			*ret_full = true;
			break;
		}
		added++;
	}
	return added;
}

static bool add_dot(struct node *dir, uint64_t from, dir_add add, void *arg)
{
	struct entry dot = {.attr = {.st_ino = dir->ino.n, .st_mode = S_IFDIR}};
	struct entry dotdot = {.attr = {.st_ino = dir->inode.parent, .st_mode = S_IFDIR}};

	return from < BEHIND_DOT ? add(arg, ".", &dot, BEHIND_DOT) : add(arg, "..", &dotdot, BEHIND_DOTDOT);
}

static bool add_dots(struct node *dir, uint64_t from, dir_add add, void *arg)
{
	return (from >= BEHIND_DOT || add_dot(dir, 0, add, arg))
		&& (from >= BEHIND_DOTDOT || add_dot(dir, BEHIND_DOT, add, arg));
}

/* With the option show_control. */
static bool add_control(struct node *dir, uint64_t from, dir_add add, void *arg)
{
	struct entry entry = {.attr = {.st_ino = CONTROL_ID_FIRST + dir->session->sid.n, .st_mode = S_IFDIR}};
	const char *name = node_is_root(dir) ? CONTROL_ROOT_NAME : CONTROL_SESSION_NAME;

	if (!dir->session->fs->options.show_control || !(node_is_root(dir) || node_is_session(dir)))
		return true;
	return from >= BEHIND_CONTROL || add(arg, name, &entry, BEHIND_CONTROL);
}

static int take_names(struct node *dir, uint64_t after, struct names *names)
{
	int r = error_of_store(
		store_scan_dirents(dir->session->fs->store, dir->session->sid, dir->ino, after, take_name, names));

	if (!r || r == ENOENT)
		r = names->no_memory && !names->used ? -ENOMEM : 0;
	return r;
}

/* Adds what fits of the names behind *after, which moves on. *ret_more: none was added, but there are more. */
static int list_some(struct node *dir, uint64_t *after, struct names *names, bool plus, dir_add add, void *arg,
	bool *ret_more)
{
	bool full = false;
	size_t room = names->room;
	int r = take_names(dir, *after, names);

	/* Of those taken instead of sessions that are gone by then there may be doubt too. */
	while (!r && names->budget > 0 && clear_doubts(dir, names, &names->budget)) {
		names->used = 0;
		names->room = room;
		names->until = fs_now() + EXPIRY_STEP_NS;
		r = take_names(dir, *after, names);
	}
	if (!r)
		*ret_more = names->used && !add_names(dir, names, plus, add, arg, &full) && !full;
	*after = names->last;
	return r;
}

/* Sessions are over and not ended yet: it may be all of them. */
static bool hides_many(const struct node *dir)
{
	struct fs *fs = dir->session->fs;

	return node_is_root(dir) && !fs->options.read_only && due_has_over(fs, fs_age_now(fs));
}

bool dir_is_slow(struct fs *fs, struct fs_id id)
{
	if (id.n != STORE_ROOT_INO.n)
		return false;
	FS_GUARD(fs);
	return hides_many(fs->root);
}

static int list(struct node *dir, uint64_t from, size_t room, bool plus, dir_add add, void *arg)
{
	size_t overhead = NAME_BYTES + (plus ? ENTRY_BYTES : 0);
	struct names names = {.room = room, .overhead = overhead};
	uint64_t after = from < STORE_COOKIE_MIN ? 0 : from;
	bool more, many = hides_many(dir);
	int r;

	names.budget = many && serve_may_wait() ? DOUBTS_NS : 0;
	/* With a dot alone the kernel lets go of the lock; it hands it on at the second time, if not at the first. */
	if (names.budget && !visit_hush(dir->session->fs, DOUBTS_NS) && from < BEHIND_DOTDOT) {
		add_dot(dir, from, add, arg);
		return 0;
	}
	if (from < BEHIND_CONTROL) {
		size_t dots = 3 * ((overhead + strlen(CONTROL_SESSION_NAME) + 7) & ~(size_t)7);

		names.room = room > dots ? room - dots : 0;
		if (!add_dots(dir, from, add, arg) || !add_control(dir, from, add, arg))
			return 0;
	}
	if (many && names.room > HIDING_ROOM)
		names.room = HIDING_ROOM;
	names.until = fs_now() + EXPIRY_STEP_NS; /* for all of the answer: until it comes nobody can change dir */
	dir->pins++;
	room = names.room;
	while (!(r = list_some(dir, &after, &names, plus, add, arg, &more)) && more) {
		fs_pause(dir->session->fs);
		names.used = 0;
		names.room = room;
	}
	node_put(dir);
	free(names.data);
	return r;
}

int dir_list(struct fs *fs, struct fs_id id, uint64_t from, size_t room, bool plus, dir_add add, void *arg)
{
	FS_GUARD(fs);
	struct node *dir;
	int r;

	if (control_is_id(id)) {
		r = control_list(fs, id, from, add, arg);
		serve_forget_listing(fs, id);
		return r;
	}
	r = dir_find(fs, id, "", &dir);
	if (r)
		return r;
	if (from == 0)
		attr_accessed(dir);
	r = list(dir, from, room, plus, add, arg);
	if (node_is_root(dir) ? !fs->options.read_only : cache_expiry_applies(dir))
		serve_forget_listing(fs, id); /* else the kernel would not ask again */
	return r;
}
