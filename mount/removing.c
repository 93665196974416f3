/* removing.c - see removing.h. */
#include "mount/removing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mount/moment.h"

void removed_release(struct removed *removed)
{
	free(removed->name);
	*removed = (struct removed){0};
}

/* The name of an inode in the trash, in its own bytes, for the caller to free; NULL: it is not there. */
static char *find_name(const struct place *place, ino_t ino)
{
	char *dir = place_trashed(place, ""), *name = NULL;
	DIR *d = opendir(dir);
	const struct dirent *e;

	free(dir);
	while (d && !name && (e = readdir(d)))
		if (e->d_ino == ino)
			name = strdup(e->d_name);
	if (d)
		closedir(d);
	return name;
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

/* One of several of a name is called otherwise there. */
static struct removed find_removed(const struct place *place, ino_t ino)
{
	struct removed removed = {0};
	char *path = place_trashed(place, place->name);
	struct stat st;

	removed.name = lstat(path, &st) == 0 && st.st_ino == ino ? strdup(place->name) : find_name(place, ino);
	free(path);
	removed.until = removed.name ? kept_until(place, removed.name) : 0;
	if (removed.until <= moment_now())
		removed_release(&removed);
	return removed;
}

int removing_move(const struct place *place, struct removed *ret)
{
	char *from = place_path(place), *to = place_trashed(place, place->name);
	struct stat st;
	int error = lstat(from, &st) == 0 && rename(from, to) == 0 ? 0 : errno;

	free(from);
	free(to);
	if (!error)
		*ret = find_removed(place, st.st_ino);
	return error;
}
