/*
 * fault.c - see fault.h.
 */
#include "fs/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/control.h"
#include "fs/event.h"
#include "fs/utf8.h"

enum {
	RING = 4096,
	EVENT_PAUSE_S = 60, /* of one session's events about errors, so that a full disk does not fill them */
};

struct fault_ring {
	uint64_t count; /* of all that came; the last RING are kept */
	struct fault faults[RING];
};

static const struct {
	int error;
	const char *name, *cause, *advice;
} errors[] = {
	{EPERM, "EPERM", "not permitted here", "sessfs(7) tells what the root and the control files are for"},
	{EACCES, "EACCES", "permission denied", "look at owner and mode of the file and of the directories above it"},
	{EBUSY, "EBUSY", "it is in use", "close what uses it"},
	{EEXIST, "EEXIST", "the name is taken", "choose another name"},
	{ENOENT, "ENOENT", "there is no such file any more", "look whether it, or its session, was removed"},
	{EXDEV, "EXDEV", "it would reach from one session into another", "copy, and remove the original (mv does)"},
	{ENOTDIR, "ENOTDIR", "not a directory", "look at the path: a file stands where a directory should be"},
	{EISDIR, "EISDIR", "a directory", "name a file in it"},
	{EINVAL, "EINVAL", "a value that is not valid here",
		"look at the arguments: a directory cannot be moved into itself, nor be read or written as a file"},
	{EFBIG, "EFBIG", "larger than a file may be",
		"write less, or mount with a higher max_file_size (.sessfs/config.json shows it)"},
	{ENOSPC, "ENOSPC", "no space is left for the store",
		"free space on its device, remove sessions, empty .sessfs/trash, or mount with a higher "
		"max_store_size; writing then goes on"},
	{EDQUOT, "EDQUOT", "the quota of the store's device is used up",
		"free space or raise the quota; writing then goes on"},
	{EROFS, "EROFS", "the mount is read-only", "mount it without the option ro"},
	{EMLINK, "EMLINK", "the file has 65000 names already", "copy it"},
	{ENAMETOOLONG, "ENAMETOOLONG", "the name is too long",
		"names have at most 255 bytes, targets of symbolic links 4095"},
	{ENOTEMPTY, "ENOTEMPTY", "the directory is not empty", "remove what is in it first (rm -r does)"},
	{E2BIG, "E2BIG", "the value is too large", "texts and attributes have at most 64 KiB"},
	{EIO, "EIO", "damaged data, or a failing device",
		"look into the daemon's log; unmount and run sessfs check; other files are not affected"},
	{ENOMEM, "ENOMEM", "out of memory", "free memory; nothing was changed"},
	{EOPNOTSUPP, "EOPNOTSUPP", "not supported",
		"attributes are of user, trusted or security; fallocate makes no file shorter, nor moves what is in "
		"it"},
	{ESTALE, "ESTALE", "what was opened is gone", "open it again"},
};

/* ---- what is known of an errno ----------------------------------------------------------------------------------- */

const char *fault_error_name(int error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].error == error)
			return errors[i].name;
	return "ERROR";
}

const char *fault_cause(const struct fault *fault)
{
	if (fault->cause[0])
		return fault->cause;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].error == fault->error)
			return errors[i].cause;
	return "";
}

const char *fault_advice(const struct fault *fault)
{
	if (fault->cause[0])
		return fault->advice;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].error == fault->error)
			return errors[i].advice;
	return NULL;
}

/* Answers that programs ask for in the course of their work. */
static bool is_ordinary(const char *operation, int error)
{
	switch (error) {
	case 0:
	case ENODATA:
	case ENOSYS:
	case ERANGE:
	case ENXIO:
	case EAGAIN: /* see cut.h */
		return true;
	case ENOENT:
		return strcmp(operation, "lookup") == 0;
	case ESTALE: /* has the kernel ask again, see in_use.h */
		return strcmp(operation, "lookup") == 0 || strcmp(operation, "getattr") == 0;
	default:
		return false;
	}
}

/* Not the program's own doing. */
static bool is_grave(int error)
{
	return error == EIO || error == ENOSPC || error == EDQUOT || error == ENOMEM;
}

/* ---- taking down ------------------------------------------------------------------------------------------------- */

static _Thread_local char explained[sizeof(((struct fault *)NULL)->cause)];
static _Thread_local const char *advised;

void fault_explain(const char *advice, const char *format, ...)
{
	va_list ap;

	advised = advice;
	va_start(ap, format);
	vsnprintf(explained, sizeof(explained), format, ap);
	va_end(ap);
}

void fault_forget(void)
{
	explained[0] = '\0';
}

static void add(struct fs *fs, const struct fault *fault)
{
	if (!fs->faults)
		fs->faults = calloc(1, sizeof(*fs->faults));
	if (!fs->faults)
		return;
	fs->faults->faults[fs->faults->count % RING] = *fault;
	fs->faults->faults[fs->faults->count % RING].number = fs->faults->count;
	fs->faults->count++;
}

static void tell(struct session *session, const struct fault *fault)
{
	struct event_member members[] = {{"operation", fault->operation}, {"name", fault->name},
		{"error", fault_error_name(fault->error)}, {"cause", fault_cause(fault)}, {NULL, NULL}};
	CHANGE_AUTO(c);

	if (fault->time - session->error_told < EVENT_PAUSE_S * FS_SECOND)
		return;
	session->error_told = fault->time;
	if (change_begin_as(&c, CHANGE_UPKEEP, session, STORE_SHRINK, EVENT_MAX) || !c.session)
		return;
	if (!event_add(&c, "error", members))
		(void)change_commit(&c);
}

/* Where no session is known, all may read of it: then neither the file is told nor its name. */
static void describe(struct fs *fs, struct fault *fault, struct fs_id id, const char *name)
{
	if (!name && control_is_id(id))
		name = control_name(fs, id);
	if (name) /* it was all zero */
		memcpy(fault->name, name, utf8_cut(name, strnlen(name, sizeof(fault->name) - 1)));
	fault->ino = control_is_id(id) ? 0 : id.n;
}

void fault_note(struct fs *fs, const char *operation, struct fs_id id, const char *name, int error)
{
	struct fault fault = {.operation = operation, .error = error};
	struct session *session;

	if (is_ordinary(operation, error)) {
		fault_forget();
		return;
	}
	fault.time = fs_now();
	memcpy(fault.cause, explained, sizeof(fault.cause));
	fault.advice = advised;
	fault_forget();
	FS_GUARD(fs);
	session = control_owner(fs, id);
	if (session)
		describe(fs, &fault, id, name);
	fault.session = session ? session->sid : STORE_ROOT_SID;
	add(fs, &fault);
	if (session && !session_is_root(session) && is_grave(error)) {
		session_ref(session);
		tell(session, &fault);
		session_put(session);
	}
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

void fault_each(const struct fs *fs, struct store_sid sid, unsigned max, void (*each)(void *arg, const struct fault *),
	void *arg)
{
	const struct fault_ring *ring = fs->faults;
	uint64_t end = ring ? ring->count : 0, first = end > RING ? end - RING : 0, at = end;

	fs_assert_locked(fs);
	while (at > first && max) {
		at--;
		if (ring->faults[at % RING].session.n == sid.n)
			max--;
	}
	for (; at < end; at++)
		if (ring->faults[at % RING].session.n == sid.n)
			each(arg, &ring->faults[at % RING]);
}

uint64_t fault_count(const struct fs *fs)
{
	return fs->faults ? fs->faults->count : 0;
}

void fault_free(struct fs *fs)
{
	free(fs->faults);
	fs->faults = NULL;
}
