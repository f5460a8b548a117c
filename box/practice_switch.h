// SPDX-License-Identifier: Apache-2.0
//
// Open vSwitch on a host of a practice site: what an administrator would set up once. The userspace
// datapath sends tunnels only over a bridge of its own that holds the underlay's NIC and address
// (Open vSwitch's howto/userspace-tunneling).
#pragma once

#include "box/box.h"

#define VG_PRACTICE_BRIDGE "br-phy"

// Waits for its daemons, and makes the bridge with the plugged underlay link in it, and the keys
// that `pssl:` controllers use. May be repeated. *ret_restarted: the daemon that
// had died, or NULL; a constant.
struct vg_error *vg_practice_switch(struct vg_box *box, size_t host, uint64_t timeout_ms,
	const char **ret_restarted) VG_MUST_CHECK;
// Are the programs installed? NULL, or what is missing with the exact remedy as hint.
struct vg_error *vg_practice_probe_switch(void) VG_MUST_CHECK;
