// SPDX-License-Identifier: Apache-2.0
#include "net/driver.h"

#include <stdlib.h>

void vg_net_facts_done(struct vg_net_facts *facts)
{
	free(facts->version);
	free(facts->why_not);
	free(facts->remedy);
	*facts = (struct vg_net_facts){0};
}
