// SPDX-License-Identifier: Apache-2.0
//
// Amounts: what a node takes of its host, in the units that hosts have it in. Used by sites,
// placement and the ledger.
#pragma once

#include "templates/grid.h"

enum vg_resource { VG_RESOURCE_CPU, VG_RESOURCE_MEMORY, VG_RESOURCE_DISK };
enum { VG_N_RESOURCES = 3 };
#define VG_UNLIMITED UINT64_MAX

// Thousandths of a vCPU, bytes, bytes.
struct vg_resources {
	uint64_t of[VG_N_RESOURCES];
};

const char *vg_resource_name(enum vg_resource resource); // "cpu", "memory", "disk"
// An amount as people write it: `2.5`, `16GiB` (rounded down to MiB); malloc'ed.
char *vg_resource_write(enum vg_resource resource, uint64_t amount);

// What a site says of a host, and a role's `place` may name.
struct vg_host_label {
	const char *key, *value;
};

// Bytes that an emulator without hardware acceleration may keep of translated code. QEMU alone would
// take up to 1 GiB over time, however small the guest; with this a guest of 128 MiB takes 217 MiB, and
// boots in the same time.
uint64_t vg_emulator_code_cache(unsigned cpu, uint64_t memory);
// What a node of the role takes from its host: vCPUs (or `cpu-limit`, if that is less), memory with
// the emulator's own, data disks in full. A root disk is copy-on-write and not counted.
struct vg_resources vg_role_needs(const struct vg_role *role);
