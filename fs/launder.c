/*
 * launder.c - see launder.h.
 */
#include "fs/launder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

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

static void launder_files(struct session *session)
{
	struct fs *fs = session->fs;
	struct node *at = NULL;
	struct slice slice;

	do {
		fs_lock(fs);
		fill(&slice, session, &at);
		fs_unlock(fs);
		ask(fs, &slice);
	} while (at);
}

static struct session *next_session(struct fs *fs, unsigned *ret_times)
{
	FS_GUARD(fs);
	struct session *session = LIST_FIRST(&fs->laundering);

	if (session)
		*ret_times = session->launders;
	return session;
}

/* Unless it was to begin again meanwhile. */
static void end_session(struct session *session, unsigned times)
{
	struct fs *fs = session->fs;
	FS_GUARD(fs);

	trash_drop_forgotten(fs); /* its last node may have been held here */
	if (session->launders != times)
		return;
	LIST_REMOVE(session, laundering);
	session->launders = 0;
	fs->launders = !LIST_EMPTY(&fs->laundering) || fs->cuts;
	session_put(session);
}

static bool still_cuts(struct fs *fs)
{
	FS_GUARD(fs);

	fs->launders = !LIST_EMPTY(&fs->laundering) || fs->cuts;
	return fs->cuts;
}

/* Others do it: the keeper, which asks the kernel by a thread of its own. */
static void wait_for_cuts(struct fs *fs)
{
	for (int ms = 0; still_cuts(fs) && ms < CUT_PATIENCE_MS; ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int launder(struct fs *fs, void *subject)
{
	struct session *session;
	unsigned times;

	(void)subject;
	while ((session = next_session(fs, &times))) {
		launder_files(session);
		end_session(session, times);
	}
	wait_for_cuts(fs);
	return 0;
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
	if (!fs->chores || !may_know_files(session) || !errand_add(fs->chores, launder, NULL, NULL, NULL))
		return;
	if (session->launders++)
		return;
	session_ref(session);
	LIST_INSERT_HEAD(&fs->laundering, session, laundering);
	fs->launders = true;
}

void launder_wait(struct fs *fs, void (*done)(void *arg, int result), void *arg)
{
	if (!fs->launders || !errand_add(fs->chores, launder, NULL, done, arg))
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
