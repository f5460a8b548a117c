// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/report/table.h"

#include <libsmartcols/libsmartcols.h>

#include "base/memory.h"

struct vg_table {
	struct libscols_table *lines;
	const struct vg_column *columns;
	size_t n_columns;
};

// Out of memory is libsmartcols' only failure here, and that aborts.
static void must(bool is_good)
{
	if (!is_good)
		abort();
}

struct vg_table *vg_table_new(const struct vg_column *columns, size_t n_columns)
{
	struct vg_table *table = vg_new(struct vg_table);
	table->lines = scols_new_table();
	must(table->lines);
	scols_table_set_column_separator(table->lines, "  ");
	table->columns = columns;
	table->n_columns = n_columns;
	for (size_t i = 0; i < n_columns; i++) {
		int flags = columns[i].is_right ? SCOLS_FL_RIGHT : 0;
		flags |= columns[i].may_wrap ? SCOLS_FL_TRUNC : 0;
		must(scols_table_new_column(table->lines, columns[i].title, 0, flags));
	}
	return table;
}

void vg_table_free(struct vg_table *table)
{
	if (!table)
		return;
	scols_unref_table(table->lines);
	free(table);
}

void vg_table_row(struct vg_table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(table->lines, NULL);
	must(line);
	for (size_t i = 0; i < table->n_columns; i++)
		must(scols_line_set_data(line, i, cells[i] ? cells[i] : "-") == 0);
}

void vg_table_print(const struct vg_table *table, FILE *out)
{
	for (size_t i = 0; i < table->n_columns && scols_table_is_empty(table->lines); i++)
		fprintf(out, "%s%s", table->columns[i].title,
			i + 1 < table->n_columns ? "  " : "\n");
	scols_table_set_stream(table->lines, out);
	// Elsewhere than on a terminal nothing is cut.
	if (!isatty(fileno(out)))
		scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_NEVER);
	must(scols_print_table(table->lines) == 0);
}
