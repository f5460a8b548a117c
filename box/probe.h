// SPDX-License-Identifier: Apache-2.0
//
// Why does this machine refuse a box, and what mends it? The reasoning behind vg_namespace_probe(),
// vg_namespace_probe_tun() and vg_box_probe_programs(), apart from the trying, so that unit tests
// can show each remedy on a made-up machine: `root` is put in front of every path that is read (""
// is this machine).
#pragma once

#include "base/error.h"

// The error for a user namespace that was refused with errno_code while `attempt` ("making a user
// namespace", …), with the exact remedy as hint. Never NULL.
struct vg_error *vg_probe_explain_namespace(
	const char *root, int errno_code, const char *attempt) VG_MUST_CHECK;
// The same for /dev/net/tun that did not open.
struct vg_error *vg_probe_explain_tun(const char *root, int errno_code) VG_MUST_CHECK;
// NULL when each program is in one of the folders of `path` (as in PATH).
struct vg_error *vg_probe_programs(const char *root, const char *path) VG_MUST_CHECK;
// The same for the programs of Open vSwitch.
struct vg_error *vg_probe_switch_programs(const char *root, const char *path) VG_MUST_CHECK;

// How to install them.
const char *vg_probe_packages(void);

// Opens a device for reading and writing as a process without any capability does, as the emulators
// in a box are: 0, or why not (an errno code). Tried in a child process; may be called by any
// thread.
int vg_probe_device(const char *path);
