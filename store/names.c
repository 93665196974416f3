/* names.c - see names.h. */
#include "store/names.h"

#include <errno.h>
#include <stdlib.h>

static int value_name(
	enum kind kind, const struct found *f, struct store_dirent *dirent, const char **ret, size_t *ret_len)
{
	const uint8_t *data;
	size_t data_len;
	if (kind == KIND_XATTR)
		return record_get_pair(f->body, f->len, ret, ret_len, &data, &data_len);
	int r = record_decode(&dirent_schema, f->body, f->len, dirent);
	*ret = dirent->name;
	*ret_len = dirent->name_len;
	return r;
}

static struct known_name *known_at(struct store *s, struct store_ino dir, uint64_t cookie)
{
	return &s->known[((cookie >> 8) ^ dir.n * 0x9e3779b97f4a7c15u) % KNOWN_NAMES];
}

void name_known(struct store *s, const struct known_name *name)
{
	*known_at(s, (struct store_ino){ name->dir }, name->cookie) = *name;
}

struct known_name name_to_know(
	struct store *s, struct store_ino dir, uint64_t cookie, const struct store_dirent *dirent)
{
	return (struct known_name){ .dir = dir.n, .cookie = cookie, .ino = dirent->ino.n, .sid = dirent->session.n,
		.type = dirent->type, .check = codec_name_check(s->super.seed, dirent->name, dirent->name_len) };
}

void name_unknown(struct store *s, struct store_ino dir, uint64_t cookie)
{
	struct known_name *known = known_at(s, dir, cookie);
	if (known->dir == dir.n && known->cookie == cookie)
		known->dir = 0;
}

static bool find_known(
	struct store *s, struct store_ino dir, const char *name, size_t len, struct store_dirent *ret)
{
	uint64_t cookie = codec_name_hash(s->super.seed, name, len);
	const struct known_name *known = known_at(s, dir, cookie);
	if (known->dir != dir.n || known->cookie != cookie || len > STORE_NAME_MAX ||
		known->check != codec_name_check(s->super.seed, name, len))
		return false;
	*ret = (struct store_dirent){ .cookie = cookie, .ino = { known->ino }, .session = { known->sid },
		.type = known->type, .name_len = (uint32_t)len };
	memcpy(ret->name, name, len);
	return true;
}

static bool is_known_absent(const struct store *s, struct store_sid sid, struct store_ino ino, uint64_t hash)
{
	const struct absent *a = &s->absent;
	return a->hash == hash && a->dir.n == ino.n && a->sid.n == sid.n && a->batches == s->stats.batches;
}

/* A kernel looks a name up before it makes it: the second search is saved. */
static void remember_absent(struct store *s, struct store_sid sid, struct store_ino ino, uint64_t hash)
{
	s->absent = (struct absent){ .sid = sid, .dir = ino, .hash = hash, .batches = s->stats.batches };
}

/* Searches the keys that hash alike; *free_sub becomes the first one without a name. */
static int search(struct merge *m, enum kind kind, const char *name, size_t len, struct name_slot *ret)
{
	struct store_dirent dirent;
	struct key key;
	struct found f;
	int r;
	while ((r = merge_next(m, &key, &f)) == 0) {
		const char *other;
		size_t other_len;
		r = value_name(kind, &f, &dirent, &other, &other_len);
		if (r)
			return r;
		if (key_sub(key) == ret->sub)
			ret->sub = (ret->sub & 0xff) == 0xff ? 0 : ret->sub + 1;
		if (other_len == len && memcmp(other, name, len) == 0) {
			ret->sub = key_sub(key);
			ret->value = f;
			return 0;
		}
	}
	return r;
}

/* Most names are found in the active log, at the first key of their hash: nothing else need be searched. */
static bool find_active(struct store *s, const struct key *key, enum kind kind, const char *name, size_t len,
	struct name_slot *ret)
{
	struct entry *e = s->active ? index_find(&s->active->index, key) : NULL;
	struct store_dirent dirent;
	const char *other;
	size_t other_len;
	if (!e || e->type != ENTRY_PUT)
		return false;
	ret->value = hot_value(s->active, e);
	return value_name(kind, &ret->value, &dirent, &other, &other_len) == 0 && other_len == len &&
	       memcmp(other, name, len) == 0;
}

