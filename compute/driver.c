// SPDX-License-Identifier: Apache-2.0
#include "compute/driver.h"

#include <stdlib.h>

void vg_compute_facts_done(struct vg_compute_facts *facts)
{
	free(facts->manager);
	free(facts->emulator);
	free(facts->why_not);
	*facts = (struct vg_compute_facts){0};
}
