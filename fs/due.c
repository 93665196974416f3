/*
 * due.c - see due.h.
 */
#include "fs/due.h"

#include "fs/core.h"
#include "fs/member.h"

/* The newest of those beyond `keep`, with the ages of all up to it being right. NULL if there are no more than that. */
static struct member *border(struct fs *fs)
{
	struct roster *roster = fs->roster;

	while (!roster->border && member_excess(fs)) {
		uint64_t excess = member_excess(fs);
		struct member *member = member_oldest(roster);

		while (!member_refresh(fs, member) && --excess)
			member = member_next_by_age(member);
		if (!excess)
			roster->border = member;
	}
	return roster->border;
}

static bool is_excess(struct fs *fs, const struct member *member)
{
	const struct member *newest = member->has_age ? border(fs) : NULL;

	return newest && member_compare_age(member, newest) <= 0;
}

static bool is_due(const struct fs *fs, const struct member *member, int64_t now)
{
	return now >= member_end(fs, member) && now >= fs->clock.hold;
}

static void end_deferral(struct fs *fs, struct member *member)
{
	if (!member->deferred)
		return;
	member_take_out(fs->roster, member);
	member->deferred = 0;
	member_put_in(fs, member);
}

/* Whether its time is over; where it is not, it was written to since it was found in use, which is over too. */
static bool judge(struct fs *fs, struct member *member, int64_t now)
{
	bool over = is_due(fs, member, now) || is_excess(fs, member);

	member->used &= over;
	return over;
}

bool due_has_over(const struct fs *fs, int64_t now)
{
	fs_assert_locked(fs);
	return now >= fs->roster->first_end || member_excess(fs);
}

bool due_is_over(struct fs *fs, struct store_sid sid, int64_t now)
{
	struct roster *roster = fs->roster;
	struct member *member;

	if (!due_has_over(fs, now) && !roster->deferred)
		return false;
	member = member_find(roster, sid);
	if (!member || member->ended)
		return false;
	member_refresh(fs, member);
	if (now < member->in_use)
		return false;
	if (fs->options.keep) /* those that are put off are in no order */
		end_deferral(fs, member);
	return judge(fs, member, now);
}

static enum due matter_of(const struct member *member, struct store_sid *ret)
{
	*ret = member->sid;
	return member->ended ? DUE_DROPS : DUE_ENDS;
}

enum due due_next(struct fs *fs, int64_t now, struct store_sid *ret)
{
	struct roster *roster = fs->roster;

	fs_assert_locked(fs);
	while (now >= roster->first_end) {
		struct member *member = member_first_end(roster);

		if (member_refresh(fs, member))
			continue;
		if (member->deferred && now >= member->deferred) {
			end_deferral(fs, member);
			judge(fs, member, now);
			continue;
		}
		if (now < fs->clock.hold)
			break;
		return matter_of(member, ret);
	}
	while (border(fs)) {
		struct member *member = member_oldest(roster);

		/* It may have been written to since the border was found. */
		if (!member_refresh(fs, member))
			return matter_of(member, ret);
	}
	return DUE_NOTHING;
}

bool due_next_cache(struct fs *fs, int64_t now, struct store_sid *ret)
{
	struct roster *roster = fs->roster;

	fs_assert_locked(fs);
	while (now >= roster->first_cache && now >= fs->clock.hold) {
		struct member *member = member_first_cache(roster);

		if (member_refresh(fs, member))
			continue;
		*ret = member->sid;
		return true;
	}
	return false;
}

bool due_is_excess(struct fs *fs, struct store_sid sid)
{
	const struct member *member = member_find(fs->roster, sid);

	fs_assert_locked(fs);
	return member && is_excess(fs, member);
}

bool due_is_in_use(const struct fs *fs, struct store_sid sid)
{
	const struct member *member = member_find(fs->roster, sid);

	fs_assert_locked(fs);
	return member && member->tries && member->used;
}

/* Put off again and again, it is asked less and less often: after 1, 2, 4 ... 64 seconds. */
static void put_off(struct fs *fs, struct store_sid sid, int64_t now, bool used)
{
	struct member *member = member_find(fs->roster, sid);

	if (!member)
		return;
	member_take_out(fs->roster, member);
	member->in_use = now + FS_SECOND;
	member->deferred = now + (FS_SECOND << (member->tries < 6 ? member->tries : 6));
	member->tries++;
	member->used = used;
	member_put_in(fs, member);
}

void due_found_in_use(struct fs *fs, struct store_sid sid, int64_t now)
{
	put_off(fs, sid, now, true);
}

void due_put_off(struct fs *fs, struct store_sid sid, int64_t now)
{
	put_off(fs, sid, now, false);
}

static struct member *take_out_found(struct fs *fs, struct store_sid sid)
{
	struct member *member = member_find(fs->roster, sid);
	struct session *session = session_find(fs, sid);

	if (!member)
		return NULL;
	member_take_out(fs->roster, member);
	if (session)
		member_learn(member, &session->record);
	member->cache_grew = session && session->cache_grew;
	return member;
}

void due_defer_cache(struct fs *fs, struct store_sid sid, int64_t moment)
{
	struct member *member = take_out_found(fs, sid);

	if (!member)
		return;
	member->cache_deferred = moment;
	member_put_in(fs, member);
}

void due_cache_grew(struct fs *fs, struct store_sid sid)
{
	struct member *member = take_out_found(fs, sid);

	if (member)
		member_put_in(fs, member);
}
