// SPDX-License-Identifier: Apache-2.0
//
// The one user namespace of a VGRID_HOME, in which all its boxes live. A command that touches boxes
// moves into it once, before its first thread, and is uid 0 of that namespace from then on. The
// namespace lives as long as a member: a box or a running command; members are registered under
// HOME/run/members, a lock orders joining and making.
#pragma once

#include "base/error.h"

// Moves this process into the namespace of this home, or makes it; inside already it does nothing.
// `what` says to people what it does there. Must be called before any thread is started. After an
// error the process may be half-way in, and must do nothing but tell it and end.
//
// Started by root it does the same with an unprivileged uid that owns home's files, and with a
// private mount namespace in which /dev/net/tun is a node of that uid's own; root's own files stay
// readable. Where user namespaces are forbidden (sysctl, AppArmor, a container) the error's hint
// says the exact remedy.
struct vg_error *vg_namespace_enter(const char *home, const char *what) VG_MUST_CHECK;
bool vg_namespace_is_inside(void);

// Can it work here? Tried in a child process. Each is NULL when all is well, else names the reason
// and the exact remedy as hint.
struct vg_error *vg_namespace_probe(void) VG_MUST_CHECK;
struct vg_error *vg_namespace_probe_tun(void) VG_MUST_CHECK;

// Calls in the network namespace of namespace_fd, on a thread that ends there (see net/inside.h:
// the caller's own could not come back).
struct vg_error *vg_namespace_call(
	int namespace_fd, struct vg_error *(*call)(void *data), void *data) VG_MUST_CHECK;
