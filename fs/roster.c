/*
 * roster.c - see roster.h.
 */
#include "fs/roster.h"

#include <errno.h>
#include <stdlib.h>

#include <bsd/sys/tree.h>

#include "fs/error.h"
#include "fs/keeper.h"
#include "fs/retention.h"
#include "fs/trash.h"

struct member {
	RB_ENTRY(member) number, end, cache, age;
	struct store_sid sid;
	bool ended;    /* it is in the trash */
	bool has_age;  /* it is in the tree of ages: alive and guarded by nothing in its record */
	struct retention_subject subject;
	int64_t until;        /* of one in the trash: kept until then, in the clock of ages */
	int64_t cache_oldest; /* as in its record; STORE_NEVER: nothing is in its cache/ */
	int64_t in_use;       /* it was found in use, which counts until then */
	int64_t deferred, cache_deferred; /* roster_next has nothing to say of it before */
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
	uint64_t counts[2];
	struct ends ends;
	struct caches caches;
	struct ages ages;
	uint64_t ageing; /* members of ages */
	struct member *border; /* the newest of those beyond `keep`; NULL: to be looked for */
	uint64_t deferred; /* members that are */
	struct member *spare;
	int64_t first_end, first_cache; /* the lowest keys; STORE_NEVER */
	int64_t told; /* what roster_moment said last */
};

static int compare(int64_t a, int64_t b, const struct member *x, const struct member *y)
{
	if (a != b)
		return a < b ? -1 : 1;
	return x->sid.n < y->sid.n ? -1 : x->sid.n > y->sid.n;
}

static int by_number(const struct member *a, const struct member *b)
{
	return compare(0, 0, a, b);
}

static int by_end(const struct member *a, const struct member *b)
{
	return compare(a->ends, b->ends, a, b);
}

static int by_cache(const struct member *a, const struct member *b)
{
	return compare(a->cache_due, b->cache_due, a, b);
}

static int by_age(const struct member *a, const struct member *b)
{
	return compare(a->subject.written, b->subject.written, a, b);
}

