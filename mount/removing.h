/* removing.h - the way of a session into the trash: for `sessfs rm`, `undelete` and `run`. */
#pragma once

#include <stdint.h>

#include "mount/controls.h"

/* MOUNT/.sessfs/trash/NAME; never NULL, for the caller to free. */
char *removing_path(const struct place *, const char *name);
/* 0 or an errno. */
int removing_move(const struct place *);
/* Of one that was moved: until when it can be taken back, nanoseconds since the epoch; 0: it cannot. */
int64_t removing_until(const struct place *);
