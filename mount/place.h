/*
 * place.h - which mount a verb works on, and which session.
 *
 * The mount: -m DIR, else $SESSFS_MOUNT, else that of the working directory, else the only one there is. A session: its
 * name, or a path inside it (which names the mount too), or, where no word is given, that of the working directory, or
 * $SESSFS_SESSION.
 */
#pragma once

#include "mount/verb.h"

struct place {
	char *mount;
	char *name; /* NULL: the mount as a whole */
};

/*
 * Both return VERB_GO_ON, or, with the reason said, the exit status. Release the place in any case; it may be all NULL
 * beforehand only.
 */
int place_find_mount(const struct verb_line *, struct place *ret);
/* word NULL: as said above. The session is there. */
int place_find(const struct verb_line *, const char *word, struct place *ret);
/* verb_parse, then place_find_mount: how most verbs begin. */
int place_begin(const struct verb *, int argc, char **argv, verb_take *, void *arg, struct verb_line *ret_line,
	struct place *ret);
/*
 * A whole verb without options of its own: each session named, or without a word the one that is meant. Returns the
 * highest status.
 */
int place_for_each(const struct verb *, int argc, char **argv, int (*each)(const struct place *, void *arg), void *arg);
void place_release(struct place *);
#define PLACE_AUTO __attribute__((cleanup(place_release))) struct place

/* Of a name for a new session: whether it can be one; else says why not. */
bool place_name_is_fine(const char *name);
/* MOUNT/.sessfs/FILE, or, with a name, MOUNT/NAME/.session/FILE; never NULL, for the caller to free. */
char *place_control(const struct place *, const char *file);
/* MOUNT/NAME; never NULL, for the caller to free. */
char *place_path(const struct place *);
/* MOUNT/.sessfs/trash/NAME; the same. */
char *place_trashed(const struct place *, const char *name);
