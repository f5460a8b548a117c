// SPDX-License-Identifier: Apache-2.0
//
// The world as observed: per host, the machines, links and volumes that carry a grid's tag. Plain
// data; the plan compares it with what is wanted.
#pragma once

#include "compute/machine.h"
#include "net/slice.h"
#include "storage/driver.h"

struct vg_host_seen {
	bool is_running;
	const char *repaired; // its daemon that had died and was started again, just now; NULL: none
	struct vg_machines_seen machines;
	struct vg_slice *slice; // NULL: nothing seen
	struct vg_volumes_seen volumes;
};

struct vg_world {
	struct vg_host_seen *hosts;
	size_t n_hosts;
	bool is_split; // the hosts are there, and what joins them is not
};

struct vg_world *vg_world_new(size_t n_hosts);
void vg_world_free(struct vg_world *world);
VG_AUTO(vg_world);

// The machine of a node, by uuid, wherever it is; NULL if there is none.
const struct vg_machine_seen *vg_world_machine(
	const struct vg_world *world, const char *uuid, int *ret_host);
