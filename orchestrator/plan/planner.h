// SPDX-License-Identifier: Apache-2.0
//
// The plan while it is being built: shared by build.c (hosts, networks, order), decide.c (what is
// to become of each wanted node), drift.c (what was done to its machine), nodes.c (its steps),
// removal.c (what is not wanted any more) and lost.c (what is lost with a host, and what comes back
// with it). Private to this folder.
#pragma once

#include "base/map.h"
#include "base/text.h"
#include "orchestrator/plan/plan.h"

enum { VG_NO_STEP = -1 };

// A growing list of step numbers.
struct vg_needs {
	size_t *items;
	size_t n_items;
};

struct vg_planner {
	const struct vg_plan_input *input;
	struct vg_plan *plan;        // steps and changes are malloc'ed until vg_planner_finish()
	struct vg_map *nodes;        // name → struct vg_node, wanted
	struct vg_map *volumes;      // tag → struct vg_volume_seen, without old copies
	struct vg_map *machines;     // uuid → struct vg_machine_seen, likewise
	struct vg_map *held;         // link → itself: taps that a machine has open
	struct vg_map *made;         // "NODE/DISK" → itself: data disks that were there once
	int *host_ready;             // per host: the step that makes it usable, or VG_NO_STEP
	int *net_ready;              // per host: the step that builds its networks, or VG_NO_STEP
	struct vg_needs *before_net; // per host: removals and stops that free its taps
	int *node_ready;             // per wanted node: its NODE_READY step, or VG_NO_STEP
	struct vg_node_work *work;   // per wanted node
	bool changes_members;        // nodes come or go, so that networks change by wish
};

// What is to be done for a wanted node, decided before any of its steps is made.
struct vg_node_work {
	const struct vg_machine_seen *machine;
	bool lives;               // it runs or is paused, and goes on unless it restarts
	bool restarts, recreates; // recreates: the root disk is made anew
	bool needs_define;
	int stop;     // its MACHINE_STOP step, or VG_NO_STEP
	int old_gone; // the last step that removes an old machine of it, or VG_NO_STEP
};

// Appends a step; the caller fills in the rest before the next call. `needs` is copied.
struct vg_step *vg_planner_step(struct vg_planner *planner, enum vg_step_kind kind, int host,
	const char *subject, const struct vg_needs *needs);
void vg_planner_change(struct vg_planner *planner, enum vg_change_sign sign, const char *subject,
	struct vg_place place, bool asks, const char *format, ...) VG_PRINTF(6, 7);
int vg_planner_last(const struct vg_planner *planner); // number of the step made last

void vg_needs_add(struct vg_needs *needs, int step); // VG_NO_STEP is left out
static inline void vg_needs_auto_free(struct vg_needs *needs)
{
	free(needs->items);
}

// `node/NAME/disk/DISK` and `node/NAME/seed` of this grid, malloc'ed.
char *vg_planner_disk_tag(const struct vg_planner *planner, const char *node, const char *disk);
char *vg_planner_seed_tag(const struct vg_planner *planner, const char *node);
bool vg_planner_may_replace(const struct vg_planner *planner, const char *node, const char *disk);
// Was this data disk of a wanted node there once, by the record or by what its machine was given?
// Then it is never made anew in silence.
bool vg_planner_was_made(const struct vg_planner *planner, size_t node, const char *disk);
// The wanted node of a machine's or volume's tag; NULL if it is none's.
const struct vg_node *vg_planner_owner(const struct vg_planner *planner, const char *tag);
// NULL if there is none.
const struct vg_volume_seen *vg_planner_find_disk(
	const struct vg_planner *planner, const char *node, const char *disk);
const char *vg_planner_digest(const struct vg_planner *planner, const struct vg_role *role);

// decide.c: decides, and makes the stops that networks must wait for; nodes.c: the rest.
void vg_planner_decide_nodes(struct vg_planner *planner);
struct vg_error *vg_planner_make_nodes(struct vg_planner *planner) VG_MUST_CHECK;
// lost.c. The replaced host that the wanted node was on; NULL: it was on none.
const char *vg_planner_lost_host(const struct vg_planner *planner, size_t node);
// Is this machine or volume of a wanted node from an earlier life of it? On another host than the
// node's it is, and everywhere if the node itself is lost or new: it is never used.
bool vg_planner_is_old(const struct vg_planner *planner, const char *tag, size_t host);
// Refuses to lose data without a word; the first steps of the plan remove old copies.
struct vg_error *vg_planner_refuse_lost(const struct vg_planner *planner) VG_MUST_CHECK;
struct vg_error *vg_planner_remove_old(struct vg_planner *planner) VG_MUST_CHECK;
// removal.c: machines and volumes that no wanted node has; and the end of everything.
struct vg_error *vg_planner_remove_unwanted(struct vg_planner *planner) VG_MUST_CHECK;
struct vg_error *vg_planner_remove_all(struct vg_planner *planner) VG_MUST_CHECK;
