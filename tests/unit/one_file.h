/*
 * one_file.h - for unit tests of the check: a store with one session, of one file, in which things can be wrong.
 */
#pragma once

#include "store/codec.h"
#include "store/record.h"
#include "store/warm.h"
#include "tests/unit/stored.h"

enum { SIZE = 300000 };

static const struct store_sid sid = {1};

struct fixture {
	char path[DIR_SIZE];
	struct store_ino top, file;
	uint64_t cookie, session_cookie; /* of their names */
	uint8_t content[SIZE]; /* of the file */
};

static inline struct store *open_store(const char *path)
{
	const struct store_options options = {.create = true, .level = 0, .commit = 3600, .hot_size = 4u << 20};
	return open_with(path, &options);
}

static inline void put_dir(struct store_batch *b, struct store_sid at, struct store_ino ino, uint32_t nlink,
	uint64_t size, uint64_t parent)
{
	struct store_inode i = {.mode = S_IFDIR | 0755, .nlink = nlink, .size = size, .parent = parent};
	store_batch_put_inode(b, at, ino, &i);
}

static inline void put_session(struct store_batch *b, const struct fixture *f, enum store_view view)
{
	struct store_session record = {
		.sid = sid, .root = f->top, .name = "s", .name_len = 1, .created = 1000, .logical = SIZE};
	record.files[view] = 1;
	store_batch_put_session(b, &record);
}

/* /s/file, of some chunks that do not repeat */
static inline void make_tree(struct fixture *f, struct store *s)
{
	struct store_batch *b = begin(s, SIZE);
	assert_int_equal(store_new_sid(b).n, sid.n);
	f->top = store_new_ino(b);
	f->file = store_new_ino(b);
	for (unsigned i = 0; i < SIZE; i++)
		f->content[i] = (uint8_t)(i * 2654435761u >> 16 | 1);
	put_dir(b, STORE_ROOT_SID, STORE_ROOT_INO, 3, 1, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", sid, f->top, S_IFDIR);
	put_dir(b, sid, f->top, 2, 1, STORE_ROOT_INO.n);
	add_name(b, sid, f->top, "file", sid, f->file, S_IFREG);
	struct store_inode file = {.mode = S_IFREG | 0644, .nlink = 1, .size = SIZE};
	store_batch_put_inode(b, sid, f->file, &file);
	store_batch_write(b, sid, f->file, 0, f->content, SIZE);
	put_session(b, f, STORE_OTHER);
	assert_int_equal(store_batch_commit(b), 0);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->path);
	struct store *s = open_store(f->path);
	make_tree(f, s);
	assert_int_equal(store_close(s), 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	shell("rm -rf %s", f->path);
	free(f);
	return 0;
}

static inline void note_finding(void *arg, unsigned invariant, const char *text)
{
	uint64_t *found = arg;
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 127);
	*found |= UINT64_C(1) << invariant;
}

static inline int try_check(const char *path, bool repair, uint64_t *ret_invariants, struct store_check_result *ret)
{
	struct store_open_info info;
	*ret_invariants = 0;
	struct store_check_options options = {.repair = repair, .report = note_finding, .arg = ret_invariants};
	return store_check(path, &options, ret, &info);
}

static inline struct store_check_result check(const char *path, bool repair, uint64_t *ret_invariants)
{
	struct store_check_result result = {0};
	assert_int_equal(try_check(path, repair, ret_invariants, &result), 0);
	return result;
}

static inline void repair_to_the_end(const char *path, unsigned invariant)
{
	uint64_t invariants;
	assert_true(check(path, false, &invariants).found > 0);
	assert_true(invariants >> invariant & 1);
	struct store_check_result r = check(path, true, &invariants);
	assert_int_equal(r.repaired, r.found);
	assert_int_equal(check(path, false, &invariants).found, 0);
}

/* Writes a record of warm as it is, or with its checksum. */
static inline void put_raw(const char *path, struct key key, const void *body, size_t len, bool sealed)
{
	uint8_t value[CODEC_CHECK_SIZE + RECORD_MAX] = {0};
	struct warm *w;
	struct warm_txn *t;
	memcpy(value + CODEC_CHECK_SIZE, body, len);
	size_t all = sealed ? codec_seal(key, value, len) : CODEC_CHECK_SIZE + len;
	assert_int_equal(warm_open(path, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	assert_int_equal(warm_put(t, &key, value, all), 0);
	assert_int_equal(warm_commit(t), 0);
	warm_close(w);
}

static inline void get_super(const char *path, struct super *ret)
{
	const struct key key = key_front(KIND_SUPER, 0);
	struct warm_snapshot *snapshot;
	struct warm_value value;
	struct warm *w;
	const uint8_t *body;
	size_t len;
	assert_int_equal(warm_open(path, true, &w), 0);
	assert_int_equal(warm_snapshot_new(w, &snapshot), 0);
	assert_int_equal(warm_get(snapshot, &key, &value), 0);
	assert_int_equal(codec_open(key, value.data, value.len, &body, &len), 0);
	assert_int_equal(record_decode(&super_schema, body, len, ret), 0);
	warm_snapshot_free(snapshot);
	warm_close(w);
}

static inline void put_super(const char *path, const struct super *super)
{
	uint8_t body[RECORD_MAX];
	put_raw(path, key_front(KIND_SUPER, 0), body, record_encode(&super_schema, super, body), true);
}

static inline void damage_inode(const struct fixture *f, struct store_ino ino)
{
	put_raw(f->path, key_make(sid, ino, KIND_INODE, 0), "damaged", 7, false);
}

static inline void assert_content(const struct fixture *f, struct store_sid at, struct store_ino ino)
{
	static uint8_t have[SIZE];
	struct store_inode inode;
	struct store *s = open_store(f->path);
	assert_int_equal(store_get_inode(s, at, ino, &inode), 0);
	assert_int_equal(inode.mode & S_IFMT, S_IFREG);
	assert_int_equal(inode.size, SIZE);
	store_inode_release(&inode);
	assert_int_equal(store_read(s, at, ino, 0, have, SIZE), 0);
	assert_memory_equal(have, f->content, SIZE);
	assert_int_equal(store_close(s), 0);
}
