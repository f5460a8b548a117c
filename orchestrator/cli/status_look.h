// SPDX-License-Identifier: Apache-2.0
//
// What `status` knows of each node: the machine that was observed and whether the node is ready.
#pragma once

#include "orchestrator/plan/world.h"
#include "orchestrator/run/session.h"

struct vg_node_status {
	const struct vg_node *node;
	struct vg_host *on; // NULL: not placed
	const char *state;  // "running", "paused", "stopped", "crashed", "absent"
	const char *reason; // why it is so; "" if there is nothing to say
	bool is_ready;
	char *why;        // what is missing; NULL if it is ready
	char **addresses; // one a nic
	size_t n_addresses;
};

// One a node, in the grid's order; the nodes are asked in parallel, each for a second or two.
struct vg_node_status *vg_status_look(struct vg_session *session, const struct vg_world *world);
void vg_status_done(struct vg_node_status *nodes, size_t n_nodes);