int name_find(struct store *s, struct store_sid sid, struct store_ino ino, enum kind kind, const char *name, size_t len,
	struct name_slot *ret)
{
	uint64_t hash = codec_name_hash(s->super.seed, name, len);
	struct key first = key_make(sid, ino, kind, hash), last = key_make(sid, ino, kind, hash | 0xff);
	struct merge m;
	*ret = (struct name_slot){ .sub = hash, .untouched = true };
	if (kind == KIND_DIRENT && is_known_absent(s, sid, ino, hash))
		return STORE_ABSENT;
	ret->untouched = false;
	if (find_active(s, &first, kind, name, len, ret))
		return 0;
	int r = merge_init(&m, s, &first, &last);
	if (r)
		return r;
	if (!m.met_any) {
		ret->untouched = true;
		if (kind == KIND_DIRENT)
			remember_absent(s, sid, ino, hash);
		return STORE_ABSENT;
	}
	return search(&m, kind, name, len, ret);
}

int store_lookup(struct store *s, struct store_sid sid, struct store_ino dir, const char *name, size_t len,
	struct store_dirent *ret)
{
	struct name_slot slot;
	pthread_mutex_lock(&s->lock);
	bool known = find_known(s, dir, name, len, ret);
	int r = known ? 0 : name_find(s, sid, dir, KIND_DIRENT, name, len, &slot);
	if (r == 0 && !known)
		r = record_decode(&dirent_schema, slot.value.body, slot.value.len, ret);
	if (r == 0 && !known) {
		struct known_name found = name_to_know(s, dir, slot.sub, ret);
		name_known(s, &found);
		ret->cookie = slot.sub;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int store_get_xattr(
	struct store *s, struct store_sid sid, struct store_ino ino, const char *name, void **ret_data, size_t *ret_len)
{
	struct name_slot slot;
	const char *found_name;
	const uint8_t *data;
	size_t name_len, len;
	void *copy = NULL;
	pthread_mutex_lock(&s->lock);
	int r = name_find(s, sid, ino, KIND_XATTR, name, strlen(name), &slot);
	r = r ? r : record_get_pair(slot.value.body, slot.value.len, &found_name, &name_len, &data, &len);
	if (r == 0 && !(copy = malloc(len ? len : 1)))
		r = -ENOMEM;
	if (r == 0)
		memcpy(copy, data, len);
	pthread_mutex_unlock(&s->lock);
	if (r)
		return r;
	*ret_data = copy;
	*ret_len = len;
	return 0;
}

int store_scan_dirents(struct store *s, struct store_sid sid, struct store_ino dir, uint64_t after,
	bool (*each)(void *, const struct store_dirent *), void *arg)
{
	struct store_dirent dirent;
	struct scan scan;
	scan_begin(&scan, s, key_make(sid, dir, KIND_DIRENT, after + 1), key_make(sid, dir, KIND_DIRENT, UINT64_MAX));
	while (scan_next(&scan) &&
		(scan.result = record_decode(&dirent_schema, scan.value.body, scan.value.len, &dirent)) == 0) {
		dirent.cookie = key_sub(scan.key);
		struct known_name found = name_to_know(s, dir, dirent.cookie, &dirent);
		name_known(s, &found);
		if (each(arg, &dirent))
			break;
	}
	return scan_end(&scan);
}

int store_scan_xattrs(struct store *s, struct store_sid sid, struct store_ino ino,
	bool (*each)(void *, const char *, size_t), void *arg)
{
	const char *name;
	const uint8_t *data;
	size_t name_len, len;
	struct scan scan;
	scan_begin(&scan, s, key_make(sid, ino, KIND_XATTR, 0), key_make(sid, ino, KIND_XATTR, UINT64_MAX));
	while (scan_next(&scan)) {
		scan.result = record_get_pair(scan.value.body, scan.value.len, &name, &name_len, &data, &len);
		if (scan.result == 0 && each(arg, name, name_len))
			break;
	}
	return scan_end(&scan);
}
