// SPDX-License-Identifier: Apache-2.0
//
// The world of the fake compute driver: JSON in memory, or in one file that several processes
// share. Used by compute/fake*.c; tests write the knobs and read the rest.
//
//	{"hosts": {"HOST": {"machines": {"UUID": MACHINE}, "names": {"NAME": "UUID"}}},
//	 "knobs": {"WHO": KNOBS}, "facts": {"HOST": FACTS}}
//
// MACHINE: name, node, tag, state, reason, next (what was defined), now (what runs), boots,
// boot_id, console, files {PATH: {content, mode}}, ran (the argument vectors of guest-exec). WHO is
// a machine's name (GRID.NODE), its node's name, or a host's; the first that is there holds. KNOBS:
// "never_ready": true; "fail": {"OPERATION": "message"} for the driver's operations, each time;
// "exec": {"ARGUMENTS": {"status": 1, "out": "…", "err": "…"}} for what the guest runs, the
// arguments with blanks between them. FACTS, for what differs from a host without limits: "libvirt" and
// "qemu" (versions), "kvm": false, "cores", "memory" (bytes), "limits_cpu": false, "clock_ahead_ms".
#pragma once

#include "base/error.h"

struct vg_json;
struct vg_fake_world;

// "fake:" is the one world in this process's memory; "fake:PATH" a file, which need not exist.
struct vg_error *vg_fake_world_open(
	const char *uri, struct vg_fake_world **ret_world) VG_MUST_CHECK;
void vg_fake_world_close(struct vg_fake_world *world);
// Empties the world in memory: for tests.
void vg_fake_world_reset(void);

// Takes the world for this thread, with what other processes changed; borrowed until unlock.
struct vg_error *vg_fake_world_lock(
	struct vg_fake_world *world, struct vg_json **ret_root) VG_MUST_CHECK;
// Saves it if it was changed and lets it go.
struct vg_error *vg_fake_world_unlock(struct vg_fake_world *world, bool is_changed) VG_MUST_CHECK;

// The object of this key, made if it is not there. Borrowed.
struct vg_json *vg_fake_object(struct vg_json *parent, const char *key);
// KNOBS of a machine (may be NULL) on a host; NULL: none.
struct vg_json *vg_fake_knobs(
	const struct vg_json *root, const char *host, const struct vg_json *machine);

// The guest agent of a running machine: a request's reply, malloc'ed, and whether the world has changed.
struct vg_error *vg_fake_agent(struct vg_json *machine, const struct vg_json *knobs,
	const char *request, char **ret_reply, bool *ret_is_changed) VG_MUST_CHECK;

// A stream socket that says the greeting, which is taken over, and then gives back what it gets,
// until the other end is closed.
struct vg_error *vg_fake_stream(char *greeting, int *ret_fd) VG_MUST_CHECK;
