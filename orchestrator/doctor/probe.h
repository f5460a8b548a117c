// SPDX-License-Identifier: Apache-2.0
//
// Asks every host of a site what it has and can do, all at once: one that hangs costs its call's
// limit, and the others are answered for. Used by `doctor --site`.
#pragma once

#include "orchestrator/doctor/facts.h"

struct vg_context;
struct vg_site;

// Opens the site, which must be entered, and changes nothing there but to start daemons of a
// practice site's hosts that died. What keeps one host from being asked is its `problem`; an error
// is for what keeps all of them. The facts borrow from the site.
struct vg_error *vg_doctor_probe(struct vg_site *site, struct vg_context *context,
	struct vg_site_facts *ret_facts) VG_MUST_CHECK;
