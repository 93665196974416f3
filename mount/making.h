/* making.h - making a session, with what it is about: for `sessfs new` and `sessfs run`. */
#pragma once

#include "mount/place.h"

struct making {
	const char *prefix; /* of names made from the time; NULL is "session" */
	const char *query, *project; /* or NULL */
	char *tags;                  /* a tag a line, or NULL; owned */
};

void making_add_tag(struct making *, const char *tag);
void making_release(struct making *);
/*
 * Makes the session place->name, or, where that is NULL, one named by the time, and fills that in. Where a text is
 * refused there is no session. VERB_DONE, or the exit status, the reason said.
 */
int making_make(struct place *, const struct making *);
