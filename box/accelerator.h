// SPDX-License-Identifier: Apache-2.0
//
// Which accelerator is quicker here? /dev/kvm that exists and opens proves nothing (it may be
// emulated itself), so they are raced: a 512-byte boot sector goes to long mode, does a fixed
// amount of work and prints on COM1, once under TCG and, where /dev/kvm opens, once under KVM. The
// verdict is cached in HOME/cache/accelerator.json together with the kernel, the CPU model and
// QEMU's version.
#pragma once

#include "base/error.h"

struct vg_race {
	bool is_kvm;             // the winner
	uint64_t tcg_ms, kvm_ms; // 0: did not run or did not finish
	char *reason;            // why the other lost, for doctor: "/dev/kvm: Permission denied"
	unsigned slowness; // how much slower than a machine with hardware acceleration: 1 … 20;
			   // `within` is multiplied by it
};

void vg_race_free(struct vg_race *race);
VG_AUTO(vg_race);

// Races or reads the cache. About half a second uncached where there is no KVM, else up to a few
// seconds. Called inside vg_namespace_enter(), where devices open as they do for the emulators of a
// box.
struct vg_error *vg_accelerator_race(
	const char *home, bool use_cache, struct vg_race **ret_race) VG_MUST_CHECK;

// The slowness of a machine whose emulation needed cpu_ms of CPU time (0: unknown).
unsigned vg_accelerator_slowness(bool is_kvm, uint64_t cpu_ms);
