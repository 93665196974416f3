/*
 * stored.h - for unit tests of store/: a directory of its own, and a store in it.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

enum { DIR_SIZE = 32 };

/* A new directory, whose path needs DIR_SIZE bytes. */
static inline void new_dir(char *ret_dir)
{
	strcpy(ret_dir, "sessfs-unit-XXXXXX");
	assert_non_null(mkdtemp(ret_dir));
}

__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
	char command[512];
	va_list values;
	va_start(values, format);
	assert_in_range(vsnprintf(command, sizeof command, format, values), 1, sizeof command - 1);
	va_end(values);
	assert_int_equal(system(command), 0);
}

static inline struct store *open_with(const char *dir, const struct store_options *options)
{
	struct store_open_info info;
	struct store *s = NULL;
	int r = store_open(dir, options, &s, &info);
	if (r)
		fail_msg("store_open: %d (%s, errno %d)", r, info.what, info.error);
	return s;
}

static inline struct store_batch *begin(struct store *s, size_t bytes)
{
	struct store_batch *b;
	assert_int_equal(store_batch_begin(s, STORE_GROW, bytes, &b), 0);
	return b;
}

static inline void add_name(struct store_batch *b, struct store_sid at, struct store_ino dir, const char *name,
	struct store_sid of, struct store_ino ino, uint32_t type)
{
	struct store_dirent d = {.ino = ino, .session = of, .type = type, .name_len = (uint32_t)strlen(name)};
	memcpy(d.name, name, d.name_len);
	store_batch_add_dirent(b, at, dir, &d);
}
