/* units.c - see units.h. */
#include "fs/units.h"

#include <ctype.h>
#include <string.h>

const struct number_unit units_of_time[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {0, 1}};

bool units_parse(const char *text, const struct number_unit *units, uint64_t *ret)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	while (units->letter && units->letter != *text)
		units++;
	if (units->letter)
		text++;
	return !*text && !__builtin_mul_overflow(n, units->factor, ret);
}

bool units_are_named(const char *text, uint64_t n)
{
	return !n || !isdigit((unsigned char)text[strlen(text) - 1]);
}
