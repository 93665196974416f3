/*
 * control_dir.c - names of control files: looking them up, listing them.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <xxhash.h>

#include "fs/control_link.h"
#include "fs/cut.h"
#include "fs/dir.h"

/* Places in a listing: "." and "..", fixed names, links that are being made, made-up names. */
enum { PLACE_ROWS = 2, PLACE_LINKS = PLACE_ROWS + CONTENT_ROWS, PLACE_MADE = 1024 };

static struct content_dir content_dir_of(const struct control_node *node)
{
	return (struct content_dir){node->session, node->row, node->word ? node->word : ""};
}

static bool is_top(const struct content_row *row)
{
	return row == &content_session_dir || row == &content_root_dir;
}

/* By its path below .sessfs or .session. */
static uint64_t ino_below(uint64_t dir, const char *name)
{
	uint64_t hash = XXH3_64bits_withSeed(name, strlen(name), dir);

	return CONTROL_INO_MADE + (hash & (CONTROL_INO_MADE - CONTROL_ID_FIRST - 1));
}

static uint64_t made_ino(const struct control_node *dir, const char *name)
{
	return ino_below(dir->ino, name);
}

struct fs_id control_trash_id(void)
{
	return (struct fs_id){ino_below(CONTROL_ID_FIRST, "trash")};
}

static uint64_t ino_of_row(const struct control_node *dir, const struct content_row *row)
{
	if (!is_top(dir->row) || row->kind == CONTENT_DIR)
		return made_ino(dir, row->name);
	return CONTROL_INO_FILES + (uint64_t)dir->session->sid.n * CONTENT_ROWS + (uint64_t)(row - dir->row->rows);
}

int control_lookup_dir(struct fs *fs, struct session *session, struct entry *ret)
{
	const struct content_row *row = session_is_root(session) ? &content_root_dir : &content_session_dir;
	struct fs_id id = {CONTROL_ID_FIRST + session->sid.n};
	struct control_node *node;

	if (control_find(fs, id, &node)) {
		int r = control_new(session, row, id.n, id.n, &node);

		if (r)
			return r;
	}
	return control_refer(node, ret);
}

/* A directory below .sessfs or .session: the node that there is, or a new one. */
static int refer_dir(struct control_node *dir, const struct content_row *row, uint64_t ino, const char *word,
	struct entry *ret)
{
	struct control_node *node;
	int r;

	if (control_find(dir->session->fs, (struct fs_id){ino}, &node) == 0)
		return control_refer(node, ret);
	r = control_new(dir->session, row, ino, ino, &node);
	if (r)
		return r;
	node->word = strdup(word);
	if (!node->word) {
		control_free(node);
		return -ENOMEM;
	}
	return control_refer(node, ret);
}

static int make_link(const struct content_row *row, struct session *session, char **ret, size_t *ret_len)
{
	char target[PATH_MAX];
	int r = row->target(session, target, sizeof(target));

	if (r)
		return r;
	*ret = strdup(target);
	*ret_len = strlen(target);
	return *ret ? 0 : -ENOMEM;
}

/* A new node that holds what there is now. of: the session that a link leads to, else that of the directory. */
static int refer_content(struct control_node *dir, const struct content_row *row, uint64_t ino, struct session *of,
	struct entry *ret)
{
	SESSION_AUTO session = session_ref(dir->session); /* dir may go while a slow row is made */
	struct control_node *node;
	char *text = NULL;
	size_t len = 0;
	int r;

	forget_settle(session->fs);
	if (row->kind == CONTENT_LINK)
		r = make_link(row, of, &text, &len);
	else if (row->kind == CONTENT_STREAM)
		r = 0;
	else
		r = content_make(row, session, &text, &len);
	if (!r)
		r = control_new(session, row, 0, ino, &node);
	if (r) {
		free(text);
		return r;
	}
	node->text = text;
	node->len = len;
	if (row->kind == CONTENT_STREAM)
		control_stream_begin(node);
	return control_refer(node, ret);
}

/* A session's own directory; the kernel is to ask for it again. */
static int refer_session(struct fs *fs, struct session *session, struct entry *ret)
{
	NODE_AUTO node = NULL;
	int r = node_load(fs, session->sid, session->record.root, &node);

	if (r)
		return r;
	dir_refer(node, ret);
	ret->entry_timeout = 0;
	return 0;
}

static int refer_made(struct control_node *dir, const char *name, const struct content_name *made, struct entry *ret)
{
	struct fs *fs = dir->session->fs;
	uint64_t ino = made_ino(dir, name);
	struct session *session;
	int r;

	if (!made->sid.n)
		return refer_dir(dir, made->row, ino, name, ret);
	r = session_get(fs, made->sid, &session);
	if (r)
		return r;
	r = made->row ? refer_content(dir, made->row, ino, session, ret) : refer_session(fs, session, ret);
	session_put(session);
	return r;
}

static const struct content_row link_row = {.name = "link", .kind = CONTENT_LINK};

/* A link that waits to become `current`. */
static int refer_link(struct control_node *dir, const struct control_link *link, struct entry *ret)
{
	struct control_node *node;
	char *target = strdup(link->target);
	int r = target ? control_new(dir->session, &link_row, 0, made_ino(dir, link->name), &node) : -ENOMEM;

	if (r) {
		free(target);
		return r;
	}
	node->text = target;
	node->len = strlen(target);
	return control_refer(node, ret);
}

