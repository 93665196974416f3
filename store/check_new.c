/*
 * check_new.c - data.mdb written anew, from the records of the old one that are sound; with accounts and limits set
 * right.
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
	struct check *check;
	struct warm *to;
	struct warm_txn *txn;
	uint8_t *out; /* CHUNK_ENCODED_MAX + a record */
	uint64_t puts;
	int error;
	struct key key; /* of the inode's record that the copy is at */
	uint8_t *body;  /* without its account; NULL: no record */
	size_t len;
	uint32_t mode;
	uint64_t size, sum;
};

/* Content is cut anew, if the store is of a format that has pieces. */
static void put(struct copy *p, const struct key *key, const void *data, size_t len)
{
	bool cut = key_kind(*key) == KIND_CHUNK && p->check->super.format == STORE_FORMAT;
	if (p->error)
		return;
	if (!p->txn)
		p->error = warm_begin(p->to, &p->txn);
	p->error = p->error ? p->error : pieces_put(p->txn, key, data, len, cut);
	if (p->error == 0 && ++p->puts % COMMIT_EVERY == 0) {
		p->error = warm_commit(p->txn);
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

static void end_inode(struct copy *p)
{
	if (p->body)
		put_accounted(p, &p->key, p->sum, p->body, p->len);
	struct checked_account *a = check_account(p->check, key_sid(p->key).n);
	if (a && p->body)
		a->sum += p->sum;
	free(p->body);
	p->body = NULL;
	p->sum = 0;
}

static void copy_inode(struct copy *p, const struct key *key, const struct found *f)
{
	struct store_inode inode;
	if (record_decode(&inode_schema, f->body, f->len, &inode))
		return;
	store_inode_release(&inode);
	p->body = malloc(f->len);
	if (!p->body) {
		p->error = -ENOMEM;
		return;
	}
	memcpy(p->body, f->body, f->len);
	p->len = f->len;
	p->key = *key;
	p->mode = inode.mode;
	p->size = inode.size;
}

/* Content up to the inode's end: check->raw holds it decoded. */
static void copy_chunk(struct copy *p, const struct key *key, const struct page_value *v)
{
	uint64_t n = (uint64_t)chunk_raw_len(v->data, v->len);
	uint64_t keep = p->body ? check_content(p->check, key, p->mode, p->size) : 0;
	if (keep == 0)
		return;
	if (n <= keep) {
		put(p, key, v->data, v->len);
		p->sum += v->len;
		return;
	}
	ssize_t len = chunk_encode(p->check->codec, *key, 3, NULL, p->check->raw, keep, p->out);
	if (len < 0) {
		p->error = (int)len;
		return;
	}
	put(p, key, p->out, (size_t)len);
	p->sum += (uint64_t)len;
}

static void copy_super(struct copy *p, const struct key *key)
{
	uint8_t body[RECORD_MAX];
	struct super super = p->check->super;
	super.ino_limit = super.ino_limit < p->check->ino_end ? p->check->ino_end : super.ino_limit;
	super.sid_limit = super.sid_limit < p->check->sid_end ? (uint32_t)p->check->sid_end : super.sid_limit;
	put_accounted(p, key, 0, body, record_encode(&super_schema, &super, body));
}

static void on_record(void *arg, const struct key *key, const struct page_value *found, bool sound)
{
	struct copy *p = arg;
	struct check *c = p->check;
	struct page_value value = *found, *v = &value;
	struct found f;
	unsigned invariant;
	(void)sound;
	if (p->error || check_is_dropped(c, key_sid(*key).n) || check_refuse(c, key, v, &invariant) ||
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
		copy_inode(p, key, &f);
	else if (key_kind(*key) == KIND_SUPER)
		copy_super(p, key);
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
	if (p->error || key_kind(*key) != KIND_SESSION || check_refuse(c, key, v, &invariant))
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
	r = r ? r : p->error;
	if (r == 0 && p->txn) {
		r = warm_commit(p->txn);
		p->txn = NULL;
	}
	warm_abort(p->txn);
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

/* The old file keeps its name until the new one takes it. */
static int replace(int dir)
{
	unlinkat(dir, "data.mdb.damaged", 0);
	if (linkat(dir, "data.mdb", dir, "data.mdb.damaged", 0) < 0 && errno != EPERM && errno != EOPNOTSUPP)
		return -errno;
	if (renameat(dir, NEW_DIR "/data.mdb", dir, "data.mdb") < 0 || fsync(dir) < 0)
		return -errno;
	unlinkat(dir, "lock.mdb", 0);
	return 0;
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
	r = r ? r : replace(dir);
	remove_new(dir);
	close(dir);
	return r;
}
