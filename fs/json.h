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

/* Add a member, or an element, and take the value over; NULL for any of them is noted. */
void set_value(json_t *object, const char *key, json_t *value);
void set_number(json_t *object, const char *key, uint64_t);
void add_value(json_t *array, json_t *value);

/* Text in any bytes: what is not UTF-8 is shown as U+FFFD. */
json_t *text_value(const char *);
/* ISO 8601 in UTC, with milliseconds, of nanoseconds since the epoch; 0 or less is null. */
json_t *time_value(int64_t ns);
/* Logical by stored bytes, to three digits; 1 for nothing. */
json_t *ratio_value(uint64_t logical, uint64_t stored);

/* The document as text, for the caller to free; flags of json_dumps. -ENOMEM, also if it is incomplete. */
int json_text(const json_t *, size_t flags, char **ret, size_t *ret_len);
