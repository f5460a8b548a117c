// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/drivers.h"

#include <string.h>

static const struct {
	const char *kind;
	struct vg_drivers drivers;
} table[] = {
	{"sandbox", {&vg_compute_libvirt, &vg_net_kernel, &vg_storage_file}},
	{"fake", {&vg_compute_fake, &vg_net_fake, &vg_storage_fake}},
};

struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].kind, kind) != 0)
			continue;
		*ret_drivers = &table[i].drivers;
		return NULL;
	}
	return vg_error_of(VG_ERROR_USAGE, "there are no drivers for a site of kind '%s'", kind);
}
