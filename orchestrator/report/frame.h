// SPDX-License-Identifier: Apache-2.0
//
// One picture of the live display as text with terminal sequences (ECMA-48). Pure: same input, same
// bytes. Used by progress.c, which keeps the steps and the clock.
#pragma once

#include "base/text.h"

enum vg_frame_state { VG_FRAME_RUNNING, VG_FRAME_GOOD, VG_FRAME_BAD, VG_FRAME_STOPPED };

struct vg_frame_step {
	unsigned number;
	char *text, *note; // note may be NULL; foreign bytes are welcome
	enum vg_frame_state state;
	uint64_t begun_ms, ended_ms;
};

struct vg_frame {
	const struct vg_frame_step *steps;
	size_t n_steps;
	size_t n_folded;    // ended well and no longer shown one by one
	size_t done, total; // total 0: no count
	uint64_t now_ms;
	unsigned width, height; // of the terminal
	unsigned text_width;    // columns that the steps' texts take
	bool has_colour, is_utf8;
};

// Appends the lines, each cut to the width and ended by `\n`, at most height - 1; returns how many.
size_t vg_frame_draw(const struct vg_frame *frame, struct vg_text *text);
// How many steps have room beside the count and the folded ones.
size_t vg_frame_room(const struct vg_frame *frame);
// The columns of a text, and the text cut to them with what is not printable made visible. Needs
// setlocale() for more than ASCII.
unsigned vg_frame_columns(const char *text);
void vg_frame_add_cut(struct vg_text *text, const char *more, unsigned columns);
// `0.3s`, `12.4s`, `1m05s`, `2h03m`; malloc'ed.
char *vg_frame_time(uint64_t milliseconds);
