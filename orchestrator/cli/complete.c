// SPDX-License-Identifier: Apache-2.0
//
// `vgrid complete -- WORD...`: what could stand in the last word's place, one a line; `:file` asks
// the shell for file names. The script of `vgrid completion` calls it. Reads records, touches
// nothing.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/cli/cli.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"
#include "storage/images.h"

struct question {
	struct vg_context *context;
	const struct vg_command *command;
	const char *word;   // begun, perhaps empty
	const char *prefix; // stands before it in the shell's word: "--site="
	const char *grid;   // the GRID operand, if it was given already
};

static void offer(const struct question *question, const char *candidate)
{
	if (vg_text_starts(candidate, question->word))
		printf("%s%s\n", question->prefix, candidate);
}

static void offer_words(const struct question *question, const char *words)
{
	_auto(vg_string) char *copy = vg_strdup(words ? words : "");
	char *rest = NULL;
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		offer(question, word);
}

static void offer_sites(const struct question *question)
{
	char **names;
	size_t n_names;
	offer_words(question, "sandbox sandbox:2 sandbox:3");
	_auto(vg_error) struct vg_error *error = vg_site_known(question->context, &names, &n_names);
	if (error)
		return;
	for (size_t i = 0; i < n_names; i++)
		offer(question, names[i]);
	vg_folder_list_free(names, n_names);
}

static void offer_grids(const struct question *question)
{
	char **keys;
	size_t n_keys;
	_auto(vg_error) struct vg_error *error = vg_store_list(question->context, &keys, &n_keys);
	if (error)
		return;
	for (size_t i = 0; i < n_keys; i++) {
		_auto(vg_string) char *name = vg_strndup(keys[i], strcspn(keys[i], "@"));
		offer(question, strchr(question->word, '@') ? keys[i] : name);
	}
	vg_folder_list_free(keys, n_keys);
}

static void offer_nodes(const struct question *question)
{
	_auto(vg_string) char *key = NULL;
	_auto(vg_record) struct vg_record *record = NULL;
	_auto(vg_error) struct vg_error *error =
		vg_store_resolve(question->context, question->grid ? question->grid : "", &key);
	if (!error)
		error = vg_store_load(question->context, key, &record);
	for (size_t i = 0; !error && i < record->grid->n_nodes; i++)
		offer(question, record->grid->nodes[i].name);
}

static void offer_images(const struct question *question)
{
	struct vg_image_list list = {0};
	_auto(vg_string) char *folder = vg_context_images(question->context);
	vg_error_ignore(vg_images_list(folder, &list));
	for (size_t i = 0; i < list.n_items; i++)
		offer(question, list.items[i]->name);
	vg_image_list_done(&list);
}

static void offer_practice_sites(const struct question *question)
{
	char **names = NULL;
	size_t n_names = 0;
	vg_error_ignore(vg_practice_list(question->context->home, &names, &n_names));
	for (size_t i = 0; i < n_names; i++)
		offer(question, names[i]);
	vg_folder_list_free(names, n_names);
}

static void offer_kind(
	const struct question *question, enum vg_completion completion, const char *words)
{
	switch (completion) {
	case VG_COMPLETE_NOTHING:
		break;
	case VG_COMPLETE_FILE:
		puts(":file");
		break;
	case VG_COMPLETE_GRID:
		offer_grids(question);
		break;
	case VG_COMPLETE_NODE:
		offer_nodes(question);
		break;
	case VG_COMPLETE_SITE:
		offer_sites(question);
		break;
	case VG_COMPLETE_PRACTICE_SITE:
		offer_practice_sites(question);
		break;
	case VG_COMPLETE_IMAGE:
		offer_images(question);
		break;
	case VG_COMPLETE_WORDS:
		offer_words(question, words);
		break;
	}
}

static void offer_options(const struct question *question)
{
	static const struct vg_option none[] = {{0}};
	const struct vg_command *command = question->command;
	const struct vg_option *const lists[] = {
		command && command->options ? command->options : none, vg_common_options};
	for (size_t i = 0; i < VG_LENGTH(lists); i++) {
		for (const struct vg_option *option = lists[i]; option->name; option++) {
			_auto(vg_string) char *name = vg_format("--%s", option->name);
			if (vg_command_offers(command, option))
				offer(question, name);
		}
	}
}

