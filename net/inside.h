// SPDX-License-Identifier: Apache-2.0
//
// Running a function inside a network namespace. Used to open what belongs to one: netlink sockets,
// taps, its sysctls.
#pragma once

#include "base/error.h"

// Calls on a thread of its own that enters the namespace (-1: calls right here) and ends there. The
// caller's thread never moves: going back to a namespace that belongs to an outer user namespace is
// forbidden (setns(2)), so a thread that went in could not always come out.
struct vg_error *vg_inside(
	int namespace_fd, struct vg_error *(*call)(void *data), void *data) VG_MUST_CHECK;
