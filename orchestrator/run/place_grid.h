// SPDX-License-Identifier: Apache-2.0
//
// From a session's wanted grid to its place on the site: the input of placement (plan/place.h) out
// of the site's hosts, what the ledger promises others, and where nodes are already. Used by wish.c
// and commit.c.
#pragma once

#include "orchestrator/run/session.h"

// Reads the ledger anew, places the record's grid and gives its networks VNIs; *ret_is_other says
// whether anything came out other than it stood in the record.
struct vg_error *vg_place_grid(struct vg_session *session, bool *ret_is_other) VG_MUST_CHECK;
// Why each node of the record's grid is where it is: malloc'ed, one a node, each malloc'ed. NULL
// where there was nothing to choose.
char **vg_place_reasons(const struct vg_session *session);
