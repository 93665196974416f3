/*
 * launder.c - see launder.h.
 */
#include "fs/launder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/control.h"
#include "fs/cut.h"
#include "fs/errand.h"
#include "fs/serve.h"
#include "fs/trash.h"

enum { SLICE = 64 }; /* files asked for between two looks at the list */
enum { CUT_PATIENCE_MS = 2000 };

struct slice {
	unsigned count;
	struct fs_id ids[SLICE];
};

static void ask(struct fs *fs, const struct slice *slice)
{
	for (unsigned i = 0; i < slice->count; i++)
		serve_forget_content(fs, slice->ids[i]);
}

/*
 * The next files behind *at, which is pinned so that it keeps its place in the list while the lock is released; NULL:
 * from the start, and at the end. What comes to the list later comes before it, and was read-only from the start.
 */
static void fill(struct slice *slice, struct session *session, struct node **at)
{
	struct node *node = *at ? LIST_NEXT(*at, siblings) : LIST_FIRST(&session->nodes), *last = NULL;

	slice->count = 0;
	for (; node && slice->count < SLICE; node = LIST_NEXT(node, siblings)) {
		last = node;
		if (!S_ISREG(node->inode.mode) || !node->nlookup)
			continue;
		slice->ids[slice->count++] = fs_id_of_ino(node->ino);
		node->late_times = session->fs->options.writeback;
	}
	if (last)
		last->pins++;
	node_put(*at);
	*at = last;
}

static void note(struct fs *fs)
{
	fs->launders = fs->laundering || fs->cuts;
}

/* True if it was to begin again meanwhile. */
static bool begins_again(struct session *session)
{
	struct fs *fs = session->fs;
	FS_GUARD(fs);

	trash_drop_forgotten(fs); /* its last node may have been held here */
	if (session->launders > 1) {
		session->launders = 1;
		return true;
	}
	session->launders = 0;
	fs->laundering--;
	note(fs);
	session_put(session);
	return false;
}

static bool launder_slice(struct session *session)
{
	struct fs *fs = session->fs;
	struct slice slice;

	fs_lock(fs);
	fill(&slice, session, &session->laundered);
	fs_unlock(fs);
	ask(fs, &slice);
	return session->laundered || begins_again(session);
}

/* In turns with other sessions, and with who waits for one of them. */
static int launder(struct fs *fs, void *subject)
{
	bool more;

	do
		more = launder_slice(subject);
	while (more && !errand_add(fs->chores, launder, subject, NULL, NULL));
	return 0;
}

static bool still_cuts(struct fs *fs)
{
	FS_GUARD(fs);

	note(fs);
	return fs->cuts;
}

/* Others do it: the keeper, which asks the kernel by a thread of its own. */
static void wait_for_cuts(struct fs *fs)
{
	for (int ms = 0; still_cuts(fs) && ms < CUT_PATIENCE_MS; ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Of few nodes: of many it is taken to be so. */
static bool may_know_files(const struct session *session)
{
	const struct node *node = LIST_FIRST(&session->nodes);

	for (unsigned n = 0; node && n < SLICE && !(S_ISREG(node->inode.mode) && node->nlookup); n++)
		node = LIST_NEXT(node, siblings);
	return node != NULL;
}

void launder_session(struct session *session)
{
	struct fs *fs = session->fs;

	fs_assert_locked(fs);
	if (!fs->chores || !may_know_files(session))
		return;
	if (!session->launders && !errand_add(fs->chores, launder, session, NULL, NULL))
		return;
	if (session->launders++)
		return;
	session_ref(session);
	fs->laundering++;
	fs->launders = true;
}

/* ---- who waits for that ------------------------------------------------------------------------------------------ */

struct waiter {
	struct session *session; /* held */
	void (*done)(void *arg, int result);
	void *arg;
};

static bool is_laundering(struct fs *fs, const struct session *session)
{
	FS_GUARD(fs);

	return session->launders;
}

static int wait_for(struct fs *fs, void *subject)
{
	struct waiter *waiter = subject;

	if (is_laundering(fs, waiter->session) && errand_add(fs->chores, wait_for, waiter, NULL, NULL))
		return 0;
	wait_for_cuts(fs);
	waiter->done(waiter->arg, 0);
	fs_lock(fs);
	session_put(waiter->session);
	fs_unlock(fs);
	free(waiter);
	return 0;
}

/* False: there is nothing to wait for, or no way to. */
static bool waits(struct fs *fs, struct fs_id id, const struct waiter *what)
{
	FS_GUARD(fs);
	struct session *session = control_owner(fs, id);
	struct waiter *waiter = session && (session->launders || fs->cuts) ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter)
		return false;
	*waiter = *what;
	waiter->session = session;
	if (!errand_add(fs->chores, wait_for, waiter, NULL, NULL)) {
		free(waiter);
		return false;
	}
	session_ref(session);
	return true;
}

void launder_wait(struct fs *fs, struct fs_id id, void (*done)(void *arg, int result), void *arg)
{
	if (!fs->launders || !waits(fs, id, &(struct waiter){.done = done, .arg = arg}))
		done(arg, 0);
}

static int throw_away(struct fs *fs, void *subject)
{
	serve_forget_content(fs, (struct fs_id){(uintptr_t)subject});
	return 0;
}

void launder_refused(struct node *node, int result, uint64_t end)
{
	struct fs *fs = node->session->fs;

	fs_assert_locked(fs);
	if (!cut_begin(node, result, end) && result == EROFS && fs->chores)
		(void)errand_add(fs->chores, throw_away, (void *)(uintptr_t)node->ino.n, NULL, NULL);
}
