// SPDX-License-Identifier: Apache-2.0
//
// `vgrid explain FIELD`: what the language says of a field.
#include "orchestrator/cli/verbs.h"

#include "templates/language.h"

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)context;
	(void)ret_status;
	const char *field = vg_cli_operand(cli, 0);
	return vg_language_explain(field ? field : "", stdout);
}

static const struct vg_operand operands[] = {{.name = "FIELD", .is_optional = true}, {0}};

const struct vg_command vg_verb_explain = {
	.verb = "explain",
	.summary = "say what a field of the template language means",
	.help = "Prints the type, the limits and the meaning of a field, whether it is quantum or "
		"topology, and what a change of it does to a running grid. Names of your own stand "
		"where they stand in a template. Fields of site files begin with `site`. Without FIELD "
		"it lists the top of the language.",
	.example = "$ vgrid explain roles.worker.memory\n$ vgrid explain site.hosts.libvirt\n",
	.operands = operands,
	.run = run,
};