RB_GENERATE_INTERNAL(numbers, member, number, by_number, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ends, member, end, by_end, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(caches, member, cache, by_cache, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ages, member, age, by_age, __attribute__((unused)) static)

static struct member *find(const struct roster *roster, struct store_sid sid)
{
	struct member key = {.sid = sid}, *member = RB_FIND(numbers, (struct numbers *)&roster->numbers[0], &key);

	return member ? member : RB_FIND(numbers, (struct numbers *)&roster->numbers[1], &key);
}

/* ---- one member -------------------------------------------------------------------------------------------------- */

static void learn(struct member *member, const struct store_session *record)
{
	member->sid = record->sid;
	member->ended = record->ended != 0;
	member->subject = retention_subject_of(record);
	member->until = record->until == STORE_NEVER ? STORE_NEVER : age_sub(record->until, record->skew);
	member->cache_oldest = record->files[STORE_CACHE] ? record->cache_oldest : STORE_NEVER;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_guarded(const struct fs *fs, const struct member *member)
{
	return member->sid.n == fs->chosen.n || retention_guard(&member->subject) != LIFE_UNGUARDED;
}

static int64_t end_of(const struct fs *fs, const struct member *member)
{
	int64_t at = STORE_NEVER;

	if (member->ended)
		at = member->until == STORE_NEVER ? STORE_NEVER : age_add(member->until, fs->clock.skew);
	else if (!is_guarded(fs, member))
		retention_rule(&fs->options, &member->subject, fs->clock.skew, &at);
	return member->deferred && at == STORE_NEVER ? member->deferred : later(at, member->deferred);
}

static int64_t cache_due_of(const struct fs *fs, const struct member *member)
{
	int64_t at;

	if (member->ended || member->cache_oldest == STORE_NEVER || !retention_may_change(&member->subject))
		return STORE_NEVER;
	at = member->cache_grew ? 0 : retention_cache(&fs->options, member->cache_oldest, fs->clock.jumped);
	return at == STORE_NEVER ? at : later(at, member->cache_deferred);
}

/* When there is something to do, as far as it is known without a look at records. */
static int64_t moment(const struct fs *fs)
{
	const struct roster *roster = fs->roster;

	if (fs->options.keep && roster->ageing > fs->options.keep)
		return 0;
	return roster->first_end < roster->first_cache ? roster->first_end : roster->first_cache;
}

static void first_changed(struct fs *fs)
{
	struct roster *roster = fs->roster;
	const struct member *end = RB_MIN(ends, &roster->ends), *cache = RB_MIN(caches, &roster->caches);

	roster->first_end = end ? end->ends : STORE_NEVER;
	roster->first_cache = cache ? cache->cache_due : STORE_NEVER;
	if (moment(fs) >= roster->told)
		return;
	roster->told = INT64_MIN;
	keeper_wake(fs);
}

static void take_out(struct roster *roster, struct member *member)
{
	RB_REMOVE(numbers, &roster->numbers[member->ended], member);
	roster->counts[member->ended]--;
	roster->deferred -= member->deferred != 0;
	if (member->ends != STORE_NEVER)
		RB_REMOVE(ends, &roster->ends, member);
	if (member->cache_due != STORE_NEVER)
		RB_REMOVE(caches, &roster->caches, member);
	if (member->has_age) {
		if (roster->border && by_age(member, roster->border) >= 0)
			roster->border = NULL; /* else one goes, and one less is to go */
		RB_REMOVE(ages, &roster->ages, member);
		roster->ageing--;
	}
}

static void put_in(struct fs *fs, struct roster *roster, struct member *member)
{
	member->ends = end_of(fs, member);
	member->cache_due = cache_due_of(fs, member);
	member->has_age = fs->options.keep && !member->ended && !member->deferred && !is_guarded(fs, member);
	RB_INSERT(numbers, &roster->numbers[member->ended], member);
	roster->counts[member->ended]++;
	roster->deferred += member->deferred != 0;
	if (member->ends != STORE_NEVER)
		RB_INSERT(ends, &roster->ends, member);
	if (member->cache_due != STORE_NEVER)
		RB_INSERT(caches, &roster->caches, member);
	if (member->has_age) {
		RB_INSERT(ages, &roster->ages, member);
		roster->ageing++;
		roster->border = NULL;
	}
}

static void place(struct fs *fs, struct member *member, const struct store_session *record)
{
	take_out(fs->roster, member);
	learn(member, record);
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

/* The entry becomes right; false if it was. */
static bool refresh(struct fs *fs, struct member *member)
{
	struct session *session = NULL;
	struct member fresh;

	HASH_FIND(hh, fs->sessions, &member->sid, sizeof(member->sid), session);
	if (!session)
		return false; /* a session that is not in memory is not written to */
	learn(&fresh, &session->record);
	if (fresh.ended == member->ended && fresh.subject.written == member->subject.written
	    && fresh.cache_oldest == member->cache_oldest && end_of(fs, member) == member->ends)
		return false;
	place(fs, member, &session->record);
	return true;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct loading {
	struct fs *fs;
	struct roster *roster;
	bool no_memory;
};

/* The limit of cache/ may be lower than it was in the mount before. */
static bool may_hold_too_much(const struct fs_options *options, const struct store_session *record)
{
	return options->cache_size && record->files[STORE_CACHE] && record->logical > options->cache_size;
}

static bool load(void *arg, const struct store_session *record)
{
	struct loading *loading = arg;
	struct member *member;

	if (record->flags & STORE_SESSION_DROPPED)
		return false;
	member = calloc(1, sizeof(*member));
	loading->no_memory = !member;
	if (!member)
		return true;
	learn(member, record);
	member->cache_grew = may_hold_too_much(&loading->fs->options, record);
	put_in(loading->fs, loading->roster, member);
	loading->no_memory = record->ended && trash_add(loading->fs, record);
	return loading->no_memory;
}

int roster_new(struct fs *fs)
{
	struct roster *roster = fs->roster = calloc(1, sizeof(*roster));
	struct loading loading = {.fs = fs, .roster = roster};
	int r;

	fs_assert_locked(fs);
	if (!roster)
		return -ENOMEM;
	r = error_of_store(store_scan_sessions(fs->store, 0, load, &loading));
	r = !r && loading.no_memory ? -ENOMEM : r;
	roster->told = INT64_MIN;
	first_changed(fs);
	return r;
}

void roster_free(struct roster *roster)
{
	struct member *member, *next;

	if (!roster)
		return;
	for (unsigned trash = 0; trash < 2; trash++)
		RB_FOREACH_SAFE(member, numbers, &roster->numbers[trash], next) {
			RB_REMOVE(numbers, &roster->numbers[trash], member);
			free(member);
		}
	free(roster->spare);
	free(roster);
}

int roster_reserve(struct fs *fs)
{
	if (!fs->roster->spare)
		fs->roster->spare = calloc(1, sizeof(struct member));
	return fs->roster->spare ? 0 : -ENOMEM;
}

void roster_add(struct fs *fs, const struct store_session *record)
{
	struct member *member = fs->roster->spare;

	fs_assert_locked(fs);
	assert(member);
	fs->roster->spare = NULL;
	learn(member, record);
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

void roster_note(struct fs *fs, const struct store_session *record)
{
	struct member *member = fs->roster ? find(fs->roster, record->sid) : NULL;

	fs_assert_locked(fs);
	if (!member)
		return;
	take_out(fs->roster, member);
	learn(member, record);
	member->in_use = member->deferred = 0;
	member->tries = 0;
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

int64_t *roster_saved(struct fs *fs, struct store_sid sid)
{
	struct member *member = find(fs->roster, sid);

	return member ? &member->saved : NULL;
}

void roster_remove(struct fs *fs, struct store_sid sid)
{
	struct member *member = find(fs->roster, sid);

	fs_assert_locked(fs);
	if (!member)
		return;
	take_out(fs->roster, member);
	first_changed(fs);
	free(member);
}

unsigned roster_list(const struct fs *fs, bool trash, uint32_t after, struct store_sid *ret, unsigned max)
{
	struct numbers *numbers = &fs->roster->numbers[trash];
	struct member key = {.sid = {after + 1}}, *member;
	unsigned n = 0;

	fs_assert_locked(fs);
	if (after == UINT32_MAX)
		return 0;
	for (member = RB_NFIND(numbers, numbers, &key); member && n < max; member = RB_NEXT(numbers, numbers, member))
		ret[n++] = member->sid;
	return n;
}

struct store_sid roster_newest(const struct fs *fs)
{
	const struct member *newest = RB_MAX(numbers, &fs->roster->numbers[false]);

	fs_assert_locked(fs);
	return newest ? newest->sid : STORE_ROOT_SID;
}

uint64_t roster_count(const struct fs *fs, bool trash)
{
	fs_assert_locked(fs);
	return fs->roster->counts[trash];
}

void roster_guard_changed(struct fs *fs, struct store_sid sid)
{
	struct member *member = find(fs->roster, sid);

	fs_assert_locked(fs);
	if (!member)
		return;
	take_out(fs->roster, member);
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

int64_t roster_end(const struct fs *fs, struct store_sid sid)
{
	const struct member *member = find(fs->roster, sid);

	fs_assert_locked(fs);
	return !member ? STORE_NEVER : member->deferred ? INT64_MIN : member->ends;
}

/* ---- whose time has come ----------------------------------------------------------------------------------------- */

void roster_clock_jumped(struct fs *fs)
{
	struct member *member;

	if (!fs->roster)
		return;
	RB_INIT(&fs->roster->ends);
	RB_INIT(&fs->roster->caches);
	RB_FOREACH(member, numbers, &fs->roster->numbers[0]) {
		member->in_use = member->cache_deferred = 0;
		member->deferred = member->deferred ? fs->clock.looked : 0;
		member->ends = end_of(fs, member);
		member->cache_due = cache_due_of(fs, member);
		if (member->ends != STORE_NEVER)
			RB_INSERT(ends, &fs->roster->ends, member);
		if (member->cache_due != STORE_NEVER)
			RB_INSERT(caches, &fs->roster->caches, member);
	}
	RB_FOREACH(member, numbers, &fs->roster->numbers[1]) {
		member->ends = end_of(fs, member);
		if (member->ends != STORE_NEVER)
			RB_INSERT(ends, &fs->roster->ends, member);
	}
	first_changed(fs);
}

/* The newest of those beyond `keep`, with the ages of all up to it being right. NULL if there are no more than that. */
static struct member *border(struct fs *fs)
{
	struct roster *roster = fs->roster;

	while (!roster->border && roster->ageing > fs->options.keep && fs->options.keep) {
		uint64_t excess = roster->ageing - fs->options.keep;
		struct member *member = RB_MIN(ages, &roster->ages);

		while (!refresh(fs, member) && --excess)
			member = RB_NEXT(ages, &roster->ages, member);
		if (!excess)
			roster->border = member;
	}
	return roster->border;
}

static bool is_excess(struct fs *fs, const struct member *member)
{
	const struct member *newest = member->has_age ? border(fs) : NULL;

	return newest && by_age(member, newest) <= 0;
}

static bool is_due(const struct fs *fs, const struct member *member, int64_t now)
{
	int64_t at = STORE_NEVER;

	if (!is_guarded(fs, member))
		retention_rule(&fs->options, &member->subject, fs->clock.skew, &at);
	return now >= at && now >= fs->clock.hold;
}

bool roster_has_over(const struct fs *fs, int64_t now)
{
	const struct roster *roster = fs->roster;

	fs_assert_locked(fs);
	return now >= roster->first_end || (fs->options.keep && roster->ageing > fs->options.keep);
}

bool roster_is_over(struct fs *fs, struct store_sid sid, int64_t now)
{
	struct roster *roster = fs->roster;
	struct member *member;

	if (!roster_has_over(fs, now) && !roster->deferred)
		return false;
	member = find(roster, sid);
	if (!member || member->ended)
		return false;
	refresh(fs, member);
	return now >= member->in_use && (is_due(fs, member, now) || is_excess(fs, member));
}

static enum roster_matter matter_of(const struct member *member, struct store_sid *ret)
{
	*ret = member->sid;
	return member->ended ? ROSTER_DROPS : ROSTER_ENDS;
}

enum roster_matter roster_next(struct fs *fs, int64_t now, struct store_sid *ret)
{
	struct roster *roster = fs->roster;

	fs_assert_locked(fs);
	while (now >= roster->first_end) {
		struct member *member = RB_MIN(ends, &roster->ends);

		if (refresh(fs, member))
			continue;
		if (member->deferred && now >= member->deferred) {
			take_out(roster, member);
			member->deferred = 0;
			put_in(fs, roster, member);
			first_changed(fs);
			continue;
		}
		if (now < fs->clock.hold)
			break;
		return matter_of(member, ret);
	}
	while (border(fs)) {
		struct member *member = RB_MIN(ages, &roster->ages);

		/* It may have been written to since the border was found. */
		if (!refresh(fs, member))
			return matter_of(member, ret);
	}
	return ROSTER_NOTHING;
}

bool roster_next_cache(struct fs *fs, int64_t now, struct store_sid *ret)
{
	struct roster *roster = fs->roster;

	fs_assert_locked(fs);
	while (now >= roster->first_cache && now >= fs->clock.hold) {
		struct member *member = RB_MIN(caches, &roster->caches);

		if (refresh(fs, member))
			continue;
		*ret = member->sid;
		return true;
	}
	return false;
}

bool roster_is_excess(struct fs *fs, struct store_sid sid, uint64_t *ret_newer)
{
	const struct member *member = find(fs->roster, sid);

	fs_assert_locked(fs);
	if (!member || !is_excess(fs, member))
		return false;
	*ret_newer = fs->options.keep;
	return true;
}

bool roster_is_in_use(const struct fs *fs, struct store_sid sid)
{
	const struct member *member = find(fs->roster, sid);

	fs_assert_locked(fs);
	return member && member->tries && member->used;
}

/* Put off again and again, it is asked less and less often: after 1, 2, 4 ... 64 seconds. */
static void put_off(struct fs *fs, struct store_sid sid, int64_t now, bool used)
{
	struct member *member = find(fs->roster, sid);

	if (!member)
		return;
	take_out(fs->roster, member);
	member->in_use = now + FS_SECOND;
	member->deferred = now + (FS_SECOND << (member->tries < 6 ? member->tries : 6));
	member->tries++;
	member->used = used;
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

void roster_found_in_use(struct fs *fs, struct store_sid sid, int64_t now)
{
	put_off(fs, sid, now, true);
}

void roster_put_off(struct fs *fs, struct store_sid sid, int64_t now)
{
	put_off(fs, sid, now, false);
}

static struct member *take_out_found(struct fs *fs, struct store_sid sid)
{
	struct member *member = find(fs->roster, sid);
	struct session *session = NULL;

	fs_assert_locked(fs);
	if (!member)
		return NULL;
	take_out(fs->roster, member);
	HASH_FIND(hh, fs->sessions, &sid, sizeof(sid), session);
	if (session)
		learn(member, &session->record);
	member->cache_grew = session && session->cache_grew;
	return member;
}

void roster_defer_cache(struct fs *fs, struct store_sid sid, int64_t moment)
{
	struct member *member = take_out_found(fs, sid);

	if (!member)
		return;
	member->cache_deferred = moment;
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

void roster_cache_grew(struct fs *fs, struct store_sid sid)
{
	struct member *member = take_out_found(fs, sid);

	if (!member)
		return;
	put_in(fs, fs->roster, member);
	first_changed(fs);
}

int64_t roster_moment(struct fs *fs)
{
	int64_t at = moment(fs);

	fs_assert_locked(fs);
	fs->roster->told = at;
	return at == STORE_NEVER || at == 0 ? at : later(at, fs->clock.hold);
}
