/* sentence.c - see sentence.h. */
#include "mount/sentence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mount/message.h"
#include "mount/path.h"
#include "store/store.h"

__attribute__((format(printf, 2, 3))) static void put(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, SENTENCE_TEXT, format, args);
	va_end(args);
}

static void put_busy(char *text, const char *path, int pid)
{
	struct mounted m;

	if (mounted_store(path, &m)) {
		put(text,
			"the store %s is in use by process %d, which has it mounted on %s; work there, or first "
			"`sessfs umount %s`",
			path, pid, m.dir, message_word(m.dir));
		mounted_release(&m);
	} else if (mounted_store_by(pid, path, &m)) {
		put(text,
			"the store %s is in use by process %d, which has it mounted on %s in another mount namespace "
			"(a container, or unshare); work there, or first `kill %d`, which unmounts it",
			path, pid, m.dir, pid);
		mounted_release(&m);
	} else {
		put(text, "the store %s is in use by process %d; wait until that is done", path, pid);
	}
}

static void put_denied(char *text, const char *path, int error)
{
	if (error == EROFS)
		put(text, "the store %s lies on a read-only filesystem; mount it with -o ro", path);
	else
		put(text,
			"the store %s may not be opened (%s); it must belong to the user who mounts it: "
			"`chown -R $(id -u) %s` as root",
			path, strerror(error), message_word(path));
}

static void put_broken(char *text, const char *path, const char *what, int error)
{
	if (error == EIO)
		put(text,
			"the store %s cannot be used: %s: %s; if its disk is in order, keep a copy and try "
			"`sessfs check --repair %s`",
			path, what, strerror(error), message_word(path));
	else
		put(text, "the store %s cannot be used: %s: %s", path, what, strerror(error));
}

static void put_newer(char text[SENTENCE_TEXT], const char *path, const struct store_open_info *info)
{
	if (info->newer_log)
		put(text,
			"the log %s of the store %s has format %u, which a newer sessfs wrote, and holds what may be "
			"saved nowhere else: update sessfs",
			info->what, path, info->format);
	else
		put(text,
			"the store %s has format %u, which a newer sessfs wrote; this one knows formats up to %u: "
			"update sessfs",
			path, info->format, STORE_FORMAT);
}

static void put_foreign(char text[SENTENCE_TEXT], const char *path, const char *which)
{
	put(text,
		"the store %s has the log of another store: %s belongs to another data.mdb than the one beside it, and "
		"holds what is saved nowhere else; put it back beside its own, or have `sessfs check --repair %s` keep "
		"it under another name",
		path, which, message_word(path));
}

/* Behind "the store PATH". */
static const char *const states[] = {
	[STORE_READ_ONLY] = "is open for reading only",
	[STORE_HEADLESS] = "has its logs (hot.0, hot.1) but no data.mdb, without which nothing in it can be read; put "
			   "data.mdb back from where it went, or with its logs from a copy, or begin anew in another "
			   "directory",
	[STORE_EMPTIED] = "has an empty data.mdb, though its logs show that it was in use; put data.mdb back from a "
			  "copy, or begin anew in another directory",
	[STORE_OVERTAKEN] = "changes faster than it can be checked beside its mount; check it when less is written, or "
			    "unmount it first",
};

void sentence_store_text(int r, const char *path, const struct store_open_info *info, char text[SENTENCE_TEXT])
{
	const char *what = info->what ? info->what : "opening";

	text[0] = 0;
	if (r < 0) {
		put_broken(text, path, what, info->error ? info->error : -r);
		return;
	}
	switch ((enum store_result)r) {
	case STORE_BUSY:
		put_busy(text, path, info->pid);
		return;
	case STORE_NEWER:
		put_newer(text, path, info);
		return;
	case STORE_NOT_EMPTY:
		put(text, "%s is not a store, and not an empty directory that could become one; name another directory",
			path);
		return;
	case STORE_NO_DIR:
	case STORE_ABSENT:
		if (info->error == ENOTDIR)
			put(text, "the store %s is not a directory; name another", path);
		else
			put(text, "there is no store %s; `sessfs init %s` makes one", path,
				message_word(path));
		return;
	case STORE_DENIED:
		put_denied(text, path, info->error);
		return;
	case STORE_FULL:
		put(text, "there is no space for the store %s (%s); free some on its disk", path, what);
		return;
	case STORE_DAMAGED:
		put(text, "the store %s is damaged (%s); keep a copy and try `sessfs check --repair %s`", path, what,
			message_word(path));
		return;
	case STORE_UNFINISHED:
		put(text, "the making of the store %s was cut off; `sessfs mount %s DIR` ends it", path,
			message_word(path));
		return;
	case STORE_FOREIGN:
		put_foreign(text, path, what);
		return;
	case STORE_READ_ONLY:
	case STORE_HEADLESS:
	case STORE_EMPTIED:
	case STORE_OVERTAKEN:
		put(text, "the store %s %s", path, states[r]);
		return;
	case STORE_OK:
		return;
	}
}

void sentence_store(int r, const char *path, const struct store_open_info *info)
{
	char text[SENTENCE_TEXT];

	sentence_store_text(r, path, info, text);
	if (*text)
		message_error("%s", text);
}
