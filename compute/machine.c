// SPDX-License-Identifier: Apache-2.0
#include "compute/machine.h"

const char *vg_machine_state_name(enum vg_machine_state state)
{
	switch (state) {
	case VG_MACHINE_RUNNING:
		return "running";
	case VG_MACHINE_PAUSED:
		return "paused";
	case VG_MACHINE_STOPPED:
		return "stopped";
	case VG_MACHINE_CRASHED:
		return "crashed";
	}
	return "unknown";
}

void vg_machines_seen_done(struct vg_machines_seen *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < seen->n_items; i++) {
		free(seen->items[i].tag);
		free(seen->items[i].uuid);
		free(seen->items[i].name);
		free(seen->items[i].applied);
	}
	free(seen->items);
	*seen = (struct vg_machines_seen){0};
}
