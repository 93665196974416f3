/*
 * errand.h - work beside the threads that serve: what waits for the device, or asks the kernel something that it cannot
 * answer unless it is served meanwhile. One thread does one errand after the other.
 */
#pragma once

#include <stdbool.h>

struct fs;
struct errands;

/* What is to be done, and for what; with no lock held. A result of the rules. */
typedef int errand_run(struct fs *, void *subject);
/* Told the result, on the thread that ran it. */
typedef void errand_done(void *arg, int result);

int errands_new(struct fs *, const char *thread_name, struct errands **ret);
/* Does what was asked for; from now on errand_add refuses. NULL is fine. */
void errands_end(struct errands *);
void errands_free(struct errands *);
/*
 * Any thread. Who asks for the same (run and subject) before it begins shares it. done: or NULL. False, and nothing
 * happens: it ends, or memory ran out.
 */
bool errand_add(struct errands *, errand_run *, void *subject, errand_done *done, void *arg);
