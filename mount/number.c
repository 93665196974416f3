/* number.c - see number.h. */
#include "mount/number.h"

#include <inttypes.h>
#include <stdio.h>

#include "fs/fs.h"

static const struct number_unit sizes[] = {
	{'P', UINT64_C(1) << 50},
	{'T', UINT64_C(1) << 40},
	{'G', UINT64_C(1) << 30},
	{'M', UINT64_C(1) << 20},
	{'K', UINT64_C(1) << 10},
	{0, 1},
};
static const struct number_unit none[] = {{0, 1}};

bool number_parse(const char *text, uint64_t *ret)
{
	return units_parse(text, none, ret);
}

bool number_parse_size(const char *text, uint64_t *ret)
{
	return units_parse(text, sizes, ret);
}

bool number_parse_duration(const char *text, uint64_t *ret)
{
	return units_parse(text, units_of_time, ret);
}

static void format(uint64_t n, const struct number_unit *units, char buf[NUMBER_TEXT])
{
	while (units->letter && (n == 0 || n % units->factor != 0))
		units++;
	snprintf(buf, NUMBER_TEXT, "%" PRIu64 "%.1s", n / units->factor, &units->letter);
}

void number_format_size(uint64_t bytes, char buf[NUMBER_TEXT])
{
	format(bytes, sizes, buf);
}

void number_format_duration(uint64_t seconds, char buf[NUMBER_TEXT])
{
	format(seconds, units_of_time, buf);
}

static const char *scale(uint64_t bytes, char buf[NUMBER_TEXT])
{
	static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};
	double n = (double)bytes;
	int unit = 0;

	while (n >= 1023.5) {
		n /= 1024;
		unit++;
	}
	snprintf(buf, NUMBER_TEXT, unit && n < 9.95 ? "%.1f" : "%.0f", n);
	return units[unit];
}

void number_rough_size(uint64_t bytes, char buf[NUMBER_TEXT])
{
	char digits[NUMBER_TEXT];
	const char *unit = scale(bytes, digits);

	snprintf(buf, NUMBER_TEXT, "%.16s%s", digits, unit);
}

void number_say_size(uint64_t bytes, char buf[NUMBER_TEXT])
{
	char digits[NUMBER_TEXT];
	const char *unit = scale(bytes, digits);

	snprintf(buf, NUMBER_TEXT, "%.16s %s%s", digits, unit, !*unit ? bytes == 1 ? "byte" : "bytes" : "iB");
}

static void rough(uint64_t seconds, const char *const names[4], char buf[NUMBER_TEXT])
{
	int unit = 0;

	while (unit < 3 && seconds < 2 * units_of_time[unit].factor - units_of_time[unit].factor / 2)
		unit++;
	uint64_t factor = units_of_time[unit].factor;
	uint64_t whole = seconds / factor + (seconds % factor >= factor - factor / 2);
	snprintf(buf, NUMBER_TEXT, "%" PRIu64 "%s", whole, names[unit]);
}

void number_rough_duration(uint64_t seconds, char buf[NUMBER_TEXT])
{
	static const char *const names[] = {"d", "h", "m", "s"};

	rough(seconds, names, buf);
}

void number_say_duration(uint64_t seconds, char buf[NUMBER_TEXT])
{
	static const char *const names[] = {" days", " h", " min", " s"};

	rough(seconds, names, buf);
}

void number_rough_ns(uint64_t ns, char buf[NUMBER_TEXT])
{
	static const char *const names[] = {"ns", "us", "ms", "s"};
	double n = (double)ns;
	int unit = 0;

	while (unit < 3 && n >= 999.5) {
		n /= 1000;
		unit++;
	}
	snprintf(buf, NUMBER_TEXT, "%.*f%s", unit && n < 9.95 ? 1 : 0, n, names[unit]);
}
