/*
 * check_record.c - one record by itself: its key, its checksum, what it says; and content put together from its pieces.
 */
#include "store/check.h"

#include <errno.h>
#include <sys/stat.h>

bool check_decode(struct check *c, const struct schema *schema, const struct found *f, void *ret_object)
{
	int r = record_decode(schema, f->body, f->len, ret_object);
	if (r == -ENOMEM)
		c->error = r;
	return r == 0;
}

static bool is_name_in_place(const struct super *super, const struct key *key, const char *name, size_t len)
{
	return codec_name_hash(super->seed, name, len) == (key_sub(*key) & ~UINT64_C(0xff));
}

/* Decodes into a struct that is thrown away, or checks what else a body must be. */
bool check_body(struct check *c, const struct key *key, const struct found *f)
{
	union {
		struct store_inode inode;
		struct store_session session;
		struct store_dirent dirent;
		struct store_ending ending;
		struct super super;
	} u;
	const char *name;
	const uint8_t *data;
	size_t name_len, len;
	uint64_t number;
	switch (key_kind(*key)) {
	case KIND_SUPER:
		return check_decode(c, &super_schema, f, &u.super) && u.super.format > 0 &&
		       u.super.format <= STORE_FORMAT;
	case KIND_FLUSHED:
		return record_get_uint(f->body, f->len, &number) == (int)f->len && number < GENERATION_END;
	case KIND_ORPHAN:
		return record_get_uint(f->body, f->len, &number) == (int)f->len && number < UINT32_MAX;
	case KIND_SESSION:
		if (!check_decode(c, &session_schema, f, &u.session))
			return false;
		store_session_release(&u.session);
		return u.session.name_len > 0 && u.session.root.n > STORE_ROOT_INO.n && u.session.root.n < KEY_INO_END;
	case KIND_ENDING:
		return check_decode(c, &ending_schema, f, &u.ending) && u.ending.name_len > 0 &&
		       u.ending.status < STORE_STATUSES;
	case KIND_INODE:
		if (!check_decode(c, &inode_schema, f, &u.inode))
			return false;
		store_inode_release(&u.inode);
		return u.inode.size <= STORE_FILE_MAX && (key_ino(*key).n != STORE_ROOT_INO.n || S_ISDIR(u.inode.mode));
	case KIND_XATTR:
		return record_get_pair(f->body, f->len, &name, &name_len, &data, &len) == 0 &&
		       is_name_in_place(&c->super, key, name, name_len);
	case KIND_DIRENT:
		return check_decode(c, &dirent_schema, f, &u.dirent) && u.dirent.name_len > 0 &&
		       is_name_in_place(&c->super, key, u.dirent.name, u.dirent.name_len);
	case KIND_DICTIONARY:
	case KIND_CHUNK:
	case KIND_DROP:
		break;
	}
	return true;
}

bool check_is_piece(const struct key *key)
{
	return key_kind(*key) == KIND_CHUNK && key_piece(*key) != KEY_MAIN;
}

static const char *refuse_content(struct check *c, const struct key *key, struct page_value *v, unsigned *ret_invariant)
{
	struct warm_value value = {v->data, v->len};
	if (!gather_join(&c->pieces, key, value, &value)) {
		*ret_invariant = 23;
		return "is in pieces that do not belong together, or some are missing";
	}
	*v = (struct page_value){value.data, value.len};
	return chunk_decode(c->codec, *key, v->data, v->len, c->raw, STORE_CHUNK_SIZE) < 0
		       ? "cannot be decompressed, or its checksum does not hold"
		       : NULL;
}

static const char *refuse_dictionary(struct check *c, const struct key *key, const struct found *f)
{
	int r = dictionaries_learn(codec_dictionaries(c->codec), (uint32_t)key_sub(*key), f->body, f->len);
	if (r == -ENOMEM)
		c->error = r;
	return r ? "cannot be used, or is not the one that it is named for" : NULL;
}

const char *check_refuse(struct check *c, const struct key *key, struct page_value *v, unsigned *ret_invariant)
{
	struct warm_value value = {v->data, v->len};
	struct found f;
	*ret_invariant = 2;
	if (!key_is_plausible(key))
		return "is of an unknown kind, or not where its kind belongs";
	*ret_invariant = 3;
	if (open_value(*key, value, &f)) {
		gather_forget(&c->pieces, key);
		return "has a checksum that does not hold";
	}
	if (check_is_piece(key)) {
		gather_add(&c->pieces, key, value);
		return NULL;
	}
	if (key_kind(*key) == KIND_CHUNK)
		return refuse_content(c, key, v, ret_invariant);
	if (key_kind(*key) == KIND_DICTIONARY)
		return refuse_dictionary(c, key, &f);
	return check_body(c, key, &f) ? NULL : "cannot be decoded, or says what it must not";
}
