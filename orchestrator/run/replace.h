// SPDX-License-Identifier: Apache-2.0
//
// Hosts that do not answer and are planned around: `up --replace-host`. Their nodes are made anew
// on other hosts, and never while the first copy may still run. Used by wish.c and replan.c.
#pragma once

#include "orchestrator/run/session.h"

// Marks the hosts of these names. A usage error where the site has no such host, or where its hosts
// are the grid's own.
struct vg_error *vg_replace_mark(
	struct vg_site *site, const char *const *names, size_t n_names) VG_MUST_CHECK;
// Once all hosts were looked at: a host that answers is not replaced, nor one with recorded nodes
// unless somebody is sure that it is off.
struct vg_error *vg_replace_check(
	const struct vg_session *session, bool is_sure_it_is_off) VG_MUST_CHECK;
// One a node of the record's grid: the name of the replaced host that it was on, borrowed, or NULL.
// malloc'ed; NULL if no host is replaced.
const char **vg_replace_lost(const struct vg_session *session);
// One a node: the record was complete without it, so that it can have nothing of its own yet. malloc'ed;
// NULL if the record was not complete.
bool *vg_replace_fresh(const struct vg_session *session);
// Adds to the error, if hosts do not answer, which nodes are there and what can be done. Yields it.
struct vg_error *vg_replace_explain(
	const struct vg_session *session, struct vg_error *error) VG_MUST_CHECK;
