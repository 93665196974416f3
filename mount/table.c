/* table.c - see table.h. */
#include "mount/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <unistd.h>

#include "mount/message.h"

struct table {
	struct libscols_table *lines;
	struct libscols_line *last;
	unsigned columns;
};

static void need(bool fine)
{
	if (!fine)
		message_no_memory();
}

bool table_has_colors(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no_color && *no_color);
}

static int flags_of(const struct table_column *column)
{
	return (column->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
	       (column->flags & TABLE_SHORTEN ? SCOLS_FL_TRUNC : 0) | (column->flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
}

struct table *table_new(const struct table_column *columns, bool headings)
{
	struct table *t = calloc(1, sizeof *t);

	need(t != NULL);
	t->lines = scols_new_table();
	need(t->lines != NULL);
	scols_table_enable_colors(t->lines, table_has_colors(stdout));
	scols_table_enable_noheadings(t->lines, !headings);
	for (; columns[t->columns].name; t->columns++) {
		const struct table_column *column = &columns[t->columns];
		need(scols_table_new_column(t->lines, column->name, 0, flags_of(column)) != NULL);
	}
	return t;
}

void table_add(struct table *t, const char *const *cells)
{
	t->last = scols_table_new_line(t->lines, NULL);
	need(t->last != NULL);
	for (unsigned i = 0; i < t->columns; i++)
		need(scols_line_set_data(t->last, i, cells[i] ? cells[i] : "") == 0);
}

void table_color(struct table *t, unsigned column, const char *color)
{
	need(scols_cell_set_color(scols_line_get_cell(t->last, column), color) == 0);
}

void table_free(struct table *t)
{
	scols_unref_table(t->lines);
	free(t);
}

void table_print(struct table *t)
{
	need(scols_print_table(t->lines) != -ENOMEM);
	table_free(t);
}
