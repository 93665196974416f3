/*
 * free_list.c - LMDB is not given a list of free pages that names a page twice, or one in use: it would hand it out
 * twice in one transaction, and abort.
 */
#include "store/pages_internal.h"
#include "store/warm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRANSACTIONS = 250, LARGE = 3000, VALUES = 600 };

struct fixture {
	char dir[64];
	struct pages *pages; /* written by way of a second mapping of the file */
	struct tree tree;
	int fd;
};

static struct key key_of(uint64_t ino)
{
	return key_make((struct store_sid){1}, (struct store_ino){ino}, KIND_CHUNK, 0);
}

/* ---- stores ----------------------------------------------------------------------------------------------------- */

static void put(struct warm *w, uint64_t ino, unsigned count, bool delete)
{
	static const uint8_t value[LARGE];
	struct warm_txn *t;
	assert_int_equal(warm_begin(w, &t), 0);
	for (uint64_t i = ino; i < ino + count; i++) {
		struct key key = key_of(i);
		assert_int_equal(delete ? warm_delete(t, &key) : warm_put(t, &key, value, LARGE), 0);
	}
	assert_int_equal(warm_commit(t), 0);
}

/* A reader keeps LMDB from using up what becomes free: many records, on a tree of two levels; and a large one. */
static void fill(struct warm *w)
{
	struct warm_snapshot *reader;
	put(w, 0, VALUES, false);
	assert_int_equal(warm_snapshot_new(w, &reader), 0);
	for (uint64_t i = 0; i < TRANSACTIONS; i++)
		put(w, 0, 1, false);
	put(w, 0, VALUES - 1, true);
	put(w, VALUES, 1, false);
	warm_snapshot_free(reader);
}

static uint64_t newest_transaction(int fd, uint32_t page_size)
{
	uint64_t id[HEADS];
	for (unsigned i = 0; i < HEADS; i++)
		assert_int_equal(pread(fd, &id[i], sizeof *id, i * page_size + PAGE_HEADER + 128), sizeof *id);
	return id[0] > id[1] ? id[0] : id[1];
}

static char original[] = "sessfs-unit-XXXXXX";

static int make_original(void **state)
{
	struct warm *w;
	(void)state;
	assert_non_null(mkdtemp(original));
	assert_int_equal(warm_open(original, false, &w), 0);
	fill(w);
	warm_close(w);
	return 0;
}

