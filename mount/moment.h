/* moment.h - moments in nanoseconds since the epoch, and as text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_SECOND INT64_C(1000000000)
enum { MOMENT_TEXT = 48 };

int64_t moment_now(void);
/* "2026-11-21T09:30:00Z", the seconds with any fraction or none; the whole text or false. */
bool moment_parse(const char *text, int64_t *ret);
/* "2026-11-21T09:30:00.123Z" */
void moment_format_utc(int64_t ns, char buf[MOMENT_TEXT]);
/* "2026-11-21 10:30:00", in the reader's time zone */
void moment_format_local(int64_t ns, char buf[MOMENT_TEXT]);
/* Seconds from one to another, 0 if that is earlier. */
uint64_t moment_seconds(int64_t from, int64_t to);
