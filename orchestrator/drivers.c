// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/drivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/filter_spec.h"
#include "compute/filter.h"
#include "net/filter.h"
#include "storage/filter.h"

static const struct {
	const char *kind;
	struct vg_drivers drivers;
} table[] = {
	{"sandbox", {&vg_compute_libvirt, &vg_net_kernel, &vg_storage_file, NULL, NULL}},
	{"fake", {&vg_compute_fake, &vg_net_fake, &vg_storage_fake, NULL, NULL}},
};

// One filter a process: its rules count calls over all hosts.
static struct vg_error *wrap(
	const char *rules, const struct vg_drivers *below, const struct vg_drivers **ret_drivers)
{
	static struct vg_drivers filtered = {
		&vg_compute_filtered, &vg_net_filtered, &vg_storage_filtered, NULL, NULL};
	struct vg_error *error =
		filtered.filter ? NULL : vg_filter_read(rules, &filtered.filter);
	if (error)
		return vg_error_while(error, "reading VGRID_FILTER");
	filtered.below = below;
	*ret_drivers = &filtered;
	return NULL;
}

struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
{
	const char *rules = getenv("VGRID_FILTER");
	for (size_t i = 0; i < VG_LENGTH(table); i++) {
		if (strcmp(table[i].kind, kind) != 0)
			continue;
		if (rules && *rules)
			return wrap(rules, &table[i].drivers, ret_drivers);
		*ret_drivers = &table[i].drivers;
		return NULL;
	}
	return vg_error_of(VG_ERROR_USAGE, "there are no drivers for a site of kind '%s'", kind);
}

struct vg_error *vg_drivers_open_compute(const struct vg_drivers *drivers,
	const struct vg_compute_target *target, struct vg_compute **ret)
{
	if (!drivers->below)
		return drivers->compute->open(target, ret);
	return vg_compute_filter_open(drivers->below->compute, drivers->filter, target, ret);
}

struct vg_error *vg_drivers_open_net(const struct vg_drivers *drivers,
	const struct vg_net_target *target, struct vg_net **ret)
{
	if (!drivers->below)
		return drivers->net->open(target, ret);
	return vg_net_filter_open(drivers->below->net, drivers->filter, target, ret);
}

struct vg_error *vg_drivers_open_storage(const struct vg_drivers *drivers,
	const struct vg_storage_target *target, struct vg_storage **ret)
{
	if (!drivers->below)
		return drivers->storage->open(target, ret);
	return vg_storage_filter_open(drivers->below->storage, drivers->filter, target, ret);
}
