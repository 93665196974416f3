/* check.c - a sound store is clean; each kind of damage is found under its invariant, mended, and clean again. */
#include <sys/wait.h>

#include "tests/unit/stored.h"

static const struct store_sid sid = {1};

struct fixture {
	char path[DIR_SIZE];
	struct store_ino top, dir, file, linked;
	uint64_t cookie;     /* of file in dir */
	uint64_t top_cookie; /* of the session in the root */
};

static struct store *open_store(const char *path)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 3600, .hot_size = 4u << 20};
	return open_with(path, &options);
}

static void put_inode(struct store_batch *b, struct store_sid at, struct store_ino ino, uint32_t mode, uint32_t nlink,
	uint64_t size, uint64_t parent, uint64_t view)
{
	struct store_inode i = {.mode = mode, .nlink = nlink, .size = size, .parent = parent, .view = view};
	store_batch_put_inode(b, at, ino, &i);
}

static struct store_session session_of(const struct fixture *f)
{
	return (struct store_session){.sid = sid,
		.root = f->top,
		.name = "s",
		.name_len = 1,
		.created = 1000,
		.files = {[STORE_OTHER] = 3},
		.logical = 8};
}

/* /s, /s/dir, /s/dir/file of 8 bytes, /s/dir/one and /s/dir/two as names of one inode */
static void make_tree(struct fixture *f, struct store *s)
{
	struct store_dirent d;
	struct store_batch *b = begin(s, 8);
	assert_int_equal(store_new_sid(b).n, sid.n);
	f->top = store_new_ino(b);
	f->dir = store_new_ino(b);
	f->file = store_new_ino(b);
	f->linked = store_new_ino(b);
	put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, S_IFDIR | 0755, 3, 1, 0, 0);
	add_name(b, STORE_ROOT_SID, STORE_ROOT_INO, "s", sid, f->top, S_IFDIR);
	put_inode(b, sid, f->top, S_IFDIR | 0755, 3, 1, STORE_ROOT_INO.n, 0);
	add_name(b, sid, f->top, "dir", sid, f->dir, S_IFDIR);
	put_inode(b, sid, f->dir, S_IFDIR | 0755, 2, 3, f->top.n, 1 + STORE_OTHER);
	add_name(b, sid, f->dir, "file", sid, f->file, S_IFREG);
	add_name(b, sid, f->dir, "one", sid, f->linked, S_IFREG);
	add_name(b, sid, f->dir, "two", sid, f->linked, S_IFREG);
	put_inode(b, sid, f->file, S_IFREG | 0644, 1, 8, 0, 0);
	put_inode(b, sid, f->linked, S_IFREG | 0644, 2, 0, 0, 0);
	store_batch_write(b, sid, f->file, 0, "contents", 8);
	struct store_session record = session_of(f);
	store_batch_put_session(b, &record);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_lookup(s, sid, f->dir, "file", 4, &d), 0);
	f->cookie = d.cookie;
	assert_int_equal(store_lookup(s, STORE_ROOT_SID, STORE_ROOT_INO, "s", 1, &d), 0);
	f->top_cookie = d.cookie;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	new_dir(f->path);
	struct store *s = open_store(f->path);
	make_tree(f, s);
	assert_int_equal(store_close(s), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	shell("rm -rf %s", f->path);
	free(f);
	return 0;
}

/* The store as it is, while it is open. */
static void copy_store(const struct fixture *f, char ret_copy[static 80])
{
	snprintf(ret_copy, 80, "%s.copy", f->path);
	shell("cp -r --sparse=always %s %s && rm %s/lock", f->path, ret_copy, ret_copy);
}

static void note_finding(void *arg, unsigned invariant, const char *text)
{
	uint64_t *found = arg;
	assert_true(*text && invariant < 64);
	*found |= UINT64_C(1) << invariant;
}

static struct store_check_result check(const char *path, bool repair, uint64_t *ret_invariants)
{
	struct store_check_result result = {0};
	struct store_open_info info;
	*ret_invariants = 0;
	struct store_check_options options = {.repair = repair, .report = note_finding, .arg = ret_invariants};
	assert_int_equal(store_check(path, &options, &result, &info), 0);
	return result;
}

