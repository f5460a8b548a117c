// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/print.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

void vg_plan_print(const struct vg_plan *plan, FILE *out)
{
	size_t widest = 0;
	for (size_t i = 0; i < plan->n_changes; i++) {
		size_t length = strlen(plan->changes[i].subject);
		if (length > widest)
			widest = length;
	}
	for (size_t i = 0; i < plan->n_changes; i++) {
		const struct vg_change *change = &plan->changes[i];
		fprintf(out, "  %c %-*s  %s%s%s%s\n", change->sign, (int)widest, change->subject,
			change->text, change->why ? " (" : "", change->why ? change->why : "",
			change->why ? ")" : "");
	}
	for (size_t i = 0; i < plan->n_unenforced; i++)
		fprintf(out, "  not enforced here: %s\n", plan->unenforced[i]);
	if (!plan->n_steps)
		fprintf(out, "  nothing to do\n");
}

static const char *sign_name(enum vg_change_sign sign)
{
	switch (sign) {
	case VG_CHANGE_ADD:
		return "add";
	case VG_CHANGE_ALTER:
		return "alter";
	case VG_CHANGE_REMOVE:
		return "remove";
	}
	return "";
}

static struct vg_json *step_to_json(const struct vg_plan *plan, const struct vg_step *step)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "number", step - plan->steps);
	vg_json_set_string(json, "kind", vg_step_types[step->kind].name);
	vg_json_set_string(json, "subject", step->subject);
	struct vg_json *needs = vg_json_array();
	for (size_t k = 0; k < step->n_needs; k++)
		vg_json_push(needs, vg_json_integer((int64_t)step->needs[k]));
	vg_json_set(json, "needs", needs);
	return json;
}

struct vg_json *vg_plan_to_json(const struct vg_plan *plan)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "format", "vgrid/plan/1");
	struct vg_json *changes = vg_json_array(), *steps = vg_json_array();
	struct vg_json *unenforced = vg_json_array();
	for (size_t i = 0; i < plan->n_changes; i++) {
		const struct vg_change *change = &plan->changes[i];
		struct vg_json *item = vg_json_object();
		vg_json_set_string(item, "change", sign_name(change->sign));
		vg_json_set_string(item, "subject", change->subject);
		vg_json_set_string(item, "text", change->text);
		vg_json_set_string(item, "why", change->why);
		vg_json_set_boolean(item, "asks", change->asks);
		vg_json_push(changes, item);
	}
	for (size_t i = 0; i < plan->n_steps; i++)
		vg_json_push(steps, step_to_json(plan, &plan->steps[i]));
	for (size_t i = 0; i < plan->n_unenforced; i++)
		vg_json_push(unenforced, vg_json_string(plan->unenforced[i]));
	vg_json_set(json, "changes", changes);
	vg_json_set(json, "steps", steps);
	vg_json_set(json, "not_enforced", unenforced);
	return json;
}