static int lookup_made(struct control_node *dir, const char *name, struct entry *ret)
{
	struct content_dir place = content_dir_of(dir);
	struct control_link *link;
	struct content_name made;
	int r = dir->row->names ? dir->row->names->find(&place, name, &made) : ENOENT;

	if (dir->row == &content_root_dir && control_link_find(dir->session->fs, name, &link) == 0)
		return refer_link(dir, link, ret);
	return r ? r : refer_made(dir, name, &made, ret);
}

int control_lookup(struct fs *fs, struct fs_id id, const char *name, struct entry *ret)
{
	const struct content_row *row;
	struct control_node *dir;
	int r = control_find_dir(fs, id, &dir);

	if (r)
		return r;
	if (strlen(name) > STORE_NAME_MAX)
		return ENAMETOOLONG;
	row = content_find(dir->row, name);
	if (!row)
		r = lookup_made(dir, name, ret);
	else if (row->kind == CONTENT_DIR)
		r = refer_dir(dir, row, ino_of_row(dir, row), row->name, ret);
	else
		r = refer_content(dir, row, ino_of_row(dir, row), dir->session, ret);
	if (r != ENOENT)
		return r;
	*ret = (struct entry){.id = {0}}; /* no such name, now */
	return 0;
}

/* A directory that is slow to list is slow to look for a made-up name in. */
static bool is_slow(struct fs *fs, struct fs_id id, const char *name)
{
	const struct content_row *row;
	struct control_node *dir;

	if (control_find_dir(fs, id, &dir))
		return false;
	row = *name ? content_find(dir->row, name) : NULL;
	if (row && row->flags & CONTENT_SUMS)
		return session_is_large(dir->session);
	return (row ? row->kind != CONTENT_DIR && row->flags & CONTENT_SLOW : dir->row->flags & CONTENT_SLOW);
}

bool rules_is_slow(struct fs *fs, struct fs_id id, const char *name)
{
	if (!control_is_id(id))
		return !*name && dir_is_slow(fs, id);
	if (cut_is_slow(id, name))
		return true;
	FS_GUARD(fs);
	return is_slow(fs, id, name);
}

static mode_t type_of(const struct content_row *row)
{
	return !row || row->kind == CONTENT_DIR ? S_IFDIR : row->kind == CONTENT_LINK ? S_IFLNK : S_IFREG;
}

struct listing {
	const struct control_node *dir;
	dir_add add;
	void *arg;
	bool full;
};

static bool add_name(struct listing *list, const char *name, uint64_t ino, mode_t type, uint64_t next)
{
	struct entry entry = {.attr = {.st_ino = ino, .st_mode = type}};

	list->full |= !list->add(list->arg, name, &entry, next);
	return list->full;
}

static bool add_made(void *arg, const struct content_name *made, uint64_t next)
{
	struct listing *list = arg;

	uint64_t ino = made->row ? made_ino(list->dir, made->name) : made->ino.n;

	return add_name(list, made->name, ino, type_of(made->row), PLACE_MADE + next);
}

/* A link need not lead anywhere. */
static bool is_there(const struct control_node *dir, const struct content_row *row)
{
	char target[PATH_MAX];

	return row->kind != CONTENT_LINK || row->target(dir->session, target, sizeof(target)) == 0;
}

static void list_fixed(struct listing *list, uint64_t from)
{
	const struct control_node *dir = list->dir;

	if (from < 1 && add_name(list, ".", dir->id, S_IFDIR, 1))
		return;
	if (from < PLACE_ROWS && add_name(list, "..", dir->id, S_IFDIR, PLACE_ROWS))
		return;
	for (uint64_t at = from < PLACE_ROWS ? PLACE_ROWS : from; at < PLACE_LINKS && dir->row->rows; at++) {
		const struct content_row *row = &dir->row->rows[at - PLACE_ROWS];

		if (!row->name)
			return;
		if (is_there(dir, row) && add_name(list, row->name, ino_of_row(dir, row), type_of(row), at + 1))
			return;
	}
}

static void list_links(struct listing *list, uint64_t from)
{
	const struct control_node *dir = list->dir;
	uint64_t place = PLACE_LINKS;

	for (const struct control_link *link = dir->session->fs->links; link; link = link->next)
		if (++place > from && add_name(list, link->name, made_ino(dir, link->name), S_IFLNK, place))
			return;
}

int control_list(struct fs *fs, struct fs_id id, uint64_t from, dir_add add, void *arg)
{
	struct control_node *node;
	struct content_dir dir;
	struct listing list = {.add = add, .arg = arg};
	int r = control_find_dir(fs, id, &node);

	if (r)
		return r;
	list.dir = node;
	if (from < PLACE_LINKS)
		list_fixed(&list, from);
	if (!list.full && from < PLACE_MADE && node->row == &content_root_dir)
		list_links(&list, from);
	if (list.full || !node->row->names)
		return 0;
	dir = content_dir_of(node);
	return node->row->names->list(&dir, from < PLACE_MADE ? 0 : from - PLACE_MADE, add_made, &list);
}
