/*
 * virtual.h - the extended attributes user.sessfs.*, which are made up:
 *
 *   of a session's directory   status expires_at pin (as the control files of these names, less the newline),
 *                              name (in its own bytes, which JSON may not be able to tell; in the trash: its former
 *                              one), trash_name (in the trash), stored_bytes compression_ratio
 *   of what lies in it         created_at created_by (pid, uid, command) stored_bytes
 *
 * They are found by name and not listed: programs that copy attributes (cp -a, rsync -X, tar --xattrs) copy what is
 * listed, and would fail to set those that are only read. A program's own attributes have other names: setting another
 * user.sessfs.* is EPERM. Called with fs->lock held.
 */
#pragma once

#include "fs/rules.h"

bool virtual_is_name(const char *name);
/* Its value may take long, see session_is_large. */
bool virtual_is_slow(const struct node *, const char *name);
/* As xattr_get; ENODATA. */
int virtual_get(struct node *, const char *name, char *buf, size_t size, size_t *ret);
/*
 * As xattr_set. An empty value takes away what was set, where that means something; EPERM for those only read, EACCES
 * for who is neither the owner nor root.
 */
int virtual_set(struct node *, const struct caller *, const char *name, const char *value, size_t len, int flags);
