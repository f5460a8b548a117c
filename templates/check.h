// SPDX-License-Identifier: Apache-2.0
//
// Checking a document against the language. Two halves: check.c goes over the tree by the table
// (keys, types, ranges, references), check_*.c over what single fields cannot know (names that must
// exist, cycles, addresses). All faults are found in one run; a value with a fault is marked and
// left alone by what comes later. Used by template.c.
#pragma once

#include "base/map.h"
#include "base/text.h"
#include "templates/field.h"
#include "templates/reference.h"

struct vg_check {
	struct vg_findings *findings;
	struct vg_value *root;
	// What the template declares: name → const struct vg_entry *.
	struct vg_map *parameters, *images, *networks, *roles;
	struct vg_text path; // of the field that is being looked at, as the user would write it
};

// All of it: what vg_template_read() calls.
void vg_check_document(struct vg_value *root, struct vg_findings *findings);

// The halves. The first is the same for every language; `top` is the first row of its table.
void vg_check_fields(struct vg_check *check, const struct vg_field *top);
void vg_check_parameters(struct vg_check *check);
void vg_check_images(struct vg_check *check);
void vg_check_networks(struct vg_check *check);
void vg_check_roles(struct vg_check *check);
void vg_check_profiles(struct vg_check *check);
void vg_check_tests(struct vg_check *check);
// `place:` of a role, also of one in a profile.
void vg_check_place(struct vg_check *check, const char *role, const struct vg_value *place);

// A field's text: are its references known, and allowed there? `row` says which.
void vg_check_text(struct vg_check *check, const struct vg_field *row, struct vg_value *value);
// Is the value one `${PARAMETER}` that may stand in this row? Finds if not.
void vg_check_parameter_value(
	struct vg_check *check, const struct vg_field *row, struct vg_value *value);

// The same for a site file: fields, then what they cannot know. What vg_site_file_read() calls.
void vg_check_site(struct vg_value *root, struct vg_findings *findings);

// Behind the last check of a file: texts are made fit for a terminal, findings behind the first `from`
// that were made twice are dropped.
void vg_check_finish(struct vg_findings *findings, size_t from);

// Marks the value and adds the finding at its place.
struct vg_finding *vg_check_fault(
	struct vg_check *check, struct vg_value *value, const char *format, ...) VG_PRINTF(3, 4);
// The same for an error of a reader, which it takes; NULL does nothing.
void vg_check_error(struct vg_check *check, struct vg_value *value, struct vg_error *error);
// "unknown WHAT 'name'" with a "did you mean" out of the declared ones.
void vg_check_unknown(struct vg_check *check, struct vg_value *value, const char *what,
	const char *name, const struct vg_map *declared);
void vg_check_suggest(struct vg_check *check, struct vg_finding *finding, const char *what,
	const char *wrong, const struct vg_map *declared);

// The text of a scalar that is there and without fault, else NULL.
const char *vg_check_word(const struct vg_value *map, const char *key);
// A list or map that is there and without fault, else NULL.
struct vg_value *vg_check_tree(const struct vg_value *map, const char *key);
