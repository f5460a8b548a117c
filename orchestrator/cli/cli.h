// SPDX-License-Identifier: Apache-2.0
//
// The command line itself: from argv to a verb with its options and operands, and the help that
// comes from the same table. Used by main.c, completion and manual; verbs ask by command.h.
#pragma once

#include <stdio.h>

#include "orchestrator/cli/command.h"

extern const struct vg_option vg_common_options[]; // ends with name NULL

// Reads argv by a table. A usage error names the word and what was probably meant. *ret_cli has no
// verb when none was needed: `vgrid`, `vgrid --help`, `vgrid --version`. Borrows argv.
struct vg_error *vg_cli_read(const struct vg_command *const *commands, int argc, char *const argv[],
	struct vg_cli **ret_cli) VG_MUST_CHECK;
void vg_cli_free(struct vg_cli *cli);
VG_AUTO(vg_cli);

const struct vg_command *vg_cli_command(const struct vg_cli *cli); // NULL: none was given

// The verb that the words spell, of one or two words; *ret_n_words says how many (0 with NULL).
const struct vg_command *vg_command_find(const struct vg_command *const *commands,
	const char *const *words, size_t n_words, size_t *ret_n_words);
// An option of a verb, or a common one, by name or by letter; NULL if there is none. `command` NULL
// has the common ones alone.
const struct vg_option *vg_command_option(
	const struct vg_command *command, const char *name, size_t length);
const struct vg_option *vg_command_letter(const struct vg_command *command, char letter);
// `vgrid exec GRID NODE [--] CMD...`, malloc'ed.
char *vg_command_usage(const struct vg_command *command);

// `vgrid --help` and `vgrid VERB --help`.
void vg_help_overview(const struct vg_command *const *commands, FILE *out);
void vg_help_command(const struct vg_command *command, FILE *out);
// Does the verb offer this option? `-o` is there only where a result is printed.
bool vg_command_offers(const struct vg_command *command, const struct vg_option *option);

// The whole program behind main(): reads, runs, prints the error, and is the exit code.
int vg_cli_main(int argc, char *argv[]);
