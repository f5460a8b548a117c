// SPDX-License-Identifier: Apache-2.0
//
// Parameters of a template: their types, and whether a value is one. Used by the checker and by
// expansion.
#pragma once

#include "templates/document.h"
#include "templates/field.h"

enum vg_parameter_type {
	VG_PARAMETER_INTEGER,
	VG_PARAMETER_STRING,
	VG_PARAMETER_BOOLEAN,
	VG_PARAMETER_SIZE,
	VG_PARAMETER_DURATION,
	VG_PARAMETER_CHOICE,
};

// The type that a checked declaration names; false if it names none.
bool vg_parameter_type(const struct vg_value *declaration, enum vg_parameter_type *ret_type);
const char *vg_parameter_type_name(enum vg_parameter_type type);

// Is the text a value of the declared type, within min and max or one of `of`? From the command
// line, where nothing is in quotes.
struct vg_error *vg_parameter_read(
	const struct vg_value *declaration, const char *text) VG_MUST_CHECK;
// The same for a value in a template, where `"4"` is text and no integer.
struct vg_error *vg_parameter_read_value(
	const struct vg_value *declaration, const struct vg_value *value) VG_MUST_CHECK;

// Can a parameter so declared stand in a field of this row as its whole value?
bool vg_parameter_fits(const struct vg_value *declaration, const struct vg_field *row);
