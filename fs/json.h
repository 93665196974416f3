/*
 * json.h - what the makers of JSON share. A document is built with set_* and *_value, which only note that memory ran
 * out; whoever turns it into text asks once.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Forgets what was noted on this thread. */
void json_begin(void);
/* Memory ran out since json_begin: the document lacks something. */
bool json_is_incomplete(void);
/* Whether it is an object as text. Where memory is lacking it says no, and what is being made is incomplete. */
bool json_is_object_text(const char *text, size_t len);
/* 0, EINVAL: it is no UTF-8, -ENOMEM. */
int json_check_utf8(const char *text, size_t len);

/* Add a member, or an element, and take the value over; NULL for any of them is noted. */
void set_value(json_t *object, const char *key, json_t *value);
void set_number(json_t *object, const char *key, uint64_t);
void add_value(json_t *array, json_t *value);

/* Text in any bytes: what is not UTF-8 is shown as U+FFFD. */
json_t *text_value(const char *);
/* The same, of bytes that may be zero. */
json_t *bytes_value(const char *, size_t len);
/* ISO 8601 in UTC, with milliseconds, of nanoseconds since the epoch. */
json_t *time_value(int64_t ns);
/* Logical by stored bytes, to three digits; 1 for nothing. */
json_t *ratio_value(uint64_t logical, uint64_t stored);

/* The same where there need be none: null for STORE_NEVER, and for 0. */
json_t *moment_value(int64_t ns);
/* Text, or null for NULL. */
json_t *optional_value(const char *);

/* The document as text, for the caller to free; flags of json_dumps. -ENOMEM, also if it is incomplete. */
int json_text(const json_t *, size_t flags, char **ret, size_t *ret_len);

/*
 * A document too long to be built whole, as it grows: lines of JSON, or an object whose last member is a long array.
 * Values are taken over. Begins all zero.
 */
struct json_long {
	char *text;
	size_t len, room;
	bool in_array; /* there is an element already */
};
void json_long_line(struct json_long *, json_t *value);
/* What is text already. */
void json_long_bytes(struct json_long *, const char *, size_t len);
/* The object, with its members up to here, and the name of the array. */
void json_long_begin(struct json_long *, json_t *object, const char *array);
void json_long_element(struct json_long *, json_t *value);
/* Ends one array and begins another one. */
void json_long_next(struct json_long *, const char *array);
void json_long_end(struct json_long *);
/*
 * Hands over the text, zero-terminated, and returns 0; or, if `result` is not 0, or -ENOMEM because anything lacks
 * since json_begin, frees it and returns that.
 */
int json_long_take(struct json_long *, int result, char **ret, size_t *ret_len);
