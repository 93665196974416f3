/*
 * roster.c - see roster.h.
 */
#include "fs/roster.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/error.h"
#include "fs/keeper.h"
#include "fs/member.h"
#include "fs/trash.h"

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

int member_compare_age(const struct member *a, const struct member *b)
{
	return compare(a->subject.written, b->subject.written, a, b);
}

RB_GENERATE_INTERNAL(numbers, member, number, by_number, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ends, member, end, by_end, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(caches, member, cache, by_cache, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ages, member, age, member_compare_age, __attribute__((unused)) static)

struct member *member_find(const struct roster *roster, struct store_sid sid)
{
	struct member key = {.sid = sid}, *member = RB_FIND(numbers, (struct numbers *)&roster->numbers[0], &key);

	return member ? member : RB_FIND(numbers, (struct numbers *)&roster->numbers[1], &key);
}

struct member *member_first_end(struct roster *roster)
{
	return RB_MIN(ends, &roster->ends);
}

struct member *member_first_cache(struct roster *roster)
{
	return RB_MIN(caches, &roster->caches);
}

struct member *member_oldest(struct roster *roster)
{
	return RB_MIN(ages, &roster->ages);
}

struct member *member_next_by_age(struct member *member)
{
	return RB_NEXT(ages, NULL, member);
}

/* ---- one member -------------------------------------------------------------------------------------------------- */

void member_learn(struct member *member, const struct store_session *record)
{
	member->sid = record->sid;
	member->ended = record->ended != 0;
	member->subject = retention_subject_of(record);
	member->until = record->until == STORE_NEVER ? STORE_NEVER : age_sub(record->until, record->skew);
	member->cache_oldest = record->files[STORE_CACHE] || record->untold ? record->cache_oldest : STORE_NEVER;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_guarded(const struct fs *fs, const struct member *member)
{
	return member->sid.n == fs->chosen.n || retention_guard(&member->subject) != LIFE_UNGUARDED;
}

int64_t member_end(const struct fs *fs, const struct member *member)
{
	int64_t at = STORE_NEVER;

	if (member->ended)
		at = member->until == STORE_NEVER ? STORE_NEVER : age_add(member->until, fs->clock.skew);
	else if (!is_guarded(fs, member))
		retention_rule(&fs->options, &member->subject, fs->clock.skew, &at);
	return at;
}

static int64_t end_of(const struct fs *fs, const struct member *member)
{
	int64_t at = member_end(fs, member);

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

uint64_t member_excess(const struct fs *fs)
{
	uint64_t keep = fs->options.keep, ageing = fs->roster->ageing;

	return keep && ageing > keep ? ageing - keep : 0;
}

/* When there is something to do, as far as it is known without a look at records. */
static int64_t moment(const struct fs *fs)
{
	const struct roster *roster = fs->roster;

	if (member_excess(fs))
		return 0;
	return roster->first_end < roster->first_cache ? roster->first_end : roster->first_cache;
}

static void first_changed(struct fs *fs)
{
	struct roster *roster = fs->roster;
	const struct member *end = member_first_end(roster), *cache = member_first_cache(roster);

	roster->first_end = end ? end->ends : STORE_NEVER;
	roster->first_cache = cache ? cache->cache_due : STORE_NEVER;
	if (moment(fs) >= roster->told)
		return;
	roster->told = INT64_MIN;
	keeper_wake(fs);
}

void member_take_out(struct roster *roster, struct member *member)
{
	RB_REMOVE(numbers, &roster->numbers[member->ended], member);
	roster->deferred -= member->deferred != 0;
	if (member->ends != STORE_NEVER)
		RB_REMOVE(ends, &roster->ends, member);
	if (member->cache_due != STORE_NEVER)
		RB_REMOVE(caches, &roster->caches, member);
	if (member->has_age) {
		if (roster->border && member_compare_age(member, roster->border) >= 0)
			roster->border = NULL; /* else one goes, and one less is to go */
		RB_REMOVE(ages, &roster->ages, member);
		roster->ageing--;
	}
}

void member_put_in(struct fs *fs, struct member *member)
{
	struct roster *roster = fs->roster;

	member->ends = end_of(fs, member);
	member->cache_due = cache_due_of(fs, member);
	member->has_age = fs->options.keep && !member->ended && !member->deferred && !is_guarded(fs, member);
	RB_INSERT(numbers, &roster->numbers[member->ended], member);
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
	first_changed(fs);
}

static void place(struct fs *fs, struct member *member, const struct store_session *record)
{
	member_take_out(fs->roster, member);
	member_learn(member, record);
	member_put_in(fs, member);
}

bool member_refresh(struct fs *fs, struct member *member)
{
	struct session *session = session_find(fs, member->sid);
	struct member fresh;

	if (!session)
		return false; /* a session that is not in memory is not written to */
	member_learn(&fresh, &session->record);
	if (fresh.ended == member->ended && fresh.subject.written == member->subject.written
	    && fresh.cache_oldest == member->cache_oldest && end_of(fs, member) == member->ends)
		return false;
	place(fs, member, &session->record);
	return true;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct loading {
	struct fs *fs;
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
	member_learn(member, record);
	member->cache_grew = may_hold_too_much(&loading->fs->options, record);
	member_put_in(loading->fs, member);
	loading->no_memory = record->ended && !life_is_dropped(record) && trash_add(loading->fs, record);
	return loading->no_memory;
}

int roster_new(struct fs *fs)
{
	struct roster *roster = fs->roster = calloc(1, sizeof(*roster));
	struct loading loading = {.fs = fs};
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
	member_learn(member, record);
	member_put_in(fs, member);
}

void roster_note(struct fs *fs, const struct store_session *record)
{
	struct member *member = fs->roster ? member_find(fs->roster, record->sid) : NULL;

	fs_assert_locked(fs);
	if (!member)
		return;
	member_take_out(fs->roster, member);
	member_learn(member, record);
	member->in_use = member->deferred = 0;
	member->tries = 0;
	member_put_in(fs, member);
}

int64_t *roster_saved(struct fs *fs, struct store_sid sid)
{
	struct member *member = member_find(fs->roster, sid);

	return member ? &member->saved : NULL;
}

void roster_remove(struct fs *fs, struct store_sid sid)
{
	struct member *member = member_find(fs->roster, sid);

	fs_assert_locked(fs);
	if (!member)
		return;
	member_take_out(fs->roster, member);
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

void roster_guard_changed(struct fs *fs, struct store_sid sid)
{
	struct member *member = member_find(fs->roster, sid);

	fs_assert_locked(fs);
	if (!member)
		return;
	member_take_out(fs->roster, member);
	member_put_in(fs, member);
}

int64_t roster_end(const struct fs *fs, struct store_sid sid)
{
	const struct member *member = member_find(fs->roster, sid);

	fs_assert_locked(fs);
	return !member ? STORE_NEVER : member->deferred ? INT64_MIN : member->ends;
}

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

int64_t roster_moment(struct fs *fs)
{
	int64_t at = moment(fs);

	fs_assert_locked(fs);
	fs->roster->told = at;
	return at == STORE_NEVER || at == 0 ? at : later(at, fs->clock.hold);
}
