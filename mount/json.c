/* json.c - see json.h. */
#include "mount/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"
#include "mount/message.h"
#include "mount/moment.h"

/* The file's bytes, for the caller to free; NULL with errno set. */
static char *read_all(int fd, size_t *ret_len)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room), *more;
	ssize_t n = 1;

	while (text && (n = read(fd, text + len, room - len)) > 0) {
		len += (size_t)n;
		if (len < room)
			continue;
		more = realloc(text, room *= 2);
		if (!more)
			free(text);
		text = more;
	}
	if (text && n < 0) {
		free(text);
		text = NULL;
	}
	*ret_len = len;
	return text;
}

static json_t *read_as(const char *path, json_t *(*parse)(const char *text, size_t len))
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	json_t *document = NULL;
	size_t len = 0;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_all(fd, &len);
	error = text ? EBADMSG : errno;
	if (text)
		document = parse(text, len);
	free(text);
	close(fd);
	errno = error;
	return document;
}

static json_t *parse_whole(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
}

json_t *json_read(const char *path)
{
	return read_as(path, parse_whole);
}

static json_t *parse_lines(const char *text, size_t len)
{
	json_t *array = json_array(), *line;
	const char *end;

	for (size_t at = 0; array && at < len; at = (size_t)(end - text) + 1) {
		end = memchr(text + at, '\n', len - at);
		line = end ? json_loadb(text + at, (size_t)(end - text) - at, JSON_REJECT_DUPLICATES, NULL) : NULL;
		if (line) {
			json_append(array, line);
			continue;
		}
		json_decref(array);
		return NULL;
	}
	return array;
}

json_t *json_read_lines(const char *path)
{
	return read_as(path, parse_lines);
}

const char *json_get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int64_t json_get_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

double json_get_real(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : 1.0;
}

int64_t json_get_time(const json_t *object, const char *key)
{
	const char *text = json_get_text(object, key);
	int64_t ns = 0;

	return moment_parse(text, &ns) ? ns : 0;
}

void json_add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		message_no_memory();
}

void json_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		message_no_memory();
}

json_t *json_from_text(const char *text)
{
	json_t *value = json_string(text);
	char *shown = value ? NULL : fs_text_shown(text);

	if (shown)
		value = json_string(shown);
	free(shown);
	return value;
}

json_t *json_from_time(int64_t ns)
{
	char text[MOMENT_TEXT];

	if (ns == 0)
		return json_null();
	moment_format_utc(ns, text);
	return json_string(text);
}

void json_add_same(json_t *object, const char *key, const json_t *from)
{
	json_t *value = json_object_get(from, key);

	json_add(object, key, value ? json_incref(value) : json_null());
}

void json_print(json_t *document)
{
	if (!document)
		message_no_memory();
	if (json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) == 0)
		putchar('\n');
	json_decref(document);
}
