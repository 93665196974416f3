/*
 * check_new.c - data.mdb written anew, from the records of the old one that are sound; with accounts and limits set
 * right, and a record made up for an inode of which only name and content are left.
 */
#include "store/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMIT_EVERY = 50000 };
#define NEW_DIR "data.mdb.new"

struct copy {
	struct check *check; /* its error ends the copying */
	struct warm *to;
	struct warm_txn *txn;
	uint8_t *out; /* CHUNK_ENCODED_MAX + a record */
	uint64_t puts;
	/* the inode that the copy is at; its record is put when its account is known */
	struct key key;
	bool present;
	uint8_t *body; /* of its record, without the account; NULL: that is lost */
	size_t len;
	uint32_t mode;
	uint64_t size, sum;
	uint64_t end; /* of its content */
	const struct checked_name **by_target; /* made when the first record of an inode is missing */
};

/* Content is cut anew, if the store is of a format that has pieces. */
static void put(struct copy *p, const struct key *key, const void *data, size_t len)
{
	struct check *c = p->check;
	bool cut = key_kind(*key) == KIND_CHUNK && c->super.format >= FORMAT_OF_PIECES;
	if (!c->error && !p->txn)
		c->error = warm_begin(p->to, &p->txn);
	if (!c->error)
		c->error = pieces_put(p->txn, key, data, len, cut);
	if (!c->error && ++p->puts % COMMIT_EVERY == 0) {
		c->error = warm_commit(p->txn);
		p->txn = NULL;
	}
}

static void put_accounted(struct copy *p, const struct key *key, uint64_t account, const uint8_t *body, size_t len)
{
	uint8_t *out = p->out + CODEC_CHECK_SIZE;
	if (CODEC_CHECK_SIZE + 9 + len > CHUNK_ENCODED_MAX)
		return;
	size_t n = kind_is_accounted(key_kind(*key)) ? record_put_uint(account, out) : 0;
	memcpy(out + n, body, len);
	put(p, key, p->out, codec_seal(*key, p->out, n + len));
}

/* ---- one inode -------------------------------------------------------------------------------------------------- */

static void put_inode(struct copy *p)
{
	struct key key = key_make(key_sid(p->key), key_ino(p->key), KIND_INODE, 0);
	uint8_t body[RECORD_MAX];
	if (p->body) {
		put_accounted(p, &key, p->sum, p->body, p->len);
		return;
	}
	struct store_inode inode = check_make_up(p->check, p->mode);
	inode.size = S_ISDIR(p->mode) ? 0 : p->end;
	put_accounted(p, &key, p->sum, body, record_encode(&inode_schema, &inode, body));
}

static void end_inode(struct copy *p)
{
	struct checked_account *a = check_account(p->check, key_sid(p->key).n);
	if (p->present)
		put_inode(p);
	if (a)
		a->sum += p->sum;
	free(p->body);
	p->body = NULL;
	p->present = false;
	p->sum = p->end = 0;
}

static void copy_inode(struct copy *p, const struct found *f)
{
	struct store_inode inode;
	if (!check_decode(p->check, &inode_schema, f, &inode))
		return;
	store_inode_release(&inode);
	p->body = malloc(f->len);
	if (!p->body) {
		p->check->error = -ENOMEM;
		return;
	}
	memcpy(p->body, f->body, f->len);
	p->present = true;
	p->len = f->len;
	p->mode = inode.mode;
	p->size = inode.size;
}

