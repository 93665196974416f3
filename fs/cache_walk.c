/*
 * cache_walk.c - the keeper's walk through cache/ of one session after the other:
 *
 *   at rest --a session is due, or grew--> looking at each file --all seen--> removing the oldest --enough--> at rest
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/cache_expiry.h"
#include "fs/change.h"
#include "fs/due.h"
#include "fs/error.h"
#include "fs/grow.h"
#include "fs/in_use.h"

#define STEP_NS (2 * INT64_C(1000000))
#define PAUSE FS_SECOND /* between two walks through one session, at least */
#define PAUSE_MAX (3600 * FS_SECOND)

enum {
	NAMES_MAX = 64,     /* taken from the store in one go */
	PAUSE_FACTOR = 100, /* a walk is followed by a pause of so many times what it took of a CPU */
};

/* A file that is seen, for the case that there is too much. */
struct cached {
	int64_t mtime;
	uint64_t size, cookie;
	struct store_ino dir, ino;
};

/* Of a file with several names, those that were seen. */
struct linked {
	struct store_ino ino; /* key */
	UT_hash_handle hh;
	unsigned names;
};

struct cache_walk {
	struct session *session; /* held; NULL: at rest */
	int64_t resumed; /* cpu_time() when this step went on with it */
	int64_t spent;   /* CPU time of the steps before */
	int64_t before; /* cache_oldest when it began */
	int64_t oldest; /* mtime of what was seen and stays */
	uint64_t sum;   /* sizes of it, of each file once, whatever its names */
	struct linked *linked;
	struct store_ino dir;   /* at hand; 0: all were gone through */
	uint64_t after;         /* cookie in it */
	struct store_ino *dirs; /* to be gone through next */
	size_t dir_count, dir_room;
	struct cached *files; /* a heap: none is older than the one at half its place */
	size_t file_count, file_room;
};

/* ---- files with several names ------------------------------------------------------------------------------------ */

static struct linked *find_linked(const struct cache_walk *walk, struct store_ino ino)
{
	struct linked *linked = NULL;

	HASH_FIND(hh, walk->linked, &ino, sizeof(ino), linked);
	return linked;
}

/* What a name adds to the sum: of one file only its first. */
static uint64_t size_of_name(struct cache_walk *walk, const struct node *node)
{
	uint64_t size = cache_expiry_size(node);
	struct linked *linked = node->inode.nlink > 1 ? find_linked(walk, node->ino) : NULL;

	if (node->inode.nlink <= 1)
		return size;
	if (linked) {
		linked->names++;
		return 0;
	}
	linked = calloc(1, sizeof(*linked));
	if (!linked)
		return size;
	linked->ino = node->ino;
	linked->names = 1;
	HASH_ADD(hh, walk->linked, ino, sizeof(linked->ino), linked);
	if (!linked->hh.tbl)
		free(linked);
	return size;
}

/* A name is gone; the file, if it was its last one here. */
static bool is_last_name(const struct cache_walk *walk, struct store_ino ino)
{
	struct linked *linked = find_linked(walk, ino);

	return !linked || --linked->names == 0;
}

static void free_linked(struct cache_walk *walk)
{
	struct linked *linked, *next;

	HASH_ITER(hh, walk->linked, linked, next) {
		HASH_DEL(walk->linked, linked);
		free(linked);
	}
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

void cache_expiry_grew(struct session *session)
{
	if (session->cache_grew || !session->fs->options.cache_size || !session->record.files[STORE_CACHE])
		return;
	session->cache_grew = true;
	due_cache_grew(session->fs, session->sid);
}

/* In a damaged store a name may lead back to a directory above it: that is not where it lies. */
static bool lies_in(struct fs *fs, struct store_sid sid, struct store_ino dir, struct store_ino ino)
{
	NODE_AUTO node = NULL;

	return !node_load(fs, sid, ino, &node) && node->inode.parent == dir.n;
}

static void add_dir(struct fs *fs, struct cache_walk *walk, struct store_ino parent, struct store_ino dir)
{
	struct store_ino *dirs = grow(walk->dirs, walk->dir_count, &walk->dir_room, sizeof(*dirs));

	if (dirs)
		walk->dirs = dirs;
	if (dirs && lies_in(fs, walk->session->sid, parent, dir))
		dirs[walk->dir_count++] = dir;
}

static void next_dir(struct cache_walk *walk)
{
	walk->dir.n = walk->dir_count ? walk->dirs[--walk->dir_count].n : 0;
	walk->after = 0;
}

/* Of the keeper: what a walk costs others, however long it was kept waiting, or slept with the machine. */
static int64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * FS_SECOND + ts.tv_nsec;
}

