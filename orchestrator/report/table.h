// SPDX-License-Identifier: Apache-2.0
//
// Tables for people, made by libsmartcols: columns are data. The only door to it.
#pragma once

#include <stdio.h>

#include "base/defs.h"

struct vg_column {
	const char *title;
	bool is_right; // numbers
	bool may_wrap; // the last resort when the terminal is narrow: cut
};

struct vg_table;

// Borrows the columns.
struct vg_table *vg_table_new(const struct vg_column *columns, size_t n_columns);
void vg_table_free(struct vg_table *table);
VG_AUTO(vg_table);

// One text a column; NULL is shown as `-`.
void vg_table_row(struct vg_table *table, const char *const *cells);
// Nothing but the titles if there are no rows.
void vg_table_print(const struct vg_table *table, FILE *out);
