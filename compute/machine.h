// SPDX-License-Identifier: Apache-2.0
//
// A machine as a hypervisor is asked for it: one node of a grid with every path and name resolved.
// Plain data made by the orchestrator; the drivers turn it into domains. And what a hypervisor says
// of the machines it has.
#pragma once

#include "base/error.h"
#include "base/ip.h"

enum vg_accelerator { VG_ACCELERATOR_TCG, VG_ACCELERATOR_KVM };

struct vg_machine_disk {
	const char *name;   // virtio serial and alias: "root", "seed", a data disk's name
	const char *path;   // as the hypervisor sees it
	const char *format; // "qcow2" or "raw"; stated, never probed
	bool is_read_only;
	bool is_data; // the user's: never removed but by an explicit word
};

struct vg_machine_nic {
	const char *network; // the language's name, for messages
	const char *link;    // the tap that the net driver made
	struct vg_mac mac;
	unsigned mtu;
	bool is_plain; // without offloads on both sides: net/driver.h, needs_plain_frames
};

// All strings are borrowed and outlive the machine.
struct vg_machine {
	const char *tag;  // …/node/NAME
	const char *uuid; // of the domain and its SMBIOS
	const char *name; // of the domain: GRID.NODE
	const char *node; // the node's name
	struct vg_place place; // of the role, for errors
	unsigned cpu;       // vCPUs
	unsigned cpu_limit; // thousandths of a core, 0: none, or this host cannot enforce it
	uint64_t memory;    // bytes
	enum vg_accelerator accelerator;
	const char *kernel, *initrd, *cmdline; // direct kernel boot; NULL: from the root disk
	struct vg_machine_disk *disks;
	size_t n_disks;
	struct vg_machine_nic *nics;
	size_t n_nics;
	const char *console_log; // the file its serial console is logged to, as the hypervisor sees it
	const char *applied;     // canonical JSON kept in the domain's metadata: what was asked for in
				 // fields of the language, and the generator's version
};

struct vg_arena;

// A copy in the arena that borrows nothing but the place.
const struct vg_machine *vg_machine_copy(struct vg_arena *arena, const struct vg_machine *machine);

enum vg_machine_state {
	VG_MACHINE_RUNNING,
	VG_MACHINE_PAUSED,
	VG_MACHINE_STOPPED,
	VG_MACHINE_CRASHED, // the guest panicked or its emulator died
};

const char *vg_machine_state_name(enum vg_machine_state state);

// What of a machine somebody else could change behind vgrid's back.
struct vg_machine_form {
	uint64_t memory, memory_max; // bytes; they differ only when somebody made them
	unsigned cpu, cpu_max;
	char **links; // its nics' taps, in order
	size_t n_links;
	char **disks; // their names, in order
	size_t n_disks;
};

void vg_machine_form_done(struct vg_machine_form *form);

struct vg_machine_seen {
	char *tag, *uuid, *name;
	enum vg_machine_state state;
	const char *reason; // a constant: "the guest powered itself off", … ; "" if it is running
	char *applied;      // as stored; NULL if missing
	bool is_active;     // it has an emulator: it runs, is paused, or has panicked
	bool is_defined;    // false: there is only what runs, gone when it stops
	struct vg_machine_form now;  // as the hypervisor has it; empty unless is_active
	struct vg_machine_form next; // as its next start would make it; empty unless is_defined
};

struct vg_machines_seen {
	struct vg_machine_seen *items;
	size_t n_items;
	char **foreign; // names of the machines that carry no tag of this store; never touched
	size_t n_foreign;
};

void vg_machines_seen_done(struct vg_machines_seen *seen);
static inline void vg_machines_seen_auto_free(struct vg_machines_seen *seen)
{
	vg_machines_seen_done(seen);
}
