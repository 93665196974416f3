/*
 * keeper.c - see keeper.h.
 */
#include "fs/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fs/cache_expiry.h"
#include "fs/expiry.h"
#include "fs/roster.h"
#include "fs/thread.h"
#include "fs/trash.h"
#include "fs/visit.h"

enum {
	HOUR_MS = 3600 * 1000,
	STOP_PATIENCE_MS = 1000,
	JOIN_MS = 5,
	TACT_MS = 20,
	PRUNE_MS = 5000,
	LAST_STEPS = 100,
};

struct keeper {
	struct fs *fs;
	struct visits *visits;
	pthread_t thread;
	int wake; /* eventfd */
	bool started;
	_Atomic bool stop, ended;
	_Atomic bool woken; /* and has not noticed yet */
	int64_t pruned; /* session_clock: when trash_prune_waiting was called last */
};

void keeper_wake(struct fs *fs)
{
	uint64_t one = 1;

	if (fs->keeper && !atomic_exchange(&fs->keeper->woken, true))
		(void)!write(fs->keeper->wake, &one, sizeof(one));
}

/* Whether sessions wait for the kernel to forget them, which from time to time is done for them. */
static bool prune(struct keeper *keeper)
{
	struct fs *fs = keeper->fs;
	int64_t now = session_clock();

	if (TAILQ_EMPTY(&fs->dropping) || now - keeper->pruned < (int64_t)PRUNE_MS * 1000000)
		return !TAILQ_EMPTY(&fs->dropping);
	keeper->pruned = now;
	return trash_prune_waiting(fs);
}

/* What is due is done; true while there is more. *ret_ms: for how long it may sleep. */
static bool keep(struct keeper *keeper, int *ret_ms)
{
	struct fs *fs = keeper->fs;
	FS_GUARD(fs);
	bool sessions = expiry_step(fs), files = cache_expiry_step(fs);
	int64_t now = fs_age_now(fs), hour = (int64_t)HOUR_MS * 1000000, moment;

	if (now - fs->clock.saved >= hour)
		age_clock_save(fs);
	if (visit_take(keeper->visits, sessions) || sessions || files)
		return true;
	moment = roster_moment(fs);
	if (moment > now + hour)
		moment = now + hour;
	*ret_ms = moment > now ? (int)((moment - now) / 1000000) + 1 : 0;
	if (visit_has_news(fs) && *ret_ms > TACT_MS)
		*ret_ms = TACT_MS; /* hushed */
	if (prune(keeper) && *ret_ms > PRUNE_MS)
		*ret_ms = PRUNE_MS;
	return false;
}

/* Whether it was woken. */
static bool sleep_for(struct keeper *keeper, int ms)
{
	struct pollfd poll_fd = {.fd = keeper->wake, .events = POLLIN};
	uint64_t count;

	if (poll(&poll_fd, 1, ms) <= 0 || read(keeper->wake, &count, sizeof(count)) <= 0)
		return false;
	atomic_store(&keeper->woken, false);
	return true;
}

static void *keeper_main(void *arg)
{
	struct keeper *keeper = arg;
	int ms;

	pthread_setname_np(pthread_self(), "keeper");
	while (!atomic_load(&keeper->stop)) {
		if (!keep(keeper, &ms)) {
			/* Who woke it still holds what it is about, until its request is answered. */
			if (sleep_for(keeper, ms) && !atomic_load(&keeper->stop) && !visit_is_awaited(keeper->visits))
				sleep_for(keeper, TACT_MS);
		} else if (!visit_run(keeper->visits)) {
			fs_give_way();
		}
	}
	atomic_store(&keeper->ended, true);
	return NULL;
}

int keeper_new(struct fs *fs)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->fs = fs;
	keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = keeper->wake < 0 ? -errno : visits_new(fs, &keeper->visits);
	fs_lock(fs);
	fs->keeper = keeper;
	fs->visits = keeper->visits;
	fs_unlock(fs);
	if (!r)
		r = thread_start(&keeper->thread, keeper_main, keeper);
	keeper->started = !r;
	if (r)
		keeper_free(keeper);
	return r;
}

/* If nobody answers the process any more, it is killed: no request of it is being served. */
static void join(struct keeper *keeper)
{
	for (int ms = 0; !atomic_load(&keeper->ended); ms += JOIN_MS) {
		if (ms >= STOP_PATIENCE_MS)
			visits_kill(keeper->visits);
		poll(NULL, 0, JOIN_MS);
	}
	pthread_join(keeper->thread, NULL);
}

void keeper_free(struct keeper *keeper)
{
	struct fs *fs;

	if (!keeper)
		return;
	fs = keeper->fs;
	atomic_store(&keeper->stop, true);
	if (keeper->visits)
		visits_stop(keeper->visits);
	keeper_wake(fs);
	if (keeper->started)
		join(keeper);
	fs_lock(fs);
	fs->keeper = NULL;
	fs->visits = NULL;
	/* What a listing left out already shall not be there again after the next mount. */
	for (unsigned step = 0; step < LAST_STEPS && expiry_step(fs); step++)
		;
	age_clock_save(fs);
	cache_expiry_free(fs->cache_walk);
	fs->cache_walk = NULL;
	fs->cuts = 0;
	fs_unlock(fs);
	visits_free(keeper->visits);
	if (keeper->wake >= 0)
		close(keeper->wake);
	free(keeper);
}
