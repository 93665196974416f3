/*
 * index.c - the index of a log against an array of bytes: extents of random writes, zeros and drops; preparing and
 * forgetting.
 */
#include "store/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct store_sid sid = {3};
static const struct store_ino ino = {5};

enum { CHUNKS = 3 };

/* What a byte of the content is: below (not in the log), zero, or one of the log. */
enum { BELOW = -1, ZERO = 0 };

struct model {
	struct index index;
	int64_t byte[CHUNKS][STORE_CHUNK_SIZE];
	uint64_t next; /* position in the log */
	unsigned seed;
};

static int setup(void **state)
{
	struct model *m = calloc(1, sizeof *m);
	index_init(&m->index);
	m->next = 4096;
	m->seed = 17;
	for (int c = 0; c < CHUNKS; c++)
		for (unsigned i = 0; i < STORE_CHUNK_SIZE; i++)
			m->byte[c][i] = BELOW;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct model *m = *state;
	index_clear(&m->index);
	free(m);
	return 0;
}

static struct change chunk_change(struct model *m, enum change_op op, unsigned chunk, uint32_t offset, uint32_t len)
{
	struct change c = {
		.key = key_make(sid, ino, KIND_CHUNK, chunk), .op = op, .offset = offset, .len = len, .pos = m->next};
	return c;
}

static void apply(struct model *m, const struct change *c)
{
	struct entry *e;
	assert_int_equal(index_prepare(&m->index, c, &e), 0);
	index_apply(&m->index, c, e);
}

static void step(struct model *m)
{
	unsigned chunk = (unsigned)rand_r(&m->seed) % CHUNKS;
	bool whole = rand_r(&m->seed) % 40 == 0;
	uint32_t offset = whole ? 0 : (uint32_t)rand_r(&m->seed) % STORE_CHUNK_SIZE;
	uint32_t len = whole ? STORE_CHUNK_SIZE
			     : 1 + (uint32_t)rand_r(&m->seed) %
					       (STORE_CHUNK_SIZE - offset < 9000 ? STORE_CHUNK_SIZE - offset : 9000);
	if (rand_r(&m->seed) % 60 == 0) {
		struct change drop = {.key = key_make(sid, ino, KIND_DROP, 0), .op = CHANGE_DROP, .from = chunk};
		apply(m, &drop);
		for (unsigned c = chunk; c < CHUNKS; c++)
			memset(m->byte[c], 0, sizeof m->byte[c]);
		return;
	}
	bool zero = rand_r(&m->seed) % 4 == 0;
	struct change c = chunk_change(m, zero ? CHANGE_ZERO : CHANGE_WRITE, chunk, offset, len);
	struct entry *e;
	if (rand_r(&m->seed) % 5 == 0) {
		assert_int_equal(index_prepare(&m->index, &c, &e), 0);
		index_forget(&m->index, &c, e);
		return;
	}
	apply(m, &c);
	for (uint32_t i = 0; i < len; i++)
		m->byte[chunk][offset + i] = zero ? ZERO : (int64_t)(m->next + i);
	m->next += len;
}

static void compare_chunk(struct model *m, unsigned chunk)
{
	struct key key = key_make(sid, ino, KIND_CHUNK, chunk), drop_key = key_make(sid, ino, KIND_DROP, 0);
	struct entry *e = index_find(&m->index, &key), *drop = index_find(&m->index, &drop_key);
	bool hidden = e ? e->hides : drop && drop->from <= chunk;
	const struct extent *x = e ? entry_extents(e) : NULL;
	uint32_t at = 0;
	for (uint32_t i = 0; i <= (e ? e->len : 0); i++) {
		uint32_t next = e && i < e->len ? x[i].offset : STORE_CHUNK_SIZE;
		assert_true(next >= at);
		for (; at < next; at++)
			assert_int_equal(m->byte[chunk][at], hidden ? ZERO : BELOW);
		if (!e || i == e->len)
			break;
		assert_true(x[i].len > 0 && x[i].len <= STORE_CHUNK_SIZE - x[i].offset);
		for (uint32_t k = 0; k < x[i].len; k++)
			assert_int_equal(m->byte[chunk][at + k], x[i].pos ? (int64_t)(x[i].pos + k) : ZERO);
		at += x[i].len;
	}
}

static void extents_are_the_last_writes(void **state)
{
	struct model *m = *state;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 40; i++)
			step(m);
		for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
			compare_chunk(m, chunk);
	}
}

static struct change put(uint64_t number, uint64_t pos, uint8_t flags)
{
	return (struct change){.key = key_make(sid, (struct store_ino){number}, KIND_INODE, 0),
		.op = CHANGE_PUT,
		.flags = flags,
		.pos = pos};
}

static void entries_come_in_order_of_keys(void **state)
{
	struct model *m = *state;
	static const struct key first;
	unsigned count = 0;
	for (uint64_t i = 0; i < 2000; i++) {
		struct change c = put(i * 7919 % 2003 + 1, 4096 + i, 0);
		apply(m, &c);
	}
	struct key before = first;
	for (struct entry *e = index_seek(&m->index, &first); e; e = index_next(e)) {
		assert_true(key_cmp(&before, &e->key) < 0);
		before = e->key;
		count++;
	}
	assert_int_equal(count, 2000);
}

static void what_is_prepared_is_not_seen(void **state)
{
	struct model *m = *state;
	struct change c = put(9, 4096, 0);
	struct entry *e;
	assert_int_equal(index_prepare(&m->index, &c, &e), 0);
	assert_null(index_find(&m->index, &c.key));
	assert_null(index_seek(&m->index, &c.key));
	index_forget(&m->index, &c, e);
	assert_int_equal(m->index.count, 0);
}

static void what_was_fresh_and_is_deleted_leaves_nothing(void **state)
{
	struct model *m = *state;
	struct change made = put(9, 4096, CHANGE_FRESH), old = put(10, 4200, 0);
	apply(m, &made);
	apply(m, &old);
	assert_true(index_is_fresh(&m->index, &made.key));
	assert_false(index_is_fresh(&m->index, &old.key));
	made.op = old.op = CHANGE_DELETE;
	apply(m, &made);
	apply(m, &old);
	assert_null(index_find(&m->index, &made.key));
	assert_int_equal(index_find(&m->index, &old.key)->type, ENTRY_DELETE);
	assert_int_equal(m->index.count, 1);
}

/* No writer makes such a log: what it knows to be new it knows from the start. */
static void a_drop_of_what_is_new_leaves_an_older_one_alone(void **state)
{
	struct model *m = *state;
	struct change drop = {.key = key_make(sid, ino, KIND_DROP, 0), .op = CHANGE_DROP, .from = 1};
	struct change other = put(9, 4096, 0);
	apply(m, &drop);
	drop.flags = CHANGE_FRESH;
	apply(m, &drop);
	apply(m, &other);
	assert_non_null(index_find(&m->index, &drop.key));
	assert_int_equal(index_find(&m->index, &drop.key)->type, ENTRY_DROP);
	assert_non_null(index_find(&m->index, &other.key));
	assert_int_equal(m->index.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(extents_are_the_last_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(entries_come_in_order_of_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_prepared_is_not_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_fresh_and_is_deleted_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_drop_of_what_is_new_leaves_an_older_one_alone, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
