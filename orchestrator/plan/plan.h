// SPDX-License-Identifier: Apache-2.0
//
// The plan: the ordered difference between wanted and observed. Pure: same input, same output, no
// I/O; links without libvirt, Ceph, OVS and YAML. Made by run/replan.h and cli/down.c, shown by
// plan/print.h, carried out by run/apply.h.
#pragma once

#include "orchestrator/plan/step.h"
#include "orchestrator/plan/world.h"
#include "templates/grid.h"

// What is known of an image of the grid; same index as vg_grid.images.
struct vg_plan_image {
	const char *digest; // NULL: not there yet (a plan without an up)
	bool has_root;
};

struct vg_plan_input {
	const struct vg_grid *wanted; // bound and placed; NULL: nothing is wanted
	const struct vg_world *world;
	const char *store, *grid_uuid;
	const char *const *host_names;        // n = world->n_hosts
	const struct vg_slice *const *slices; // wanted, one a host (NULL if wanted is NULL)
	const bool *limits_rates; // one a host: it enforces the rates of its slice; NULL: none does
	const struct vg_plan_image *images;
	const char *const *seeds;   // wanted versions of the nodes' seeds: "SHARED:OWN"
	const char *const *reasons; // why nodes are where they are, one a node; NULL: not said
	const char *const *lost; // one a node: the replaced host it was on, or NULL; NULL: no host
				 // is replaced
	const bool *is_fresh; // one a node: the grid was complete without it, so that what is seen
			      // of it is old; NULL: none is
	bool is_owned;     // hosts are started and ended with the grid
	bool was_complete; // the record says that every node was ready: what runs need not be asked
	bool keeps_disks;  // with wanted NULL: stop, but keep root and data disks
	bool deletes_disks;          // data disks of what is not wanted any more may go
	const char *const *replaces; // NODE/DISK each: data disks that may be made anew
	size_t n_replaces;
	const char *const *made; // NODE/DISK each: data disks that were there once
	size_t n_made;
	bool is_report; // what would be refused is a change like others: for `status`
};

enum vg_change_sign { VG_CHANGE_ADD = '+', VG_CHANGE_ALTER = '~', VG_CHANGE_REMOVE = '-' };

// One line of the plan as a person reads it.
struct vg_change {
	enum vg_change_sign sign;
	const char *subject; // "worker-1"
	const char *text;    // "restart: memory 256MiB → 512MiB"
	const char *why;     // of a new node: why it is on that host; NULL: not said
	struct vg_place place;
	bool asks; // something is restarted, recreated or removed: `up` asks first
};

struct vg_plan {
	struct vg_arena *arena;
	struct vg_step *steps; // in an order in which they could run one by one
	size_t n_steps;
	size_t n_first; // the first of them remove old copies of nodes; they need no others, and
			// come before the plan is the store's
	struct vg_change *changes;
	size_t n_changes;
	const char **unenforced; // promises that this site does not enforce, one line each
	size_t n_unenforced;
};

// An error is a refusal (data would die without a word, a disk would shrink); it has the place.
struct vg_error *vg_plan_build(
	const struct vg_plan_input *input, struct vg_plan **ret_plan) VG_MUST_CHECK;
void vg_plan_free(struct vg_plan *plan);
VG_AUTO(vg_plan);

bool vg_plan_asks(const struct vg_plan *plan);
