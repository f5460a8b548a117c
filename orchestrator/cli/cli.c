// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/cli.h"

#include <string.h>

#include "base/text.h"

struct given {
	const struct vg_option *option;
	const char *value; // "" for an option without argument
};

struct vg_cli {
	const struct vg_command *command;
	const char **operands;
	size_t n_operands;
	size_t n_fixed; // operands that are not part of the rest
	struct given *given;
	size_t n_given;
	const char ***lists; // what vg_cli_list() gave out
	size_t n_lists;
};

const struct vg_option vg_common_options[] = {
	{"output", 'o', VG_ARGUMENT_TEXT, "FORMAT", "how to print the result: table or json",
		VG_COMPLETE_WORDS, "table json"},
	{"quiet", 'q', VG_ARGUMENT_NONE, NULL, "show no progress, only results and errors",
		VG_COMPLETE_NOTHING, NULL},
	{"verbose", 'v', VG_ARGUMENT_NONE, NULL, "show when each step begins, too",
		VG_COMPLETE_NOTHING, NULL},
	{"help", 'h', VG_ARGUMENT_NONE, NULL, "show this help", VG_COMPLETE_NOTHING, NULL},
	{"version", 0, VG_ARGUMENT_NONE, NULL, "show the version", VG_COMPLETE_NOTHING, NULL},
	{0},
};

void vg_cli_free(struct vg_cli *cli)
{
	if (!cli)
		return;
	free(cli->operands);
	free(cli->given);
	for (size_t i = 0; i < cli->n_lists; i++)
		free(cli->lists[i]);
	free(cli->lists);
	free(cli);
}

const struct vg_command *vg_cli_command(const struct vg_cli *cli)
{
	return cli->command;
}

static bool verb_is(const char *verb, const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		size_t length = strlen(words[i]);
		if (strncmp(verb, words[i], length) != 0)
			return false;
		verb += length;
		if (i + 1 < n_words && *verb++ != ' ')
			return false;
	}
	return !*verb;
}

const struct vg_command *vg_command_find(const struct vg_command *const *commands,
	const char *const *words, size_t n_words, size_t *ret_n_words)
{
	for (size_t n = n_words < 2 ? n_words : 2; n > 0; n--) {
		for (size_t i = 0; commands[i]; i++) {
			if (!verb_is(commands[i]->verb, words, n))
				continue;
			*ret_n_words = n;
			return commands[i];
		}
	}
	*ret_n_words = 0;
	return NULL;
}

bool vg_command_offers(const struct vg_command *command, const struct vg_option *option)
{
	if (option == &vg_common_options[0])
		return !command || command->result;
	return true;
}

static const struct vg_option *option_at(const struct vg_command *command, size_t i)
{
	static const struct vg_option none[] = {{0}};
	const struct vg_option *own = command && command->options ? command->options : none;
	for (; own->name; own++) {
		if (i-- == 0)
			return own;
	}
	const struct vg_option *common = &vg_common_options[i];
	return i < VG_LENGTH(vg_common_options) && common->name ? common : NULL;
}

const struct vg_option *vg_command_option(
	const struct vg_command *command, const char *name, size_t length)
{
	const struct vg_option *option;
	for (size_t i = 0; (option = option_at(command, i)); i++) {
		bool is_same = strncmp(option->name, name, length) == 0 && !option->name[length];
		if (is_same && vg_command_offers(command, option))
			return option;
	}
	return NULL;
}

const struct vg_option *vg_command_letter(const struct vg_command *command, char letter)
{
	const struct vg_option *option;
	for (size_t i = 0; (option = option_at(command, i)); i++) {
		if (option->letter == letter && vg_command_offers(command, option))
			return option;
	}
	return NULL;
}

char *vg_command_usage(const struct vg_command *command)
{
	struct vg_text usage = {0};
	vg_text_addf(&usage, "vgrid %s", command->verb);
	if (command->options && command->options->name)
		vg_text_add(&usage, " [OPTIONS]");
	for (const struct vg_operand *operand = command->operands; operand && operand->name;
		operand++) {
		vg_text_addf(&usage, " %s%s%s%s%s", operand->is_optional ? "[" : "",
			operand->is_command ? "-- " : "", operand->name,
			operand->is_rest ? "..." : "", operand->is_optional ? "]" : "");
	}
	return vg_text_take(&usage);
}

