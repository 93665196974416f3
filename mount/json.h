/*
 * json.h - JSON by jansson, which nobody else in mount/ includes: documents of the control files, which are read
 * without trusting them, and documents for --json, where running out of memory ends the program.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- reading: what is not there, or of another type, is "", 0, false, 1.0 or an empty array ---------------------- */

/* NULL with errno set: EBADMSG where the content is no JSON. */
json_t *json_read(const char *path);
/* An array of the documents in the file's lines. */
json_t *json_read_lines(const char *path);
const char *json_get_text(const json_t *object, const char *key);
int64_t json_get_number(const json_t *object, const char *key);
double json_get_real(const json_t *object, const char *key);
/* ISO 8601: nanoseconds since the epoch, 0 for none, which in JSON is null: never, not at all. */
int64_t json_get_time(const json_t *object, const char *key);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Takes value over; NULL for it, out of memory, ends the program. */
void json_add(json_t *object, const char *key, json_t *value);
void json_append(json_t *array, json_t *value);
/* In any bytes: what is not UTF-8 is shown as U+FFFD. */
json_t *json_from_text(const char *text);
/* ISO 8601 in UTC; 0 is null. */
json_t *json_from_time(int64_t ns);
/* Adds the member of another object as it is, null where that has none. */
void json_add_same(json_t *object, const char *key, const json_t *from);
/* Prints it to stdout, with a newline, and releases it. */
void json_print(json_t *document);