static bool begin(struct fs *fs, struct cache_walk *walk, struct store_sid sid)
{
	struct store_dirent cache;
	struct session *session;
	int r = session_get(fs, sid, &session);

	if (r) {
		due_defer_cache(fs, sid, fs_now() + PAUSE);
		return false;
	}
	session->cache_grew = false;
	walk->session = session;
	walk->resumed = cpu_time();
	walk->spent = 0;
	walk->before = session->record.cache_oldest;
	walk->oldest = fs_now();
	walk->sum = walk->dir_count = walk->file_count = 0;
	r = error_of_store(store_lookup(fs->store, sid, session->record.root, "cache", strlen("cache"), &cache));
	if (!r && cache.type == S_IFDIR)
		add_dir(fs, walk, session->record.root, cache.ino);
	next_dir(walk);
	return true;
}

/* What was seen holds until the next change: cache_oldest rises to it. */
static void note_oldest(struct session *session, const struct cache_walk *walk)
{
	CHANGE_AUTO(c);

	/* One that was set older while the walk was on has lowered it. */
	if (session->record.cache_oldest < walk->before || walk->oldest <= walk->before || session->removed)
		return;
	if (change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, 0))
		return;
	c.record.cache_oldest = walk->oldest;
	change_commit(&c);
}

static int64_t pause_after(int64_t spent)
{
	return PAUSE + (spent < PAUSE_MAX / PAUSE_FACTOR ? spent * PAUSE_FACTOR : PAUSE_MAX);
}

static void end(struct fs *fs, struct cache_walk *walk)
{
	struct session *session = walk->session;

	if (!life_is_read_only(&session->record))
		note_oldest(session, walk);
	cache_expiry_tell_rest(session);
	walk->spent += cpu_time() - walk->resumed;
	due_defer_cache(fs, session->sid, fs_age_now(fs) + pause_after(walk->spent));
	free_linked(walk);
	free(walk->files);
	walk->files = NULL;
	walk->file_room = 0;
	walk->session = NULL;
	session_put(session);
}

/* ---- the heap: to sort them at once would take too long for who waits for the lock ------------------------------- */

static void add_cached(struct cache_walk *walk, struct cached file)
{
	struct cached *files = grow(walk->files, walk->file_count, &walk->file_room, sizeof(*files));
	size_t at, above;

	if (!files)
		return;
	walk->files = files;
	for (at = walk->file_count++; at > 0; at = above) {
		above = (at - 1) / 2;
		if (files[above].mtime <= file.mtime)
			break;
		files[at] = files[above];
	}
	files[at] = file;
}

/* There is one. */
static struct cached take_oldest(struct cache_walk *walk)
{
	struct cached *files = walk->files, oldest = files[0], last = files[--walk->file_count];
	size_t at, below;

	for (at = 0; (below = 2 * at + 1) < walk->file_count; at = below) {
		if (below + 1 < walk->file_count && files[below + 1].mtime < files[below].mtime)
			below++;
		if (last.mtime <= files[below].mtime)
			break;
		files[at] = files[below];
	}
	files[at] = last;
	return oldest;
}

/* ---- its steps --------------------------------------------------------------------------------------------------- */

static void see_file(struct fs *fs, struct cache_walk *walk, struct node *dir, const struct store_dirent *entry)
{
	NODE_AUTO node = NULL;

	if (node_load(fs, dir->session->sid, entry->ino, &node))
		return;
	if (cache_expiry_is_due(fs, node->inode.mtime, fs_age_now(fs)) && in_use_file(node) == IN_USE_NO
	    && !cache_expiry_remove(dir, entry, node))
		return;
	if (node->inode.mtime < walk->oldest)
		walk->oldest = node->inode.mtime;
	walk->sum += size_of_name(walk, node);
	if (fs->options.cache_size)
		add_cached(walk, (struct cached){.mtime = node->inode.mtime, .cookie = entry->cookie, .dir = dir->ino,
			.ino = node->ino, .size = cache_expiry_size(node)});
}

