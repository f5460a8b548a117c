// SPDX-License-Identifier: Apache-2.0
//
// The maps of a user namespace (user_namespaces(7)): who is who in it. Used to make the one of a
// home (namespace.c), the nested one of a libvirtd (libvirtd.c), and to try (probe.c).
#pragma once

#include <stdbool.h>
#include <sys/types.h>

// An unprivileged user outside: it owns the files, the taps and the boxes.
struct vg_owner {
	uid_t uid;
	gid_t gid;
};

// Maps the owner, who must be this very process, to uid and gid `inside` of the user namespace it
// has just made. Returns 0 or an errno code; safe after a fork.
int vg_mapping_write_own(unsigned inside, const struct vg_owner *owner);
// The maps of the process `pid`, written by root from outside: the owner is 0, and root is 1, so
// that root's own files stay within reach. Where root may not hand its own uid on (it lacks
// CAP_SETFCAP) only the owner is mapped. Returns 0 or an errno code; safe after a fork.
int vg_mapping_write_for(pid_t pid, const struct vg_owner *owner);
// Is this process root with a use for it: may it choose another user and map it? Root of a user
// namespace of one uid, as in `unshare -r`, is an ordinary user in this respect.
bool vg_mapping_may_choose(const struct vg_owner *owner);
