/*
 * control_set.h - the values of .session that can be written, as rows of the table (content.h) have them.
 */
#pragma once

#include "fs/session.h"
#include "fs/text.h"

/* A word, and after "failed" a reason. */
int content_status(struct session *, char **ret, size_t *ret_len);
int content_set_status(struct session *, const char *text, size_t len);
int content_go_on_status(struct session *, const char *text, size_t len);
/* "0" or "1" */
int content_pin(struct session *, char **ret, size_t *ret_len);
int content_set_pin(struct session *, const char *text, size_t len);
/* A decimal from 0 to 1. */
int content_progress(struct session *, char **ret, size_t *ret_len);
int content_set_progress(struct session *, const char *text, size_t len);
/*
 * Shown: the time when it will expire, "never" also while something guards it. Taken: a time in UTC, "never", "+24h"
 * from now, "default" or nothing for what the rules say.
 */
int content_expires_at(struct session *, char **ret, size_t *ret_len);
int content_set_expires_at(struct session *, const char *text, size_t len);
/* UTF-8; kept as it was written, with its last newline. */
int content_set_text(struct session *, enum text, const char *text, size_t len);
/* One a line: not empty, at most 255 bytes, no slash, no leading dot. Each is kept once. */
int content_set_tags(struct session *, const char *text, size_t len);
