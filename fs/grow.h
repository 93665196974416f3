/*
 * grow.h - lists that grow by doubling.
 */
#pragma once

#include <stdlib.h>

/*
 * The list with room for one more behind `count`, which is the old one where that had it. NULL: no memory, and the old
 * one, which is the caller's in any case, is as it was. `size` of one.
 */
static inline void *grow(void *list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? 2 * *room : 64;

	if (count < *room)
		return list;
	list = reallocarray(list, wanted, size);
	if (list)
		*room = wanted;
	return list;
}
