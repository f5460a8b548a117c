// SPDX-License-Identifier: Apache-2.0
//
// `vgrid schema`: JSON Schemas of the template language and of what `-o json` prints.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/cli/result.h"
#include "templates/language.h"

static struct vg_error *find(const char *verb, const struct vg_command **ret_command)
{
	const char *names[128];
	size_t n_names = 0;
	for (size_t i = 0; vg_commands[i] && n_names < VG_LENGTH(names); i++) {
		if (!vg_commands[i]->result)
			continue;
		names[n_names++] = vg_commands[i]->verb;
		if (strcmp(vg_commands[i]->verb, verb) != 0)
			continue;
		*ret_command = vg_commands[i];
		return NULL;
	}
	struct vg_error *error = vg_error_of(VG_ERROR_USAGE, "no verb '%s' prints a result", verb);
	const char *nearest = vg_text_nearest(verb, names, n_names);
	return nearest ? vg_error_hint(error, "did you mean '%s'?", nearest) : error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)context;
	(void)ret_status;
	const char *verb = vg_cli_option(cli, "output");
	const struct vg_command *command = NULL;
	struct vg_error *error = verb ? find(verb, &command) : NULL;
	if (error)
		return error;
	bool is_site = vg_cli_flag(cli, "site");
	_auto(vg_json) struct vg_json *schema = command ? vg_result_schema(command)
						: is_site ? vg_site_language_schema()
							  : vg_language_schema();
	vg_result_print(schema);
	return NULL;
}

static const struct vg_option options[] = {
	{.name = "output",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "VERB",
		.help = "the schema of what VERB prints with `-o json`"},
	{.name = "site", .help = "the schema of site files"},
	{0}};
static const struct vg_operand operands[] = {{0}};

const struct vg_command vg_verb_schema = {
	.verb = "schema",
	.summary = "print the JSON Schema of templates, sites, or a verb's JSON",
	.help = "Prints the JSON Schema (draft 2020-12) of the template language, for editors and "
		"other programs; with --site that of site files. With --output VERB it is the schema of what that verb prints with "
		"`-o json`.",
	.example = "$ vgrid schema > vgrid.schema.json\n$ vgrid schema --output status\n",
	.operands = operands,
	.options = options,
	.run = run,
};
