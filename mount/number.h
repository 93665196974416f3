/* number.h - numbers as people write them, sizes 64K 100M 2G, durations 90s 15m 24h 7d, and read them. */
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

/* In two digits or three, as tables show it: 0, 999, 1.5K, 12K, 2.0G. */
void number_rough_size(uint64_t bytes, char buf[NUMBER_TEXT]);
/* In the largest unit of which there are, to the nearest, two: 0s, 89s, 2m, 35h, 2d. */
void number_rough_duration(uint64_t seconds, char buf[NUMBER_TEXT]);
/* The same for sentences: "12 KiB"; "3 s", "5 min", "2 h", "4 days". */
void number_say_size(uint64_t bytes, char buf[NUMBER_TEXT]);
void number_say_duration(uint64_t seconds, char buf[NUMBER_TEXT]);
/* Nanoseconds: 999ns, 1.5us, 12ms, 3.0s. */
void number_rough_ns(uint64_t ns, char buf[NUMBER_TEXT]);
