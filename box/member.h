// SPDX-License-Identifier: Apache-2.0
//
// The members of a home's user namespace, by whom it is found: running commands (registered below
// HOME/run/members) and boxes (below HOME/run/boxes, or by a look through /proc). Used by
// namespace.c.
#pragma once

#include <sys/types.h>

#include "base/error.h"

// Opens the user namespace of a living member that runs as `uid`; *ret_fd stays -1 when there is
// none. Removes stale registrations on the way. The home's lock must be held.
struct vg_error *vg_member_find(const char *home, uid_t uid, int *ret_fd) VG_MUST_CHECK;
// Registers this process, inside already. `what` says to people what it does.
struct vg_error *vg_member_register(const char *home, const char *what) VG_MUST_CHECK;
// Removes this process's registration when it exits.
void vg_member_leave_at_exit(const char *home);
