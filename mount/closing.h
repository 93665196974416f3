/*
 * closing.h - how a daemon tells whoever unmounts whether everything was saved.
 *
 * The daemon keeps the file `daemon` in the store's directory, flock'ed while it lives: "pid N". When the store is
 * closed and everything saved the file is gone, as a full disk may have no room for a word more; else it says
 * "closed: WHY". It is made anew for each mount, so that who has it open reads of this daemon and not of the next.
 */
#pragma once

/*
 * Daemon: to be called once the store is its own. Waits up to a second for the daemon before it to end. Returns a
 * descriptor for the other call; negative errno is no reason to stop.
 */
int closing_begin(const char *store);
/*
 * Daemon: after the store was closed; error is NULL when everything is saved. The descriptor stays open, for the lock
 * to go with the process. Ignores a negative one.
 */
void closing_end(const char *store, int fd, const char *error);

enum closing_result {
	CLOSING_SAVED,
	CLOSING_FAILED,  /* *ret_why says why; for the caller to free */
	CLOSING_DIED,    /* the daemon ended without closing its store */
	CLOSING_UNKNOWN, /* its file cannot be read */
	CLOSING_ALIVE,   /* it has not ended; of closing_look only */
};

/* Unmounter: before unmounting. A descriptor, or negative errno when there is none. */
int closing_watch(const char *store);
/* Unmounter: waits until that daemon is gone (slow is called after five seconds) and closes the descriptor. */
enum closing_result closing_wait(int fd, void (*slow)(int pid), char **ret_why);
/* Anybody, without waiting: how the last daemon ended, or its *ret_pid if it has not. */
enum closing_result closing_look(const char *store, int *ret_pid, char **ret_why);