static int compare_targets(const void *a, const void *b)
{
	const struct checked_name *x = *(const struct checked_name *const *)a;
	const struct checked_name *y = *(const struct checked_name *const *)b;
	if (x->target_sid != y->target_sid)
		return x->target_sid < y->target_sid ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static const struct checked_name *name_of(struct copy *p, const struct key *key)
{
	const struct checked_name wanted = {.target_sid = key_sid(*key).n, .ino = key_ino(*key).n}, *at = &wanted;
	const struct check *c = p->check;
	if (!c->names.count)
		return NULL;
	if (!p->by_target) {
		p->by_target = malloc(c->names.count * sizeof *p->by_target);
		if (!p->by_target) {
			p->check->error = -ENOMEM;
			return NULL;
		}
		for (size_t i = 0; i < c->names.count; i++)
			p->by_target[i] = &c->names.list[i];
		qsort(p->by_target, c->names.count, sizeof *p->by_target, compare_targets);
	}
	const struct checked_name **found =
		bsearch(&at, p->by_target, c->names.count, sizeof *p->by_target, compare_targets);
	return found ? *found : NULL;
}

/* Content without a record of its inode: what else is known of that tells what it was. */
static void make_up_inode(struct copy *p, const struct key *key)
{
	static const uint32_t permissions[] = {[S_IFDIR >> 12] = 0700, [S_IFREG >> 12] = 0600, [S_IFLNK >> 12] = 0777};
	const struct checked_inode *i = check_inode(p->check, key_sid(*key).n, key_ino(*key).n);
	const struct checked_account *a = check_account(p->check, key_sid(*key).n);
	const struct checked_name *n = i ? NULL : name_of(p, key);
	bool root = a && a->root == key_ino(*key).n;
	uint32_t type = root ? S_IFDIR : i ? i->mode & S_IFMT : n ? n->type : 0;
	p->present = root || type == S_IFREG || type == S_IFLNK;
	if (p->present)
		p->mode = type | permissions[type >> 12];
	p->size = STORE_FILE_MAX;
}

/* Content up to the inode's end: check->raw holds it decoded. */
static void copy_chunk(struct copy *p, const struct key *key, const struct page_value *v)
{
	struct check *c = p->check;
	if (!p->present)
		make_up_inode(p, key);
	uint64_t n = (uint64_t)chunk_raw_len(v->data, v->len);
	uint64_t keep = p->present ? check_content(c, key, p->mode, p->size) : 0;
	const uint8_t *data = v->data;
	size_t len = v->len;
	if (keep == 0)
		return;
	if (n > keep) {
		ssize_t encoded = chunk_encode(c->codec, *key, 3, NULL, c->raw, keep, p->out);
		if (encoded < 0) {
			c->error = (int)encoded;
			return;
		}
		n = keep;
		data = p->out;
		len = (size_t)encoded;
	}
	put(p, key, data, len);
	p->sum += len;
	p->end = key_sub(*key) * STORE_CHUNK_SIZE + n;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void copy_super(struct copy *p, const struct key *key)
{
	uint8_t body[RECORD_MAX];
	struct super super = p->check->super;
	super.ino_limit = super.ino_limit < p->check->ino_end ? p->check->ino_end : super.ino_limit;
	super.sid_limit = super.sid_limit < p->check->sid_end ? (uint32_t)p->check->sid_end : super.sid_limit;
	put_accounted(p, key, 0, body, record_encode(&super_schema, &super, body));
}

/* In all of its copies, of which some may be lost. */
static void copy_dictionary(struct copy *p, const struct key *key, const struct found *f)
{
	for (uint64_t copy = 0; copy < DICTIONARY_COPIES; copy++) {
		struct key at = key_front(KIND_DICTIONARY, copy << 32 | (uint32_t)key_sub(*key));
		put_accounted(p, &at, 0, f->body, f->len);
	}
}

static void on_record(void *arg, const struct key *key, const struct page_value *found, bool sound)
{
	struct copy *p = arg;
	struct check *c = p->check;
	struct page_value value = *found, *v = &value;
	struct found f;
	unsigned invariant;
	(void)sound;
	if (c->error || check_is_dropped(c, key_sid(*key).n) || check_refuse(c, key, v, &invariant) ||
		check_is_piece(key))
		return;
	if (!key_same_inode(p->key, *key)) {
		end_inode(p);
		p->key = *key;
	}
	if (key_kind(*key) == KIND_CHUNK) {
		copy_chunk(p, key, v);
		return;
	}
	open_value(*key, (struct warm_value){v->data, v->len}, &f);
	if (key_kind(*key) == KIND_INODE && !p->body)
		copy_inode(p, &f);
	else if (key_kind(*key) == KIND_SUPER)
		copy_super(p, key);
	else if (key_kind(*key) == KIND_DICTIONARY)
		copy_dictionary(p, key, &f);
	else if (key_kind(*key) != KIND_SESSION && key_kind(*key) != KIND_INODE)
		put(p, key, v->data, v->len);
}

/* The records of sessions come first, their accounts are known last. */
static void on_session(void *arg, const struct key *key, const struct page_value *found, bool sound)
{
	struct copy *p = arg;
	struct check *c = p->check;
	struct page_value value = *found, *v = &value;
	struct found f;
	unsigned invariant;
	(void)sound;
	if (c->error || key_kind(*key) != KIND_SESSION || check_refuse(c, key, v, &invariant))
		return;
	struct checked_account *a = check_account(c, (uint32_t)key_sub(*key));
	open_value(*key, (struct warm_value){v->data, v->len}, &f);
	put_accounted(p, key, a ? a->sum : 0, f.body, f.len);
}

static void ignore_damage(void *arg, uint64_t page, const char *what)
{
	(void)arg;
	(void)page;
	(void)what;
}

static int copy_all(struct copy *p, struct warm_snapshot *from)
{
	struct walk records = {on_record, ignore_damage, p}, sessions = {on_session, ignore_damage, p};
	uint64_t entries;
	p->check->pieces.next = 0;
	for (size_t i = 0; i < p->check->accounts.count; i++)
		p->check->accounts.list[i].sum = 0;
	int r = warm_walk(from, &records, &entries);
	end_inode(p);
	r = r ? r : warm_walk(from, &sessions, &entries);
	r = r ? r : p->check->error;
	if (r == 0 && p->txn) {
		r = warm_commit(p->txn);
		p->txn = NULL;
	}
	warm_abort(p->txn);
	free(p->by_target);
	return r;
}

static int copy_store(const char *path, const char *new_path, struct check *c)
{
	struct copy p = {.check = c, .out = malloc(CHUNK_ENCODED_MAX)};
	struct warm *from = NULL;
	struct warm_snapshot *snapshot = NULL;
	int r = p.out ? warm_open(path, true, &from) : -ENOMEM;
	r = r ? r : warm_snapshot_new(from, &snapshot);
	r = r ? r : warm_open(new_path, false, &p.to);
	r = r ? r : copy_all(&p, snapshot);
	warm_close(p.to);
	warm_snapshot_free(snapshot);
	warm_close(from);
	free(p.out);
	return r;
}

static int remove_new(int dir)
{
	unlinkat(dir, NEW_DIR "/data.mdb", 0);
	unlinkat(dir, NEW_DIR "/lock.mdb", 0);
	return unlinkat(dir, NEW_DIR, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Who repairs may be another one than who uses the store. */
static int give_away(int dir, const char *name, const struct stat *old)
{
	if (fchownat(dir, name, old->st_uid, old->st_gid, 0) < 0 && errno != EPERM)
		return errno == ENOENT ? 0 : -errno;
	return fchmodat(dir, name, old->st_mode & 07777, 0) < 0 ? -errno : 0;
}

/* Once in a repair: what the next round finds is not what there was. */
static int keep_old(int dir, struct check *c)
{
	if (c->old_kept)
		return 0;
	unlinkat(dir, "data.mdb.damaged", 0);
	if (linkat(dir, "data.mdb", dir, "data.mdb.damaged", 0) < 0 && errno != EPERM && errno != EOPNOTSUPP)
		return -errno;
	c->old_kept = true;
	return 0;
}

/* The old file keeps its name until the new one takes it. What LMDB knows of readers is of the old one. */
static int replace(int dir, struct check *c)
{
	struct stat old;
	int r = fstatat(dir, "data.mdb", &old, 0) < 0 ? -errno : 0;
	r = r ? r : give_away(dir, NEW_DIR "/data.mdb", &old);
	r = r ? r : give_away(dir, NEW_DIR "/lock.mdb", &old);
	r = r ? r : keep_old(dir, c);
	if (r)
		return r;
	if (renameat(dir, NEW_DIR "/data.mdb", dir, "data.mdb") < 0)
		return -errno;
	if (renameat(dir, NEW_DIR "/lock.mdb", dir, "lock.mdb") < 0)
		unlinkat(dir, "lock.mdb", 0);
	return fsync(dir) < 0 ? -errno : 0;
}

int check_new_data(const char *path, struct check *c)
{
	char new_path[4096];
	if (!c->super.format)
		return STORE_DAMAGED;
	if (snprintf(new_path, sizeof new_path, "%s/" NEW_DIR, path) >= (int)sizeof new_path)
		return -ENAMETOOLONG;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	int r = remove_new(dir);
	if (r == 0 && mkdirat(dir, NEW_DIR, 0700) < 0)
		r = -errno;
	r = r ? r : copy_store(path, new_path, c);
	r = r ? r : replace(dir, c);
	remove_new(dir);
	close(dir);
	return r;
}