// A nearest name behind dashes, as an error's hint.
static struct vg_error *unknown_option(const struct vg_command *command, const char *word)
{
	struct vg_error *error = vg_error_of(VG_ERROR_USAGE, "unknown option '%s'", word);
	const char *names[64];
	size_t n_names = 0;
	const struct vg_option *option;
	for (size_t i = 0; n_names < VG_LENGTH(names) && (option = option_at(command, i)); i++) {
		if (vg_command_offers(command, option))
			names[n_names++] = option->name;
	}
	const char *start = word + strspn(word, "-");
	_auto(vg_string) char *name = vg_strndup(start, strcspn(start, "="));
	const char *nearest = vg_text_nearest(name, names, n_names);
	if (nearest && strlen(name) > 1)
		return vg_error_hint(error, "did you mean '--%s'?", nearest);
	if (!command)
		return vg_error_hint(error, "'vgrid --help' shows the verbs");
	return vg_error_hint(error, "'vgrid %s --help' shows the options", command->verb);
}

static struct vg_error *unknown_verb(
	const struct vg_command *const *commands, const char *const *words, size_t n_words)
{
	const char *names[128];
	size_t n_names = 0;
	bool is_family = false; // `image` alone
	struct vg_text family = {0};
	size_t length = strlen(words[0]);
	for (size_t i = 0; commands[i] && n_names < VG_LENGTH(names); i++) {
		if (!commands[i]->summary)
			continue;
		names[n_names++] = commands[i]->verb;
		if (strncmp(commands[i]->verb, words[0], length) != 0 ||
			commands[i]->verb[length] != ' ')
			continue;
		vg_text_addf(&family, "%s'%s'", is_family ? ", " : "", commands[i]->verb);
		is_family = true;
	}
	_auto(vg_string) char *verbs = vg_text_take(&family);
	_auto(vg_string) char *both =
		n_words > 1 && is_family ? vg_format("%s %s", words[0], words[1]) : NULL;
	const char *nearest = vg_text_nearest(both ? both : words[0], names, n_names);
	struct vg_error *error =
		is_family && !both
			? vg_error_of(VG_ERROR_USAGE, "'%s' is not a whole verb", words[0])
			: vg_error_of(VG_ERROR_USAGE, "unknown verb '%s'", both ? both : words[0]);
	if (nearest && (both || !is_family))
		return vg_error_hint(error, "did you mean '%s'?", nearest);
	if (is_family)
		return vg_error_hint(error, "one of %s", verbs);
	return vg_error_hint(error, "'vgrid --help' shows the verbs");
}

static struct vg_error *check_word(const struct vg_option *option, const char *value)
{
	if (option->completion != VG_COMPLETE_WORDS || !option->words)
		return NULL;
	_auto(vg_string) char *copy = vg_strdup(option->words);
	const char *names[32];
	size_t n_names = 0;
	char *rest = NULL;
	for (char *word = strtok_r(copy, " ", &rest); word && n_names < VG_LENGTH(names);
		word = strtok_r(NULL, " ", &rest)) {
		if (strcmp(word, value) == 0)
			return NULL;
		names[n_names++] = word;
	}
	const char *nearest = vg_text_nearest(value, names, n_names);
	struct vg_error *error =
		vg_error_of(VG_ERROR_USAGE, "'--%s' cannot be '%s'", option->name, value);
	if (nearest)
		return vg_error_hint(error, "did you mean '%s'?", nearest);
	return vg_error_hint(error, "one of: %s", option->words);
}

static struct vg_error *give(struct vg_cli *cli, const struct vg_option *option, const char *value)
{
	struct vg_error *error = check_word(option, value);
	if (!error)
		vg_append(cli->given, cli->n_given) = (struct given){option, value};
	return error;
}

// `--name`, `--name=value`, `--name value`. *at is the index in argv and moves over what was read.
static struct vg_error *read_long(struct vg_cli *cli, int argc, char *const argv[], int *at)
{
	const char *word = argv[*at], *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct vg_option *option = vg_command_option(cli->command, name, length);
	if (!option)
		return unknown_option(cli->command, word);
	if (option->argument == VG_ARGUMENT_NONE)
		return equals ? vg_error_of(VG_ERROR_USAGE, "'--%s' takes no value", option->name)
			      : give(cli, option, "");
	if (equals)
		return give(cli, option, equals + 1);
	if (*at + 1 >= argc)
		return vg_error_of(VG_ERROR_USAGE, "'--%s' needs a value: --%s %s", option->name,
			option->name, option->argument_name);
	return give(cli, option, argv[++*at]);
}

// `-q`, `-qv`, `-ojson`, `-o json`.
static struct vg_error *read_short(struct vg_cli *cli, int argc, char *const argv[], int *at)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct vg_option *option = vg_command_letter(cli->command, *letter);
		if (!option)
			return unknown_option(cli->command, argv[*at]);
		if (option->argument != VG_ARGUMENT_NONE) {
			if (letter[1])
				return give(cli, option, letter + 1);
			if (*at + 1 < argc)
				return give(cli, option, argv[++*at]);
			return vg_error_of(VG_ERROR_USAGE, "'-%c' needs a value: -%c %s", *letter,
				*letter, option->argument_name);
		}
		struct vg_error *error = give(cli, option, "");
		if (error)
			return error;
	}
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

