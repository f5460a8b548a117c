// SPDX-License-Identifier: Apache-2.0
//
// Binding: the second expansion. Once addresses are allocated and the grid has its uuid and
// identity, every reference of every node can be expanded; afterwards a grid holds no `${…}` but in
// tests and outputs, which expand on use. Pure.
#pragma once

#include "templates/grid.h"

// Sets uuid and identity and fills in each node's uuid, environment, contents, setup, ready. The
// nodes' addresses must be there already. Fails only for a reference that the checker could not
// know to be wrong (`${ROLE.ip.NET}` of a role that has no node).
struct vg_error *vg_grid_bind(struct vg_grid *grid, const char *uuid, const char *identity)
	VG_MUST_CHECK;

// Is every regular expression of the grid still one when all references are expanded? A usage error
// at its place otherwise. The grid is bound. Of a role's nodes the first and the last are tried: the
// others' names and numbers lie between theirs.
struct vg_error *vg_grid_check_regexes(const struct vg_grid *grid) VG_MUST_CHECK;

// One text with all references expanded once, malloc'ed. `node` may be NULL where no `${node.…}` can
// stand (outputs).
struct vg_error *vg_grid_expand(const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_phrase *phrase, char **ret_text) VG_MUST_CHECK;
