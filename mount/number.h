/* number.h - numbers as people write them: sizes 64K 100M 2G, durations 90s 15m 24h 7d. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT = 32 }; /* room for what the format functions write */

/* Each: the whole text or false; *ret is written only on success. */
bool number_parse(const char *text, uint64_t *ret);
bool number_parse_size(const char *text, uint64_t *ret);     /* bytes; without a unit, bytes */
bool number_parse_duration(const char *text, uint64_t *ret); /* seconds; without a unit, seconds */

/* In the largest unit that divides it; 0 is "0". */
void number_format_size(uint64_t bytes, char buf[NUMBER_TEXT]);
void number_format_duration(uint64_t seconds, char buf[NUMBER_TEXT]);
