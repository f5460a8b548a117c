// SPDX-License-Identifier: Apache-2.0
//
// The contract of a compute driver: machines on one host.
//
// A driver is a const table of functions. vg_compute is an open connection to one host; it may be
// used by several threads at once. Every operation may be repeated: what is already so is success
// and changes nothing. Nothing is remembered outside the backend: a machine is found by its uuid, and
// owned ones by the tag in their metadata. Observation is one round trip or a constant number of
// them, not one a machine. A call returns within its driver's timeout (30 s unless said otherwise)
// even when the backend hangs. Errors name the host and carry the machine's place.
//
// What is not owned (no tag of vgrid) is never changed; an operation on such a machine is an error.
#pragma once

#include "compute/machine.h"

struct vg_compute; // each driver's own

enum vg_ability {
	VG_ABILITY_UNKNOWN, // it cannot be seen from here
	VG_ABILITY_NO,
	VG_ABILITY_YES,
};

struct vg_compute_target {
	const char *host; // its name, for messages
	const char *uri;  // libvirt URI; the fake's world file
	const char *folder;      // the host's storage folder as this process sees it, or NULL
	const char *folder_seen; // the same folder as the hypervisor sees it
	// The network namespace that connections are opened in (they work from anywhere then). 0 or less:
	// this process's own.
	int namespace_fd;
};

// What a host has and can do, for doctor.
struct vg_compute_facts {
	char *manager, *emulator; // versions of libvirt and of QEMU there; NULL: not known
	bool has_kvm;             // hardware acceleration is offered
	uint64_t cores, memory;   // in bytes; 0: not known, UINT64_MAX: no limit
	enum vg_ability limits_cpu; // can a machine's cpu_limit be enforced there?
	char *why_not;              // the reason, unless it is VG_ABILITY_YES
	bool has_clock;             // its clock could be read:
	int64_t clock_ahead_ms;     // how far it is ahead of this machine's
};

void vg_compute_facts_done(struct vg_compute_facts *facts);

enum vg_machine_stop {
	VG_STOP_CLEAN, // ask the guest; when the time is up, as VG_STOP_NOW
	VG_STOP_NOW,   // pull the plug
};

struct vg_compute_driver {
	const char *name;

	struct vg_error *(*open)(const struct vg_compute_target *target, struct vg_compute **ret)
		VG_MUST_CHECK;
	void (*close)(struct vg_compute *compute);

	// All owned machines of the host whose tag is of this store and, unless NULL, this grid; and the
	// names of those that have no tag of this store.
	struct vg_error *(*observe)(struct vg_compute *compute, const char *store, const char *grid,
		struct vg_machines_seen *ret_seen) VG_MUST_CHECK;

	// The state of one machine, light enough to ask every second; *ret_reason is a constant as in
	// vg_machine_seen. One that is not defined is VG_MACHINE_STOPPED.
	struct vg_error *(*state)(struct vg_compute *compute, const char *uuid,
		enum vg_machine_state *ret_state, const char **ret_reason) VG_MUST_CHECK;

	// Defines the machine, or redefines it (what runs goes on as it was until its next start).
	struct vg_error *(*define)(struct vg_compute *compute, const struct vg_machine *machine)
		VG_MUST_CHECK;
	// Returns when the emulator runs, not when the guest is ready. One that is paused goes on from
	// where it was.
	struct vg_error *(*start)(struct vg_compute *compute, const char *uuid) VG_MUST_CHECK;
	struct vg_error *(*stop)(struct vg_compute *compute, const char *uuid,
		enum vg_machine_stop how, uint64_t timeout_ms) VG_MUST_CHECK;
	// Stops it now and undefines it; its disks are the storage driver's. None is success.
	struct vg_error *(*remove)(struct vg_compute *compute, const char *uuid) VG_MUST_CHECK;

	// Sends one QMP-style request to the guest agent and yields its reply, malloc'ed:
	// `{"return": …}` or `{"error": …}`. VG_ERROR_TIMEOUT when the agent does not answer.
	struct vg_error *(*agent)(struct vg_compute *compute, const char *uuid, const char *request,
		unsigned timeout_s, char **ret_reply) VG_MUST_CHECK;

	// The log of the serial console since the machine was started, from `offset` on, at most
	// size_max bytes, malloc'ed; *ret_end is the offset behind it. Offsets count from the oldest
	// byte that is kept. A machine that never ran has an empty one. It goes with the machine.
	struct vg_error *(*console_log)(struct vg_compute *compute, const char *uuid, uint64_t offset,
		size_t size_max, char **ret_bytes, size_t *ret_size, uint64_t *ret_end) VG_MUST_CHECK;

	// A two-way stream to the serial console (channel NULL; an earlier reader is disconnected) or
	// to a virtio-serial channel by name, as a stream socket that the caller closes. A channel that
	// is in use is an error.
	struct vg_error *(*open_stream)(struct vg_compute *compute, const char *uuid,
		const char *channel, int *ret_fd) VG_MUST_CHECK;

	// Only looks; starts no machine for it.
	struct vg_error *(*facts)(struct vg_compute *compute,
		struct vg_compute_facts *ret_facts) VG_MUST_CHECK;
};

extern const struct vg_compute_driver vg_compute_libvirt, vg_compute_fake;
