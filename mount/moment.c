/* moment.c - see moment.h. */
#include "mount/moment.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t moment_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * MOMENT_SECOND + t.tv_nsec;
}

bool moment_parse(const char *text, int64_t *ret)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns, fraction = 0, unit = MOMENT_SECOND;

	if (!rest || tm.tm_year < 0 || tm.tm_year > 8000)
		return false;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++) {
			unit /= 10;
			fraction += (*rest - '0') * unit;
		}
	if (strcmp(rest, "Z") != 0 || __builtin_mul_overflow((int64_t)timegm(&tm), MOMENT_SECOND, &ns) ||
		__builtin_add_overflow(ns, fraction, &ns))
		return false;
	*ret = ns;
	return true;
}

static int64_t split(int64_t ns, struct tm *ret, struct tm *(*convert)(const time_t *, struct tm *))
{
	int64_t below = (ns % MOMENT_SECOND + MOMENT_SECOND) % MOMENT_SECOND;
	time_t seconds = (time_t)((ns - below) / MOMENT_SECOND);

	if (!convert(&seconds, ret))
		*ret = (struct tm){0};
	return below;
}

void moment_format_utc(int64_t ns, char buf[MOMENT_TEXT])
{
	struct tm tm;
	int64_t below = split(ns, &tm, gmtime_r);
	size_t len = strftime(buf, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(buf + len, MOMENT_TEXT - len, ".%03dZ", (int)(below / 1000000));
}

void moment_format_local(int64_t ns, char buf[MOMENT_TEXT])
{
	struct tm tm;

	split(ns, &tm, localtime_r);
	strftime(buf, MOMENT_TEXT, "%Y-%m-%d %H:%M:%S", &tm);
}

uint64_t moment_seconds(int64_t from, int64_t to)
{
	return to > from ? ((uint64_t)to - (uint64_t)from) / (uint64_t)MOMENT_SECOND : 0;
}
