// SPDX-License-Identifier: Apache-2.0
#include "templates/grid.h"

#include <string.h>

#include "base/memory.h"

void vg_grid_free(struct vg_grid *grid)
{
	if (grid)
		vg_arena_free(grid->arena); // the grid itself lives in it
}

// Is `name` the node of this role whose index stands behind the last dash?
static const struct vg_node *counted_node(
	const struct vg_grid *grid, const struct vg_role *role, const char *name)
{
	size_t length = strlen(role->name);
	if (strncmp(name, role->name, length) != 0 || name[length] != '-')
		return NULL;
	unsigned long index = strtoul(name + length + 1, NULL, 10);
	if (index >= role->count)
		return NULL;
	const struct vg_node *node = &grid->nodes[role->first_node + index];
	return strcmp(node->name, name) == 0 ? node : NULL;
}

const struct vg_node *vg_grid_node(const struct vg_grid *grid, const char *name)
{
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_role *role = &grid->roles[i];
		const struct vg_node *node = NULL;
		if (role->is_counted)
			node = counted_node(grid, role, name);
		else if (strcmp(role->name, name) == 0)
			node = &grid->nodes[role->first_node];
		if (node)
			return node;
	}
	return NULL;
}

const struct vg_role *vg_grid_role(const struct vg_grid *grid, const char *name)
{
	for (size_t i = 0; i < grid->n_roles; i++) {
		if (strcmp(grid->roles[i].name, name) == 0)
			return &grid->roles[i];
	}
	return NULL;
}

const struct vg_network *vg_grid_network(const struct vg_grid *grid, const char *name)
{
	for (size_t i = 0; i < grid->n_networks; i++) {
		if (strcmp(grid->networks[i].name, name) == 0)
			return &grid->networks[i];
	}
	return NULL;
}
