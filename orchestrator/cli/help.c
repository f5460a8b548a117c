// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/cli.h"

#include <string.h>

#include "base/text.h"

enum { HELP_WIDTH = 80, VERB_WIDTH = 16, OPTION_WIDTH = 26 };

// Words of `text` up to HELP_WIDTH; lines after the first begin at `indent`.
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
	size_t column = indent;
	for (const char *word = text; *word; word += *word == ' ') {
		if (*word == '\n') {
			fputc('\n', out);
			column = 0;
			word++;
			continue;
		}
		size_t length = strcspn(word, " \n");
		if (column > indent && column + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(word, 1, length, out);
		column += length;
		word += length;
	}
	fputc('\n', out);
}

static void print_pair(FILE *out, const char *left, size_t width, const char *right)
{
	fprintf(out, "  %-*s", (int)width, left);
	if (strlen(left) + 1 > width)
		fprintf(out, "\n  %*s", (int)width, "");
	print_wrapped(out, right, width + 2);
}

static void print_options(
	const struct vg_command *command, const struct vg_option *options, FILE *out)
{
	for (const struct vg_option *option = options; option && option->name; option++) {
		if (!vg_command_offers(command, option))
			continue;
		char letter[] = {'-', option->letter, ',', ' ', '\0'};
		_auto(vg_string) char *left =
			vg_format("%s--%s%s%s", option->letter ? letter : "    ", option->name,
				option->argument_name ? " " : "",
				option->argument_name ? option->argument_name : "");
		print_pair(out, left, OPTION_WIDTH, option->help);
	}
}

void vg_help_overview(const struct vg_command *const *commands, FILE *out)
{
	fputs("Virtual grids from one template: machines, disks and networks.\n\n"
	      "usage: vgrid VERB [OPTIONS] [ARGUMENTS]\n",
		out);
	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->summary)
			continue;
		for (const struct vg_section *section = vg_sections; section->title; section++) {
			if (section->first == commands[i])
				fprintf(out, "\n%s\n", section->title);
		}
		print_pair(out, commands[i]->verb, VERB_WIDTH, commands[i]->summary);
	}
	fputs("\nOptions of every verb\n", out);
	print_options(NULL, vg_common_options, out);
	fputs("\nFiles live below VGRID_HOME (default: ~/.local/state/vgrid).\n"
	      "`vgrid VERB --help` says more about a verb, with an example.\n",
		out);
}

void vg_help_command(const struct vg_command *command, FILE *out)
{
	_auto(vg_string) char *usage = vg_command_usage(command);
	fprintf(out, "usage: %s\n\n", usage);
	print_wrapped(out, command->help ? command->help : command->summary, 0);
	if (command->options && command->options->name) {
		fputs("\nOptions\n", out);
		print_options(command, command->options, out);
	}
	fputs("\nOptions of every verb\n", out);
	print_options(command, vg_common_options, out);
	if (!command->example)
		return;
	fputs("\nExample\n", out);
	for (const char *line = command->example; *line;) {
		size_t length = strcspn(line, "\n");
		fprintf(out, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}
