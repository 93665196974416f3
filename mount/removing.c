/* removing.c - see removing.h. */
#include "mount/removing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mount/following.h"
#include "mount/moment.h"

void removed_release(struct removed *removed)
{
	free(removed->name);
	*removed = (struct removed){0};
}

static int64_t kept_until(const struct place *place, const char *name)
{
	char *dir = place_trashed(place, name), *path = NULL;
	json_t *info = asprintf(&path, "%s/.session/info.json", dir) >= 0 ? json_read(path) : NULL;
	int64_t until = json_get_time(info, "until");

	json_decref(info);
	free(path);
	free(dir);
	return until;
}

void removing_find(int fd, const struct place *place, struct removed *ret)
{
	*ret = (struct removed){0};
	if (following_find(fd, place, &ret->name) != FOLLOWING_TRASH)
		removed_release(ret);
	ret->until = ret->name ? kept_until(place, ret->name) : 0;
	if (ret->until <= moment_now())
		removed_release(ret);
}

int removing_move(const struct place *place, struct removed *ret)
{
	char *from = place_path(place), *to = place_trashed(place, place->name);
	int fd = following_open(place);
	int error = fd >= 0 && rename(from, to) == 0 ? 0 : errno;

	if (!error)
		removing_find(fd, place, ret);
	if (fd >= 0)
		close(fd);
	free(from);
	free(to);
	return error;
}
