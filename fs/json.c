/*
 * json.c - see json.h.
 */
#include "fs/json.h"

#include <errno.h>
#include <time.h>

#include "fs/core.h"

enum { FLAGS = JSON_REAL_PRECISION(10) };

static _Thread_local bool incomplete;

void json_begin(void)
{
	incomplete = false;
}

bool json_is_incomplete(void)
{
	return incomplete;
}

/* The library says of a value that it could not make only that it is none. */
static bool lacked_memory(const json_t *value)
{
	return !value && errno == ENOMEM;
}

bool json_is_object_text(const char *text, size_t len)
{
	json_t *value;
	bool is;

	errno = 0;
	/* Without these it refuses integers beyond 64 bits, and zeros in strings, which are valid. */
	value = json_loadb(text, len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
	if (lacked_memory(value))
		incomplete = true;
	is = json_is_object(value);
	json_decref(value);
	return is;
}

int json_check_utf8(const char *text, size_t len)
{
	json_t *value;
	int r;

	errno = 0;
	value = json_stringn(text, len);
	r = value ? 0 : lacked_memory(value) ? -ENOMEM : EINVAL;
	json_decref(value);
	return r;
}

void set_value(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		incomplete = true;
}

void set_number(json_t *object, const char *key, uint64_t n)
{
	set_value(object, key, json_integer((json_int_t)n));
}

void add_value(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		incomplete = true;
}

/* Zero-terminated, *ret_len bytes without that zero. */
static char *show_bytes(const char *text, size_t len, size_t *ret_len)
{
	char *shown = malloc(3 * len + 1), *to = shown;

	if (!shown)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x80) {
			*to++ = text[i];
		} else {
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
		}
	}
	*to = '\0';
	*ret_len = (size_t)(to - shown);
	return shown;
}

char *fs_text_shown(const char *text)
{
	size_t len;

	return show_bytes(text, strlen(text), &len);
}

json_t *text_value(const char *text)
{
	return bytes_value(text, strlen(text));
}

json_t *bytes_value(const char *text, size_t len)
{
	json_t *value;
	size_t shown_len = 0;
	char *shown;

	errno = 0;
	value = json_stringn(text, len);
	if (value || errno == ENOMEM)
		return value;
	shown = show_bytes(text, len, &shown_len);
	value = shown ? json_stringn(shown, shown_len) : NULL;
	free(shown);
	return value;
}

json_t *time_value(int64_t ns)
{
	int64_t within = (ns % FS_SECOND + FS_SECOND) % FS_SECOND; /* also before 1970 */
	time_t seconds = (time_t)(ns / FS_SECOND - (ns % FS_SECOND < 0));
	char day[32], text[48];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return json_null();
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(within / 1000000));
	return json_string(text);
}

json_t *moment_value(int64_t ns)
{
	return ns && ns != STORE_NEVER ? time_value(ns) : json_null();
}

json_t *optional_value(const char *text)
{
	return text ? text_value(text) : json_null();
}

json_t *ratio_value(uint64_t logical, uint64_t stored)
{
	double ratio = logical && stored ? (double)logical / (double)stored : 1;

	return json_real((double)(uint64_t)(ratio * 1000 + 0.5) / 1000);
}

/* By json_dumpb, as json_dumps leaves out a key for which it has no memory. */
int json_text(const json_t *document, size_t flags, char **ret, size_t *ret_len)
{
	size_t len = incomplete ? 0 : json_dumpb(document, NULL, 0, flags | FLAGS);
	char *text = len ? malloc(len + 1) : NULL;

	if (!text || json_dumpb(document, text, len, flags | FLAGS) != len) {
		free(text);
		return -ENOMEM;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

/* ---- long documents ---------------------------------------------------------------------------------------------- */

static bool make_room(struct json_long *doc, size_t more)
{
	size_t room = doc->room ? doc->room : 4096;
	char *text;

	if (incomplete)
		return false;
	while (room - doc->len <= more)
		room += room / 2;
	if (room == doc->room)
		return true;
	text = realloc(doc->text, room);
	if (!text) {
		incomplete = true;
		return false;
	}
	doc->text = text;
	doc->room = room;
	return true;
}

static int take_bytes(const char *bytes, size_t len, void *arg)
{
	struct json_long *doc = arg;

	if (!make_room(doc, len))
		return -1;
	memcpy(doc->text + doc->len, bytes, len);
	doc->len += len;
	return 0;
}

static void add_text(struct json_long *doc, const char *text)
{
	take_bytes(text, strlen(text), doc);
}

static void add_json(struct json_long *doc, json_t *value, size_t flags)
{
	if (!value || json_dump_callback(value, take_bytes, doc, flags | FLAGS | JSON_ENCODE_ANY))
		incomplete = true;
	json_decref(value);
}

void json_long_bytes(struct json_long *doc, const char *bytes, size_t len)
{
	take_bytes(bytes, len, doc);
}

void json_long_line(struct json_long *doc, json_t *value)
{
	add_json(doc, value, 0);
	add_text(doc, "\n");
}

static void begin_array(struct json_long *doc, const char *array)
{
	add_text(doc, ",\n  ");
	add_json(doc, text_value(array), 0);
	add_text(doc, ": [");
	doc->in_array = false;
}

void json_long_begin(struct json_long *doc, json_t *object, const char *array)
{
	add_json(doc, object, JSON_INDENT(2));
	if (doc->len >= 2)
		doc->len -= 2; /* its end: the array comes before it */
	begin_array(doc, array);
}

void json_long_element(struct json_long *doc, json_t *value)
{
	add_text(doc, doc->in_array ? ",\n    " : "\n    ");
	add_json(doc, value, 0);
	doc->in_array = true;
}

void json_long_next(struct json_long *doc, const char *array)
{
	add_text(doc, doc->in_array ? "\n  ]" : "]");
	begin_array(doc, array);
}

void json_long_end(struct json_long *doc)
{
	add_text(doc, doc->in_array ? "\n  ]\n}\n" : "]\n}\n");
}

int json_long_take(struct json_long *doc, int result, char **ret, size_t *ret_len)
{
	if (!result && !make_room(doc, 1))
		result = -ENOMEM;
	if (result) {
		free(doc->text);
		return result;
	}
	doc->text[doc->len] = '\0';
	*ret = doc->text;
	*ret_len = doc->len;
	return 0;
}
