/*
 * content_history.c - history.json and endings.jsonl, the sessions that ended, and expiring.json: what would go, and
 * what stays and why.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/content_life.h"
#include "fs/error.h"
#include "fs/grow.h"
#include "fs/history.h"
#include "fs/json.h"

enum { HISTORY_SHOWN = 20, SLICE = 128 };

json_t *content_seconds(int64_t from, int64_t to)
{
	return json_integer(to > from ? age_sub(to, from) / FS_SECOND : 0);
}

/* ---- history.json ------------------------------------------------------------------------------------------------ */

/* The newest of them, in the order in which they ended. */
struct endings {
	unsigned count, max;
	struct store_ending list[];
};

/* They mostly come in that order. */
static bool keep_newest(void *arg, const struct store_ending *ending)
{
	struct endings *endings = arg;
	struct store_ending *list = endings->list;
	unsigned at = endings->count;

	while (at && list[at - 1].ended > ending->ended)
		at--;
	if (endings->count < endings->max)
		memmove(list + at + 1, list + at, (endings->count++ - at) * sizeof(*list));
	else if (at)
		memmove(list, list + 1, --at * sizeof(*list)); /* the oldest makes room */
	else
		return false;
	list[at] = *ending;
	return false;
}

/* For the caller to free, whatever is returned. */
static int load_endings(struct fs *fs, unsigned max, struct endings **ret)
{
	struct endings *endings = calloc(1, sizeof(*endings) + max * sizeof(*endings->list));

	*ret = endings;
	if (!endings)
		return -ENOMEM;
	endings->max = max;
	return error_of_store(store_scan_endings(fs->store, 0, keep_newest, endings));
}

static json_t *ending_value(const struct store_ending *ending)
{
	json_t *item = json_object();

	set_value(item, "id", text_value(ending->name));
	set_number(item, "number", ending->sid.n);
	set_value(item, "status", text_value(life_status_name(ending->status)));
	set_value(item, "rule", text_value(life_rule_name(ending->ending)));
	set_value(item, "created_at", time_value(ending->created));
	set_value(item, "ended_at", time_value(ending->ended));
	set_value(item, "duration_seconds", content_seconds(ending->created, ending->ended));
	set_value(item, "until", moment_value(ending->until));
	set_value(item, "can_be_taken_back", json_boolean(ending->until > fs_now()));
	set_number(item, "files", ending->files);
	set_number(item, "files_created", ending->creations);
	set_number(item, "files_modified", ending->modifications);
	set_number(item, "operations", ending->operations);
	set_number(item, "size_bytes", ending->logical);
	set_number(item, "stored_bytes", ending->stored);
	return item;
}

/* The last one to end first. */
int content_history(struct session *root, json_t *object)
{
	struct endings *endings;
	json_t *list = json_array();
	int r = load_endings(root->fs, HISTORY_SHOWN, &endings);

	for (unsigned i = r ? 0 : endings->count; i-- > 0;)
		add_value(list, ending_value(&endings->list[i]));
	set_value(object, "sessions", list);
	free(endings);
	return r;
}

int content_endings(struct session *root, char **ret, size_t *ret_len)
{
	struct json_long doc = {0};
	struct endings *endings;
	int r = load_endings(root->fs, HISTORY_MAX, &endings);

	json_begin();
	for (unsigned i = 0; !r && i < endings->count; i++) {
		json_long_line(&doc, ending_value(&endings->list[i]));
		if (i % SLICE == SLICE - 1)
			fs_pause(root->fs);
	}
	free(endings);
	return json_long_take(&doc, r, ret, ret_len);
}

/* ---- expiring.json ----------------------------------------------------------------------------------------------- */

struct prospect {
	int64_t expires;
	struct store_sid sid;
	bool guarded;
};

struct prospects {
	struct fs *fs;
	size_t count, room;
	struct prospect *list;
	int result;
};

static void add_prospect(void *arg, const struct store_session *record)
{
	struct prospects *all = arg;
	struct life_outlook outlook = life_outlook(all->fs, record);
	struct prospect *list = grow(all->list, all->count, &all->room, sizeof(*list));

	if (!list) {
		all->result = -ENOMEM;
		return;
	}
	all->list = list;
	all->list[all->count++] = (struct prospect){.expires = outlook.expires, .sid = record->sid,
		.guarded = outlook.guard != LIFE_UNGUARDED};
}

/* What goes before what stays, the next first. */
static int compare_prospects(const void *a, const void *b)
{
	const struct prospect *x = a, *y = b;

	if (x->guarded != y->guarded)
		return x->guarded ? 1 : -1;
	if (x->expires != y->expires)
		return x->expires < y->expires ? -1 : 1;
	return x->sid.n < y->sid.n ? -1 : 1;
}

/* It is our own list, and a long one takes longer than others may wait. */
static void sort_prospects(struct prospects *all)
{
	fs_unlock(all->fs);
	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), compare_prospects);
	fs_lock(all->fs);
}

