/*
 * member.h - the inside of the roster, for roster.c, which keeps the members in order, and due.c, which finds those
 * whose time has come. For nobody else.
 *
 * A member is changed between member_take_out and member_put_in, which compute its keys. All is protected by fs->lock.
 */
#pragma once

#include <bsd/sys/tree.h>

#include "fs/retention.h"
#include "fs/roster.h"

struct member {
	RB_ENTRY(member) number, end, cache, age;
	struct store_sid sid;
	bool ended;   /* it is in the trash */
	bool has_age; /* it is in the tree of ages: alive, guarded by nothing in its record, and not deferred */
	struct retention_subject subject;
	int64_t until;        /* of one in the trash: kept until then, in the clock of ages */
	int64_t cache_oldest; /* as in its record; STORE_NEVER: nothing is in its cache/ */
	int64_t in_use;       /* it was found in use, which counts until then */
	int64_t deferred, cache_deferred; /* due_next has nothing to say of it before */
	int64_t saved;        /* as roster_saved */
	bool cache_grew;      /* something was written while there is a limit, or may be too much by a new one */
	unsigned tries;       /* how often it was deferred since it was written to */
	bool used;            /* because it was in use, the last time */
	/* keys, by the clock of the wall */
	int64_t ends, cache_due;
};

RB_HEAD(numbers, member);
RB_HEAD(ends, member);
RB_HEAD(caches, member);
RB_HEAD(ages, member);

struct roster {
	struct numbers numbers[2]; /* alive, in the trash */
	struct ends ends;
	struct caches caches;
	struct ages ages;
	uint64_t ageing;       /* members of ages */
	struct member *border; /* the newest of those beyond `keep`; NULL: to be looked for */
	uint64_t deferred;     /* members that are */
	struct member *spare;
	int64_t first_end, first_cache; /* the lowest keys; STORE_NEVER */
	int64_t told; /* what roster_moment said last */
};

/* NULL: it is not in the table. */
struct member *member_find(const struct roster *, struct store_sid);
/* Those with the lowest keys, and the next by age; NULL: there is none. */
struct member *member_first_end(struct roster *);
struct member *member_first_cache(struct roster *);
struct member *member_oldest(struct roster *);
struct member *member_next_by_age(struct member *);
/* By age, as < 0, 0 and > 0. */
int member_compare_age(const struct member *, const struct member *);

void member_take_out(struct roster *, struct member *);
void member_put_in(struct fs *, struct member *);
/* What its record says. */
void member_learn(struct member *, const struct store_session *);
/* The entry becomes right; false if it was. */
bool member_refresh(struct fs *, struct member *);
/* How many of those with an age are beyond `keep`. */
uint64_t member_excess(const struct fs *);
/* When it ends by the rules alone, whether it was put off or not; STORE_NEVER. */
int64_t member_end(const struct fs *, const struct member *);
