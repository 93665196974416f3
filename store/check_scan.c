/*
 * check_scan.c - one pass over all records: each by itself, the content of each inode, and what is needed of them
 * later.
 */
#include "store/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- tables ----------------------------------------------------------------------------------------------------- */

void *check_grow(struct check *c, void **list, size_t *count, size_t *room, size_t size)
{
	if (*count == *room) {
		size_t more = *room ? *room + *room / 2 : 64;
		void *p = realloc(*list, more * size);
		if (!p) {
			c->error = -ENOMEM;
			return NULL;
		}
		*list = p;
		*room = more;
	}
	void *at = (uint8_t *)*list + *count * size;
	memset(at, 0, size);
	++*count;
	return at;
}

static int compare_inodes(const void *a, const void *b)
{
	const struct checked_inode *x = a, *y = b;
	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int compare_names(const void *a, const void *b)
{
	const struct checked_name *x = a, *y = b;
	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* Sessions, accounts and endings begin with the number of their session. */
static int compare_sids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

#define SORT(table, compare)                                                                                           \
	do {                                                                                                           \
		if ((table)->count)                                                                                    \
			qsort((table)->list, (table)->count, sizeof *(table)->list, compare);                          \
	} while (0)
#define FIND(table, wanted, compare)                                                                                   \
	((table)->count ? bsearch(wanted, (table)->list, (table)->count, sizeof *(table)->list, compare) : NULL)

struct checked_inode *check_inode(struct check *c, uint32_t sid, uint64_t ino)
{
	struct checked_inode wanted = {.sid = sid, .ino = ino};
	return FIND(&c->inodes, &wanted, compare_inodes);
}

struct checked_session *check_session(struct check *c, uint32_t sid)
{
	struct checked_session wanted = {.record.sid = {sid}};
	return FIND(&c->sessions, &wanted, compare_sids);
}

struct checked_account *check_account(struct check *c, uint32_t sid)
{
	struct checked_account wanted = {.sid = sid};
	return FIND(&c->accounts, &wanted, compare_sids);
}

struct checked_ending *check_ending(struct check *c, uint32_t sid)
{
	struct checked_ending wanted = {.sid = sid};
	return FIND(&c->endings, &wanted, compare_sids);
}

bool check_is_dropped(struct check *c, uint32_t sid)
{
	const struct checked_session *s = sid ? check_session(c, sid) : NULL;
	return s && s->record.flags & STORE_SESSION_DROPPED;
}

void check_release(struct check *c)
{
	free(c->inodes.list);
	free(c->names.list);
	free(c->sessions.list);
	free(c->orphans.list);
	free(c->accounts.list);
	free(c->endings.list);
	memset(&c->inodes, 0, sizeof c->inodes);
	memset(&c->names, 0, sizeof c->names);
	memset(&c->sessions, 0, sizeof c->sessions);
	memset(&c->orphans, 0, sizeof c->orphans);
	memset(&c->accounts, 0, sizeof c->accounts);
	memset(&c->endings, 0, sizeof c->endings);
}

/* ---- what the logs do not hide ---------------------------------------------------------------------------------- */

static void note_numbers(struct check *c, uint64_t ino, uint64_t sid)
{
	c->ino_end = ino >= c->ino_end ? ino + 1 : c->ino_end;
	c->sid_end = sid >= c->sid_end ? sid + 1 : c->sid_end;
}

static void note_session(struct check *c, const struct key *key, const struct found *f)
{
	struct store_session session;
	if (!check_decode(c, &session_schema, f, &session))
		return;
	store_session_release(&session);
	struct checked_session *s = table_add(c, &c->sessions);
	if (!s)
		return;
	s->record = session;
	s->record.sid.n = (uint32_t)key_sub(*key);
	s->cache_oldest = INT64_MAX;
	c->result->sessions += !(session.flags & STORE_SESSION_DROPPED);
	note_numbers(c, session.root.n, key_sub(*key));
}

static void note_inode(struct check *c, const struct key *key, const struct found *f)
{
	struct store_inode inode;
	if (!check_decode(c, &inode_schema, f, &inode))
		return;
	store_inode_release(&inode);
	struct checked_inode *i = table_add(c, &c->inodes);
	if (!i)
		return;
	i->sid = key_sid(*key).n;
	i->ino = key_ino(*key).n;
	i->size = inode.size;
	i->parent = inode.parent;
	i->mtime = inode.mtime;
	i->mode = inode.mode;
	i->nlink = inode.nlink;
	i->view = inode.view > STORE_VIEWS ? UINT8_MAX : (uint8_t)inode.view;
	i->flagged = inode.flags & (STORE_INODE_HAS_ACL | STORE_INODE_HAS_XATTR);
	c->result->inodes++;
	note_numbers(c, i->ino, i->sid);
}

static uint32_t view_of(const char *name)
{
	static const char *const views[] = {"research_data", "intermediate_results", "cache", "logs"};
	uint32_t view = 0;
	while (view < STORE_OTHER && strcmp(views[view], name))
		view++;
	return view + 1;
}

static void note_name(struct check *c, const struct key *key, const struct found *f)
{
	struct store_dirent d;
	if (!check_decode(c, &dirent_schema, f, &d))
		return;
	struct checked_name *n = table_add(c, &c->names);
	if (!n)
		return;
	*n = (struct checked_name){.dir = key_ino(*key).n,
		.ino = d.ino.n,
		.cookie = key_sub(*key),
		.sid = key_sid(*key).n,
		.target_sid = d.session.n,
		.type = d.type,
		.view = view_of(d.name)};
	c->result->names++;
}

static void note_xattr(struct check *c, const struct key *key, const struct found *f)
{
	struct checked_inode *i = c->inodes.count ? &c->inodes.list[c->inodes.count - 1] : NULL;
	const char *name;
	const uint8_t *data;
	size_t name_len, len;
	if (i && i->sid == key_sid(*key).n && i->ino == key_ino(*key).n) {
		i->has_xattrs = true;
		if (record_get_pair(f->body, f->len, &name, &name_len, &data, &len) == 0)
			i->texts |= check_text_bit(name, name_len);
	} else {
		check_finding(c, 13,
			"session %" PRIu32 ", inode %" PRIu64 ": an extended attribute of an inode that is not there",
			key_sid(*key).n, key_ino(*key).n);
	}
}

static void note_orphan(struct check *c, const struct key *key, const struct found *f)
{
	uint64_t sid = 0;
	record_get_uint(f->body, f->len, &sid);
	struct checked_orphan *o = check_is_dropped(c, (uint32_t)sid) ? NULL : table_add(c, &c->orphans);
	if (o)
		*o = (struct checked_orphan){.ino = key_sub(*key), .sid = (uint32_t)sid};
	note_numbers(c, key_sub(*key), sid);
}

static void note_ending(struct check *c, const struct key *key)
{
	struct checked_ending *e = table_add(c, &c->endings);
	if (e)
		e->sid = (uint32_t)key_sub(*key);
	note_numbers(c, 0, key_sub(*key));
}

static void note(struct check *c, const struct key *key, const struct found *f)
{
	switch (key_kind(*key)) {
	case KIND_SUPER:
		check_decode(c, &super_schema, f, &c->super);
		break;
	case KIND_SESSION:
		note_session(c, key, f);
		break;
	case KIND_ORPHAN:
		note_orphan(c, key, f);
		break;
	case KIND_INODE:
		note_inode(c, key, f);
		break;
	case KIND_XATTR:
		note_xattr(c, key, f);
		break;
	case KIND_DIRENT:
		note_name(c, key, f);
		break;
	case KIND_ENDING:
		note_ending(c, key);
		break;
	case KIND_FLUSHED:
	case KIND_DICTIONARY:
	case KIND_CHUNK:
	case KIND_DROP:
		break;
	}
}

static void note_log_entry(struct check *c, const struct hot *h, const struct entry *e)
{
	struct found f = {.body = h->map + e->pos, .len = e->len};
	if (e->type != ENTRY_PUT || check_is_dropped(c, key_sid(e->key).n))
		return;
	if (key_is_plausible(&e->key) && check_body(c, &e->key, &f))
		note(c, &e->key, &f);
	else if (!c->error)
		check_finding(c, 3,
			"a log has a record of session %" PRIu32 ", inode %" PRIu64 ", kind %u that cannot be decoded",
			key_sid(e->key).n, key_ino(e->key).n, key_kind(e->key));
}

/* Passes the logs' entries before `end` (NULL: all). True if one is at `end`: it hides what warm has there. */
static bool pass_logs(struct check *c, const struct key *end)
{
	for (;;) {
		struct entry *a = c->active, *s = c->sealed;
		int order = !a ? 1 : !s ? -1 : key_cmp(&a->key, &s->key);
		struct entry *e = order <= 0 ? a : s;
		int at_end = !e ? 1 : end ? key_cmp(&e->key, end) : -1;
		if (at_end > 0)
			return false;
		note_log_entry(c, order <= 0 ? c->store->active : c->store->sealed, e);
		c->active = order <= 0 ? index_next(a) : a;
		c->sealed = order >= 0 ? index_next(s) : s;
		if (at_end == 0)
			return true;
	}
}

/* ---- warm ------------------------------------------------------------------------------------------------------- */

/* The records of an inode come together, its own first. */
static void note_hurt(struct check *c, const struct key *key)
{
	struct checked_inode *last = c->inodes.count ? &c->inodes.list[c->inodes.count - 1] : NULL;
	if (last && last->sid == key_sid(*key).n && last->ino == key_ino(*key).n)
		last->hurt = true;
}

/* The account of the inode that was passed (invariant 8). */
static void end_inode(struct check *c)
{
	struct store_sid sid = key_sid(c->at.key);
	if (c->at.any && c->at.present && c->at.sum != c->at.account) {
		check_finding(c, 8,
			"session %" PRIu32 ", inode %" PRIu64 ": its account says %" PRIu64
			" stored bytes, its content has %" PRIu64,
			sid.n, key_ino(c->at.key).n, c->at.account, c->at.sum);
		c->new_data = true;
		if (c->at.sum < c->at.account)
			note_hurt(c, &c->at.key);
	}
	struct checked_account *a = check_account(c, sid.n);
	if (c->at.any && a)
		a->sum += c->at.sum;
	c->at.sum = 0;
	c->at.present = false;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Events are content of a session's directory (invariants 12 and 20). */
uint64_t check_content(struct check *c, const struct key *key, uint32_t mode, uint64_t size)
{
	uint64_t start = key_sub(*key) * STORE_CHUNK_SIZE, end = size;
	if (S_ISDIR(mode)) {
		const struct checked_account *a = check_account(c, key_sid(*key).n);
		bool events = a && a->root == key_ino(*key).n && start + STORE_CHUNK_SIZE > a->first_event;
		end = events ? a->end_event : 0;
	} else if (!S_ISREG(mode) && !S_ISLNK(mode)) {
		end = 0;
	}
	return end > start ? end - start : 0;
}

/* The content in c->raw against its inode in warm. */
static void warm_chunk(struct check *c, const struct key *key, const struct page_value *v)
{
	ssize_t n = chunk_raw_len(v->data, v->len);
	c->result->chunks++;
	c->result->bytes += v->len;
	c->at.sum += v->len;
	uint64_t keep = c->at.present ? check_content(c, key, c->at.mode, c->at.size) : 0;
	if (!c->at.present || (keep == 0 && !S_ISREG(c->at.mode) && !S_ISLNK(c->at.mode))) {
		check_finding(c, 12,
			"session %" PRIu32 ", inode %" PRIu64 ": content of what is not there, or not a file",
			key_sid(*key).n, key_ino(*key).n);
		c->new_data = true;
	} else if (keep < (uint64_t)n && !is_zero(c->raw + keep, (size_t)n - keep)) {
		check_finding(c, 12, "session %" PRIu32 ", inode %" PRIu64 ": content behind its end at %" PRIu64,
			key_sid(*key).n, key_ino(*key).n, key_sub(*key) * STORE_CHUNK_SIZE + keep);
		c->new_data = true;
	}
}

static void warm_session(struct check *c, const struct key *key, const struct found *f)
{
	struct store_session session;
	struct checked_account *a = table_add(c, &c->accounts);
	if (!a || !check_decode(c, &session_schema, f, &session))
		return;
	*a = (struct checked_account){.sid = (uint32_t)key_sub(*key),
		.account = f->stored,
		.root = session.root.n,
		.first_event = session.first_event,
		.end_event = session.end_event};
	store_session_release(&session);
}

static void warm_record(struct check *c, const struct key *key, const struct page_value *v, const struct found *f)
{
	struct store_inode inode;
	if (key_kind(*key) == KIND_SESSION) {
		warm_session(c, key, f);
	} else if (key_kind(*key) == KIND_INODE && check_decode(c, &inode_schema, f, &inode)) {
		store_inode_release(&inode);
		c->at.present = true;
		c->at.mode = inode.mode;
		c->at.size = inode.size;
		c->at.account = f->stored;
	} else if (key_kind(*key) == KIND_CHUNK) {
		warm_chunk(c, key, v);
	}
}

static void refuse(struct check *c, const struct key *key, unsigned invariant, const char *why)
{
	static const char *const kinds[] = {[KIND_SUPER] = "the store's own record",
		[KIND_FLUSHED] = "the generation",
		[KIND_SESSION] = "a session",
		[KIND_ORPHAN] = "an orphan",
		[KIND_ENDING] = "an ending",
		[KIND_DICTIONARY] = "a dictionary",
		[KIND_INODE] = "an inode",
		[KIND_XATTR] = "an extended attribute",
		[KIND_DIRENT] = "a name",
		[KIND_CHUNK] = "content"};
	unsigned kind = key_kind(*key);
	const char *what = kind < sizeof kinds / sizeof *kinds && kinds[kind] ? kinds[kind] : "something";
	c->new_data = true;
	if (kind == KIND_CHUNK)
		note_hurt(c, key);
	check_finding(c, invariant, "session %" PRIu32 ", inode %" PRIu64 ", at %" PRIu64 ": %s %s", key_sid(*key).n,
		key_ino(*key).n, key_sub(*key), what, why);
}

/* Pieces that were passed and whose main one did not come (invariant 23). */
static void end_pieces(struct check *c, const struct key *next)
{
	if (!gather_is_stranded(&c->pieces, next))
		return;
	refuse(c, &c->pieces.chunk, 23, "is in pieces whose last one is missing");
	c->pieces.next = 0;
}

static void on_record(void *arg, const struct key *key, const struct page_value *found, bool sound)
{
	struct check *c = arg;
	struct page_value value = *found, *v = &value;
	struct found f = {0};
	unsigned invariant;
	bool hidden = pass_logs(c, key);
	(void)sound;
	if (c->options->progress && !c->quiet)
		c->options->progress(c->options->arg, ++c->done, c->all);
	if ((c->at.any && key_cmp(&c->at.last, key) == 0) || check_is_dropped(c, key_sid(*key).n))
		return;
	c->at.last = *key;
	end_pieces(c, key);
	if (!c->at.any || !key_same_inode(c->at.key, *key)) {
		end_inode(c);
		c->at.key = *key;
		c->at.any = true;
	}
	const char *why = check_refuse(c, key, v, &invariant);
	if (c->error)
		return;
	if (!why && check_is_piece(key) && c->super.format < FORMAT_OF_PIECES)
		refuse(c, key, 23, "is in pieces, which a store of this format does not have");
	if (why)
		refuse(c, key, invariant, why);
	if (why || check_is_piece(key))
		return;
	if (key_kind(*key) != KIND_CHUNK)
		open_value(*key, (struct warm_value){v->data, v->len}, &f);
	warm_record(c, key, v, &f);
	if (!hidden)
		note(c, key, &f);
}

static void on_damage(void *arg, uint64_t page, const char *what)
{
	struct check *c = arg;
	c->new_data = true;
	check_finding(c, 0, "data.mdb, page %" PRIu64 ": %s", page, what);
}

static void check_accounts(struct check *c)
{
	for (size_t i = 0; i < c->accounts.count; i++) {
		struct checked_account *a = &c->accounts.list[i];
		if (a->sum == a->account || check_is_dropped(c, a->sid))
			continue;
		check_finding(c, 9,
			"session %" PRIu32 ": its account says %" PRIu64 " stored bytes, its inodes have %" PRIu64,
			a->sid, a->account, a->sum);
		c->new_data = true;
	}
}

static void check_limits(struct check *c)
{
	if (c->super.format && (c->ino_end > c->super.ino_limit || c->sid_end > c->super.sid_limit)) {
		check_finding(c, 14,
			"inodes up to %" PRIu64 " and sessions up to %" PRIu64
			" are in use, but only those below %" PRIu64 " and %" PRIu32 " were given out",
			c->ino_end - 1, c->sid_end - 1, c->super.ino_limit, c->super.sid_limit);
		c->new_data = true;
	}
	if (c->super.format >= FORMAT_OF_IDENTITY && !c->super.identity[0] && !c->super.identity[1])
		check_finding(c, 24, "the store has no identity by which its logs could be told from those of others");
	if (!c->super.format)
		check_finding(c, 1, "the store's own record is missing");
}

int check_scan(struct check *c)
{
	static const struct key first;
	struct store *s = c->store;
	struct walk walk = {on_record, on_damage, c};
	*c->result = (struct store_check_result){.found = c->result->found, .kept = c->result->kept};
	memset(&c->at, 0, sizeof c->at);
	c->new_data = false;
	c->error = 0;
	c->done = 0;
	c->pieces.next = 0;
	c->ino_end = 2;
	c->sid_end = 1;
	c->super = s->super;
	c->active = s->active ? index_seek(&s->active->index, &first) : NULL;
	c->sealed = s->sealed ? index_seek(&s->sealed->index, &first) : NULL;
	int r = store_renew(s);
	r = r ? r : warm_walk(s->snapshot, &walk, &c->all);
	if (r)
		return r;
	end_pieces(c, NULL);
	end_inode(c);
	pass_logs(c, NULL);
	check_accounts(c);
	check_limits(c);
	SORT(&c->inodes, compare_inodes);
	SORT(&c->names, compare_names);
	SORT(&c->sessions, compare_sids);
	SORT(&c->endings, compare_sids);
	return c->error;
}
