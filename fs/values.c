/*
 * values.c - see values.h.
 */
#include "fs/values.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/change.h"
#include "fs/error.h"

int value_get(struct fs *fs, const char *name, char **ret)
{
	void *data;
	size_t len;
	char *text;
	int r = error_of_store(store_get_xattr(fs->store, STORE_ROOT_SID, STORE_ROOT_INO, name, &data, &len));

	if (r)
		return r;
	text = strndup(data, len);
	free(data);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int value_set(struct fs *fs, const char *name, const char *text)
{
	CHANGE_AUTO(c);
	int r = change_begin(&c, fs->root->session, STORE_SHRINK, text ? strlen(text) : 0);

	if (r)
		return r;
	if (text)
		store_batch_put_xattr(c.batch, STORE_ROOT_SID, STORE_ROOT_INO, name, text, strlen(text));
	else
		store_batch_delete_xattr(c.batch, STORE_ROOT_SID, STORE_ROOT_INO, name);
	change_inode(&c, fs->root)->flags |= STORE_INODE_HAS_XATTR;
	return change_commit(&c);
}
