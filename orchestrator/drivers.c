// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/drivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/filter_spec.h"
#include "base/units.h"
#include "compute/filter.h"
#include "net/filter.h"
#include "storage/filter.h"

static const struct vg_drivers boxes = {
	&vg_compute_libvirt, &vg_net_kernel, &vg_storage_file, NULL, NULL};
static const struct vg_drivers switched = {
	&vg_compute_libvirt, &vg_net_ovs, &vg_storage_file, NULL, NULL};
static const struct vg_drivers fake = {
	&vg_compute_fake, &vg_net_fake, &vg_storage_fake, NULL, NULL};

// One set of rules a process: the filter's count calls over all hosts.
static struct vg_call_rules rules;

static const struct {
	const char *kind;
	struct vg_drivers drivers;
} table[] = {
	{"sandbox",
		{&vg_compute_filtered, &vg_net_filtered, &vg_storage_filtered, &boxes, &rules}},
	{"practice",
		{&vg_compute_filtered, &vg_net_filtered, &vg_storage_filtered, &boxes, &rules}},
	{"practice-ovs",
		{&vg_compute_filtered, &vg_net_filtered, &vg_storage_filtered, &switched, &rules}},
	{"fake", {&vg_compute_filtered, &vg_net_filtered, &vg_storage_filtered, &fake, &rules}},
};

static struct vg_error *read_rules(void)
{
	const char *filter = getenv("VGRID_FILTER"), *limit = getenv("VGRID_CALL_TIMEOUT");
	struct vg_error *error = NULL;
	if (filter && *filter && !rules.filter)
		error = vg_error_while(
			vg_filter_read(filter, &rules.filter), "reading VGRID_FILTER");
	if (!error && limit && *limit)
		error = vg_error_while(vg_units_read_duration(limit, &rules.limit_ms),
			"reading VGRID_CALL_TIMEOUT");
	return error;
}

struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
{
	for (size_t i = 0; i < VG_LENGTH(table); i++) {
		if (strcmp(table[i].kind, kind) != 0)
			continue;
		*ret_drivers = &table[i].drivers;
		return read_rules();
	}
	return vg_error_of(VG_ERROR_USAGE, "there are no drivers for a site of kind '%s'", kind);
}

uint64_t vg_drivers_limit(const struct vg_drivers *drivers, uint64_t own_ms)
{
	return drivers->rules->limit_ms ? drivers->rules->limit_ms : own_ms;
}

void vg_drivers_look_within(uint64_t limit_ms)
{
	rules.look_limit_ms = limit_ms;
}

struct vg_error *vg_drivers_open_compute(const struct vg_drivers *drivers,
	const struct vg_compute_target *target, struct vg_compute **ret)
{
	return vg_compute_filter_open(drivers->below->compute, drivers->rules, target, ret);
}

struct vg_error *vg_drivers_open_net(
	const struct vg_drivers *drivers, const struct vg_net_target *target, struct vg_net **ret)
{
	return vg_net_filter_open(drivers->below->net, drivers->rules, target, ret);
}

struct vg_error *vg_drivers_open_storage(const struct vg_drivers *drivers,
	const struct vg_storage_target *target, struct vg_storage **ret)
{
	return vg_storage_filter_open(drivers->below->storage, drivers->rules, target, ret);
}
