// SPDX-License-Identifier: Apache-2.0
//
// Expansion: a checked document, parameters and a profile become a grid. expand.c does the
// parameters and the top, expand_roles.c the roles and their nodes, expand_regex.c looks at regular
// expressions. Used by template.c alone.
#pragma once

#include "base/map.h"
#include "templates/field.h"
#include "templates/template.h"

// What was read: private to template.c, expand*.c and topology.c.
struct vg_template {
	struct vg_arena *arena;
	const char *file;
	char *text; // as read, for the source lines of findings
	size_t size;
	struct vg_value *root; // NULL: no YAML
	const char *topology_hash;
	bool is_good; // no finding was made on it
};

struct vg_expansion {
	const struct vg_template *template;
	const struct vg_expand_options *options;
	struct vg_findings *findings;
	struct vg_grid *grid;
	const struct vg_value *profile; // NULL: none
	// A trial, made when a template is read: no nodes; a parameter without value is no fault.
	bool is_trial;
	struct vg_map *values;  // parameter → its value as text
	struct vg_map *sources; // parameter → struct vg_place *, absent when --set gave it
	struct vg_map *images, *networks, *roles; // name → index + 1
};

// The number of a field: `value` as written or by its parameter; the row's default when it is NULL.
uint64_t vg_expand_number(
	struct vg_expansion *expansion, const char *path, const struct vg_value *value);
// The index of a name that the checker found to be known.
size_t vg_expand_index(const struct vg_map *indices, const char *name);
// Places and texts in the grid's arena.
struct vg_place vg_expand_place(const struct vg_expansion *expansion, struct vg_place place);
const char *vg_expand_text(const struct vg_expansion *expansion, const struct vg_value *value);
struct vg_phrase vg_expand_phrase(
	const struct vg_expansion *expansion, const struct vg_value *value);

// An expression must still be one when the parameters have put in their values: a finding otherwise.
// `value` may be NULL.
void vg_expand_check_regex(
	struct vg_expansion *expansion, const char *path, const struct vg_value *value);

void vg_expand_roles(struct vg_expansion *expansion);

// What vg_template_expand() does, without the demand that the template is good.
struct vg_error *vg_expand(const struct vg_template *template,
	const struct vg_expand_options *options, bool is_trial, struct vg_findings *findings,
	struct vg_grid **ret_grid) VG_MUST_CHECK;

// The topology hash (docs/template-language.md): over the tree without quanta and values of parameters. `root` has
// no fault. The result is in the arena.
const char *vg_topology_hash(struct vg_arena *arena, const struct vg_value *root);