static void a_sound_store_is_clean(void **state)
{
	struct fixture *f = *state;
	uint64_t invariants;
	struct store_check_result r = check(f->path, false, &invariants);
	assert_int_equal(r.found, 0);
	assert_int_equal(r.sessions, 1);
	assert_int_equal(r.inodes, 5);
	assert_int_equal(r.names, 5);
	assert_int_equal(r.chunks, 1);
}

static void an_open_store_is_checked_and_not_repaired(void **state)
{
	struct fixture *f = *state;
	struct store_check_options options = {.repair = true};
	struct store_check_result r;
	struct store_open_info info;
	uint64_t invariants;
	struct store *s = open_store(f->path);
	assert_int_equal(check(f->path, false, &invariants).found, 0);
	assert_int_equal(store_check(f->path, &options, &r, &info), STORE_BUSY);
	assert_int_equal(info.pid, getpid());
	assert_int_equal(store_close(s), 0);
}

static void what_the_logs_hold_counts(void **state)
{
	struct fixture *f = *state;
	uint64_t invariants;
	char copy[80];
	struct store *s = open_store(f->path);
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_SHRINK, 0, &b), 0);
	store_batch_delete_inode(b, sid, f->file);
	assert_int_equal(store_batch_commit(b), 0);
	copy_store(f, copy);
	assert_int_equal(store_close(s), 0);
	assert_true(check(copy, false, &invariants).found > 0);
	assert_true(invariants & 1 << 4);
	shell("rm -rf %s", copy);
}

/* ---- damages ---------------------------------------------------------------------------------------------------- */

static void wrong_links(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->linked, S_IFREG | 0644, 7, 0, 0, 0);
}

static void wrong_size_of_directory(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->dir, S_IFDIR | 0755, 2, 99, f->top.n, 1 + STORE_OTHER);
}

static void wrong_parent(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->dir, S_IFDIR | 0755, 2, 3, 4711, 1 + STORE_OTHER);
}

static void wrong_view(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->dir, S_IFDIR | 0755, 2, 3, f->top.n, 1);
}

static void view_of_a_session(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->top, S_IFDIR | 0755, 3, 1, STORE_ROOT_INO.n, 1 + STORE_CACHE);
}

static void wrong_counters(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.files[STORE_OTHER] = 5;
	record.logical = 1000;
	store_batch_put_session(b, &record);
}

static void name_of_nothing(struct store_batch *b, const struct fixture *f)
{
	add_name(b, sid, f->dir, "ghost", sid, (struct store_ino){9000}, S_IFREG);
}

static void name_of_two(struct store_batch *b, const struct fixture *f)
{
	struct store_dirent d = {.cookie = f->cookie + 1, .ino = f->linked, .session = sid, .type = S_IFREG,
		.name = "file", .name_len = 4};
	store_batch_put_dirent(b, sid, f->dir, &d);
}

static void file_without_a_name(struct store_batch *b, const struct fixture *f)
{
	store_batch_delete_dirent(b, sid, f->dir, f->cookie);
}

static void no_links_no_orphan(struct store_batch *b, const struct fixture *f)
{
	store_batch_delete_dirent(b, sid, f->dir, f->cookie);
	put_inode(b, sid, f->file, S_IFREG | 0644, 0, 8, 0, 0);
}

static void orphan_of_nothing(struct store_batch *b, const struct fixture *f)
{
	(void)f;
	store_batch_put_orphan(b, sid, (struct store_ino){9000});
}

static void orphan_with_a_name(struct store_batch *b, const struct fixture *f)
{
	store_batch_put_orphan(b, sid, f->file);
}

static void directory_without_a_record(struct store_batch *b, const struct fixture *f)
{
	store_batch_delete_inode(b, sid, f->dir);
}

static void session_without_a_record(struct store_batch *b, const struct fixture *f)
{
	(void)f;
	store_batch_delete_session(b, sid);
}

static void attribute_of_nothing(struct store_batch *b, const struct fixture *f)
{
	(void)f;
	store_batch_put_xattr(b, sid, (struct store_ino){9000}, "user.x", "y", 1);
}

static void attribute_untold(struct store_batch *b, const struct fixture *f)
{
	store_batch_put_xattr(b, sid, f->file, "user.x", "y", 1);
}

static void content_behind_the_end(struct store_batch *b, const struct fixture *f)
{
	store_batch_write(b, sid, f->file, 8, "more", 4);
}

static void content_of_nothing(struct store_batch *b, const struct fixture *f)
{
	(void)f;
	store_batch_write(b, sid, (struct store_ino){9000}, 0, "more", 4);
}

