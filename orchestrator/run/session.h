// SPDX-License-Identifier: Apache-2.0
//
// A grid that exists, opened for work: its record and its site's hosts, connected. Used by every verb
// that takes GRID.
#pragma once

#include "compute/agent.h"
#include "orchestrator/plan/place.h"
#include "orchestrator/site.h"
#include "orchestrator/state/ledger.h"

struct vg_context;

struct vg_session {
	struct vg_context *context;
	struct vg_record *record;
	struct vg_site *site;
	// While a wish is planned: the grid as it was recorded (NULL: there was none), the ledger that
	// was planned against, and why nodes are where they are.
	struct vg_grid *before;
	struct vg_ledger *ledger;
	struct vg_placement *placement;
	int lock; // -1 unless opened to change
};

// Resolves GRID, enters the site, loads the record, connects.
// `doing` NULL only looks; else the grid is locked, and those who wait are told `doing`. The site is
// lenient: a host that does not answer is no error here but has its problem (orchestrator/site.h).
struct vg_error *vg_session_open(struct vg_context *context, const char *grid, const char *doing,
	struct vg_session **ret_session) VG_MUST_CHECK;
// The same for one who is going to end the grid without asking its guests: boxes of its own are found
// but not opened, whatever state their hypervisors are in (vg_site.is_ending).
struct vg_error *vg_session_open_to_end(struct vg_context *context, const char *grid,
	const char *doing, struct vg_session **ret_session) VG_MUST_CHECK;
void vg_session_free(struct vg_session *session);
VG_AUTO(vg_session);

// The record's nodes get the indices that their hosts have on the site as it is now. An error names a
// node whose host the site has no more.
struct vg_error *vg_session_find_hosts(struct vg_session *session) VG_MUST_CHECK;
// The site's hosts become those that the record names.
void vg_session_name_hosts(struct vg_session *session);

// The node of this name and the host it is on; VG_ERROR_NOT_FOUND with a "did you mean", or an error
// that says that its host does not run (`vgrid up` mends it) or does not answer.
struct vg_error *vg_session_node(struct vg_session *session, const char *name,
	const struct vg_node **ret_node, struct vg_host **ret_host) VG_MUST_CHECK;
// The same as an agent to talk to.
struct vg_error *vg_session_agent(struct vg_session *session, const char *name,
	struct vg_agent *ret_agent) VG_MUST_CHECK;
