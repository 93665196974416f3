/*
 * space.c - how much room there is, told honestly, and kept so that whatever was acknowledged also fits into warm.
 *
 * A batch that adds data is admitted only while the device (and max_size) has room for everything the logs hold twice
 * over, and for the pages LMDB copies when their records lie scattered. What goes wrong still - someone else fills the
 * disk - is caught by the reserve, a file whose blocks are given up so that deletions can commit.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_MAX (8u << 20)
#define RESERVE_SHARE 32 /* of the file system, at most */
#define MARGIN (2u << 20)
/* What has to be in the logs before a refused batch waits for a flush: each costs LMDB a synced transaction. */
#define WORTH_A_FLUSH (1u << 20)
#define PAGE 4096u
/* How often the device is asked, while there is plenty: others may fill it. */
#define ASK_NS 20000000u
#define ASK_BYTES (1u << 20)

static uint64_t ask_device(struct store *s)
{
	struct statvfs v;
	if (fstatvfs(s->dir, &v) < 0)
		return 0;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

static uint64_t reserve_size(struct store *s)
{
	struct statvfs v;
	if (fstatvfs(s->dir, &v) < 0)
		return 0;
	uint64_t share = (uint64_t)v.f_blocks * v.f_frsize / RESERVE_SHARE;
	return share < RESERVE_MAX ? share : RESERVE_MAX;
}

static void take_reserve(struct store *s)
{
	uint64_t size = reserve_size(s);
	struct stat st;
	int fd = openat(s->dir, "reserve", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	bool there = fstat(fd, &st) == 0 && (uint64_t)st.st_size == size && (uint64_t)st.st_blocks * 512 >= size;
	if (there) /* not so in a sparse copy, whose reserve is none */
		s->space.reserve = size;
	else if (size && ask_device(s) > 4 * size && ftruncate(fd, 0) == 0 && fallocate(fd, 0, 0, (off_t)size) == 0)
		s->space.reserve = size;
	close(fd);
}

bool space_release(struct store *s)
{
	if (growth_give_back(s))
		return true;
	pthread_mutex_lock(&s->lock);
	s->space.reserve = 0;
	pthread_mutex_unlock(&s->lock);
	return unlinkat(s->dir, "reserve", 0) == 0;
}

/* What data.mdb may grow to: as was asked for, and as the process may. */
static uint64_t size_limit(const struct store *s)
{
	struct rlimit file;
	uint64_t limit = s->options.max_size ? s->options.max_size : UINT64_MAX;
	if (getrlimit(RLIMIT_FSIZE, &file) == 0 && file.rlim_cur != RLIM_INFINITY && file.rlim_cur < limit)
		limit = file.rlim_cur;
	return limit;
}

int space_init(struct store *s)
{
	int r = warm_space(s->warm, &s->space.warm);
	s->space.limit = size_limit(s);
	s->space.available = ask_device(s);
	if (r == 0 && !s->options.read_only)
		take_reserve(s);
	return r;
}

void space_after_flush(struct store *s)
{
	struct warm_space space;
	bool known = warm_space(s->warm, &space) == 0;
	uint64_t available = ask_device(s);
	pthread_mutex_lock(&s->lock);
	if (known)
		s->space.warm = space;
	s->space.available = available;
	if (!s->space.reserve)
		take_reserve(s);
	pthread_mutex_unlock(&s->lock);
}

static uint64_t in_logs(const struct store *s)
{
	uint64_t bytes = s->active && s->active->map ? s->active->tail - HOT_DATA : 0;
	return bytes + (s->sealed ? s->sealed->tail - HOT_DATA : 0);
}

uint64_t space_room(const struct store *s)
{
	const struct space *p = &s->space;
	uint64_t device = p->available + p->warm.reusable;
	uint64_t limit = p->limit > p->warm.used ? p->limit - p->warm.used : 0;
	return limit < device ? limit : device;
}

/*
 * Bytes of pages that LMDB may copy for the entries of a log: one page for each, if they lie scattered, but no more
 * than there are.
 */
static uint64_t copies(const struct store *s, const struct hot *h)
{
	uint64_t bytes = h ? h->index.count * PAGE : 0;
	return bytes < s->space.warm.used ? bytes : s->space.warm.used;
}

static uint64_t spoken_for(const struct store *s)
{
	return 2 * in_logs(s) + copies(s, s->active) + copies(s, s->sealed) + MARGIN;
}

static bool fits(const struct store *s, uint64_t bytes)
{
	return space_room(s) >= spoken_for(s) + bytes;
}

bool space_is_short(const struct store *s)
{
	return copies(s, s->active) > space_room(s) / 4;
}

bool space_admits(struct store *s, uint64_t bytes)
{
	struct space *p = &s->space;
	uint64_t now = store_clock();
	p->unasked += bytes;
	if (fits(s, bytes) && now - p->asked_at < ASK_NS && p->unasked < ASK_BYTES)
		return true;
	p->available = ask_device(s);
	p->asked_at = now;
	p->unasked = 0;
	return fits(s, bytes);
}

bool space_comes_with_flush(const struct store *s, uint64_t bytes)
{
	return space_room(s) >= MARGIN + bytes && spoken_for(s) >= MARGIN + WORTH_A_FLUSH;
}

static uint64_t unsynced(const struct store *s)
{
	const struct hot *logs[] = { s->active, s->sealed };
	uint64_t sum = 0;
	for (int i = 0; i < 2 && !s->options.read_only; i++)
		if (logs[i])
			sum += logs[i]->tail - (logs[i]->synced ? logs[i]->synced : HOT_DATA);
	return sum;
}

uint64_t store_unsynced(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t bytes = unsynced(s);
	pthread_mutex_unlock(&s->lock);
	return bytes;
}

void store_stats(struct store *s, struct store_stats *ret)
{
	pthread_mutex_lock(&s->lock);
	s->space.available = ask_device(s);
	/* Once the logs are in warm, which a writer waits for who does not fit before. */
	uint64_t hot = in_logs(s), left = space_room(s), taken = hot + MARGIN;
	*ret = s->stats;
	ret->free = left > taken ? left - taken : 0;
	ret->total = s->space.warm.used + hot + ret->free;
	ret->hot_bytes = hot;
	ret->hot_size = s->logs[0].size + s->logs[1].size;
	ret->hot_limit = s->logs[0].limit;
	ret->warm_bytes = s->space.warm.used;
	cache_figures(&s->cache, &ret->chunk_hits, &ret->chunk_misses);
	ret->unsaved_bytes = unsynced(s);
	ret->last_error = s->last_error;
	pthread_mutex_unlock(&s->lock);
}