static void directories_in_a_ring(struct store_batch *b, const struct fixture *f)
{
	struct store_ino one = store_new_ino(b), two = store_new_ino(b);
	put_inode(b, sid, one, S_IFDIR | 0755, 3, 1, two.n, 0);
	put_inode(b, sid, two, S_IFDIR | 0755, 3, 1, one.n, 0);
	add_name(b, sid, one, "two", sid, two, S_IFDIR);
	add_name(b, sid, two, "one", sid, one, S_IFDIR);
	(void)f;
}

static void number_not_given_out(struct store_batch *b, const struct fixture *f)
{
	struct store_ino far = {1u << 30};
	put_inode(b, sid, far, S_IFREG | 0644, 1, 0, 0, 0);
	add_name(b, sid, f->dir, "far", sid, far, S_IFREG);
}

/* ---- damages to a session's life -------------------------------------------------------------------------------- */

static void put_ending(struct store_batch *b)
{
	struct store_ending ending = {
		.sid = sid, .name = "s", .name_len = 1, .created = 1000, .ended = 2000, .ending = 5};
	store_batch_put_ending(b, &ending);
}

static void leave_the_root(struct store_batch *b, const struct fixture *f)
{
	store_batch_delete_dirent(b, STORE_ROOT_SID, STORE_ROOT_INO, f->top_cookie);
	put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, S_IFDIR | 0755, 2, 0, 0, 0);
}

static void root_that_is_no_directory(struct store_batch *b, const struct fixture *f)
{
	leave_the_root(b, f);
	put_inode(b, STORE_ROOT_SID, STORE_ROOT_INO, S_IFREG | 0755, 3, 1, 0, 0);
}

static void session_that_is_no_directory(struct store_batch *b, const struct fixture *f)
{
	put_inode(b, sid, f->top, S_IFREG | 0755, 3, 1, STORE_ROOT_INO.n, 0);
}

static void put_ended(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.ended = 2000;
	record.until = 3000;
	record.ending = 5;
	store_batch_put_session(b, &record);
}

static void in_the_trash_with_a_name(struct store_batch *b, const struct fixture *f)
{
	put_ended(b, f);
	put_ending(b);
}

static void dropped_with_a_name(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.flags = STORE_SESSION_DROPPED;
	store_batch_put_session(b, &record);
}

static void in_the_trash_without_an_ending(struct store_batch *b, const struct fixture *f)
{
	leave_the_root(b, f);
	put_ended(b, f);
}

static void alive_with_an_ending(struct store_batch *b, const struct fixture *f)
{
	put_ending(b);
	(void)f;
}

static void unknown_settings(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.status = STORE_STATUSES;
	record.flags = 64;
	record.progress = 1000001;
	store_batch_put_session(b, &record);
}

static void alive_and_numbered(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.flags = STORE_SESSION_NUMBERED;
	store_batch_put_session(b, &record);
}

static void text_that_is_not_there(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	record.texts = 1;
	store_batch_put_session(b, &record);
}

static void put_text(struct store_batch *b, const struct fixture *f, const char *name)
{
	struct store_inode top = {.mode = S_IFDIR | 0755, .nlink = 3, .size = 1, .parent = STORE_ROOT_INO.n,
		.flags = STORE_INODE_HAS_XATTR};
	store_batch_put_inode(b, sid, f->top, &top);
	store_batch_put_xattr(b, sid, f->top, name, "text", 4);
}

static void text_untold(struct store_batch *b, const struct fixture *f)
{
	put_text(b, f, "sessfs.tags");
}

static void put_events(struct store_batch *b, const struct fixture *f, uint64_t first, uint64_t end, uint32_t lines)
{
	struct store_session record = session_of(f);
	record.first_event = first;
	record.end_event = end;
	record.event_lines = lines;
	store_batch_put_session(b, &record);
}

static void events_backwards(struct store_batch *b, const struct fixture *f)
{
	put_events(b, f, 20, 10, 1);
}

static void events_uncounted(struct store_batch *b, const struct fixture *f)
{
	put_events(b, f, 0, 5, 0);
	store_batch_write(b, sid, f->top, 0, "line\n", 5);
}

static void content_of_a_directory(struct store_batch *b, const struct fixture *f)
{
	store_batch_write(b, sid, f->dir, 0, "more", 4);
}

