// SPDX-License-Identifier: Apache-2.0
//
// What a host has and can do, as its libvirtd tells it. Libvirt does not tell the host's clock.
#include "compute/libvirt.h"

#include <string.h>

#include "base/memory.h"

// libvirt's form of a version: 1,000,000 × major + 1,000 × minor + release.
static char *version_text(unsigned long version)
{
	return vg_format("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static struct vg_error *read_versions(struct vg_libvirt_hold *hold, struct vg_compute_facts *facts)
{
	unsigned long manager, emulator;
	if (vg_libvirt.virConnectGetLibVersion(hold->connection, &manager) < 0)
		return vg_libvirt_error(hold->compute, NULL, "reading the version of libvirt");
	facts->manager = version_text(manager);
	if (vg_libvirt.virConnectGetVersion(hold->connection, &emulator) < 0)
		return vg_libvirt_error(hold->compute, NULL, "reading the version of QEMU");
	facts->emulator = emulator ? version_text(emulator) : NULL;
	return NULL;
}

static struct vg_error *read_capacity(struct vg_libvirt_hold *hold, struct vg_compute_facts *facts)
{
	virNodeInfo info;
	if (vg_libvirt.virNodeGetInfo(hold->connection, &info) < 0)
		return vg_libvirt_error(hold->compute, NULL, "reading what it has");
	facts->cores = info.cpus;
	facts->memory = (uint64_t)info.memory * 1024;
	return NULL;
}

// Without a type of virtualization libvirt answers for the best that the host offers.
static struct vg_error *read_accelerator(
	struct vg_libvirt_hold *hold, struct vg_compute_facts *facts)
{
	char *xml = vg_libvirt.virConnectGetDomainCapabilities(
		hold->connection, NULL, NULL, NULL, NULL, 0);
	if (!xml)
		return vg_libvirt_error(hold->compute, NULL, "reading what its emulator can do");
	facts->has_kvm = strstr(xml, "<domain>kvm</domain>");
	free(xml);
	return NULL;
}

// Libvirt says what cgroups allow for one domain that runs, and for no host as such: a scheduler
// with more parameters than the weight has quotas (virDomainGetSchedulerType).
static void look_at_a_domain(struct vg_libvirt_hold *hold, struct vg_compute_facts *facts)
{
	virDomainPtr *domains = NULL;
	int n = vg_libvirt.virConnectListAllDomains(
		hold->connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	int n_parameters = 0;
	char *type = n > 0 ? vg_libvirt.virDomainGetSchedulerType(domains[0], &n_parameters) : NULL;
	if (n <= 0)
		facts->why_not = vg_strdup("no machine runs there to see it by");
	else if (!type)
		facts->why_not = vg_strdup(vg_libvirt.virGetLastErrorMessage());
	else if (n_parameters <= 1)
		facts->why_not = vg_strdup("the kernel there has no CPU quotas");
	if (n > 0)
		facts->limits_cpu = facts->why_not ? VG_ABILITY_NO : VG_ABILITY_YES;
	free(type);
	for (int i = 0; i < n; i++)
		vg_libvirt.virDomainFree(domains[i]);
	free(domains);
}

static void read_cgroups(struct vg_libvirt_hold *hold, struct vg_compute_facts *facts)
{
	const char *uri = hold->compute->uri;
	size_t length = strcspn(uri, "?");
	static const char session[] = "/session";
	size_t suffix = sizeof(session) - 1;
	if (length < suffix || strncmp(uri + length - suffix, session, suffix) != 0) {
		look_at_a_domain(hold, facts);
		return;
	}
	facts->limits_cpu = VG_ABILITY_NO;
	facts->why_not = vg_strdup("a libvirtd of a user's own session has no cgroups");
}

struct vg_error *vg_libvirt_facts(struct vg_compute *compute, struct vg_compute_facts *ret_facts)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct vg_compute_facts facts = {0};
	struct vg_error *error = vg_libvirt_take(compute, &hold);
	if (!error)
		error = read_versions(&hold, &facts);
	if (!error)
		error = read_capacity(&hold, &facts);
	if (!error)
		error = read_accelerator(&hold, &facts);
	if (error) {
		vg_compute_facts_done(&facts);
		return error;
	}
	read_cgroups(&hold, &facts);
	*ret_facts = facts;
	return NULL;
}
