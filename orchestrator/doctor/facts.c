// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/doctor/facts.h"

#include <stdlib.h>

void vg_site_facts_done(struct vg_site_facts *facts)
{
	for (size_t h = 0; h < facts->n_hosts; h++) {
		struct vg_host_facts *host = &facts->hosts[h];
		free(host->problem);
		free(host->remedy);
		vg_compute_facts_done(&host->compute);
		vg_net_facts_done(&host->net);
		free(host->mtus);
		free(host->mtus_unknown);
	}
	free(facts->hosts);
	*facts = (struct vg_site_facts){0};
}

size_t vg_site_facts_peer(const struct vg_site_facts *facts, size_t h, size_t k)
{
	return (h + 1 + k) % facts->n_hosts;
}
