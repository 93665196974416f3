/* controls.h - the control files of a mount and of its sessions, through which the verbs do all they do. */
#pragma once

#include "mount/json.h"
#include "mount/place.h"

/* The document FILE of .session, or, where the place has no name, of .sessfs. NULL: the reason was said. */
json_t *controls_read(const struct place *, const char *file);
/* The same of JSON Lines: an array. */
json_t *controls_read_lines(const struct place *, const char *file);
/*
 * Writes text to a file of .session. Where it is refused, says why, with the advice that the session's errors.jsonl
 * has for it. VERB_DONE, or the exit status.
 */
int controls_write(const struct place *, const char *file, const char *text);
/* What stands behind an errno that no control file tells of: begins with "; ", or is empty. */
const char *controls_advice(int error);
/*
 * Says why what was tried of the session was refused with errno `error`: "WHAT: CAUSE; ADVICE" by the last line of its
 * errors.jsonl. Returns the exit status.
 */
int controls_say_refused(const struct place *, const char *what, int error);
