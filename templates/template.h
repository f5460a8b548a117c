// SPDX-License-Identifier: Apache-2.0
//
// A template: the checked document a user wrote. text → document → template → grid. Used by every
// verb that takes FILE. Reading and checking report all faults of a file in one run.
#pragma once

#include <stdio.h>

#include "base/finding.h"
#include "templates/grid.h"

struct vg_template;

enum { VG_TEMPLATE_SIZE_MAX = 1 << 20 };

// Reads and checks a template; `path` is "-" for standard input. An error, always a usage error, is
// for what kept the file from being read at all; faults in it are findings. *ret_template is set whenever the text
// was read, also with findings (then only vg_template_print_findings may be called with it).
struct vg_error *vg_template_read(const char *path, struct vg_findings *findings,
	struct vg_template **ret_template) VG_MUST_CHECK;
// The same for text in memory; `name` is shown in places.
struct vg_error *vg_template_read_text(const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_template **ret_template) VG_MUST_CHECK;
void vg_template_free(struct vg_template *template);
VG_AUTO(vg_template);

// Prints findings with this file's source lines and carets.
void vg_template_print_findings(
	const struct vg_template *template, const struct vg_findings *findings, FILE *out);

const char *vg_template_name(const struct vg_template *template);
// 64 hexadecimal digits over all that is not quantum (docs/template-language.md).
const char *vg_template_topology_hash(const struct vg_template *template);
size_t vg_template_n_profiles(const struct vg_template *template);
const char *vg_template_profile(const struct vg_template *template, size_t i);

struct vg_expand_options {
	const char *name;          // the grid's name, NULL: the template's
	const char *profile;       // NULL: the roles' own values
	const char *const *sets;   // `parameter=value` each
	size_t n_sets;
	uint64_t nodes_max;        // 0: 100,000
};

// Applies parameters and profile and makes the grid: roles with counts, nodes without addresses.
// Faults that only show now (a count beyond its CIDR, a bad --set) are findings; *ret_grid is set
// only when there are none. The grid does not need the template any more.
struct vg_error *vg_template_expand(const struct vg_template *template,
	const struct vg_expand_options *options, struct vg_findings *findings,
	struct vg_grid **ret_grid) VG_MUST_CHECK;
