/* following.h - a session by a descriptor of its directory, whatever becomes of its name: for `sessfs rm` and `run`. */
#pragma once

#include "mount/place.h"

enum following {
	FOLLOWING_ALIVE,
	FOLLOWING_TRASH, /* it can be taken back from there */
	FOLLOWING_GONE,
	FOLLOWING_LOST, /* the mount does not answer, or is gone */
};

/* -1 with errno set; close it. It counts as use of the session. */
int following_open(const struct place *);
/*
 * What has become of the session, which was at this place: under which name it is now, for the caller to free; NULL of
 * one that is gone or lost.
 */
enum following following_find(int fd, const struct place *, char **ret_name);