static void events_behind_their_end(struct store_batch *b, const struct fixture *f)
{
	put_events(b, f, 0, 5, 1);
	store_batch_write(b, sid, f->top, 0, "line\nmore\n", 10);
}

static void events_before_their_begin(struct store_batch *b, const struct fixture *f)
{
	uint64_t first = 3 * STORE_CHUNK_SIZE + 5;
	put_events(b, f, first, first + 5, 1);
	store_batch_write(b, sid, f->top, first, "line\n", 5);
	store_batch_write(b, sid, f->top, 2 * STORE_CHUNK_SIZE, "line\n", 5);
}

static void file_older_than_its_cache(struct store_batch *b, const struct fixture *f)
{
	struct store_session record = session_of(f);
	struct store_ino cache = store_new_ino(b), ino = store_new_ino(b);
	struct store_inode file = {.mode = S_IFREG | 0644, .nlink = 1, .mtime = 77};
	put_inode(b, sid, f->top, S_IFDIR | 0755, 4, 2, STORE_ROOT_INO.n, 0);
	add_name(b, sid, f->top, "cache", sid, cache, S_IFDIR);
	put_inode(b, sid, cache, S_IFDIR | 0755, 2, 1, f->top.n, 1 + STORE_CACHE);
	add_name(b, sid, cache, "file", sid, ino, S_IFREG);
	store_batch_put_inode(b, sid, ino, &file);
	record.files[STORE_CACHE] = 1;
	record.cache_oldest = 78;
	store_batch_put_session(b, &record);
}

static const struct damage {
	const char *what;
	void (*make)(struct store_batch *, const struct fixture *);
	unsigned invariant;
	uint64_t kept;
} damages[] = {
	{"wrong links", wrong_links, 5, 0},
	{"wrong size of a directory", wrong_size_of_directory, 5, 0},
	{"wrong parent", wrong_parent, 5, 0},
	{"wrong view", wrong_view, 11, 0},
	{"view of a session", view_of_a_session, 11, 0},
	{"wrong counters", wrong_counters, 11, 0},
	{"name of nothing", name_of_nothing, 4, 0},
	{"name of two", name_of_two, 4, 0},
	{"file without a name", file_without_a_name, 5, 1},
	{"no links, no orphan", no_links_no_orphan, 7, 0},
	{"orphan of nothing", orphan_of_nothing, 7, 0},
	{"orphan with a name", orphan_with_a_name, 7, 0},
	{"directory without a record", directory_without_a_record, 4, 0},
	{"session without a record", session_without_a_record, 10, 0},
	{"root that is no directory", root_that_is_no_directory, 3, 0},
	{"session that is no directory", session_that_is_no_directory, 4, 4},
	{"attribute of nothing", attribute_of_nothing, 13, 0},
	{"attribute untold", attribute_untold, 13, 0},
	{"content behind the end", content_behind_the_end, 12, 0},
	{"content of nothing", content_of_nothing, 12, 0},
	{"directories in a ring", directories_in_a_ring, 6, 2},
	{"number not given out", number_not_given_out, 14, 0},
	{"in the trash, with a name", in_the_trash_with_a_name, 15, 0},
	{"dropped, with a name", dropped_with_a_name, 16, 0},
	{"in the trash, without an ending", in_the_trash_without_an_ending, 17, 0},
	{"alive, with an ending", alive_with_an_ending, 17, 0},
	{"unknown settings", unknown_settings, 18, 0},
	{"alive, and numbered in the trash", alive_and_numbered, 18, 0},
	{"text that is not there", text_that_is_not_there, 19, 0},
	{"text untold", text_untold, 19, 0},
	{"events backwards", events_backwards, 20, 0},
	{"events uncounted", events_uncounted, 20, 0},
	{"content of a directory", content_of_a_directory, 12, 0},
	{"events behind their end", events_behind_their_end, 12, 0},
	{"events before their begin", events_before_their_begin, 12, 0},
	{"file older than its cache", file_older_than_its_cache, 21, 0},
};

