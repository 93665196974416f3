/* doctor.h - what `sessfs doctor` looks at: a table of checks, each of which tells one or more answers. */
#pragma once

#include "mount/machine.h"

struct doctor {
	struct machine machine;
	const char *dir;   /* where a store is to be mounted, resolved; or NULL */
	const char *store; /* resolved; NULL: those that are mounted */
	bool (*is_dead)(const char *dir); /* whether a mount has lost its daemon */
	void (*tell)(void *arg, const char *check, const struct machine_answer *);
	void *arg;
};

/* Tells all answers, in the order of the table. True if there is nothing to fix. */
bool doctor_run(const struct doctor *);
