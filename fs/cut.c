/*
 * cut.c - see cut.h.
 */
#include "fs/cut.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/control.h"
#include "fs/dir.h"
#include "fs/serve.h"
#include "fs/visit.h"

/* A LOOKUP of such a name, behind it the number of a file, is answered when the kernel has written all its pages. */
#define FLUSH 'w'
enum { TRIES = 16, PAUSE_NS = 500000 };
#define CUT_DIR_ID (CONTROL_ID_FILES - 1)

int cut_check(const struct node *node, uint64_t end)
{
	return end > node->inode.size ? node->refused : 0;
}

bool cut_begin(struct node *node, int result, uint64_t end)
{
	struct fs *fs = node->session->fs;

	fs_assert_locked(fs);
	if (end <= node->inode.size || node->refused)
		return node->refused;
	if (!visit_cut(fs, node->session->sid, node->ino))
		return false;
	node->refused = result;
	fs->cuts++;
	fs->launders = true;
	return true;
}

void cut_end(struct fs *fs, struct store_ino ino, bool begins_again)
{
	struct node *node;

	fs->cuts--;
	if (!begins_again && !node_find(fs, fs_id_of_ino(ino), &node))
		node->refused = 0;
}

/* ---- what the process asks --------------------------------------------------------------------------------------- */

static struct entry made_up_dir(void)
{
	return (struct entry){.id = {CUT_DIR_ID}, .attr_timeout = RULES_FOREVER, .attr = {.st_ino = CUT_DIR_ID,
		.st_mode = S_IFDIR | 0700, .st_nlink = 2, .st_uid = geteuid(), .st_gid = getegid()}};
}

bool cut_attr(struct fs_id id, struct stat *ret, double *ret_timeout)
{
	if (id.n != CUT_DIR_ID)
		return false;
	*ret = made_up_dir().attr;
	*ret_timeout = RULES_FOREVER;
	return true;
}

/* The kernel is to know the file by that name no longer than it is used. */
static int find_file(struct fs *fs, const char *number, struct entry *ret)
{
	FS_GUARD(fs);
	struct node *node;
	int r = node_find(fs, (struct fs_id){strtoull(number, NULL, 10)}, &node);

	if (r || !node->refused)
		return ENOENT;
	dir_refer(node, ret);
	ret->entry_timeout = 0;
	return 0;
}

bool cut_is_slow(struct fs_id dir, const char *name)
{
	return dir.n == CUT_DIR_ID && *name == FLUSH;
}

bool cut_finds(struct fs *fs, struct fs_id dir, const char *name, struct entry *ret_entry, int *ret)
{
	if (cut_is_slow(dir, name)) {
		if (serve_may_wait())
			serve_forget_content(fs, (struct fs_id){strtoull(name + 1, NULL, 10)});
		*ret = ENOENT;
		return true;
	}
	if (dir.n == CUT_DIR_ID) {
		*ret = find_file(fs, name, ret_entry);
		return true;
	}
	if (dir.n != STORE_ROOT_INO.n || strcmp(name, CUT_DIR) != 0)
		return false;
	FS_GUARD(fs);
	if (!visit_is_caller(fs))
		return false;
	*ret_entry = made_up_dir();
	*ret = 0;
	return true;
}

bool cut_answers(struct node *node, unsigned fields, int *ret)
{
	if (!node->refused || !(fields & ATTR_SIZE) || !visit_is_caller(node->session->fs))
		return false;
	*ret = fields & ATTR_MTIME ? EAGAIN : 0;
	if (!*ret)
		node->refused = 0; /* what is refused from now on is to be cut once more */
	return true;
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

bool cut_run(const char *number)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	char flush[32] = {FLUSH};
	struct stat attr;

	memcpy(flush + 1, number, strlen(number) + 1);
	for (int tries = 0; tries < TRIES; tries++) {
		if (lstat(number, &attr))
			return true;
		(void)!access(flush, F_OK);
		if (!truncate(number, attr.st_size) || errno != EAGAIN)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}
