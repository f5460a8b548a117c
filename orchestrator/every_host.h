// SPDX-License-Identifier: Apache-2.0
//
// The same act on every host of a site at once. Used to open them and to look at them: one that hangs
// must not hide the others, and Ctrl-C says which are still waited for.
#pragma once

#include "orchestrator/site.h"

// Calls act() for each host, in a thread of its own. What it yields is kept as the host's problem; a
// host that has one already is left out. An error that names each host with a problem, unless the site
// is lenient (vg_site.is_lenient) or the host is replaced.
struct vg_error *vg_every_host(struct vg_site *site, struct vg_context *context,
	struct vg_error *(*act)(struct vg_host *host, void *data), void *data) VG_MUST_CHECK;

// The problems of all hosts that are not replaced as one error: the first, and the others below it.
// NULL if there are none.
struct vg_error *vg_hosts_problems(const struct vg_site *site) VG_MUST_CHECK;
