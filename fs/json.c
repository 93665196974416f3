/*
 * json.c - see json.h.
 */
#include "fs/json.h"

#include <errno.h>
#include <time.h>

static _Thread_local bool incomplete;

void json_begin(void)
{
	incomplete = false;
}

bool json_is_incomplete(void)
{
	return incomplete;
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

json_t *text_value(const char *text)
{
	json_t *value;
	char *shown, *to;

	errno = 0;
	value = json_string(text);
	if (value || errno == ENOMEM)
		return value;
	shown = to = malloc(3 * strlen(text) + 1);
	if (!shown)
		return NULL;
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80) {
			*to++ = *text;
		} else {
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
		}
	}
	*to = '\0';
	value = json_string(shown);
	free(shown);
	return value;
}

json_t *time_value(int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char day[32], text[48];
	struct tm tm;

	if (ns <= 0 || !gmtime_r(&seconds, &tm))
		return json_null();
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(ns / 1000000 % 1000));
	return json_string(text);
}

json_t *ratio_value(uint64_t logical, uint64_t stored)
{
	double ratio = stored ? (double)logical / (double)stored : 1;

	return json_real((double)(uint64_t)(ratio * 1000 + 0.5) / 1000);
}

/* By json_dumpb, as json_dumps leaves out a key for which it has no memory. */
int json_text(const json_t *document, size_t flags, char **ret, size_t *ret_len)
{
	size_t len = incomplete ? 0 : json_dumpb(document, NULL, 0, flags);
	char *text = len ? malloc(len + 1) : NULL;

	if (!text || json_dumpb(document, text, len, flags) != len) {
		free(text);
		return -ENOMEM;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}
