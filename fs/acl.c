/*
 * acl.c - see acl.h. The format is that of linux/posix_acl_xattr.h: a version, then entries ordered by tag,
 * little-endian.
 */
#include "fs/acl.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/error.h"

enum { ACL_VERSION = 2 };
enum acl_tag { ACL_USER_OBJ = 1, ACL_USER = 2, ACL_GROUP_OBJ = 4, ACL_GROUP = 8, ACL_MASK = 16, ACL_OTHER = 32 };

struct acl_header {
	uint32_t version;
};
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

bool acl_is_name(const char *xattr)
{
	return strcmp(xattr, ACL_ACCESS) == 0 || strcmp(xattr, ACL_DEFAULT) == 0;
}

/* Finds the entries in a value of whole entries; false if it is no valid ACL. */
static bool find_entries(struct acl *acl)
{
	struct acl_entry *entry = (struct acl_entry *)((char *)acl->value + sizeof(struct acl_header));
	struct acl_entry *end = (struct acl_entry *)((char *)acl->value + acl->len), *mask = NULL;

	for (; entry < end; entry++) {
		if (le16toh(entry->perm) > 7)
			return false;
		switch (le16toh(entry->tag)) {
		case ACL_USER_OBJ:
			acl->user = entry;
			break;
		case ACL_GROUP_OBJ:
			acl->group = entry;
			break;
		case ACL_OTHER:
			acl->other = entry;
			break;
		case ACL_MASK:
			mask = entry;
			break;
		case ACL_USER:
		case ACL_GROUP:
			acl->extended = true;
			break;
		default:
			return false;
		}
	}
	if (!acl->user || !acl->group || !acl->other || (acl->extended && !mask))
		return false;
	if (mask) {
		acl->group = mask;
		acl->extended = true;
	}
	return true;
}

/* Takes the value over, also when it is refused. */
static bool acl_take(void *value, size_t len, struct acl *ret)
{
	const struct acl_header *header = value;
	struct acl acl = {.value = value, .len = len};

	if (len < sizeof(*header) || (len - sizeof(*header)) % sizeof(struct acl_entry)
	    || le32toh(header->version) != ACL_VERSION || !find_entries(&acl)) {
		free(value);
		return false;
	}
	*ret = acl;
	return true;
}

int acl_parse(const void *value, size_t len, struct acl *ret)
{
	void *copy;

	if (len <= sizeof(struct acl_header)) {
		*ret = (struct acl){0};
		return 0;
	}
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, len);
	return acl_take(copy, len, ret) ? 0 : EINVAL;
}

void acl_release(struct acl *acl)
{
	free(acl->value);
	*acl = (struct acl){0};
}

static mode_t acl_mode(const struct acl *acl)
{
	return (mode_t)(le16toh(acl->user->perm) << 6 | le16toh(acl->group->perm) << 3 | le16toh(acl->other->perm));
}

static void acl_apply_mode(struct acl *acl, mode_t mode)
{
	acl->user->perm = htole16(mode >> 6 & 7);
	acl->group->perm = htole16(mode >> 3 & 7);
	acl->other->perm = htole16(mode & 7);
}

int acl_load(struct node *node, const char *name, struct acl *ret)
{
	struct store *store = node->session->fs->store;
	void *value;
	size_t len;
	int r = ENOENT;

	if (node->inode.flags & STORE_INODE_HAS_ACL && !node->gone)
		r = error_of_store(store_get_xattr(store, node->session->sid, node->ino, name, &value, &len));
	if (r == ENOENT) {
		*ret = (struct acl){0};
		return 0;
	}
	if (r)
		return r;
	return acl_take(value, len, ret) ? 0 : -EIO;
}

int acl_inherit(struct node *dir, mode_t umask, mode_t *mode, struct acl_inherited *ret)
{
	mode_t bits;
	int r;

	*ret = (struct acl_inherited){0};
	if (S_ISLNK(*mode))
		return 0;
	r = acl_load(dir, ACL_DEFAULT, &ret->access);
	if (r)
		return r;
	if (!ret->access.value) {
		*mode &= ~umask;
		return 0;
	}
	if (S_ISDIR(*mode)) {
		r = acl_parse(ret->access.value, ret->access.len, &ret->def);
		if (r)
			return r;
	}
	bits = acl_mode(&ret->access) & *mode & 0777;
	acl_apply_mode(&ret->access, bits);
	*mode = (*mode & ~(mode_t)0777) | bits;
	if (!ret->access.extended)
		acl_release(&ret->access);
	return 0;
}

static void put(struct change *c, struct node *node, const char *name, const struct acl *acl)
{
	if (!acl->value)
		return;
	store_batch_put_xattr(c->batch, node->session->sid, node->ino, name, acl->value, acl->len);
	change_inode(c, node)->flags |= STORE_INODE_HAS_ACL;
}

void acl_inherited_put(struct change *c, struct node *node, const struct acl_inherited *acl)
{
	put(c, node, ACL_ACCESS, &acl->access);
	put(c, node, ACL_DEFAULT, &acl->def);
}

void acl_inherited_release(struct acl_inherited *acl)
{
	acl_release(&acl->access);
	acl_release(&acl->def);
}

void acl_chmod(struct change *c, struct node *node, struct acl *access, mode_t mode)
{
	struct store_inode *inode = change_inode(c, node);

	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	if (!access->value)
		return;
	acl_apply_mode(access, mode);
	put(c, node, ACL_ACCESS, access);
}

void acl_set(struct change *c, struct node *node, const char *name, const struct acl *acl, const struct acl *other)
{
	struct store_inode *inode = change_inode(c, node);
	bool access = strcmp(name, ACL_ACCESS) == 0;

	if (access && acl->value)
		inode->mode = (inode->mode & ~0777u) | acl_mode(acl);
	if (acl->value && (!access || acl->extended)) {
		put(c, node, name, acl);
		return;
	}
	store_batch_delete_xattr(c->batch, node->session->sid, node->ino, name);
	if (!other->value)
		inode->flags &= ~(uint64_t)STORE_INODE_HAS_ACL;
}
