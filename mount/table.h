/*
 * table.h - tables for people, by libsmartcols, which nobody else includes. On a terminal a table is fitted to its
 * width, elsewhere nothing is cut off; colours only on a terminal without $NO_COLOR. Bytes that could act on a terminal
 * are shown as \xNN. Running out of memory ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum table_flag {
	TABLE_RIGHT = 1,   /* numbers */
	TABLE_SHORTEN = 2, /* cut off where the terminal is narrow */
	TABLE_WRAP = 4,    /* go on in the next line there */
};

struct table_column {
	const char *name; /* NULL ends the columns */
	int flags;
};

struct table;

/* headings false: the names of columns are not shown. */
struct table *table_new(const struct table_column *columns, bool headings);
/* One cell for each column; NULL is an empty one. What is given is copied. */
void table_add(struct table *, const char *const *cells);
/* Of a cell of the line added last: "red", "green", ... as of terminal-colors.d(5). */
void table_color(struct table *, unsigned column, const char *color);
/* Prints to stdout and frees. */
void table_print(struct table *);
void table_free(struct table *);

/* Whether out may have colours. */
bool table_has_colors(FILE *out);
