/*
 * opens.h - open(2) in its four forms, of a preloaded library that defines what they do.
 */
#pragma once

#include <fcntl.h>
#include <stdarg.h>

static int do_open(int dir, const char *path, int flags, mode_t mode);

#define OPEN_MODE(flags) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list args; \
		va_start(args, flags); \
		mode = (mode_t)va_arg(args, int); \
		va_end(args); \
	}

int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return do_open(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return do_open(dir, path, flags, mode);
}
