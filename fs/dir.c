/*
 * dir.c - looking up names.
 */
#include "fs/dir.h"

#include <errno.h>

#include "fs/attr.h"
#include "fs/cache_expiry.h"
#include "fs/control.h"
#include "fs/cut.h"
#include "fs/error.h"
#include "fs/expiry.h"
#include "fs/fault.h"
#include "fs/visit.h"

int dir_find(struct fs *fs, struct fs_id id, const char *name, struct node **ret)
{
	struct node *dir;
	int r = node_find(fs, id, &dir);

	if (r)
		return r;
	if (!S_ISDIR(dir->inode.mode))
		return ENOTDIR;
	if (dir->gone)
		return ENOENT;
	if (strlen(name) > STORE_NAME_MAX)
		return ENAMETOOLONG;
	*ret = dir;
	return 0;
}

bool dir_is_hidden(const struct node *dir, const char *name)
{
	if (node_is_root(dir))
		return strcmp(name, CONTROL_ROOT_NAME) == 0;
	return node_is_session(dir) && strcmp(name, CONTROL_SESSION_NAME) == 0;
}

int dir_refuse_in_root(void)
{
	fault_explain("make it in a session; mkdir NAME makes one",
		"the root holds sessions only: directories whose names do not begin with a dot");
	return EPERM;
}

static void remember_absent(struct fs *fs, const struct node *dir, const char *name, size_t len)
{
	fs->absent.dir = dir->ino.n;
	fs->absent.name_len = (uint32_t)len;
	memcpy(fs->absent.name, name, len);
}

int dir_find_name(struct node *dir, const char *name, struct store_dirent *ret)
{
	struct fs *fs = dir->session->fs;
	struct fs_absent *absent = &fs->absent;
	size_t len = strlen(name);
	int r;

	if (absent->dir == dir->ino.n && absent->name_len == len && memcmp(absent->name, name, len) == 0)
		return ENOENT;
	r = error_of_store(store_lookup(fs->store, dir->session->sid, dir->ino, name, len, ret));
	if (r == ENOENT)
		remember_absent(fs, dir, name, len);
	if (!r && node_is_root(dir) && !ret->session.n)
		return -EIO; /* a damaged record: the root's names are sessions */
	return r;
}

struct store_dirent dir_entry_of(struct store_sid sid, struct store_ino ino, mode_t type, const char *name)
{
	struct store_dirent entry = {.ino = ino, .session = sid, .type = type, .name_len = (uint32_t)strlen(name)};

	memcpy(entry.name, name, entry.name_len + 1);
	return entry;
}

struct store_dirent dir_entry(const struct node *node, const char *name)
{
	return dir_entry_of(node->session->sid, node->ino, node->inode.mode & S_IFMT, name);
}

void dir_set_parent(struct store_inode *inode, const struct node *dir, const char *name)
{
	inode->parent = dir->ino.n;
	inode->view = node_is_session(dir) ? 1 + (uint64_t)view_of_name(name) : 0;
}

int dir_view(struct node *dir, const char *name, mode_t mode, enum store_view *ret)
{
	if (!node_is_session(dir))
		return node_view(dir, ret);
	*ret = S_ISDIR(mode) ? view_of_name(name) : STORE_OTHER;
	return 0;
}

void dir_refer(struct node *node, struct entry *ret)
{
	attr_fill(node, &ret->attr, &ret->attr_timeout);
	ret->id = fs_id_of_ino(node->ino);
	ret->entry_timeout = RULES_FOREVER;
	if (node_is_session(node))
		ret->entry_timeout = expiry_timeout(node->session->fs, node->session->sid);
	node->nlookup++;
	node->taken = false;
	node->session->referred = session_clock();
}

void dir_refer_in(struct node *dir, struct node *node, struct entry *ret)
{
	dir_refer(node, ret);
	if (ret->entry_timeout == RULES_FOREVER)
		ret->entry_timeout = cache_expiry_timeout(dir, node);
}

/* A file of cache/ may be over. */
static int decide(struct node *dir, struct store_dirent *found)
{
	switch (cache_expiry_lookup(dir, found)) {
	case EXPIRY_ASK_AGAIN:
		return ESTALE;
	case EXPIRY_GONE:
		return ENOENT;
	case EXPIRY_STAYS:
		break;
	}
	return 0;
}

static int lookup_name(struct node *dir, const char *name, struct entry *ret)
{
	struct store_dirent found;
	NODE_AUTO node = NULL;
	int r = dir_find_name(dir, name, &found);

	if (!r)
		r = decide(dir, &found);
	if (r == ENOENT) {
		*ret = (struct entry){
			.entry_timeout = node_is_root(dir) || visit_has_news(dir->session->fs) ? 0 : RULES_FOREVER};
		return 0;
	}
	if (!r)
		r = node_load(dir->session->fs, found.session, found.ino, &node);
	if (!r)
		dir_refer_in(dir, node, ret);
	return r;
}

/* A name of the root: of a session that may be over. */
static int lookup_session(struct fs *fs, const char *name, struct entry *ret)
{
	struct store_dirent found;

	if (!dir_find_name(fs->root, name, &found))
		switch (expiry_lookup(fs, found.session, found.ino)) {
		case EXPIRY_ASK_AGAIN:
			return ESTALE;
		case EXPIRY_GONE:
		case EXPIRY_STAYS:
			break;
		}
	return lookup_name(fs->root, name, ret);
}

static int look_up(struct fs *fs, struct fs_id id, const char *name, struct entry *ret)
{
	FS_GUARD(fs);
	struct node *dir;
	int r;

	if (control_is_id(id))
		return control_lookup(fs, id, name, ret);
	r = dir_find(fs, id, name, &dir);
	if (r || visit_answers(dir, name, ret, &r))
		return r;
	if (dir_is_hidden(dir, name))
		return control_lookup_dir(fs, node_is_root(dir) ? fs->root->session : dir->session, ret);
	return node_is_root(dir) ? lookup_session(fs, name, ret) : lookup_name(dir, name, ret);
}

int dir_lookup(struct fs *fs, struct fs_id id, const char *name, struct entry *ret)
{
	int r;

	return cut_finds(fs, id, name, ret, &r) ? r : look_up(fs, id, name, ret);
}
