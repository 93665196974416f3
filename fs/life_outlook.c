/*
 * life_outlook.c - what will become of a session; which sessions there are.
 */
#include "fs/due.h"
#include "fs/expiry.h"
#include "fs/life.h"
#include "fs/retention.h"
#include "fs/roster.h"

static enum life_guard guard_of(const struct fs *fs, const struct store_session *record)
{
	struct retention_subject subject = retention_subject_of(record);
	enum life_guard guard = retention_guard(&subject);

	if (guard != LIFE_UNGUARDED)
		return guard;
	if (record->sid.n == fs->chosen.n)
		return LIFE_CURRENT;
	if (due_is_in_use(fs, record->sid))
		return LIFE_IN_USE;
	return fs->options.read_only ? LIFE_READ_ONLY : LIFE_UNGUARDED;
}

struct life_outlook life_outlook(struct fs *fs, const struct store_session *record)
{
	struct retention_subject subject = retention_subject_of(record);
	struct life_outlook outlook = {.last_write = record->last_write};
	int64_t now = fs_now();

	fs_assert_locked(fs);
	outlook.guard = guard_of(fs, record);
	outlook.rule = retention_rule(&fs->options, &subject, fs->clock.skew, &outlook.expires);
	if (outlook.expires > now && due_is_excess(fs, record->sid)) {
		outlook.newer = fs->options.keep;
		outlook.rule = LIFE_KEEP;
		outlook.expires = now;
	} else if (outlook.rule != LIFE_NO_RULE && outlook.expires < fs->clock.hold) {
		outlook.expires = fs->clock.hold;
	}
	return outlook;
}

unsigned life_list(struct fs *fs, bool trash, uint32_t after, struct store_sid *ret, unsigned max)
{
	unsigned count, kept = 0;

	if (after)
		fs_pause(fs);
	while (!kept && (count = roster_list(fs, trash, after, ret, max))) {
		after = ret[count - 1].n;
		for (unsigned i = 0; i < count; i++)
			if (trash || !expiry_hides(fs, ret[i]))
				ret[kept++] = ret[i];
		if (!kept)
			fs_pause(fs); /* they may all be over */
	}
	return kept;
}
