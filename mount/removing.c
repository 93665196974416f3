/* removing.c - see removing.h. */
#include "mount/removing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mount/moment.h"

void removed_release(struct removed *removed)
{
	free(removed->name);
	*removed = (struct removed){0};
}

/* By the session itself, whatever it is called now: its descriptor as a path. */
static int64_t kept_until(const char *session)
{
	char *path = NULL;
	json_t *info = asprintf(&path, "%s/.session/info.json", session) >= 0 ? json_read(path) : NULL;
	int64_t until = json_get_time(info, "until");

	json_decref(info);
	free(path);
	return until;
}

/* One of several of a name is called otherwise there. */
static struct removed find_removed(int fd)
{
	struct removed removed = {0};
	char session[32], name[NAME_MAX + 1];

	snprintf(session, sizeof session, "/proc/self/fd/%d", fd);
	ssize_t len = getxattr(session, "user.sessfs.trash_name", name, sizeof name);
	removed.until = len > 0 ? kept_until(session) : 0;
	if (removed.until > moment_now())
		removed.name = strndup(name, (size_t)len);
	return removed;
}

int removing_move(const struct place *place, struct removed *ret)
{
	char *from = place_path(place), *to = place_trashed(place, place->name);
	int fd = open(from, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = fd >= 0 && rename(from, to) == 0 ? 0 : errno;

	if (!error)
		*ret = find_removed(fd);
	if (fd >= 0)
		close(fd);
	free(from);
	free(to);
	return error;
}
