// SPDX-License-Identifier: Apache-2.0
//
// Registrations: small files below HOME/run that name a living process so that it can be told from
// a later one of the same number: pid, start time, boot id and user namespace. Used for the members
// of the user namespace (namespace.c) and for boxes (box.c).
//
// They are hints: a lost one is found again by a look through /proc, a stale one (dead process,
// other boot) is noticed by whoever reads it. Hence no fsync.
#pragma once

#include <sys/types.h>

#include "base/error.h"

enum vg_registration_state {
	VG_REGISTRATION_NONE,  // no file, or one that cannot be read (a crash cut it short)
	VG_REGISTRATION_STALE, // its process is gone
	VG_REGISTRATION_LIVE,
};

struct vg_registration {
	pid_t pid;
	uint64_t start_time;
	ino_t user_namespace;
};

// Registers a process of this pid namespace. `what` says to people what it is. The uid of
// the file is the caller's.
struct vg_error *vg_registration_write(const char *path, pid_t pid, const char *what) VG_MUST_CHECK;
// *ret_registration is written when the answer is LIVE. Removes nothing.
enum vg_registration_state vg_registration_read(
	const char *path, struct vg_registration *ret_registration);

// The inode of a process's user namespace, which names it; 0 if that may not be known.
ino_t vg_registration_user_namespace(pid_t pid);
