/* place.c - see place.h. */
#include "mount/place.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/message.h"
#include "mount/path.h"

void place_release(struct place *place)
{
	free(place->mount);
	free(place->name);
	*place = (struct place){0};
}

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
	char *made = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&made, format, args);
	va_end(args);
	if (len < 0)
		message_no_memory();
	return made;
}

char *place_control(const struct place *place, const char *file)
{
	if (place->name)
		return text("%s/%s/.session/%s", place->mount, place->name, file);
	return text("%s/.sessfs/%s", place->mount, file);
}

char *place_path(const struct place *place)
{
	return text("%s/%s", place->mount, place->name);
}

char *place_trashed(const struct place *place, const char *name)
{
	return text("%s/.sessfs/trash/%s", place->mount, name);
}

/* ---- the mount --------------------------------------------------------------------------------------------------- */

/* The mount that path lies in, when that is a sessfs; the rest of the path, below the mount, in *ret_below. */
static bool find_mount_of(const char *path, char **ret_mount, const char **ret_below)
{
	struct mounted m;

	if (!mounted_over(path, &m))
		return false;
	bool fine = mounted_is_sessfs(&m) && m.whole;
	if (fine) {
		*ret_below = path + strlen(m.dir) + (path[strlen(m.dir)] == '/');
		*ret_mount = text("%s", m.dir);
	}
	mounted_release(&m);
	return fine;
}

static int check_alive(struct place *place)
{
	if (!path_is_dead(place->mount))
		return VERB_GO_ON;
	message_error("the mount on %s is dead: its daemon is gone; `sessfs mount STORE %s` mounts it anew",
		place->mount, message_word(place->mount));
	place_release(place);
	return VERB_NOT_DONE;
}

static int find_named_mount(const char *name, const char *origin, struct place *ret)
{
	const char *below;
	char *path = path_resolve(name);
	bool found = path && find_mount_of(path, &ret->mount, &below);

	free(path);
	if (found)
		return check_alive(ret);
	message_error(
		"%s%s is not in a sessfs mount; `sessfs mount STORE %s` mounts a store there", origin, name,
		message_word(name));
	return VERB_NOT_FOUND;
}

static bool find_working_mount(struct place *ret, char **ret_session)
{
	char *dir = getcwd(NULL, 0);
	const char *below;
	bool found = dir && find_mount_of(dir, &ret->mount, &below);

	if (found && ret_session && *below && *below != '.')
		*ret_session = text("%.*s", (int)strcspn(below, "/"), below);
	free(dir);
	return found;
}

/* Mounts that there are, but for those that are hidden from this user. */
struct mounts {
	char *one, *list;
	unsigned count;
};

static void add_mount(void *arg, const struct mounted *m)
{
	struct mounts *mounts = arg;

	if (!mounted_is_sessfs(m) || !m->whole || (access(m->dir, F_OK) < 0 && errno == EACCES))
		return;
	if (mounts->one && strcmp(mounts->one, m->dir) == 0)
		return;
	char *list = text("%s%s%s", mounts->list ? mounts->list : "", mounts->list ? ", " : "", m->dir);
	free(mounts->list);
	mounts->list = list;
	if (mounts->count++ == 0)
		mounts->one = text("%s", m->dir);
}

static int find_only_mount(struct place *ret)
{
	struct mounts mounts = {0};

	mounted_each(add_mount, &mounts);
	if (mounts.count == 1) {
		ret->mount = mounts.one;
		free(mounts.list);
		return check_alive(ret);
	}
	if (mounts.count == 0)
		message_error("no store is mounted here; `sessfs mount STORE DIR` mounts one");
	else
		message_error("several stores are mounted: %s; choose with -m DIR or $SESSFS_MOUNT", mounts.list);
	free(mounts.list);
	free(mounts.one);
	return VERB_NOT_FOUND;
}

int place_find_mount(const struct verb_line *line, struct place *ret)
{
	const char *named = getenv("SESSFS_MOUNT");

	*ret = (struct place){0};
	if (line->mount)
		return find_named_mount(line->mount, "", ret);
	if (named && *named)
		return find_named_mount(named, "$SESSFS_MOUNT: ", ret);
	if (find_working_mount(ret, NULL))
		return check_alive(ret);
	return find_only_mount(ret);
}

/* ---- the session ------------------------------------------------------------------------------------------------- */

