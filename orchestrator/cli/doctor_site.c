// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/doctor_site.h"

#include "orchestrator/doctor/judge.h"
#include "orchestrator/doctor/probe.h"
#include "orchestrator/report/progress.h"

static const char *state_of(const struct vg_host_facts *host)
{
	if (host->problem)
		return "failed";
	return host->is_running ? "answers" : "stopped";
}

// Null for what is not known, and for what has no limit.
static struct vg_json *amount(uint64_t value)
{
	return value && value != UINT64_MAX ? vg_json_integer((int64_t)value) : NULL;
}

static void add_facts(struct vg_json *json, const struct vg_host_facts *host)
{
	const struct vg_compute_facts *compute = &host->compute;
	const struct vg_net_facts *net = &host->net;
	bool answers = host->is_running && !host->problem;
	bool knows_limits = answers && compute->limits_cpu != VG_ABILITY_UNKNOWN;
	vg_json_set_string(json, "libvirt", compute->manager);
	vg_json_set_string(json, "qemu", compute->emulator);
	vg_json_set_string(json, "openvswitch", net->version);
	vg_json_set(json, "kvm", answers ? vg_json_boolean(compute->has_kvm) : NULL);
	vg_json_set_string(json, "datapath", net->datapath);
	vg_json_set(json, "cores", amount(compute->cores));
	vg_json_set(json, "memory", amount(compute->memory));
	vg_json_set(json, "disk", amount(host->storage.size));
	vg_json_set(json, "disk_free", amount(host->storage.size_free));
	vg_json_set(json, "limits_cpu",
		knows_limits ? vg_json_boolean(compute->limits_cpu == VG_ABILITY_YES) : NULL);
	vg_json_set(json, "limits_rates", answers ? vg_json_boolean(net->can_limit) : NULL);
	vg_json_set(json, "guards", answers ? vg_json_boolean(net->can_guard) : NULL);
	vg_json_set(json, "clock_ahead_ms",
		answers && compute->has_clock ? vg_json_integer(compute->clock_ahead_ms) : NULL);
}

static struct vg_json *facts_json(const struct vg_site_facts *facts)
{
	struct vg_json *hosts = vg_json_array();
	for (size_t h = 0; h < facts->n_hosts; h++) {
		const struct vg_host_facts *host = &facts->hosts[h];
		struct vg_json *json = vg_json_object(), *mtus = vg_json_object();
		vg_json_set_string(json, "name", host->name);
		vg_json_set_string(json, "state", state_of(host));
		add_facts(json, host);
		for (size_t k = 0; k < facts->n_peers; k++) {
			const char *peer = facts->hosts[vg_site_facts_peer(facts, h, k)].name;
			if (host->mtus[k] >= 0)
				vg_json_set_integer(mtus, peer, host->mtus[k]);
		}
		vg_json_set(json, "mtus", mtus);
		vg_json_push(hosts, json);
	}
	return hosts;
}

struct vg_error *vg_doctor_site(struct vg_context *context, struct vg_site *site,
	struct vg_verdicts *ret_verdicts, struct vg_json **ret_hosts)
{
	_auto(vg_site_facts) struct vg_site_facts facts = {0};
	struct vg_error *error = vg_site_enter(site, context);
	if (!error)
		error = vg_context_store(context);
	if (error)
		return error;
	vg_progress_say(context->progress, "Looking at site '%s' with %zu host%s", site->name,
		site->n_hosts, site->n_hosts == 1 ? "" : "s");
	error = vg_doctor_probe(site, context, &facts);
	if (error)
		return error;
	vg_doctor_judge(&facts, ret_verdicts);
	*ret_hosts = facts_json(&facts);
	return NULL;
}
