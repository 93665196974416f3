/* controls.c - see controls.h. */
#include "mount/controls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount/message.h"
#include "mount/moment.h"

enum { RECENT = 5 /* seconds */ };

static json_t *read_as(const struct place *place, const char *file, json_t *(*read)(const char *path))
{
	char *path = place_control(place, file);
	json_t *document = read(path);

	if (!document)
		message_error("%s cannot be read: %s", path,
			errno == EBADMSG  ? "it is not JSON"
			: errno == ENOENT ? "it is not there; is the daemon as new as this program?"
					  : strerror(errno));
	free(path);
	return document;
}

json_t *controls_read(const struct place *place, const char *file)
{
	return read_as(place, file, json_read);
}

json_t *controls_read_lines(const struct place *place, const char *file)
{
	return read_as(place, file, json_read_lines);
}

/* The last line of the session's errors.jsonl; NULL if there is none. */
static json_t *last_error(const struct place *place)
{
	char *path = place_control(place, "errors.jsonl"), *line = NULL, *last = NULL;
	FILE *file = fopen(path, "re");
	json_t *document = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		free(last);
		last = line;
		line = NULL;
		size = 0;
	}
	if (last)
		document = json_loads(last, 0, NULL);
	if (file)
		fclose(file);
	free(path);
	free(line);
	free(last);
	return document;
}

/* Not an older one, or somebody else's. */
static bool is_of_now(const json_t *told, int error)
{
	return json_get_number(told, "errno") == error &&
	       moment_seconds(json_get_time(told, "time"), moment_now()) < RECENT;
}

const char *controls_advice(int error)
{
	return error == EROFS                      ? "; the mount is read-only"
	       : error == ENOSPC                   ? "; free space on the store's disk, or remove sessions"
	       : error == EACCES || error == EPERM ? "; it belongs to another user"
						   : "";
}

int controls_say_refused(const struct place *place, const char *what, int error)
{
	json_t *told = last_error(place);
	bool fits = is_of_now(told, error);
	const char *cause = fits ? json_get_text(told, "cause") : "",
		   *advice = fits ? json_get_text(told, "advice") : "";

	if (*cause)
		message_error("%s: %s%s%s", what, cause, *advice ? "; " : "", advice);
	else
		message_error("%s: %s%s", what, strerror(error), controls_advice(error));
	json_decref(told);
	return error == ENOENT ? VERB_NOT_FOUND : VERB_NOT_DONE;
}

static int write_text(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return errno;
	ssize_t n = len ? write(fd, text, len) : 0;
	int error = n < 0 ? errno : (size_t)n < len ? EFBIG : 0;
	if (close(fd) < 0 && !error)
		error = errno;
	return error;
}

int controls_write(const struct place *place, const char *file, const char *text)
{
	char *path = place_control(place, file), *what = NULL;
	int error = write_text(path, text), status = VERB_DONE;

	if (error && asprintf(&what, "%s of %s not changed", file, place->name) >= 0)
		status = controls_say_refused(place, what, error);
	free(what);
	free(path);
	return status;
}
