// SPDX-License-Identifier: Apache-2.0
//
// The slice that a namespace's links amount to. Used by the kernel net driver.
#pragma once

#include "net/kernel_state.h"
#include "net/slice.h"

// Only what works counts: a port whose tap is gone, stopped or on another bridge is not in the result.
// The state does not know IP addresses of members: they are left empty.
struct vg_slice *vg_kernel_slice(
	const struct vg_kernel_state *state, const char *store, const char *grid);
