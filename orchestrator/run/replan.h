// SPDX-License-Identifier: Apache-2.0
//
// From a session to its plan: observes the hosts, computes slices, seeds and the difference. What
// `up` does with a new wanted grid, `status --check` does with the recorded one, and `down` with none.
#pragma once

#include "compute/facts.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/run/session.h"
#include "storage/images.h"

struct vg_replan_options {
	bool removes_all;  // nothing is wanted any more
	bool keeps_disks, deletes_disks;
	const char *const *replaces;
	size_t n_replaces;
	bool is_sure_it_is_off; // nothing runs any more on hosts that are replaced
	bool is_report; // what would be refused is one more difference
};

struct vg_planning {
	struct vg_replan_options options; // that it was made with; what they point to is borrowed
	struct vg_world *world;
	struct vg_slice **slices; // one a host
	bool *limits_rates;       // one a host
	size_t n_hosts;
	struct vg_facts *facts;   // keys and shared files, a draft until they are needed; NULL when
				  // all is removed
	char **seeds;             // versions, one a node
	size_t n_seeds;
	char **reasons;           // why nodes are where they are; NULL: nothing was chosen
	struct vg_plan_image *images;   // same index as the grid's
	struct vg_image_info **infos;   // NULL where an image is not there yet
	size_t n_images;
	struct vg_plan *plan;
};

void vg_planning_free(struct vg_planning *planning);
VG_AUTO(vg_planning);

struct vg_error *vg_replan(struct vg_session *session, const struct vg_replan_options *options,
	struct vg_planning **ret_planning) VG_MUST_CHECK;