struct names {
	unsigned count;
	struct store_dirent list[NAMES_MAX];
};

static bool take_name(void *arg, const struct store_dirent *entry)
{
	struct names *names = arg;

	names->list[names->count++] = *entry;
	return names->count == NAMES_MAX;
}

/* Some names of the directory at hand, unless it was moved since it was seen. */
static void look(struct fs *fs, struct cache_walk *walk)
{
	struct store_sid sid = walk->session->sid;
	struct names names = {.count = 0};
	NODE_AUTO dir = NULL;

	if (!node_load(fs, sid, walk->dir, &dir) && cache_expiry_holds(dir))
		(void)store_scan_dirents(fs->store, sid, walk->dir, walk->after, take_name, &names);
	for (unsigned i = 0; i < names.count; i++)
		if (names.list[i].type == S_IFDIR)
			add_dir(fs, walk, dir->ino, names.list[i].ino);
		else
			see_file(fs, walk, dir, &names.list[i]);
	if (names.count == NAMES_MAX)
		walk->after = names.list[NAMES_MAX - 1].cookie;
	else
		next_dir(walk);
}

static bool take_one(void *arg, const struct store_dirent *entry)
{
	*(struct store_dirent *)arg = *entry;
	return true;
}

/* False if it is in use, or was written to since it was seen. */
static bool remove_cached(struct fs *fs, struct session *session, const struct cached *file)
{
	struct store_dirent entry = {.cookie = 0};
	NODE_AUTO dir = NULL;
	NODE_AUTO node = NULL;

	if (node_load(fs, session->sid, file->dir, &dir)
	    || store_scan_dirents(fs->store, session->sid, file->dir, file->cookie - 1, take_one, &entry)
	    || entry.cookie != file->cookie || entry.ino.n != file->ino.n || !cache_expiry_holds(dir)
	    || node_load(fs, session->sid, entry.ino, &node))
		return true; /* it is not there any more */
	return node->inode.mtime == file->mtime && in_use_file(node) == IN_USE_NO
		&& !cache_expiry_remove(dir, &entry, node);
}

/* The oldest goes; false if there is not too much any more. */
static bool remove_oldest(struct fs *fs, struct cache_walk *walk)
{
	struct cached file;

	if (!fs->options.cache_size || walk->sum <= fs->options.cache_size || !walk->file_count)
		return false;
	file = take_oldest(walk);
	if (remove_cached(fs, walk->session, &file) && is_last_name(walk, file.ino))
		walk->sum -= file.size;
	return true;
}

static bool is_over(const struct session *session)
{
	return session->removed || life_is_read_only(&session->record);
}

static bool walk_on(struct fs *fs, struct cache_walk *walk)
{
	if (is_over(walk->session))
		return false;
	if (!walk->dir.n)
		return remove_oldest(fs, walk);
	look(fs, walk);
	return true;
}

bool cache_expiry_step(struct fs *fs)
{
	int64_t begun = fs_age_now(fs);
	struct cache_walk *walk = fs->cache_walk;
	struct store_sid sid;

	if (fs->options.read_only)
		return false;
	if (!walk)
		walk = fs->cache_walk = calloc(1, sizeof(*walk));
	if (!walk)
		return false;
	walk->resumed = cpu_time();
	while (fs_now() - begun < STEP_NS) {
		if (!walk->session && !due_next_cache(fs, begun, &sid))
			return false;
		if (!walk->session && !begin(fs, walk, sid))
			return false;
		if (!walk_on(fs, walk))
			end(fs, walk);
	}
	walk->spent += cpu_time() - walk->resumed;
	return true;
}

void cache_expiry_free(struct cache_walk *walk)
{
	if (!walk)
		return;
	session_put(walk->session);
	free_linked(walk);
	free(walk->dirs);
	free(walk->files);
	free(walk);
}
