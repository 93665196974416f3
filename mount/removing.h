/* removing.h - the way of a session into the trash: for `sessfs rm` and `run`. */
#pragma once

#include <stdint.h>

#include "mount/controls.h"

/* Where a session is that was removed. */
struct removed {
	char *name;    /* in the trash, by which it can be taken back; NULL: it cannot */
	int64_t until; /* until when, nanoseconds since the epoch */
};

/* 0 or an errno. */
int removing_move(const struct place *, struct removed *ret);
/* Of one that was removed from this place, by a descriptor of it (following.h). */
void removing_find(int fd, const struct place *, struct removed *ret);
void removed_release(struct removed *);
#define REMOVED_AUTO __attribute__((cleanup(removed_release))) struct removed
