// SPDX-License-Identifier: Apache-2.0
//
// `vgrid doctor --site SITE`: the hosts of a site. Used by doctor.c.
#pragma once

#include "base/json.h"
#include "orchestrator/cli/command.h"
#include "orchestrator/doctor/verdict.h"
#include "orchestrator/site.h"

// Asks the hosts and judges. *ret_hosts is what was found, for `-o json`. The verdicts borrow from
// the site.
struct vg_error *vg_doctor_site(struct vg_context *context, struct vg_site *site,
	struct vg_verdicts *ret_verdicts, struct vg_json **ret_hosts) VG_MUST_CHECK;

// Fields of hosts[] in a verb's table of results.
#define VG_DOCTOR_SITE_FIELDS                                                                      \
	{"hosts[].name", "string", "the host's; no host without --site"},                          \
		{"hosts[].state", "string", "answers, stopped or failed"},                         \
		{"hosts[].libvirt", "string?", "its version; null here and below: not known"},     \
		{"hosts[].qemu", "string?", "its version"},                                        \
		{"hosts[].openvswitch", "string?", "its version; null: it has none"},              \
		{"hosts[].kvm", "boolean?", "whether libvirt offers it"},                          \
		{"hosts[].datapath", "string?", "of its network: system or netdev"},               \
		{"hosts[].cores", "integer?", "that were found"},                                  \
		{"hosts[].memory", "integer?", "bytes"}, {"hosts[].disk", "integer?", "bytes"},    \
		{"hosts[].disk_free", "integer?", "bytes of it"},                                  \
		{"hosts[].limits_cpu", "boolean?", "whether cgroups can enforce limits"},          \
		{"hosts[].limits_rates", "boolean?", "whether rates are enforced"},                \
		{"hosts[].guards", "boolean?",                                                     \
			"whether a port carries only what its machine may send"},                  \
		{"hosts[].clock_ahead_ms", "integer?", "of this machine's clock"},                 \
	{                                                                                          \
		"hosts[].mtus.*", "integer",                                                       \
			"the largest packet, up to the underlay's MTU, that gets to this host"     \
	}