/* In a process that dies: what is damaged stays as it is in the log, nobody goes on with it. */
static void damage_and_die(const struct damage *d, const struct fixture *f)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct store *s = open_store(f->path);
		struct store_batch *b;
		int r = store_batch_begin(s, STORE_SHRINK, 0, &b);
		if (r == 0) {
			d->make(b, f);
			r = store_batch_commit(b);
		}
		_exit(r != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void try_damage(const struct damage *d, const struct fixture *f)
{
	uint64_t invariants, left;
	damage_and_die(d, f);
	if (d->make != dropped_with_a_name)
		assert_int_equal(store_close(open_store(f->path)), 0);
	struct store_check_result found = check(f->path, false, &invariants), mended = check(f->path, true, &left);
	if (!(invariants >> d->invariant & 1) || invariants != left || mended.repaired != found.found ||
		mended.kept != d->kept)
		fail_msg("%s: invariants %llx, then %llx; found %llu, mended %llu, kept %llu", d->what,
			(unsigned long long)invariants, (unsigned long long)left, (unsigned long long)found.found,
			(unsigned long long)mended.repaired, (unsigned long long)mended.kept);
	assert_int_equal(check(f->path, false, &left).found, 0);
}

static void each_damage_is_found_and_mended(void **state)
{
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		struct fixture *f;
		setup((void **)&f);
		try_damage(&damages[i], f);
		teardown((void **)&f);
	}
	(void)state;
}

/* A session in the trash with texts and events; what a dropped one leaves: an orphan, content, half of its inodes. */
static void put_remains(struct store_batch *b, const struct fixture *f)
{
	const struct store_sid gone = store_new_sid(b);
	struct store_session record = {.sid = gone, .root = {3000}, .name = "x", .name_len = 1,
		.flags = STORE_SESSION_DROPPED};
	store_batch_put_session(b, &record);
	store_batch_put_orphan(b, gone, (struct store_ino){f->linked.n + 1});
	store_batch_write(b, gone, (struct store_ino){f->linked.n + 1}, 0, "content", 7);
	put_inode(b, gone, store_new_ino(b), S_IFREG, 5, 1000, 1, 1);
	record = session_of(f);
	record.ended = 2000;
	record.status = STORE_ARCHIVED;
	record.first_event = 2 * STORE_CHUNK_SIZE + 7;
	record.end_event = record.first_event + 5;
	record.event_lines = 1;
	record.texts = 1 | 16;
	store_batch_put_session(b, &record);
	put_ending(b);
	leave_the_root(b, f);
	put_text(b, f, "sessfs.query");
	put_text(b, f, "sessfs.tags");
	store_batch_write(b, sid, f->top, record.first_event - 7, "before line\n", 12);
}

static void a_sound_life_is_clean(void **state)
{
	struct fixture *f = *state;
	uint64_t invariants;
	char copy[80];
	for (int flushed = 0; flushed < 2; flushed++) {
		struct store *s = open_store(f->path);
		struct store_batch *b = begin(s, 100);
		if (!flushed)
			put_remains(b, f);
		assert_int_equal(store_batch_commit(b), 0);
		copy_store(f, copy);
		assert_int_equal(store_close(s), 0);
		assert_int_equal(check(copy, false, &invariants).found, 0);
		assert_int_equal(check(copy, true, &invariants).found, 0);
		shell("rm -rf %s", copy);
	}
	assert_int_equal(check(f->path, false, &invariants).sessions, 1);
}

static void what_is_kept_has_its_content(void **state)
{
	struct fixture *f = *state;
	struct store_dirent session, entry;
	uint64_t invariants;
	char name[32], content[8];
	struct store *s = open_store(f->path);
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_SHRINK, 0, &b), 0);
	file_without_a_name(b, f);
	assert_int_equal(store_batch_commit(b), 0);
	assert_int_equal(store_close(s), 0);
	assert_int_equal(check(f->path, true, &invariants).kept, 1);

	s = open_store(f->path);
	int len = snprintf(name, sizeof name, "#%llu", (unsigned long long)f->file.n);
	assert_int_equal(store_lookup(s, STORE_ROOT_SID, STORE_ROOT_INO, "lost+found", 10, &session), 0);
	assert_int_equal(store_lookup(s, session.session, session.ino, name, (size_t)len, &entry), 0);
	assert_int_equal(store_read(s, entry.session, entry.ino, 0, content, 8), 0);
	assert_memory_equal(content, "contents", 8);
	assert_int_equal(store_close(s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sound_store_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(an_open_store_is_checked_and_not_repaired, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_logs_hold_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sound_life_is_clean, setup, teardown),
		cmocka_unit_test(each_damage_is_found_and_mended),
		cmocka_unit_test_setup_teardown(what_is_kept_has_its_content, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
