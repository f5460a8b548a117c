// SPDX-License-Identifier: Apache-2.0
//
// Whose is a VGRID_HOME, and its folders: what namespace.c does outside the user namespace, before
// it enters it.
#pragma once

#include "base/error.h"
#include "box/mapping.h"

enum { VG_HOME_UID = 64738 }; // who owns the files and runs the emulators of root's grids

struct vg_home_owner {
	struct vg_owner owner; // becomes uid 0 of the namespace
	bool is_chosen;        // this process is root, and goes in as that other user
};

// Makes home (0700) and its folders, and decides whose it is:
//
// - An ordinary user's home is his own.
// - Root's is VG_HOME_UID's, so that emulators never run as root. Root's own files (a template
// below
//   /root) stay within reach by a second line of the map and CAP_DAC_OVERRIDE inside.
// - A home that belongs to an ordinary user, entered by root (sudo), stays that user's: root
// becomes
//   him here, for good, so that he finds his own files afterwards.
//
// Root's network, mounts and devices stay as they are: where /dev/net/tun is closed to the owner,
// this process gets a mount namespace of its own with a node that is open.
struct vg_error *vg_home_prepare(const char *home, struct vg_home_owner *ret_as) VG_MUST_CHECK;
// Gives a file that root has made to the owner.
struct vg_error *vg_home_own(
	const struct vg_home_owner *as, int fd, const char *name) VG_MUST_CHECK;
