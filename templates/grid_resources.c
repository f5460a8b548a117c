// SPDX-License-Identifier: Apache-2.0
#include "templates/grid_resources.h"

#include "base/memory.h"
#include "base/units.h"

// What an emulator takes besides its guest's memory; a guest of 128 MiB was seen to take 217.
enum { EMULATOR_OVERHEAD = 96 << 20 };

// Each vCPU translates into a share of its own; larger guests run more code.
uint64_t vg_emulator_code_cache(unsigned cpu, uint64_t memory)
{
	static const uint64_t mebibyte = 1 << 20;
	uint64_t size = memory / 8 / mebibyte * mebibyte, least = 32 * mebibyte * cpu;
	if (size < least)
		size = least;
	return size < 1024 * mebibyte ? size : 1024 * mebibyte;
}

struct vg_resources vg_role_needs(const struct vg_role *role)
{
	uint64_t cpu = (uint64_t)role->cpu * 1000, disk = 0;
	if (role->cpu_limit && role->cpu_limit < cpu)
		cpu = role->cpu_limit;
	for (size_t i = 0; i < role->n_disks; i++)
		disk += role->disks[i].size;
	return (struct vg_resources){{cpu, role->memory + EMULATOR_OVERHEAD, disk}};
}

const char *vg_resource_name(enum vg_resource resource)
{
	static const char *const names[] = {"cpu", "memory", "disk"};
	return names[resource];
}

char *vg_resource_write(enum vg_resource resource, uint64_t amount)
{
	if (resource == VG_RESOURCE_CPU)
		return vg_format("%g", (double)amount / 1000);
	if (!amount)
		return vg_strdup("0");
	return vg_units_write_size(amount >> 20 << 20);
}