static int say_absent(struct place *place)
{
	char *path = place_trashed(place, place->name);
	struct stat st;

	if (lstat(path, &st) == 0)
		message_error(
			"there is no session %s any more, but it is in the trash: `sessfs undelete %s` takes it back",
			place->name, message_word(place->name));
	else
		message_error(
			"there is no session %s in %s; `sessfs list` shows what there is", place->name, place->mount);
	free(path);
	return VERB_NOT_FOUND;
}

static int check_there(struct place *place)
{
	char *path = place_path(place);
	struct stat st;
	int status = VERB_GO_ON;

	if (*place->name == '.' || !*place->name) {
		message_error("'%s' cannot be a session: their names are not empty and do not begin with a dot",
			place->name);
		status = VERB_NOT_FOUND;
	} else if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENAMETOOLONG)) {
		status = say_absent(place);
	} else if (stat(path, &st) < 0) {
		message_error("the session %s cannot be looked at: %s", place->name, strerror(errno));
		status = VERB_NOT_DONE;
	}
	free(path);
	if (status != VERB_GO_ON)
		place_release(place);
	return status;
}

static int find_by_path(const struct verb_line *line, const char *word, struct place *ret)
{
	const char *below = "";
	char *path = path_resolve(word);
	int status = VERB_NOT_FOUND;

	if (!path && (errno == ENOTCONN || errno == ECONNABORTED)) {
		message_error("%s lies in a mount that is dead: its daemon is gone; `sessfs mount STORE DIR` mounts it "
			      "anew", word);
		status = VERB_NOT_DONE;
	} else if (!path || !find_mount_of(path, &ret->mount, &below)) {
		message_error("%s is not in a session", word);
	} else if (!*below || *below == '.') {
		message_error("%s is not in a session, but in the mount %s", word, ret->mount);
	} else if (line->whole && strchr(below, '/')) {
		message_error("%s is not a session, but lies in %.*s: name that, if it is meant", word,
			(int)strcspn(below, "/"), below);
	} else {
		ret->name = text("%.*s", (int)strcspn(below, "/"), below);
		status = check_alive(ret);
	}
	free(path);
	if (status == VERB_GO_ON)
		return check_there(ret);
	place_release(ret);
	return status;
}

static int find_by_word(const struct verb_line *line, const char *word, struct place *ret)
{
	size_t len = strlen(word);

	while (len > 1 && word[len - 1] == '/')
		len--;
	if (memchr(word, '/', len) || strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
		return find_by_path(line, word, ret);
	int status = place_find_mount(line, ret);
	if (status != VERB_GO_ON)
		return status;
	ret->name = text("%.*s", (int)len, word);
	return check_there(ret);
}

int place_find(const struct verb_line *line, const char *word, struct place *ret)
{
	PLACE_AUTO here = {0};
	const char *set = getenv("SESSFS_SESSION");
	char *name = NULL;

	*ret = (struct place){0};
	if (word)
		return find_by_word(line, word, ret);
	int status = place_find_mount(line, ret);
	if (status != VERB_GO_ON)
		return status;
	if (find_working_mount(&here, &name) && name && strcmp(here.mount, ret->mount) == 0) {
		ret->name = name;
		return check_there(ret);
	}
	free(name);
	place_release(ret);
	if (set && *set)
		return find_by_word(line, set, ret);
	message_error("which session? Name it, go into its directory, or set $SESSFS_SESSION");
	return VERB_USAGE;
}

int place_begin(const struct verb *verb, int argc, char **argv, verb_take *take, void *arg, struct verb_line *ret_line,
	struct place *ret)
{
	int status = verb_parse(verb, argc, argv, ret_line, take, arg);

	return status == VERB_GO_ON ? place_find_mount(ret_line, ret) : status;
}

int place_for_each(const struct verb *verb, int argc, char **argv, int (*each)(const struct place *, void *arg),
	void *arg)
{
	struct verb_line line;
	int highest = verb_parse(verb, argc, argv, &line, NULL, NULL);

	if (highest != VERB_GO_ON)
		return highest;
	for (int i = 0; i == 0 || i < line.count; i++) {
		PLACE_AUTO place = {0};
		int status = place_find(&line, line.count ? line.words[i] : NULL, &place);

		if (status == VERB_GO_ON)
			status = each(&place, arg);
		highest = status > highest ? status : highest;
	}
	return highest;
}

bool place_name_is_fine(const char *name)
{
	if (*name && *name != '.' && !strchr(name, '/') && strlen(name) <= 255)
		return true;
	message_error("'%s' cannot be the name of a session: 1 to 255 bytes, no slash, no dot at its beginning", name);
	return false;
}
