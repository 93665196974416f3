/* following.c - see following.h. */
#include "mount/following.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int following_open(const struct place *place)
{
	char *path = place_path(place);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(path);
	return fd;
}

/* NULL if it has no such attribute. */
static char *get_name(int fd, const char *attribute)
{
	char path[32], name[NAME_MAX + 1];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* O_PATH takes no fgetxattr(2) */
	ssize_t len = getxattr(path, attribute, name, sizeof name);
	return len > 0 ? strndup(name, (size_t)len) : NULL;
}

static bool is_at(int fd, const struct place *place)
{
	char *path = place_path(place);
	struct stat here, there;
	bool same = fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino
		    && here.st_dev == there.st_dev;

	free(path);
	return same;
}

static bool is_mounted(const struct place *place)
{
	struct place root = {.mount = place->mount};
	char *path = place_control(&root, "version");
	bool found = access(path, F_OK) == 0 || errno == EACCES;

	free(path);
	return found;
}

enum following following_find(int fd, const struct place *place, char **ret_name)
{
	char *name = get_name(fd, "user.sessfs.trash_name");

	*ret_name = name;
	if (name)
		return FOLLOWING_TRASH;
	if (!is_mounted(place)) /* the kernel may remember it nevertheless */
		return FOLLOWING_LOST;
	name = get_name(fd, "user.sessfs.name");
	struct place now = {.mount = place->mount, .name = name ? name : place->name};
	if (is_at(fd, &now)) {
		*ret_name = name ? name : strdup(place->name);
		return FOLLOWING_ALIVE;
	}
	free(name);
	return FOLLOWING_GONE;
}
