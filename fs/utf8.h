/*
 * utf8.h - where text may be cut.
 */
#pragma once

#include <stddef.h>

/*
 * How many bytes of a text to keep of which there is room for max, and which has a byte behind these: so many that no
 * character of UTF-8 is cut in two. Of what is no UTF-8 max.
 */
static inline size_t utf8_cut(const char *text, size_t max)
{
	size_t len = max;

	while (len && max - len < 3 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	return ((unsigned char)text[len] & 0xC0) == 0x80 ? max : len;
}
