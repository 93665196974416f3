/*
 * relay.h - runs a command: what it prints goes on to our own stdout and stderr, and into a copy of each; signals that
 * are sent to us are passed on to it.
 */
#pragma once

enum { RELAY_STREAMS = 2 }; /* stdout, stderr */

struct relay {
	char **argv;     /* ended by NULL */
	const char *dir; /* its working directory */
	int copies[RELAY_STREAMS]; /* descriptors */
};

/*
 * Returns when the command has ended, also if others hold its pipes open then: what is in them is still passed on. 0,
 * with *ret_status as of waitpid(2) and *ret_lost an errno if a copy is not complete; or the errno that kept the
 * command from running.
 */
int relay_run(const struct relay *, int *ret_status, int *ret_lost);
