/* daemon.h - the process that holds the store and serves the mount. */
#pragma once

struct mount_plan;

/*
 * Opens the store, mounts and serves: in the foreground until unmounted; else returns when the mount answers, and a
 * child goes on. The exit status; what went wrong was said.
 */
int daemon_run(const struct mount_plan *);
