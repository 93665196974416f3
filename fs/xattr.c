/*
 * xattr.c - extended attributes. POSIX ACLs are among them for the kernel; what they mean is in acl.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "fs/acl.h"
#include "fs/control.h"
#include "fs/error.h"
#include "fs/rules.h"
#include "fs/virtual.h"

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* EOPNOTSUPP for a namespace that is not kept. */
static int check_name(const char *name)
{
	static const char *const namespaces[] = {"user.", "trusted.", "security."};

	if (strlen(name) > STORE_XATTR_NAME_MAX)
		return ERANGE;
	if (acl_is_name(name))
		return 0;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		if (has_prefix(name, namespaces[i]))
			return name[strlen(namespaces[i])] ? 0 : EINVAL;
	return EOPNOTSUPP;
}

/* ENODATA without asking the store where the inode has none. */
static int load(struct node *node, const char *name, void **ret, size_t *ret_len)
{
	uint64_t flag = acl_is_name(name) ? STORE_INODE_HAS_ACL : STORE_INODE_HAS_XATTR;
	struct store *store = node->session->fs->store;
	int r = ENOENT;

	if (node->inode.flags & flag && !node->gone)
		r = error_of_store(store_get_xattr(store, node->session->sid, node->ino, name, ret, ret_len));
	return r == ENOENT ? ENODATA : r;
}

bool xattr_is_slow(struct fs *fs, struct fs_id id, const char *name)
{
	struct node *node;

	if (!virtual_is_name(name) || control_is_id(id))
		return false;
	FS_GUARD(fs);
	return !node_find(fs, id, &node) && virtual_is_slow(node, name);
}

int xattr_get(struct fs *fs, struct fs_id id, const char *name, char *buf, size_t size, size_t *ret)
{
	FS_GUARD(fs);
	struct node *node;
	void *value;
	size_t len;
	int r = check_name(name);

	if (!r && control_is_id(id))
		return ENODATA;
	if (!r)
		r = node_find(fs, id, &node);
	if (!r && virtual_is_name(name))
		return virtual_get(node, name, buf, size, ret);
	if (!r)
		r = load(node, name, &value, &len);
	if (r)
		return r;
	if (size && len > size)
		r = ERANGE;
	else if (size)
		memcpy(buf, value, len);
	free(value);
	if (!r)
		*ret = len;
	return r;
}

struct listing {
	char *buf;
	size_t size, used; /* used goes on counting beyond size */
	bool trusted;
};

static bool add_name(void *arg, const char *name, size_t len)
{
	struct listing *list = arg;

	if (len >= strlen("sessfs.") && has_prefix(name, "sessfs."))
		return false;
	if (!list->trusted && len >= strlen("trusted.") && has_prefix(name, "trusted."))
		return false;
	if (list->used + len + 1 <= list->size) {
		memcpy(list->buf + list->used, name, len);
		list->buf[list->used + len] = '\0';
	}
	list->used += len + 1;
	return false;
}

int xattr_list(struct fs *fs, const struct caller *caller, struct fs_id id, char *buf, size_t size, size_t *ret)
{
	FS_GUARD(fs);
	struct listing list = {.buf = buf, .size = size, .trusted = caller->uid == 0};
	struct node *node;
	int r;

	if (control_is_id(id)) {
		*ret = 0;
		return 0;
	}
	r = node_find(fs, id, &node);
	if (!r && !node->gone && node->inode.flags & (STORE_INODE_HAS_ACL | STORE_INODE_HAS_XATTR))
		r = error_of_store(store_scan_xattrs(fs->store, node->session->sid, node->ino, add_name, &list));
	if (r)
		return r == ENOENT ? ENODATA : r;
	if (size && list.used > size)
		return ERANGE;
	*ret = list.used;
	return 0;
}

/* Whether the flags of setxattr(2) allow it to be set. */
static int check_flags(struct node *node, const char *name, int flags)
{
	void *value = NULL;
	size_t len;
	int r;

	if (!(flags & (XATTR_CREATE | XATTR_REPLACE)))
		return 0;
	r = load(node, name, &value, &len);
	free(value);
	if (r && r != ENODATA)
		return r;
	if (flags & XATTR_CREATE && !r)
		return EEXIST;
	return flags & XATTR_REPLACE ? r : 0;
}

static int set_acl(struct node *node, const struct caller *caller, const char *name, const void *value, size_t len)
{
	bool access = strcmp(name, ACL_ACCESS) == 0;
	ACL_AUTO acl = {0}, other = {0};
	CHANGE_AUTO(c);
	int r = S_ISLNK(node->inode.mode) ? EOPNOTSUPP : acl_parse(value, len, &acl);

	if (!r && !access && !S_ISDIR(node->inode.mode))
		r = acl.value ? EACCES : 0;
	if (!r)
		r = acl_load(node, access ? ACL_DEFAULT : ACL_ACCESS, &other);
	if (!r)
		r = change_begin(&c, node->session, acl.value ? STORE_GROW : STORE_SHRINK, 0);
	if (r)
		return r;
	acl_set(&c, node, name, &acl, &other);
	if (access && node->inode.mode & S_ISGID && caller && caller->uid != 0
	    && !caller->in_group(caller, node->inode.gid))
		change_inode(&c, node)->mode &= ~(uint32_t)S_ISGID;
	change_inode(&c, node)->ctime = c.now;
	return change_commit(&c);
}

static int put(struct node *node, const char *name, const void *value, size_t len)
{
	CHANGE_AUTO(c);
	int r = change_begin(&c, node->session, STORE_GROW, len);

	if (r)
		return r;
	store_batch_put_xattr(c.batch, node->session->sid, node->ino, name, value, len);
	change_inode(&c, node)->flags |= STORE_INODE_HAS_XATTR;
	change_inode(&c, node)->ctime = c.now;
	return change_commit(&c);
}

int xattr_set(struct fs *fs, const struct caller *caller, struct fs_id id, const char *name, const void *value,
	size_t len, int flags)
{
	FS_GUARD(fs);
	struct node *node;
	int r = node_find(fs, id, &node);

	if (!r)
		r = check_name(name);
	if (!r && virtual_is_name(name))
		return virtual_set(node, caller, name, value, len, flags);
	if (!r && len > STORE_XATTR_SIZE_MAX)
		r = E2BIG;
	if (!r)
		r = node->gone ? ENOENT : check_flags(node, name, flags);
	if (r)
		return r;
	return acl_is_name(name) ? set_acl(node, caller, name, value, len) : put(node, name, value, len);
}

static int drop(struct node *node, const char *name)
{
	CHANGE_AUTO(c);
	int r = change_begin(&c, node->session, STORE_SHRINK, 0);

	if (r)
		return r;
	store_batch_delete_xattr(c.batch, node->session->sid, node->ino, name);
	change_inode(&c, node)->ctime = c.now;
	return change_commit(&c);
}

int xattr_remove(struct fs *fs, const struct caller *caller, struct fs_id id, const char *name)
{
	FS_GUARD(fs);
	struct node *node;
	void *value = NULL;
	size_t len;
	int r = node_find(fs, id, &node);

	if (!r)
		r = check_name(name);
	if (!r && virtual_is_name(name))
		return virtual_set(node, caller, name, "", 0, XATTR_REPLACE);
	if (!r)
		r = load(node, name, &value, &len);
	free(value);
	/* of an ACL the mode is what is left, so none is nothing that could be missing */
	if (r && !(r == ENODATA && acl_is_name(name) && !node->gone))
		return r;
	return acl_is_name(name) ? set_acl(node, NULL, name, NULL, 0) : drop(node, name);
}
