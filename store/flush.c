/*
 * flush.c - one log into warm: the newest version of each key, in key order, in one durable transaction.
 *
 * Accounts. The records of inodes and sessions carry, in warm only, the bytes their content occupies. Only this file
 * changes them: it sees each chunk's old and new size, so they are exact whenever a transaction commits (FORMAT.md,
 * invariants 8 and 9).
 *
 * Nothing here takes a lock: a sealed log only has readers, and warm one writer.
 */
#include "store/encode.h"
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

enum { MANY_CHUNKS = 4 };

/*
 * Chunks of such lengths are most of them whole files. A higher level saves a twelfth of some kinds of them (sources),
 * and nothing of others: so it is tried on a few. Shorter ones gain nothing by it, full ones are too much data. To who
 * asks for less than the usual level time matters more.
 */
#define MEDIUM_MIN 8192u
#define MEDIUM_MAX (STORE_CHUNK_SIZE - 1)
enum { LEVEL_USUAL = 3, LEVEL_MORE = 2, LEVEL_MAX = 19, TRY_EVERY = 8, PAYS_PERCENT = 96 };

struct trial {
	unsigned count;       /* chunks of medium length */
	uint64_t usual, more; /* bytes that those which were tried take at either level */
};

struct flush {
	struct store *store;
	struct hot *hot;
	struct warm_txn *txn;
	struct codec_ctx *codec;
	struct encoder *encoder;       /* for files of many chunks, made when the first comes; NULL: none */
	struct dictionary *dictionary; /* for chunks that are done here, NULL: none */
	int level;
	struct trial trial;
	uint8_t *raw; /* STORE_CHUNK_SIZE: a chunk being put together */
	uint8_t *out; /* CHUNK_ENCODED_MAX: a value being sealed */
	/* CHUNK_ENCODED_MAX: the chunk encoded last, which is put with the next one or behind its inode's record */
	uint8_t *chunk;
	size_t chunk_len; /* 0: none waits */
	struct key chunk_key;
};

static int flush_init(struct flush *f, struct store *s, struct hot *h)
{
	*f = (struct flush){ .store = s, .hot = h, .level = s->options.level };
	f->raw = malloc(STORE_CHUNK_SIZE);
	f->out = malloc(CHUNK_ENCODED_MAX);
	f->chunk = malloc(CHUNK_ENCODED_MAX);
	int r = f->raw && f->out && f->chunk ? 0 : -ENOMEM;
	r = r ? r : codec_new(&s->dictionaries, &f->codec);
	r = r ? r : dictionary_choose(s, h, f->codec, f->raw, f->out, &f->dictionary);
	return r ? r : warm_begin(s->warm, &f->txn);
}

