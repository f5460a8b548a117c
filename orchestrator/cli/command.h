// SPDX-License-Identifier: Apache-2.0
//
// A verb is a file with a const entry; the table in commands.c lists them. Parsing, `--help`, bash
// completion and the manual page all come from these entries.
#pragma once

#include "orchestrator/context.h"

enum vg_argument_kind { VG_ARGUMENT_NONE, VG_ARGUMENT_TEXT, VG_ARGUMENT_LIST };

// What completion offers for an option's argument or a verb's operand.
enum vg_completion {
	VG_COMPLETE_NOTHING,
	VG_COMPLETE_FILE,
	VG_COMPLETE_GRID,
	VG_COMPLETE_NODE,
	VG_COMPLETE_SITE,
	VG_COMPLETE_PRACTICE_SITE,
	VG_COMPLETE_IMAGE,
	VG_COMPLETE_WORDS, // one of `words`
};

struct vg_option {
	const char *name;               // without dashes
	char letter;                    // 0: none
	enum vg_argument_kind argument; // LIST: may be given several times
	const char *argument_name;      // "PROFILE"
	const char *help;
	enum vg_completion completion;
	const char *words; // blank-separated, for VG_COMPLETE_WORDS
};

struct vg_operand {
	const char *name;          // "GRID"
	bool is_optional, is_rest; // rest: all that follow, also after `--`
	bool is_command; // the rest is a program with its arguments: options end before it
	enum vg_completion completion;
	const char *words;
};

// One field of what `-o json` prints, for the JSON Schema of `vgrid schema --output VERB`. Paths
// are written as in `nodes[].addresses.*.ip`: `[]` is each entry of a list, `*` each value of an
// object; `?` behind a part says that it may be missing.
struct vg_result_field {
	const char *path;
	const char *type; // "string", "integer", "boolean"; with `?` behind it: or null
	const char *help;
};

struct vg_cli; // the parsed command line

struct vg_command {
	const char
		*section; // the heading above it in the overview; NULL: that of the verb before it
	const char *verb; // "image build" for a verb of two words
	const char *summary; // one line; NULL hides the verb from help, completion and manual
	const char *help;    // paragraphs for --help and the manual page
	const char *example; // lines of `$ vgrid …`
	const struct vg_operand *operands;    // ends with name NULL
	const struct vg_option *options;      // ends with name NULL; the common ones are added
	const struct vg_result_field *result; // ends with path NULL; NULL: `-o json` is not offered
	// Does it; prints results to stdout. Its status is the exit code unless an error is given
	// back.
	struct vg_error *(*run)(
		const struct vg_cli *cli, struct vg_context *context, int *ret_status);
};

extern const struct vg_command *const vg_commands[]; // ends with NULL

// Headings of the overview, each above its first verb.
struct vg_section {
	const char *title;
	const struct vg_command *first;
};

extern const struct vg_section vg_sections[]; // ends with title NULL

// What was given. Borrowed strings.
const char *vg_cli_operand(const struct vg_cli *cli, size_t i); // NULL if it was not given
// What was given for the last operand, behind it a NULL as in an argv.
const char *const *vg_cli_rest(const struct vg_cli *cli, size_t *ret_n);
const char *vg_cli_option(const struct vg_cli *cli, const char *name); // the last one; NULL
bool vg_cli_flag(const struct vg_cli *cli, const char *name);
const char *const *vg_cli_list(const struct vg_cli *cli, const char *name, size_t *ret_n);
bool vg_cli_is_json(const struct vg_cli *cli); // -o json

// A question on the terminal; false without asking when standard input or error is none.
bool vg_cli_ask(struct vg_context *context, const char *format, ...) VG_PRINTF(2, 3);
bool vg_cli_can_ask(void);

enum vg_exit {
	VG_EXIT_DONE = 0,
	VG_EXIT_FAILED = 1,
	VG_EXIT_USAGE = 2,
	VG_EXIT_DIFFERENCES = 3,
	VG_EXIT_TESTS_FAILED = 4,
	VG_EXIT_INTERRUPTED = 130,
};
