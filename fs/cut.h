/*
 * cut.h - with writeback, where a file ends after an append was refused: because its session is paused, or there is no
 * space, or the file would be too large.
 *
 * The kernel took the append before we were asked, keeps the size it hoped for as long as it knows the file, and puts
 * the next append behind it. Only truncate(2) tells it another one (tried on Linux 6.18: attributes are not believed,
 * a notification can make a file grow, never shrink). So the keeper's process truncates the file, through a name made
 * up for it, and is answered with the size that the file has:
 *
 *   fine --a write from the kernel's pages is refused behind the end--> to be cut --> fine
 *
 * In between all that the kernel has behind the end is refused too, so that nothing is kept behind a gap. What was
 * appended after the refusal, and not written yet, may not get lost silently with the pages that are cut off: the
 * process first takes the size that the kernel has, then has it write all its pages, then truncates to that very size.
 * The kernel sends the times with it only if the size is another one by then: in that case it is refused, and tried
 * again.
 *
 * A file that the daemon's user may not write stays as it is until the kernel forgets it.
 */
#pragma once

#include "fs/rules.h"

/* Names made up for the keeper's process: a directory in the root, in it files by their numbers. */
#define CUT_DIR ".sessfs-keeper"

/* Called with fs->lock held, unless said otherwise. */

/* What becomes of a write from the kernel's pages: a result of the rules, 0 if nothing speaks against it. */
int cut_check(const struct node *, uint64_t end);
/* It was refused with this result. False: nothing is cut. */
bool cut_begin(struct node *, int result, uint64_t end);
/* The keeper is through with it; or has it to do once more. */
void cut_end(struct fs *, struct store_ino, bool begins_again);
/* As visit_answers, for a LOOKUP; without fs->lock. */
bool cut_finds(struct fs *, struct fs_id dir, const char *name, struct entry *ret_entry, int *ret);
/* The same for a GETATTR. */
bool cut_attr(struct fs_id, struct stat *ret, double *ret_timeout);
/* Whether that LOOKUP waits for the kernel: as rules_is_slow. Without fs->lock. */
bool cut_is_slow(struct fs_id dir, const char *name);
/* As visit_answers, for a SETATTR: its attributes are to be answered, or *ret. */
bool cut_answers(struct node *, unsigned fields, int *ret);
/*
 * What the keeper's process does, in the directory CUT_DIR, with the number of a file. False: it is to be tried again,
 * as somebody appends all the time.
 */
bool cut_run(const char *number);
