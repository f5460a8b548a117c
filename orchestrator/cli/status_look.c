// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/status_look.h"

#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "orchestrator/context.h"
#include "orchestrator/cli/parallel.h"
#include "orchestrator/run/ready.h"

enum { N_THREADS = 32, LOOK_MAX_MS = 4000 };

struct look {
	struct vg_session *session;
	struct vg_node_status *nodes;
};

static void look_at_machine(const struct vg_session *session, const struct vg_world *world,
	struct vg_node_status *status)
{
	const struct vg_node *node = status->node;
	status->state = "absent";
	status->reason = "";
	if (node->host < 0 || (size_t)node->host >= session->site->n_hosts)
		return;
	status->on = &session->site->hosts[node->host];
	if (status->on->problem) {
		status->state = "unknown";
		status->reason = "its host did not answer";
		return;
	}
	if (!status->on->is_running) {
		status->state = "stopped";
		status->reason = "its host does not run";
		return;
	}
	const struct vg_machine_seen *seen =
		vg_world_machine(world, node->uuid, (size_t)node->host);
	if (!seen)
		return;
	status->state = vg_machine_state_name(seen->state);
	status->reason = seen->reason ? seen->reason : "";
}

static void list_addresses(const struct vg_grid *grid, struct vg_node_status *status)
{
	const struct vg_role *role = vg_node_role(grid, status->node);
	status->addresses = vg_alloc((role->n_nics + 1) * sizeof(char *));
	status->n_addresses = role->n_nics;
	for (size_t i = 0; i < role->n_nics; i++) {
		char text[VG_IP_LENGTH];
		vg_ip_write(&status->node->nics[i].address, text);
		status->addresses[i] = vg_strdup(text);
	}
}

static uint64_t clock_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

// A look that takes too long is broken off as if by Ctrl-C.
struct bound {
	const struct vg_context *context;
	uint64_t until_ms;
};

static bool is_enough(void *data)
{
	const struct bound *bound = data;
	return clock_ms() > bound->until_ms ||
	       bound->context->is_interrupted(bound->context->interrupted_data);
}

static void look_at_readiness(void *data, size_t i)
{
	struct look *look = data;
	struct vg_node_status *status = &look->nodes[i];
	struct vg_session *session = look->session;
	if (status->on && status->on->problem) {
		status->why = vg_strdup("its host did not answer");
		return;
	}
	if (strcmp(status->state, vg_machine_state_name(VG_MACHINE_RUNNING)) != 0) {
		status->why = vg_strdup("it does not run");
		return;
	}
	struct bound bound = {session->context, clock_ms() + LOOK_MAX_MS};
	struct vg_context context = *session->context;
	context.is_interrupted = is_enough;
	context.interrupted_data = &bound;
	status->is_ready =
		vg_ready_look(&context, session->site->drivers, status->on, session->record->grid,
			status->node, &status->why) == VG_READY_YES;
	if (status->is_ready)
		free(vg_take(status->why));
	else if (!status->why)
		status->why = vg_strdup("not yet");
}

struct vg_node_status *vg_status_look(struct vg_session *session, const struct vg_world *world)
{
	const struct vg_grid *grid = session->record->grid;
	struct look look = {session, vg_alloc((grid->n_nodes + 1) * sizeof(*look.nodes))};
	for (size_t i = 0; i < grid->n_nodes; i++) {
		look.nodes[i].node = &grid->nodes[i];
		look_at_machine(session, world, &look.nodes[i]);
		list_addresses(grid, &look.nodes[i]);
	}
	vg_parallel(grid->n_nodes, N_THREADS, look_at_readiness, &look);
	return look.nodes;
}

void vg_status_done(struct vg_node_status *nodes, size_t n_nodes)
{
	for (size_t i = 0; i < n_nodes; i++) {
		free(nodes[i].why);
		for (size_t k = 0; k < nodes[i].n_addresses; k++)
			free(nodes[i].addresses[k]);
		free(nodes[i].addresses);
	}
	free(nodes);
}