static int remove_tree(const char *dir)
{
	char command[96];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static int remove_original(void **state)
{
	(void)state;
	return remove_tree(original);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char name[160];
	strcpy(f->dir, "sessfs-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(name, sizeof name, "cp %s/data.mdb %s", original, f->dir);
	assert_int_equal(system(name), 0);
	snprintf(name, sizeof name, "%s/data.mdb", f->dir);
	f->fd = open(name, O_RDWR | O_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(pages_open(f->dir, UINT64_C(1) << 30, &f->pages), 0);
	uint64_t id = newest_transaction(f->fd, f->pages->page_size);
	assert_int_equal(pages_tree(f->pages, id, &f->tree), 0);
	assert_int_equal(f->tree.free_depth, 2);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int r = remove_tree(f->dir);
	pages_close(f->pages);
	close(f->fd);
	free(f);
	return r;
}

/* ---- places in them --------------------------------------------------------------------------------------------- */

static const uint8_t *page_of(const struct fixture *f, uint64_t number)
{
	return f->pages->map + number * f->pages->page_size;
}

static unsigned nodes_of(const uint8_t *page)
{
	struct page_header h;
	memcpy(&h, page, sizeof h);
	return (h.lower - PAGE_HEADER) / 2u;
}

static struct node node_of(const struct fixture *f, const uint8_t *page, unsigned i)
{
	struct node n;
	assert_true(node_at(f->pages, page, i, &n));
	return n;
}

/* Leaf i of the list. */
static const uint8_t *leaf_of(const struct fixture *f, unsigned i)
{
	return page_of(f, node_of(f, page_of(f, f->tree.free_root), i).child);
}

static const uint8_t *last_leaf(const struct fixture *f)
{
	return leaf_of(f, nodes_of(page_of(f, f->tree.free_root)) - 1);
}

static struct node large_record(const struct fixture *f)
{
	const uint8_t *leaf = last_leaf(f);
	unsigned i = nodes_of(leaf) - 1;
	while (i && node_of(f, leaf, i).flags != NODE_BIG)
		i--;
	assert_int_equal(node_of(f, leaf, i).flags, NODE_BIG);
	return node_of(f, leaf, i);
}

static void overwrite(const struct fixture *f, const uint8_t *at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(f->fd, bytes, len, at - f->pages->map), len);
}

static uint64_t u64_at(const uint8_t *at)
{
	uint64_t v;
	memcpy(&v, at, sizeof v);
	return v;
}

/* Has the large record name a page, in the place of the next greater one: so the order is kept. */
static void name_as_free(const struct fixture *f, uint64_t page)
{
	const uint8_t *ids = page_of(f, large_record(f).child) + PAGE_HEADER;
	uint64_t count = u64_at(ids), i = count;
	while (i > 1 && u64_at(ids + 8 * i) < page)
		i--;
	assert_true(u64_at(ids + 8 * i) != page);
	overwrite(f, ids + 8 * i, &page, sizeof page);
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void ignore_record(void *arg, const struct key *key, const struct page_value *v, bool sound)
{
	(void)arg, (void)key, (void)v, (void)sound;
}

static void count_damage(void *arg, uint64_t page, const char *what)
{
	(void)page, (void)what;
	++*(unsigned *)arg;
}

static unsigned damage_of(const struct fixture *f)
{
	unsigned count = 0;
	struct walk walk = {ignore_record, count_damage, &count};
	assert_int_equal(pages_walk(f->pages, &f->tree, &walk), 0);
	return count;
}

/* Writes as much as there is free, so that LMDB comes to all of the list. */
static int use(const struct fixture *f)
{
	static const uint8_t value[LARGE];
	struct warm *w;
	struct warm_txn *t;
	assert_int_equal(warm_open(f->dir, false, &w), 0);
	int r = warm_begin(w, &t);
	for (uint64_t i = 0; r == 0 && i < 4 * VALUES; i++) {
		struct key key = key_of(10000 + i);
		r = warm_put(t, &key, value, LARGE);
		if (r)
			warm_abort(t);
	}
	if (r == 0)
		r = warm_commit(t);
	warm_close(w);
	return r;
}

static void assert_refused(const struct fixture *f)
{
	assert_true(damage_of(f) > 0);
	assert_int_equal(use(f), -EIO);
}

static void test_sound(void **state)
{
	assert_int_equal(damage_of(*state), 0);
	assert_int_equal(use(*state), 0);
}

static void test_own_root(void **state)
{
	const struct fixture *f = *state;
	name_as_free(f, f->tree.free_root);
	assert_refused(f);
}

static void test_own_leaf(void **state)
{
	const struct fixture *f = *state;
	name_as_free(f, node_of(f, page_of(f, f->tree.free_root), 1).child);
	assert_refused(f);
}

static void test_own_large_record(void **state)
{
	const struct fixture *f = *state;
	name_as_free(f, large_record(f).child);
	assert_refused(f);
}

/* The large record has more pages than it needs: all that follow. */
static void test_spare_pages(void **state)
{
	const struct fixture *f = *state;
	uint64_t first = large_record(f).child;
	uint32_t pages = (uint32_t)(f->tree.count - first);
	assert_true(pages > overflow_pages(f->pages, large_record(f).len));
	overwrite(f, page_of(f, first) + offsetof(struct page_header, lower), &pages, sizeof pages);
	assert_refused(f);
}

/* LMDB remembers the last record it read, 0 being none: it would read this one again. */
static void test_transaction_0(void **state)
{
	const struct fixture *f = *state;
	static const uint64_t zero;
	overwrite(f, node_of(f, leaf_of(f, 0), 0).key, &zero, sizeof zero);
	assert_refused(f);
}

static void test_transaction_to_come(void **state)
{
	const struct fixture *f = *state;
	const uint8_t *leaf = last_leaf(f);
	uint64_t id = f->tree.txnid + 1;
	overwrite(f, node_of(f, leaf, nodes_of(leaf) - 1).key, &id, sizeof id);
	assert_refused(f);
}

/* The next record would be sought too far to the left, where the records were read before. */
static void test_branch(void **state)
{
	const struct fixture *f = *state;
	const uint8_t *root = page_of(f, f->tree.free_root);
	static const uint64_t great = UINT64_MAX;
	overwrite(f, node_of(f, root, nodes_of(root) - 1).key, &great, sizeof great);
	assert_refused(f);
}

static void test_leaf_out_of_order(void **state)
{
	const struct fixture *f = *state;
	const uint8_t *leaf = leaf_of(f, 1);
	static const uint64_t one = 1;
	overwrite(f, node_of(f, leaf, 0).key, &one, sizeof one);
	assert_refused(f);
}

/* A head that tells of far more pages than a list in this file could name as free is damaged. */
static void test_last_page(void **state)
{
	const struct fixture *f = *state;
	const uint8_t *head = page_of(f, f->tree.txnid % HEADS);
	uint64_t last = f->tree.count * (1 + f->pages->page_size / 8);
	assert_int_equal(pages_inspect(f->dir), 0);
	overwrite(f, head + PAGE_HEADER + 120, &last, sizeof last);
	assert_int_equal(pages_inspect(f->dir), 0);
	last *= 2;
	overwrite(f, head + PAGE_HEADER + 120, &last, sizeof last);
	assert_int_equal(pages_inspect(f->dir), STORE_DAMAGED);
}

/* What a search in a transaction comes upon is verified too, not only what it was for. */
static void test_found_behind(void **state)
{
	const struct fixture *f = *state;
	struct path path;
	struct key last = key_of(VALUES - 1), before = key_of(VALUES - 2), found;
	struct node n;
	struct warm *w;
	struct warm_txn *t;
	struct warm_value v;
	assert_int_equal(path_find(f->pages, &f->tree, &last, &path), 0);
	const struct level *leaf = &path.at[path.depth - 1];
	n = node_of(f, leaf->page, leaf->index);
	assert_int_equal(n.flags, NODE_BIG);
	uint64_t free_page = u64_at(page_of(f, large_record(f).child) + PAGE_HEADER + 8);
	overwrite(f, n.data, &free_page, sizeof free_page);
	assert_int_equal(warm_open(f->dir, false, &w), 0);
	assert_int_equal(warm_begin(w, &t), 0);
	assert_int_equal(warm_txn_seek(t, &before, &found, &v), -EIO);
	warm_abort(t);
	warm_close(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sound),
		TEST(test_own_root),
		TEST(test_own_leaf),
		TEST(test_own_large_record),
		TEST(test_spare_pages),
		TEST(test_transaction_0),
		TEST(test_transaction_to_come),
		TEST(test_branch),
		TEST(test_leaf_out_of_order),
		TEST(test_last_page),
		TEST(test_found_behind),
	};
	return cmocka_run_group_tests(tests, make_original, remove_original);
}