// Verbs, of which `image list` and its kin come word by word; `first` is the word before, or NULL.
static void offer_verbs(const struct question *question, const char *first)
{
	const char *last = "";
	_auto(vg_string) char *before = NULL;
	for (size_t i = 0; vg_commands[i]; i++) {
		const char *verb = vg_commands[i]->verb;
		size_t length = strcspn(verb, " ");
		if (!vg_commands[i]->summary)
			continue;
		if (first) {
			bool is_kin = strlen(first) == length && verb[length] &&
				      strncmp(verb, first, length) == 0;
			if (is_kin)
				offer(question, verb + length + 1);
			continue;
		}
		char *word = vg_strndup(verb, length);
		if (strcmp(word, last) != 0)
			offer(question, word);
		free(before);
		before = word;
		last = before;
	}
}

// An option that still waits for its argument: `--site` or `-o` before the last word.
static const struct vg_option *waiting_option(const struct vg_command *command, const char *word)
{
	const struct vg_option *option = NULL;
	if (vg_text_starts(word, "--") && !strchr(word, '='))
		option = vg_command_option(command, word + 2, strlen(word + 2));
	else if (word[0] == '-' && word[1] && word[1] != '-')
		option = vg_command_letter(command, word[strlen(word) - 1]);
	return option && option->argument != VG_ARGUMENT_NONE ? option : NULL;
}

// What the words before the last one were: how many operands, and the first of them. False when a
// program to run has begun.
static bool count_operands(
	struct question *question, const char *const *words, size_t n_words, size_t *ret_n_operands)
{
	size_t n = 0;
	for (size_t i = 0; i < n_words; i++) {
		if (strcmp(words[i], "--") == 0)
			return false;
		if (words[i][0] == '-') {
			i += waiting_option(question->command, words[i]) != NULL;
			continue;
		}
		if (n++ == 0)
			question->grid = words[i];
	}
	*ret_n_operands = n;
	return true;
}

static void offer_operand(const struct question *question, size_t number)
{
	const struct vg_operand *operand = question->command->operands;
	while (operand->name && number > 0 && !operand->is_rest) {
		operand++;
		number--;
	}
	if (operand->name)
		offer_kind(question, operand->completion, operand->words);
}

static void answer(struct question *question, const char *const *words, size_t n_words)
{
	size_t n_verb = 0, n_operands;
	const char *const *before = words;
	question->word = words[n_words - 1];
	question->command = vg_command_find(vg_commands, words, n_words - 1, &n_verb);
	if (!question->command) {
		bool is_option = question->word[0] == '-';
		if (is_option)
			offer_options(question);
		else if (n_words <= 2)
			offer_verbs(question, n_words == 2 ? words[0] : NULL);
		return;
	}
	before += n_verb;
	size_t n_before = n_words - 1 - n_verb;
	const struct vg_option *option =
		n_before ? waiting_option(question->command, before[n_before - 1]) : NULL;
	const char *equals = strchr(question->word, '=');
	if (option) {
		offer_kind(question, option->completion, option->words);
	} else if (vg_text_starts(question->word, "--") && equals) {
		option = vg_command_option(question->command, question->word + 2,
			(size_t)(equals - question->word) - 2);
		_auto(vg_string) char *prefix =
			vg_strndup(question->word, (size_t)(equals - question->word) + 1);
		question->prefix = prefix;
		question->word = equals + 1;
		if (option)
			offer_kind(question, option->completion, option->words);
	} else if (count_operands(question, before, n_before, &n_operands)) {
		if (question->word[0] == '-')
			offer_options(question);
		else
			offer_operand(question, n_operands);
	}
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	size_t n_words;
	const char *const *words = vg_cli_rest(cli, &n_words);
	struct question question = {.context = context, .prefix = ""};
	if (n_words)
		answer(&question, words, n_words);
	return NULL;
}

static const struct vg_operand operands[] = {
	{.name = "WORD", .is_optional = true, .is_rest = true}, {0}};

const struct vg_command vg_verb_complete = {
	.verb = "complete",
	.help = "Prints what could stand in the last word's place.",
	.operands = operands,
	.run = run,
};