/* The limit that the rule sets, in seconds, or null. */
static json_t *limit_value(const struct fs_options *options, enum life_rule rule)
{
	switch (rule) {
	case LIFE_TTL:
		return json_integer((json_int_t)options->ttl);
	case LIFE_RETAIN:
		return json_integer((json_int_t)options->retain);
	case LIFE_NO_RULE:
	case LIFE_KEEP:
	case LIFE_EXPIRES_AT:
	case LIFE_REMOVED:
	case LIFE_RULES:
		break;
	}
	return json_null();
}

/* The rule and the numbers that decide, in a sentence. */
static json_t *reason_value(const struct fs *fs, const struct life_outlook *outlook, int64_t now)
{
	const struct fs_options *options = &fs->options;
	long long age = outlook->last_write < now ? age_sub(now, outlook->last_write) / FS_SECOND : 0;

	if (outlook->guard != LIFE_UNGUARDED)
		return json_sprintf("protected: %s", life_guard_name(outlook->guard));
	switch (outlook->rule) {
	case LIFE_TTL:
		return json_sprintf("ttl: last written %lld s ago, limit %lld s", age, (long long)options->ttl);
	case LIFE_RETAIN:
		return json_sprintf("retain: last written %lld s ago, limit %lld s", age, (long long)options->retain);
	case LIFE_KEEP:
		return json_sprintf("keep: %lld newer sessions, limit %lld", (long long)outlook->newer,
			(long long)options->keep);
	case LIFE_EXPIRES_AT:
		return json_string("expires_at: set for this session");
	case LIFE_NO_RULE:
	case LIFE_REMOVED:
	case LIFE_RULES:
		break;
	}
	return json_string("no rule ends it");
}

static json_t *prospect_value(struct fs *fs, const struct store_session *record, const struct life_outlook *outlook)
{
	bool keeps = outlook->rule == LIFE_KEEP;
	int64_t now = fs_now();
	json_t *item = json_object();

	set_value(item, "id", text_value(record->name));
	set_number(item, "number", record->sid.n);
	set_value(item, "status", text_value(life_status_name(record->status)));
	set_value(item, "rule", optional_value(outlook->rule ? life_rule_name(outlook->rule) : NULL));
	set_value(item, "expires_at", moment_value(outlook->expires));
	set_value(item, "due", json_boolean(outlook->guard == LIFE_UNGUARDED && outlook->expires <= now));
	set_value(item, "protected_by", content_guard(outlook));
	set_value(item, "reason", reason_value(fs, outlook, now));
	set_value(item, "last_write_at", time_value(outlook->last_write));
	set_value(item, "age_seconds", content_seconds(outlook->last_write, now));
	set_value(item, "limit_seconds", limit_value(&fs->options, outlook->rule));
	set_value(item, "newer", keeps ? json_integer((json_int_t)outlook->newer) : json_null());
	set_value(item, "keep", keeps ? json_integer((json_int_t)fs->options.keep) : json_null());
	set_number(item, "files", session_files(record));
	set_number(item, "size_bytes", record->logical);
	set_number(item, "stored_bytes", record->stored);
	return item;
}

static int list_prospect(struct fs *fs, struct json_long *doc, const struct prospect *prospect)
{
	struct life_outlook outlook;
	struct store_session record;
	int r = session_show(fs, prospect->sid, true, &record);

	if (r)
		return r == ENOENT ? 0 : r; /* it ended meanwhile */
	outlook = life_outlook(fs, &record);
	if (!record.ended)
		json_long_element(doc, prospect_value(fs, &record, &outlook));
	store_session_release(&record);
	return 0;
}

static int list_prospects(struct fs *fs, struct json_long *doc, const struct prospects *all)
{
	bool staying = false;
	int r = 0;

	for (size_t i = 0; !r && i < all->count; i++) {
		const struct prospect *prospect = &all->list[i];
		bool stays = prospect->guarded || prospect->expires == STORE_NEVER;

		if (stays && !staying) {
			json_long_next(doc, "staying");
			staying = true;
		}
		r = list_prospect(fs, doc, prospect);
		if (i % SLICE == SLICE - 1)
			fs_pause(fs);
	}
	if (!staying)
		json_long_next(doc, "staying");
	json_long_end(doc);
	return r;
}

int content_expiring(struct session *root, char **ret, size_t *ret_len)
{
	struct prospects all = {.fs = root->fs};
	struct json_long doc = {0};
	json_t *head;
	int r = content_each_session(root->fs, false, add_prospect, &all);

	if (!r)
		r = all.result;
	sort_prospects(&all);
	json_begin();
	head = json_object();
	set_value(head, "now", time_value(fs_now()));
	json_long_begin(&doc, head, "expiring");
	if (!r)
		r = list_prospects(root->fs, &doc, &all);
	free(all.list);
	return json_long_take(&doc, r, ret, ret_len);
}
