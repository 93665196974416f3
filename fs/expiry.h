/*
 * expiry.h - sessions whose time is over: who looks at them finds them gone. All is called with fs->lock held.
 *
 * A name that is looked up is decided on, and its session ended, before the answer. A listing leaves out what is over,
 * which the keeper then ends in steps, so that ten thousand ends hold nobody up. Where it is in doubt whether a session
 * is in use (in_use.h), a listing has the keeper find out before it goes on. When that takes too long, it shows it.
 */
#pragma once

#include "fs/life.h"

enum expiry {
	EXPIRY_STAYS,
	EXPIRY_GONE,
	EXPIRY_ASK_AGAIN, /* to be answered ESTALE: the kernel then looks the name up once more */
};

/* The name of a session is looked up, which stands for this directory. */
enum expiry expiry_lookup(struct fs *, struct store_sid, struct store_ino top);
/* Not to be told of. */
bool expiry_hides(struct fs *, struct store_sid);
/*
 * Finds out about those of these sessions of whose use there is doubt, before they are listed. *budget: how long that
 * may still take, by a thread that can wait. True if fs->lock was let go for it.
 */
bool expiry_clear_doubts(struct fs *, const struct store_sid *, unsigned count, int64_t *budget);
/*
 * Not to be listed in the root, as of `now`; ended with that, while the moment *until of the wall's clock has not come,
 * which is 0 from then on.
 */
bool expiry_leaves_out(struct fs *, struct store_sid, int64_t now, int64_t *until);
#define EXPIRY_STEP_NS (2 * INT64_C(1000000)) /* for which a request, or the keeper, ends one after the other */
/* Seconds for which the kernel may remember the name of a session. */
double expiry_timeout(struct fs *, struct store_sid);
/* The same for what goes at that moment of the wall's clock. */
double expiry_brief(struct fs *, int64_t end);
/* Ends some of those that are over, and drops some of those whose grace is; true while there are more. */
bool expiry_step(struct fs *);
