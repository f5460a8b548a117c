// SPDX-License-Identifier: Apache-2.0
//
// `vgrid completion`: the script for bash. It asks `vgrid complete` (complete.c), which knows the
// table of verbs and the grids there are, so that the script never grows old.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

// Words are split here, not by bash, whose break characters would cut NAME@SITE and sandbox:3; what
// bash holds for the start of its word is taken off each candidate.
static const char script[] =
	"# bash completion for vgrid\n"
	"_vgrid() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]}\n"
	"\tlocal words prefix candidate\n"
	"\tread -ra words <<< \"$line\"\n"
	"\t[[ $line == *[[:space:]] ]] && words+=(\"\")\n"
	"\t[[ $current == [@:=] ]] && current=\n"
	"\tprefix=${words[-1]%\"$current\"}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r candidate; do\n"
	"\t\tif [[ $candidate == :file ]]; then\n"
	"\t\t\tcompopt -o default\n"
	"\t\telse\n"
	"\t\t\tCOMPREPLY+=(\"${candidate#\"$prefix\"}\")\n"
	"\t\tfi\n"
	"\tdone < <(\"$1\" complete -- \"${words[@]:1}\" 2> /dev/null)\n"
	"}\n"
	"complete -F _vgrid vgrid\n";

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)cli;
	(void)context;
	(void)ret_status;
	fputs(script, stdout);
	return NULL;
}

static const struct vg_operand operands[] = {{0}};

const struct vg_command vg_verb_completion = {
	.verb = "completion",
	.summary = "print the completion script for bash",
	.help = "Prints a script that teaches bash the verbs, options, grids and nodes. An "
		"installed "
		"vgrid has it in place already.",
	.example = "$ source <(vgrid completion)\n",
	.operands = operands,
	.run = run,
};
