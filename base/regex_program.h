// SPDX-License-Identifier: Apache-2.0
//
// A regular expression as a program: what regex_read.c makes of its text and regex.c runs. Used by
// those two alone.
//
// Each instruction either takes a character of the text or none; after it comes the next one. All
// offsets are relative, so that a part of a program can be repeated by copying it.
#pragma once

#include "base/regex.h"
#include "base/regex_set.h"

enum vg_regex_operation {
	VG_REGEX_CHARACTER, // takes this one
	VG_REGEX_ANY,       // takes all but a newline
	VG_REGEX_SET,       // takes one of sets[operand]
	VG_REGEX_ASSERT,    // goes on where one of the vg_regex_spot in the operand is
	VG_REGEX_JUMP,      // goes on at the offset
	VG_REGEX_SPLIT,     // goes on at the next one and at the offset
	VG_REGEX_END,       // is a match
};

// What a place between two characters can be.
enum vg_regex_spot {
	VG_REGEX_LINE_BEGIN = 1 << 0,
	VG_REGEX_LINE_END = 1 << 1,
	VG_REGEX_TEXT_BEGIN = 1 << 2,
	VG_REGEX_TEXT_END = 1 << 3,
	VG_REGEX_WORD_BEGIN = 1 << 4,
	VG_REGEX_WORD_END = 1 << 5,
	VG_REGEX_NO_WORD_EDGE = 1 << 6,
};

struct vg_regex_instruction {
	enum vg_regex_operation operation;
	union {
		uint32_t operand;
		int32_t offset;
	};
};

struct vg_regex {
	char *text;
	struct vg_regex_instruction *program;
	size_t n_program; // at most 3 * VG_REGEX_SIZE_MAX + 1
	struct vg_regex_set *sets;
	size_t n_sets;
	// Whether a match can begin before this character, and, last, before one beyond ASCII.
	bool begins[129];
};

// Fills in program and sets from `text`. On an error what is there is still to be freed.
struct vg_error *vg_regex_read(const char *text, struct vg_regex *regex) VG_MUST_CHECK;
