/*
 * preflight.h - everything that can keep a mount from working and can be known beforehand, each with its own sentence.
 *
 * Nothing is changed here. What only the attempt can tell (a store in use, an AppArmor profile) is the daemon's to say.
 */
#pragma once

#include <stdbool.h>

#include "mount/options.h"

struct mount_plan {
	char *store, *dir; /* resolved and owned; dir may be /dev/fd/N */
	struct mount_options options;
	bool foreground, debug, verbose;
	bool fresh;       /* there is no store yet: it is to be made */
	bool missing;     /* nor its directory */
	bool handed_over; /* dir is /dev/fd/N: mount.fuse3 has mounted already, and gave up its rights */
	bool replace;     /* dir holds the dead mount of this same store */
};

void plan_release(struct mount_plan *);
/* Fills the plan's paths from what the user named and looks at everything. 0, or the exit status, the reason said. */
int preflight(struct mount_plan *, const char *store, const char *dir);
