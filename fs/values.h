/*
 * values.h - values of the mount as a whole, as text: attributes of the root directory whose names ("sessfs.run") no
 * program can reach. Called with fs->lock held.
 */
#pragma once

struct fs;

/* *ret is for the caller to free. ENOENT. */
int value_get(struct fs *, const char *name, char **ret);
/* NULL takes it away. */
int value_set(struct fs *, const char *name, const char *text);
