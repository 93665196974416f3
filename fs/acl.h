/*
 * acl.h - POSIX ACLs (acl(5)): kept as the extended attributes that the kernel hands over, in step with the mode.
 */
#pragma once

#include "fs/change.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

struct acl_entry;

/* An ACL as it is kept, with the entries that the permission bits show; group is the mask where there is one. */
struct acl {
	void *value; /* NULL: there is none */
	size_t len;
	struct acl_entry *user, *group, *other; /* in value */
	bool extended; /* says more than the permission bits */
};

/* The ACLs a new inode takes from its directory's default ACL. */
struct acl_inherited {
	struct acl access, def;
};

bool acl_is_name(const char *xattr);
/* The inode's ACL of that name. Damage is -EIO. */
int acl_load(struct node *, const char *name, struct acl *ret);
/* Takes a copy of a value that somebody wants to set. EINVAL if it is none; one without entries gives none. */
int acl_parse(const void *value, size_t len, struct acl *ret);
void acl_release(struct acl *);

/*
 * Applies the directory's default ACL, or without one the umask, to the mode of an inode that is about to be made in
 * it.
 */
int acl_inherit(struct node *dir, mode_t umask, mode_t *mode, struct acl_inherited *ret);
void acl_inherited_put(struct change *, struct node *, const struct acl_inherited *);
void acl_inherited_release(struct acl_inherited *);
/* Sets the permission bits, and with them the entries of its access ACL (from acl_load) that they show. */
void acl_chmod(struct change *, struct node *, struct acl *access, mode_t);
/* Sets an ACL (or removes it), and with the access ACL the mode. other: what acl_load gives for the other name. */
void acl_set(struct change *, struct node *, const char *name, const struct acl *, const struct acl *other);

#define ACL_AUTO __attribute__((cleanup(acl_release))) struct acl
