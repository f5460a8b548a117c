// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/doctor/probe.h"

#include <string.h>

#include "base/memory.h"
#include "box/box.h"
#include "box/practice.h"
#include "orchestrator/context.h"
#include "orchestrator/every_host.h"

enum { MTU_DEFAULT = 1500, OVERHEAD_DEFAULT = 50 };

struct looking {
	const struct vg_site *site;
	struct vg_site_facts *facts;
};

static struct vg_host_facts *facts_of(const struct looking *looking, const struct vg_host *host)
{
	return &looking->facts->hosts[host - looking->site->hosts];
}

static struct vg_error *ask(struct vg_host *host, void *data)
{
	const struct looking *looking = data;
	const struct vg_drivers *drivers = looking->site->drivers;
	struct vg_host_facts *facts = facts_of(looking, host);
	if (!host->is_running)
		return NULL;
	struct vg_error *error = drivers->compute->facts(host->compute, &facts->compute);
	if (!error)
		error = drivers->net->facts(host->net, &facts->net);
	if (!error)
		error = drivers->storage->facts(host->storage, &facts->storage);
	return vg_error_while(error, "asking host '%s'", host->name);
}

// Those that cannot be asked are not tried to be reached either: that they are ill is told already.
static struct vg_error *reach(struct vg_host *host, void *data)
{
	const struct looking *looking = data;
	struct vg_site_facts *all = looking->facts;
	struct vg_host_facts *facts = facts_of(looking, host);
	struct vg_net_peer *peers = NULL;
	size_t n_peers = 0, *numbers = vg_alloc((all->n_peers + 1) * sizeof(*numbers));
	unsigned *mtus = NULL;
	for (size_t k = 0; host->is_running && k < all->n_peers; k++) {
		const struct vg_host_facts *peer =
			&all->hosts[vg_site_facts_peer(all, (size_t)(facts - all->hosts), k)];
		if (!peer->is_running || peer->problem)
			continue;
		numbers[n_peers] = k;
		vg_append(peers, n_peers) = (struct vg_net_peer){peer->name, peer->underlay};
	}
	struct vg_error *error = n_peers ? looking->site->drivers->net->reach(host->net, peers,
						   n_peers, all->underlay_mtu, &mtus)
					 : NULL;
	if (error)
		facts->mtus_unknown = vg_strdup(vg_error_message(error));
	for (size_t i = 0; !error && i < n_peers; i++)
		facts->mtus[numbers[i]] = (int)mtus[i];
	vg_error_ignore(error);
	free(peers);
	free(numbers);
	free(mtus);
	return NULL;
}

static struct vg_error *check_interrupt(const struct vg_context *context)
{
	bool is_interrupted = context->is_interrupted(context->interrupted_data);
	return is_interrupted ? vg_error_of(VG_ERROR_INTERRUPTED, "interrupted") : NULL;
}

static void note_host(const struct vg_site *site, struct vg_site_facts *facts, size_t h)
{
	const struct vg_host *host = &site->hosts[h];
	struct vg_host_facts *to = &facts->hosts[h];
	const char *remedy = host->problem ? vg_error_remedy(host->problem) : NULL;
	to->is_running = host->is_running;
	to->repaired = host->repaired;
	to->problem = host->problem ? vg_strdup(vg_error_text(host->problem)) : NULL;
	to->is_hanging = host->problem && vg_error_kind(host->problem) == VG_ERROR_TIMEOUT;
	to->remedy = remedy ? vg_strdup(remedy) : NULL;
	to->prefers_kvm = host->accelerator == VG_ACCELERATOR_KVM;
	to->slowness = host->slowness;
	if (facts->is_here)
		to->compute.has_clock = host->is_running;
	to->process = host->box ? host->box->pid : 0;
}

static void prepare(const struct vg_site *site, struct vg_site_facts *facts)
{
	const struct vg_site_file *file = site->file;
	*facts = (struct vg_site_facts){.name = site->name,
		.is_practice = site->practice != NULL,
		.has_switch = site->practice && site->practice->has_switch,
		.is_here = vg_site_has_boxes(site),
		.wants_kvm = file && strcmp(file->accelerator, "kvm") == 0,
		.underlay_mtu = site->underlay_mtu ? site->underlay_mtu : MTU_DEFAULT,
		.tunnel_overhead = site->tunnel_overhead ? site->tunnel_overhead : OVERHEAD_DEFAULT,
		.hosts = vg_alloc(site->n_hosts * sizeof(*facts->hosts)),
		.n_hosts = site->n_hosts};
	facts->n_peers =
		site->n_hosts <= VG_DOCTOR_PEERS_MAX ? site->n_hosts - 1 : VG_DOCTOR_PEERS_MAX;
	for (size_t h = 0; h < site->n_hosts; h++) {
		struct vg_host_facts *host = &facts->hosts[h];
		host->name = site->hosts[h].name;
		host->underlay = site->hosts[h].tunnel;
		host->is_raced = facts->is_here;
		host->given = file ? file->hosts[h].given : site->hosts[h].capacity;
		if (file)
			host->place = file->hosts[h].place;
		host->mtus = vg_alloc((facts->n_peers + 1) * sizeof(*host->mtus));
		for (size_t k = 0; k < facts->n_peers; k++)
			host->mtus[k] = -1;
	}
}

struct vg_error *vg_doctor_probe(
	struct vg_site *site, struct vg_context *context, struct vg_site_facts *ret_facts)
{
	struct vg_site_facts facts;
	struct looking looking = {site, &facts};
	site->is_lenient = true;
	struct vg_error *error = vg_site_connect(site, context, "", "");
	if (!error)
		error = check_interrupt(context);
	if (error)
		return error;
	prepare(site, &facts);
	error = vg_every_host(site, context, ask, &looking);
	for (size_t h = 0; h < site->n_hosts; h++)
		note_host(site, &facts, h);
	if (!error)
		error = check_interrupt(context);
	if (!error)
		error = vg_every_host(site, context, reach, &looking);
	if (!error)
		error = check_interrupt(context);
	if (error)
		vg_site_facts_done(&facts);
	else
		*ret_facts = facts;
	return error;
}