static void flush_release(struct flush *f)
{
	warm_abort(f->txn);
	encoder_free(f->encoder);
	codec_free(f->codec);
	free(f->raw);
	free(f->out);
	free(f->chunk);
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

static int put_value(struct flush *f, struct key key, uint64_t stored, const uint8_t *body, size_t len)
{
	uint8_t *p = f->out + CODEC_CHECK_SIZE;
	size_t n = kind_is_accounted(key_kind(key)) ? record_put_uint(stored, p) : 0;
	if (CODEC_CHECK_SIZE + n + len > CHUNK_ENCODED_MAX)
		return -EIO;
	memcpy(p + n, body, len);
	n += len;
	return warm_put(f->txn, &key, f->out, codec_seal(key, f->out, n));
}

static int delete_value(struct flush *f, const struct entry *e)
{
	int r = e->fresh ? 0 : warm_delete(f->txn, &e->key);
	return r == STORE_ABSENT ? 0 : r;
}

/* The account in warm; 0 of a record that is not there or cannot be read: it is about to be written anew. */
static int get_account(struct flush *f, const struct key *key, uint64_t *ret)
{
	struct warm_value value;
	struct found found;
	int r = warm_txn_get(f->txn, key, &value);
	*ret = 0;
	if (r < 0)
		return r;
	if (r == 0 && open_value(*key, value, &found) == 0)
		*ret = found.stored;
	return 0;
}

static uint64_t adjusted(uint64_t account, int64_t delta)
{
	return delta < 0 && (uint64_t)-delta > account ? 0 : account + (uint64_t)delta;
}

static int put_entry(struct flush *f, const struct entry *e, int64_t delta)
{
	uint64_t account = 0;
	int r = e->fresh || !kind_is_accounted(key_kind(e->key)) ? 0 : get_account(f, &e->key, &account);
	return r ? r : put_value(f, e->key, adjusted(account, delta), f->hot->map + e->pos, e->len);
}

static int flush_entry(struct flush *f, const struct entry *e, int64_t delta)
{
	switch ((enum entry_type)e->type) {
	case ENTRY_PUT: return put_entry(f, e, delta);
	case ENTRY_DELETE: return delete_value(f, e);
	case ENTRY_CHUNK: case ENTRY_DROP: case ENTRY_EMPTY: break;
	}
	return 0;
}

/* Changes the account of a record that this log says nothing else of. */
static int add_to_account(struct flush *f, struct key key, int64_t delta)
{
	struct warm_value value;
	struct found found;
	if (delta == 0)
		return 0;
	int r = warm_txn_get(f->txn, &key, &value);
	if (r)
		return r < 0 ? r : 0;
	if (open_value(key, value, &found))
		return 0;
	uint8_t *body = malloc(found.len ? found.len : 1);
	if (!body)
		return -ENOMEM;
	memcpy(body, found.body, found.len);
	r = put_value(f, key, adjusted(found.stored, delta), body, found.len);
	free(body);
	return r;
}

/* ---- content ---------------------------------------------------------------------------------------------------- */

/* Removes the chunks from `from` on that warm has. */
static int drop_chunks(struct flush *f, struct store_sid sid, struct store_ino ino, uint64_t from, int64_t *delta)
{
	struct key key = key_with_piece(key_make(sid, ino, KIND_CHUNK, from), 0), at;
	struct warm_value value;
	int r;
	while ((r = warm_txn_seek(f->txn, &key, &at, &value)) == 0) {
		if (!key_same_inode(at, key) || key_kind(at) != KIND_CHUNK)
			return 0;
		*delta -= key_piece(at) == KEY_MAIN ? (int64_t)pieces_len(value) : 0;
		r = warm_delete(f->txn, &at);
		if (r)
			return r < 0 ? r : -EIO;
	}
	return r == STORE_ABSENT ? 0 : r;
}

/* Lays the extents over the *n bytes in f->raw; *n becomes the new length. */
static int overlay(struct flush *f, const struct entry *e, uint32_t *len)
{
	uint32_t n = *len;
	int r = 0;
	const struct extent *x = entry_extents(e);
	for (uint32_t i = 0; i < e->len && r == 0; i++) {
		uint32_t end = x[i].offset + x[i].len;
		if (!x[i].pos) {
			if (end >= n)
				n = n < x[i].offset ? n : x[i].offset;
			else
				memset(f->raw + x[i].offset, 0, x[i].len);
			continue;
		}
		if (x[i].offset > n)
			memset(f->raw + n, 0, x[i].offset - n);
		r = hot_read(f->hot, x[i].pos, f->raw + x[i].offset, x[i].len);
		n = end > n ? end : n;
	}
	*len = n;
	return r;
}

struct old_chunk {
	size_t len;    /* of the value in warm; 0: none */
	uint32_t raw;  /* bytes decoded into f->raw */
	bool damaged;
};

static int get_old_chunk(struct flush *f, const struct entry *e, struct old_chunk *ret)
{
	struct warm_value value;
	*ret = (struct old_chunk){ 0 };
	if (e->fresh)
		return 0;
	int r = e->hides ? warm_txn_get(f->txn, &e->key, &value) : pieces_txn_get(f->txn, &e->key, f->out, &value);
	ret->damaged = r == STORE_DAMAGED;
	if (r)
		return r < 0 ? r : 0;
	ret->len = pieces_len(value);
	if (e->hides)
		return 0;
	ssize_t n = chunk_decode(f->codec, e->key, value.data, value.len, f->raw, STORE_CHUNK_SIZE);
	ret->damaged = n < 0;
	ret->raw = n < 0 ? 0 : (uint32_t)n;
	return 0;
}

static int put_chunk(struct flush *f)
{
	size_t len = f->chunk_len;
	f->chunk_len = 0;
	return len ? pieces_put(f->txn, &f->chunk_key, f->chunk, len, f->store->may_cut) : 0;
}

/* Puts the chunk that waits, and takes the one that other threads did first in its place. */
static int take_encoded(struct flush *f, int64_t *delta)
{
	int r = put_chunk(f);
	ssize_t len = encoder_take(f->encoder, f->codec, &f->chunk_key, &f->chunk);
	if (r || len < 0)
		return r ? r : (int)len;
	*delta += len;
	f->chunk_len = (size_t)len;
	return 0;
}

/* All that is with other threads; then one chunk waits. */
static int take_all(struct flush *f, int64_t *delta)
{
	int r = 0;
	while (r == 0 && f->encoder && encoder_count(f->encoder))
		r = take_encoded(f, delta);
	return r;
}

static ssize_t encode_at(struct flush *f, int level, struct key key, uint32_t len, uint8_t *out)
{
	return chunk_encode(f->codec, key, level, f->dictionary, f->raw, len, out);
}

/* At the level that does well on such chunks in this log, or at both. */
static ssize_t encode_medium(struct flush *f, struct key key, uint32_t len)
{
	struct trial *t = &f->trial;
	bool pays = t->more * 100 < t->usual * PAYS_PERCENT;
	if (t->count++ % TRY_EVERY)
		return encode_at(f, f->level + (pays ? LEVEL_MORE : 0), key, len, f->chunk);
	ssize_t usual = encode_at(f, f->level, key, len, f->chunk);
	ssize_t more = usual < 0 ? usual : encode_at(f, f->level + LEVEL_MORE, key, len, f->out);
	if (more < 0)
		return more;
	t->usual += (uint64_t)usual;
	t->more += (uint64_t)more;
	if (more >= usual)
		return usual;
	uint8_t *p = f->chunk;
	f->chunk = f->out;
	f->out = p;
	return more;
}

static ssize_t encode_here(struct flush *f, struct key key, uint32_t len)
{
	bool medium = len >= MEDIUM_MIN && len <= MEDIUM_MAX;
	if (medium && f->level >= LEVEL_USUAL && f->level + LEVEL_MORE <= LEVEL_MAX)
		return encode_medium(f, key, len);
	return encode_at(f, f->level, key, len, f->chunk);
}

static int encode(struct flush *f, struct key key, uint32_t len, bool others, int64_t *delta)
{
	if (others) {
		int r = encoder_is_full(f->encoder) ? take_encoded(f, delta) : 0;
		if (r == 0)
			encoder_give(f->encoder, key, &f->raw, len);
		return r;
	}
	int r = put_chunk(f);
	ssize_t n = r ? r : encode_here(f, key, len);
	if (n < 0)
		return (int)n;
	*delta += n;
	f->chunk_key = key;
	f->chunk_len = (size_t)n;
	return 0;
}

/* others: more threads may do it. */
static int flush_chunk(struct flush *f, const struct entry *e, bool others, int64_t *delta)
{
	struct old_chunk old;
	int r = get_old_chunk(f, e, &old);
	if (r)
		return r;
	/* Bytes written into a chunk that can no longer be read have nothing to be joined with: it stays EIO. */
	if (old.damaged)
		return 0;
	uint32_t n = old.raw;
	r = overlay(f, e, &n);
	r = r || e->fresh ? r : pieces_delete_others(f->txn, &e->key);
	if (r)
		return r;
	*delta -= (int64_t)old.len;
	if (n == 0)
		return old.len ? warm_delete(f->txn, &e->key) : 0;
	return encode(f, e->key, n, others, delta);
}

/* ---- the walk --------------------------------------------------------------------------------------------------- */

static bool has_content(struct flush *f, struct key key)
{
	struct key first = key_make(key_sid(key), key_ino(key), KIND_CHUNK, 0);
	struct entry *e = index_seek(&f->hot->index, &first);
	return e && key_same_inode(e->key, key);
}

/* Whether this log has many chunks of the inode: then it is worth to share the work. */
static bool has_many_chunks(struct flush *f, struct key key)
{
	struct key first = key_make(key_sid(key), key_ino(key), KIND_CHUNK, 0);
	struct entry *e = index_seek(&f->hot->index, &first);
	for (int i = 1; e && i < MANY_CHUNKS; i++)
		e = index_next(e);
	return e && e->type == ENTRY_CHUNK && key_same_inode(e->key, key);
}

/*
 * All entries of one inode. Where it has content, its record comes when its account is known, just before the last
 * chunk: so what is new is put in key order, and fills the pages of the tree. *at moves behind the entries.
 */
static int flush_inode(struct flush *f, struct entry **at, int64_t *session_delta)
{
	struct key key = (*at)->key;
	struct key inode_key = key_make(key_sid(key), key_ino(key), KIND_INODE, 0);
	struct key drop_key = key_make(key_sid(key), key_ino(key), KIND_DROP, 0);
	struct entry *inode = index_find(&f->hot->index, &inode_key), *drop = index_find(&f->hot->index, &drop_key);
	bool content = has_content(f, key), many = f->level && has_many_chunks(f, key);
	int64_t delta = 0;
	if (many && !f->encoder)
		f->encoder = encoder_new(&f->store->dictionaries, f->level);
	bool others = many && f->encoder;
	int r = drop ? drop_chunks(f, key_sid(key), key_ino(key), drop->from, &delta) : 0;
	for (; r == 0 && *at && key_same_inode((*at)->key, key); *at = index_next(*at)) {
		if ((*at)->type == ENTRY_CHUNK)
			r = flush_chunk(f, *at, others, &delta);
		else if (*at != inode || !content)
			r = flush_entry(f, *at, 0);
	}
	r = r ? r : take_all(f, &delta);
	*session_delta += delta;
	if (r == 0 && content)
		r = inode ? flush_entry(f, inode, delta) : add_to_account(f, inode_key, delta);
	return r ? r : put_chunk(f);
}

/* What this log has of a session that it drops is not worth writing. */
static bool is_dropped(struct flush *f, struct store_sid sid)
{
	struct key key = key_front(KIND_SESSION, sid.n);
	struct entry *e = index_find(&f->hot->index, &key);
	struct store_session session;
	if (!e || e->type != ENTRY_PUT || record_decode(&session_schema, f->hot->map + e->pos, e->len, &session))
		return false;
	store_session_release(&session);
	return session.flags & STORE_SESSION_DROPPED;
}

static int flush_session(struct flush *f, struct entry **at)
{
	struct store_sid sid = key_sid((*at)->key);
	int64_t delta = 0;
	int r = 0;
	if (is_dropped(f, sid)) {
		while (*at && key_sid((*at)->key).n == sid.n)
			*at = index_next(*at);
		return 0;
	}
	while (r == 0 && *at && key_sid((*at)->key).n == sid.n)
		r = flush_inode(f, at, &delta);
	return r ? r : add_to_account(f, key_front(KIND_SESSION, sid.n), delta);
}

static struct key generation_key(void)
{
	return key_front(KIND_FLUSHED, 0);
}

static int put_generation(struct flush *f)
{
	uint8_t value[9];
	return put_value(f, generation_key(), 0, value, record_put_uint(hot_header(f->hot)->generation, value));
}

/*
 * A commit that failed at the last, the head, may yet be what the file has: then the accounts count this log already,
 * and all that is left to do is a commit that does not fail.
 */
static int find_log(struct flush *f, bool *ret_there)
{
	struct key key = generation_key();
	uint64_t generation = 0;
	struct warm_value value;
	struct found found;
	int r = warm_txn_get(f->txn, &key, &value);
	if (r == 0 && open_value(key, value, &found) == 0)
		(void)record_get_uint(found.body, found.len, &generation);
	*ret_there = generation >= hot_header(f->hot)->generation;
	return r < 0 ? r : 0;
}

/* In the transaction that first uses it. */
static int put_dictionary(struct flush *f)
{
	size_t len;
	int r = 0;
	if (!f->dictionary || f->dictionary != f->store->trainer.fresh)
		return 0;
	const uint8_t *data = dictionary_data(f->dictionary, &len);
	for (uint64_t copy = 0; copy < DICTIONARY_COPIES && r == 0; copy++) {
		uint64_t sub = copy << 32 | dictionary_name(f->dictionary);
		r = put_value(f, key_front(KIND_DICTIONARY, sub), 0, data, len);
	}
	return r;
}

int flush_log(struct store *s, struct hot *h)
{
	struct flush f;
	static const struct key first;
	bool there = false;
	int r = flush_init(&f, s, h);
	r = r ? r : find_log(&f, &there);
	r = r ? r : put_dictionary(&f);
	struct entry *at = there ? NULL : index_seek(&h->index, &first);
	while (r == 0 && at)
		r = flush_session(&f, &at);
	r = r ? r : put_generation(&f);
	if (r == 0) {
		r = warm_commit(f.txn);
		f.txn = NULL;
		if (r == 0 && f.dictionary == s->trainer.fresh)
			s->trainer.fresh = NULL;
	}
	flush_release(&f);
	return r > 0 ? -EIO : r;
}

int flush_log_somehow(struct store *s, struct hot *h)
{
	int r = flush_log(s, h);
	for (int i = 0; i < 2 && r == -ENOSPC && space_release(s); i++)
		r = flush_log(s, h);
	return r;
}
