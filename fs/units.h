/* units.h - numbers with a unit behind them, as options and control files take them: 90s 15m 24h 7d. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct number_unit {
	char letter; /* 0 in the last one of a table, which is that of a number alone */
	uint64_t factor;
};

/* In seconds, the longest first. */
extern const struct number_unit units_of_time[];

/* Digits and at most one unit, in the last one's; false also if it is too much. */
bool units_parse(const char *text, const struct number_unit *, uint64_t *ret);
/* Text that was parsed names its unit, or is 0 in any. */
bool units_are_named(const char *text, uint64_t n);
