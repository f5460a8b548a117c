// SPDX-License-Identifier: Apache-2.0
//
// `vgrid manual`: the manual page vgrid(1) as scdoc(5), from the table of verbs. The build runs it.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "orchestrator/cli/cli.h"

// Text with scdoc's marks made harmless; each line by itself, so that none is indented.
static void print_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\<>#`[]|~", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_options(const struct vg_command *command, const struct vg_option *option)
{
	for (; option && option->name; option++) {
		if (!vg_command_offers(command, option))
			continue;
		if (option->letter)
			printf("*-%c*, ", option->letter);
		printf("*--%s*", option->name);
		if (option->argument_name)
			printf(" _%s_", option->argument_name);
		printf("\n\t");
		print_text(option->help);
		printf("\n\n");
	}
}

static void print_verb(const struct vg_command *command)
{
	_auto(vg_string) char *usage = vg_command_usage(command);
	printf("## %s\n\n", usage); // headings know no marks
	print_text(command->help ? command->help : command->summary);
	printf("\n\n");
	print_options(command, command->options);
	if (command->example)
		printf("```\n%s```\n\n", command->example);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)cli;
	(void)context;
	(void)ret_status;
	puts("vgrid(1)\n\n# NAME\n\nvgrid - virtual grids from one template: machines, disks and "
	     "networks\n\n# SYNOPSIS\n\n*vgrid* _VERB_ \\[OPTIONS\\] \\[ARGUMENTS\\]\n\n"
	     "# DESCRIPTION\n\n"
	     "vgrid makes a whole grid out of a template: virtual machines, their disks and the "
	     "networks between them. Without a site it does so in a sandbox on this machine, for "
	     "which no root is needed.\n\n# OPTIONS OF EVERY VERB\n");
	for (const struct vg_option *option = vg_common_options; option->name; option++) {
		const struct vg_option one[] = {*option, {0}};
		print_options(NULL, one);
	}
	puts("# VERBS\n");
	for (size_t i = 0; vg_commands[i]; i++) {
		if (vg_commands[i]->summary)
			print_verb(vg_commands[i]);
	}
	puts("# EXIT STATUS\n\n"
	     "0\n\tdone\n\n1\n\tfailed\n\n2\n\tbad usage, template or site\n\n"
	     "3\n\tdifferences were found (plan, status --check)\n\n"
	     "4\n\ta test of a grid failed\n\n130\n\tinterrupted\n\n"
	     "*exec* and *ssh* exit with the status of what they ran.\n\n# ENVIRONMENT\n\n"
	     "*VGRID\\_HOME*\n\twhere records, images and disks are kept; by default "
	     "$XDG\\_STATE\\_HOME/vgrid or ~/.local/state/vgrid\n\n"
	     "*VGRID\\_SITE*\n\tthe site where none is named\n\n"
	     "*VGRID\\_CALL\\_TIMEOUT*\n\thow long a hypervisor, a network or a storage may take to "
	     "answer, as in 5m, instead of one to five minutes\n\n"
	     "*NO\\_COLOR*\n\tno colours");
	return NULL;
}

static const struct vg_operand operands[] = {{0}};

const struct vg_command vg_verb_manual = {
	.verb = "manual",
	.help = "Prints the manual page as scdoc source.",
	.operands = operands,
	.run = run,
};
