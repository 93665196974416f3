/*
 * control_change.c - names of control files that can be made, removed or renamed: links in .sessfs, sessions in the
 * trash. All others stay as they are; of a session whose .session is listed (show_control) removing them is answered as
 * done, or `rm -r`, which meets them, would leave the session.
 */
#include <errno.h>
#include <limits.h>

#include "fs/control_link.h"
#include "fs/dir.h"
#include "fs/fault.h"

int control_refuse(void)
{
	fault_explain("write into them; programs that replace a file by a new one, as sed -i does, cannot",
		"control files stay where they are");
	return EPERM;
}

int control_pass_over(struct session *session)
{
	if (session_is_root(session) || !session->fs->options.show_control)
		return control_refuse();
	return session_check_removal(session);
}

/* The directory of links. */
static bool takes_links(const struct control_node *dir)
{
	return dir->row == &content_root_dir;
}

/* A name that the table gives. */
static bool is_fixed(const struct control_node *dir, const char *name)
{
	const struct content_row *row = content_find(dir->row, name);

	return row && row->kind != CONTENT_LINK;
}

int control_make(struct fs *fs, struct fs_id id, const char *name, const struct creation *what, struct entry *ret)
{
	struct control_node *dir;
	int r = control_find_dir(fs, id, &dir);

	if (r)
		return r;
	if (!takes_links(dir) || !what->target)
		return control_refuse();
	if (is_fixed(dir, name))
		return EEXIST;
	if (strlen(name) > STORE_NAME_MAX || strlen(what->target) >= PATH_MAX)
		return ENAMETOOLONG;
	r = control_link_make(fs, name, what->target);
	return r ? r : control_lookup(fs, id, name, ret);
}

int control_unlink(struct fs *fs, struct fs_id id, const char *name)
{
	struct control_node *dir;
	int r = control_find_dir(fs, id, &dir);

	if (r)
		return r;
	if (takes_links(dir) && !is_fixed(dir, name))
		return control_link_remove(fs, name);
	return control_pass_over(dir->session);
}

int control_rmdir(struct fs *fs, struct fs_id id, const char *name)
{
	struct control_node *dir;
	int r = control_find_dir(fs, id, &dir);

	if (r)
		return r;
	if (dir->row->names && dir->row->names->remove)
		return dir->row->names->remove(fs, name);
	return control_pass_over(dir->session);
}

static int enter(struct fs *fs, struct fs_id from, const char *name, const struct control_node *to, const char *to_name,
	unsigned flags)
{
	const struct content_names *names = to->row->names;

	if (!names || !names->enter)
		return control_refuse();
	return names->enter(fs, from, name, (struct fs_id){to->id}, to_name, flags);
}

static int leave(struct fs *fs, const struct control_node *from, const char *name, struct fs_id to, const char *to_name,
	unsigned flags)
{
	const struct content_names *names = from->row->names;

	return names && names->leave ? names->leave(fs, name, to, to_name, flags) : control_refuse();
}

int control_rename(struct fs *fs, struct fs_id from, const char *name, struct fs_id to, const char *to_name,
	unsigned flags)
{
	struct control_node *from_dir = NULL, *to_dir = NULL;
	int r = control_is_id(from) ? control_find_dir(fs, from, &from_dir) : 0;

	if (!r && control_is_id(to))
		r = control_find_dir(fs, to, &to_dir);
	if (r)
		return r;
	if (!from_dir)
		return enter(fs, from, name, to_dir, to_name, flags);
	if (!to_dir)
		return leave(fs, from_dir, name, to, to_name, flags);
	if (from_dir != to_dir || !takes_links(from_dir) || flags || is_fixed(from_dir, name)
	    || is_fixed(from_dir, to_name))
		return control_refuse();
	return control_link_rename(fs, name, to_name);
}
