// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/doctor/verdict.h"

#include "base/memory.h"

const char *vg_verdict_name(enum vg_verdict_grade grade)
{
	switch (grade) {
	case VG_VERDICT_OK:
		return "ok";
	case VG_VERDICT_NOTE:
		return "note";
	case VG_VERDICT_UNKNOWN:
		return "unknown";
	case VG_VERDICT_MISSING:
		break;
	}
	return "MISSING";
}

void vg_verdicts_add(struct vg_verdicts *verdicts, struct vg_verdict verdict)
{
	vg_append(verdicts->items, verdicts->n_items) = verdict;
}

void vg_verdicts_done(struct vg_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->n_items; i++) {
		free(verdicts->items[i].detail);
		free(verdicts->items[i].remedy);
	}
	free(verdicts->items);
	*verdicts = (struct vg_verdicts){0};
}

bool vg_verdicts_are_good(const struct vg_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->n_items; i++) {
		if (verdicts->items[i].grade == VG_VERDICT_MISSING)
			return false;
	}
	return true;
}
