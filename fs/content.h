/*
 * content.h - the table of the control files and what is in them.
 */
#pragma once

#include "fs/session.h"

struct content_file;

enum { CONTENT_ROWS = 64 }; /* the table has no more */

/* A file of .sessfs (root) or of .session, or NULL. */
const struct content_file *content_find(bool root, const char *name);
/* Its row in the table. */
unsigned content_row(const struct content_file *);
/* The name of the n-th, or NULL. */
const char *content_name(bool root, unsigned n);
/* Its content as of now, for the caller to free. Called with fs->lock held. */
int content_make(const struct content_file *, struct session *, char **ret, size_t *ret_len);
