// SPDX-License-Identifier: Apache-2.0
#include "base/regex.h"

#include <string.h>

#include "base/regex_program.h"
#include "base/text.h"

static const uint32_t NOTHING = UINT32_MAX; // no character: the text's ends

// A run over a text: at each place all instructions that it could be at.
struct run {
	const struct vg_regex *regex;
	uint32_t *waiting; // not yet looked at
	uint32_t *ready;   // want a character
	size_t n_waiting, n_ready;
	uint64_t *seen; // of an instruction: the number of the place where it was last put in
	uint64_t place, steps;
};

static void run_auto_free(struct run *run)
{
	free(run->waiting);
	free(run->ready);
	free(run->seen);
}

static struct run begin_run(const struct vg_regex *regex)
{
	size_t n = regex->n_program;
	return (struct run){.regex = regex,
		.waiting = vg_alloc(n * sizeof(uint32_t)),
		.ready = vg_alloc(n * sizeof(uint32_t)),
		.seen = vg_alloc(n * sizeof(uint64_t)),
		.place = 1};
}

static void put(struct run *run, uint32_t at)
{
	if (run->seen[at] == run->place)
		return;
	run->seen[at] = run->place;
	run->waiting[run->n_waiting++] = at;
}

// Goes on with all that takes no character. Is there a match?
static bool settle(struct run *run, uint32_t spots)
{
	run->n_ready = 0;
	while (run->n_waiting > 0) {
		uint32_t at = run->waiting[--run->n_waiting];
		const struct vg_regex_instruction *instruction = &run->regex->program[at];
		run->steps++;
		switch (instruction->operation) {
		case VG_REGEX_CHARACTER:
		case VG_REGEX_ANY:
		case VG_REGEX_SET:
			run->ready[run->n_ready++] = at;
			break;
		case VG_REGEX_ASSERT:
			if (instruction->operand & spots)
				put(run, at + 1);
			break;
		case VG_REGEX_SPLIT:
			put(run, at + 1);
			put(run, at + (uint32_t)instruction->offset);
			break;
		case VG_REGEX_JUMP:
			put(run, at + (uint32_t)instruction->offset);
			break;
		case VG_REGEX_END:
			return true;
		}
	}
	return false;
}

static bool takes(
	struct run *run, const struct vg_regex_instruction *instruction, uint32_t character)
{
	if (instruction->operation == VG_REGEX_CHARACTER)
		return instruction->operand == character;
	if (instruction->operation == VG_REGEX_ANY)
		return character != '\n';
	return vg_regex_set_has(&run->regex->sets[instruction->operand], character, &run->steps);
}

static void advance(struct run *run, uint32_t character)
{
	run->place++;
	run->steps += 1 + run->n_ready;
	for (size_t i = 0; i < run->n_ready; i++) {
		if (takes(run, &run->regex->program[run->ready[i]], character))
			put(run, run->ready[i] + 1);
	}
	run->n_ready = 0;
}

static bool is_word(uint32_t character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') || character == '_';
}

static uint32_t spots_between(uint32_t before, uint32_t after)
{
	bool was_word = is_word(before), becomes_word = is_word(after);
	uint32_t spots = 0;
	if (before == NOTHING || before == '\n')
		spots |= VG_REGEX_LINE_BEGIN;
	if (after == NOTHING || after == '\n')
		spots |= VG_REGEX_LINE_END;
	if (before == NOTHING)
		spots |= VG_REGEX_TEXT_BEGIN;
	if (after == NOTHING)
		spots |= VG_REGEX_TEXT_END;
	if (was_word == becomes_word)
		return spots | VG_REGEX_NO_WORD_EDGE;
	return spots | (becomes_word ? VG_REGEX_WORD_BEGIN : VG_REGEX_WORD_END);
}

static bool can_begin(const struct vg_regex *regex, uint32_t character)
{
	return regex->begins[character < 128 ? character : 128];
}

// Most characters of most texts begin no match: they need not be run through.
static void find_beginnings(struct vg_regex *regex)
{
	_auto(run) struct run run = begin_run(regex);
	put(&run, 0);
	bool is_everywhere = settle(&run, UINT32_MAX);
	for (uint32_t c = 0; c < VG_LENGTH(regex->begins); c++) {
		regex->begins[c] = is_everywhere || c == 128;
		for (size_t i = 0; i < run.n_ready && !regex->begins[c]; i++)
			regex->begins[c] = takes(&run, &regex->program[run.ready[i]], c);
	}
}

struct vg_error *vg_regex_make(const char *text, struct vg_regex **ret_regex)
{
	if (strlen(text) > VG_REGEX_LENGTH_MAX)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the regular expression is too long"),
			"at most %d characters", VG_REGEX_LENGTH_MAX);
	_auto(vg_regex) struct vg_regex *regex = vg_new(struct vg_regex);
	regex->text = vg_strdup(text);
	struct vg_error *error = vg_regex_read(text, regex);
	if (error)
		return error;
	find_beginnings(regex);
	*ret_regex = vg_take(regex);
	return NULL;
}

void vg_regex_free(struct vg_regex *regex)
{
	if (!regex)
		return;
	for (size_t i = 0; i < regex->n_sets; i++)
		vg_regex_set_done(&regex->sets[i]);
	free(regex->sets);
	free(regex->program);
	free(regex->text);
	free(regex);
}

struct vg_error *vg_regex_find(const struct vg_regex *regex, const char *text, size_t size,
	uint64_t steps_max, bool *ret_is_there)
{
	_auto(run) struct run run = begin_run(regex);
	uint32_t before = NOTHING, after = NOTHING;
	bool is_there = false;
	for (size_t at = 0, step; at <= size && !is_there; at += step, before = after) {
		step = 1;
		after = NOTHING;
		if (at < size)
			step = vg_text_character(text + at, size - at, &after);
		if (at == size || can_begin(regex, after))
			put(&run, 0);
		if (run.n_waiting)
			is_there = settle(&run, spots_between(before, after));
		if (at < size)
			advance(&run, after);
		if (run.steps > steps_max)
			return vg_error_hint(
				vg_error_new("to look for '%.60s' in %zu bytes takes too long",
					regex->text, size),
				"an expression with fewer or smaller repetitions is quicker");
	}
	*ret_is_there = is_there;
	return NULL;
}
