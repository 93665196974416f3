/* sentence.c - see sentence.h. */
#include "mount/sentence.h"

#include <errno.h>
#include <string.h>

#include "mount/message.h"
#include "mount/path.h"
#include "store/store.h"

static void say_busy(const char *path, int pid)
{
	struct mounted m;

	if (mounted_store(path, &m)) {
		message_error("the store %s is in use by process %d, which has it mounted on %s; work there, or first "
			      "`sessfs umount %s`",
			path, pid, m.dir, m.dir);
		mounted_release(&m);
	} else {
		message_error("the store %s is in use by process %d; wait until that is done", path, pid);
	}
}

static void say_denied(const char *path, int error)
{
	if (error == EROFS)
		message_error("the store %s lies on a read-only filesystem; mount it with -o ro", path);
	else
		message_error("the store %s may not be opened (%s); it must belong to the user who mounts it: "
			      "`chown -R $(id -u) %s` as root",
			path, strerror(error), path);
}

void sentence_store(int r, const char *path, const struct store_open_info *info)
{
	const char *what = info->what ? info->what : "opening";

	if (r < 0) {
		message_error(
			"the store %s cannot be used: %s: %s", path, what, strerror(info->error ? info->error : -r));
		return;
	}
	switch ((enum store_result)r) {
	case STORE_BUSY:
		say_busy(path, info->pid);
		return;
	case STORE_NEWER:
		message_error(
			"the store %s has format %u, which a newer sessfs wrote; this one knows formats up to %u: "
			"update sessfs",
			path, info->format, STORE_FORMAT);
		return;
	case STORE_NOT_EMPTY:
		message_error(
			"%s is not a store, and not an empty directory that could become one; name another directory",
			path);
		return;
	case STORE_NO_DIR:
	case STORE_ABSENT:
		message_error(info->error == ENOTDIR ? "the store %s is not a directory; name another"
						     : "there is no store %s; `sessfs init %s` makes one",
			path, path);
		return;
	case STORE_DENIED:
		say_denied(path, info->error);
		return;
	case STORE_FULL:
		message_error("there is no space for the store %s (%s); free some on its disk", path, what);
		return;
	case STORE_READ_ONLY:
		message_error("the store %s is open for reading only", path);
		return;
	case STORE_DAMAGED:
		message_error("the store %s is damaged (%s); keep a copy and try `sessfs check --repair %s`", path,
			what, path);
		return;
	case STORE_OK:
		return;
	}
}