static struct vg_error *read_option(struct vg_cli *cli, int argc, char *const argv[], int *at)
{
	return argv[*at][1] == '-' ? read_long(cli, argc, argv, at)
				   : read_short(cli, argc, argv, at);
}

// How many operands may come, and how many must.
static struct vg_error *check_operands(const struct vg_cli *cli)
{
	_auto(vg_string) char *usage = vg_command_usage(cli->command);
	size_t i = 0;
	for (const struct vg_operand *operand = cli->command->operands; operand && operand->name;
		operand++, i++) {
		if (operand->is_rest && (operand->is_optional || i < cli->n_operands))
			return NULL;
		if (i >= cli->n_operands && !operand->is_optional)
			return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'vgrid %s' needs %s",
						     cli->command->verb, operand->name),
				"usage: %s", usage);
	}
	if (i >= cli->n_operands)
		return NULL;
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "unexpected '%s'", cli->operands[i]),
		"usage: %s", usage);
}

static struct vg_error *read_operands(struct vg_cli *cli, int argc, char *const argv[], int at)
{
	bool has_ended = false; // `--` was seen, or a program to run
	bool is_command = false;
	for (const struct vg_operand *operand = cli->command->operands; operand && operand->name;
		operand++) {
		cli->n_fixed += !operand->is_rest;
		is_command |= operand->is_command;
	}
	for (; at < argc; at++) {
		if (!has_ended && strcmp(argv[at], "--") == 0) {
			has_ended = true;
		} else if (!has_ended && is_option(argv[at])) {
			struct vg_error *error = read_option(cli, argc, argv, &at);
			if (error)
				return error;
		} else {
			vg_append(cli->operands, cli->n_operands) = argv[at];
			has_ended |= is_command && cli->n_operands > cli->n_fixed;
		}
	}
	vg_append(cli->operands, cli->n_operands) = NULL; // the rest can be an argv
	cli->n_operands--;
	if (vg_cli_option(cli, "output") && !vg_command_option(cli->command, "output", 6))
		return vg_error_of(
			VG_ERROR_USAGE, "'vgrid %s' has no '--output'", cli->command->verb);
	bool is_asking = vg_cli_flag(cli, "help") || vg_cli_flag(cli, "version");
	return is_asking ? NULL : check_operands(cli);
}

struct vg_error *vg_cli_read(const struct vg_command *const *commands, int argc, char *const argv[],
	struct vg_cli **ret_cli)
{
	_auto(vg_cli) struct vg_cli *cli = vg_new(struct vg_cli);
	struct vg_error *error = NULL;
	int at = 1;
	// Common options may stand before the verb.
	for (; !error && at < argc && is_option(argv[at]) && strcmp(argv[at], "--") != 0; at++)
		error = read_option(cli, argc, argv, &at);
	if (error)
		return error;
	if (at < argc) {
		const char *const *words = (const char *const *)argv + at;
		size_t n_words;
		cli->command = vg_command_find(commands, words, (size_t)(argc - at), &n_words);
		if (!cli->command)
			return unknown_verb(commands, words, (size_t)(argc - at));
		error = read_operands(cli, argc, argv, at + (int)n_words);
	}
	if (!error)
		*ret_cli = vg_take(cli);
	return error;
}

const char *vg_cli_operand(const struct vg_cli *cli, size_t i)
{
	return i < cli->n_operands && i < cli->n_fixed ? cli->operands[i] : NULL;
}

const char *const *vg_cli_rest(const struct vg_cli *cli, size_t *ret_n)
{
	size_t n_fixed = cli->n_fixed < cli->n_operands ? cli->n_fixed : cli->n_operands;
	*ret_n = cli->n_operands - n_fixed;
	return cli->operands + n_fixed;
}

const char *vg_cli_option(const struct vg_cli *cli, const char *name)
{
	for (size_t i = cli->n_given; i-- > 0;) {
		if (strcmp(cli->given[i].option->name, name) == 0)
			return cli->given[i].value;
	}
	return NULL;
}

bool vg_cli_flag(const struct vg_cli *cli, const char *name)
{
	return vg_cli_option(cli, name);
}

const char *const *vg_cli_list(const struct vg_cli *cli, const char *name, size_t *ret_n)
{
	// The list lives as long as the command line; logically const.
	struct vg_cli *self = (struct vg_cli *)cli;
	const char **list = vg_alloc((cli->n_given + 1) * sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < cli->n_given; i++) {
		if (strcmp(cli->given[i].option->name, name) == 0)
			list[n++] = cli->given[i].value;
	}
	vg_append(self->lists, self->n_lists) = list;
	*ret_n = n;
	return list;
}

bool vg_cli_is_json(const struct vg_cli *cli)
{
	return vg_text_equal(vg_cli_option(cli, "output"), "json");
}
