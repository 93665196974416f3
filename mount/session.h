/*
 * session.h - which mount a verb works on, and which session.
 *
 * The mount: -m DIR, else $SESSFS_MOUNT, else that of the working directory, else the only one there is. A session: its
 * name, or a path inside it (which names the mount too), or, where no word is given, that of the working directory, or
 * $SESSFS_SESSION.
 */
#pragma once

#include "mount/verb.h"

struct session_place {
	char *mount;
	char *name; /* NULL: the mount as a whole */
};

/*
 * Both return VERB_GO_ON, or, with the reason said, the exit status. Release the place in any case; it may be all NULL
 * beforehand only.
 */
int session_find_mount(const struct verb_line *, struct session_place *ret);
/* word NULL: as said above. The session is there. */
int session_find(const struct verb_line *, const char *word, struct session_place *ret);
void session_release(struct session_place *);
#define SESSION_PLACE_AUTO __attribute__((cleanup(session_release))) struct session_place

/* Of a name for a new session: whether it can be one; else says why not. */
bool session_name_is_fine(const char *name);
/* MOUNT/.sessfs/FILE, or, with a name, MOUNT/NAME/.session/FILE; never NULL, for the caller to free. */
char *session_control(const struct session_place *, const char *file);
/* MOUNT/NAME; never NULL, for the caller to free. */
char *session_path(const struct session_place *);
