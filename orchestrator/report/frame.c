// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/report/frame.h"

#include <string.h>
#include <wchar.h>

enum { TIME_WIDTH = 7, SPIN_MS = 125 };

// One character of `bytes` and its columns; what cannot be shown becomes '?' of one column.
static size_t next_character(const char *bytes, wchar_t *ret_character, int *ret_columns)
{
	mbstate_t state = {0};
	size_t size = mbrtowc(ret_character, bytes, strlen(bytes), &state);
	bool is_broken = size == (size_t)-1 || size == (size_t)-2;
	*ret_columns = is_broken ? -1 : wcwidth(*ret_character);
	if (*ret_columns < 0) {
		*ret_character = is_broken ? L'?' : L' ';
		*ret_columns = 1;
	}
	return is_broken ? 1 : size;
}

unsigned vg_frame_columns(const char *text)
{
	unsigned total = 0;
	while (*text) {
		wchar_t character;
		int columns;
		text += next_character(text, &character, &columns);
		total += (unsigned)columns;
	}
	return total;
}

void vg_frame_add_cut(struct vg_text *text, const char *more, unsigned columns)
{
	bool is_whole = vg_frame_columns(more) <= columns;
	// Room for the mark that something is missing.
	unsigned room = is_whole ? columns : columns - (columns > 0);
	while (*more) {
		wchar_t character;
		int wide;
		size_t size = next_character(more, &character, &wide);
		if ((unsigned)wide > room)
			break;
		bool is_replaced = size == 1 && (unsigned char)*more != (unsigned long)character;
		char replacement = (char)character;
		vg_text_add_bytes(text, is_replaced ? &replacement : more, size);
		room -= (unsigned)wide;
		more += size;
	}
	if (!is_whole && columns > 0)
		vg_text_add(text, MB_CUR_MAX > 1 ? "…" : "~");
}

char *vg_frame_time(uint64_t milliseconds)
{
	uint64_t seconds = milliseconds / 1000;
	if (seconds < 60)
		return vg_format(
			"%u.%us", (unsigned)seconds, (unsigned)(milliseconds % 1000 / 100));
	if (seconds < 3600)
		return vg_format("%um%02us", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
	return vg_format("%uh%02um", (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60));
}

static const char *mark_of(const struct vg_frame *frame, const struct vg_frame_step *step)
{
	static const char *const braille[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
	static const char *const ascii[] = {"|", "/", "-", "\\"};
	uint64_t turn = (frame->now_ms - step->begun_ms) / SPIN_MS;
	switch (step->state) {
	case VG_FRAME_RUNNING:
		return frame->is_utf8 ? braille[turn % VG_LENGTH(braille)]
				      : ascii[turn % VG_LENGTH(ascii)];
	case VG_FRAME_GOOD:
		return frame->is_utf8 ? "✓" : "+";
	case VG_FRAME_BAD:
		return frame->is_utf8 ? "✗" : "x";
	case VG_FRAME_STOPPED:
		break;
	}
	return "-";
}

static const char *colour_of(enum vg_frame_state state)
{
	switch (state) {
	case VG_FRAME_RUNNING:
		return "\033[36m";
	case VG_FRAME_GOOD:
		return "\033[32m";
	case VG_FRAME_BAD:
		return "\033[31m";
	case VG_FRAME_STOPPED:
		break;
	}
	return "\033[2m";
}

static void add_coloured(const struct vg_frame *frame, struct vg_text *text, const char *colour,
	const char *more, unsigned columns)
{
	if (frame->has_colour)
		vg_text_add(text, colour);
	vg_frame_add_cut(text, more, columns);
	if (frame->has_colour)
		vg_text_add(text, "\033[0m");
}

// `  ✓ worker-1: starting    3.2s  waiting for the agent`
static void draw_step(
	const struct vg_frame *frame, const struct vg_frame_step *step, struct vg_text *text)
{
	unsigned width = frame->width;
	unsigned fixed = 4 + 1 + TIME_WIDTH;
	unsigned room = width > fixed + 1 ? width - fixed - 1 : 0;
	unsigned text_width = frame->text_width < room ? frame->text_width : room;
	vg_text_add(text, "  ");
	add_coloured(frame, text, colour_of(step->state), mark_of(frame, step), 1);
	vg_text_add(text, " ");
	vg_frame_add_cut(text, step->text, text_width);
	unsigned used = vg_frame_columns(step->text);
	uint64_t end_ms = step->state == VG_FRAME_RUNNING ? frame->now_ms : step->ended_ms;
	_auto(vg_string) char *time = vg_frame_time(end_ms - step->begun_ms);
	_auto(vg_string) char *padded = vg_format("%*s%*s",
		(int)(used < text_width ? text_width - used : 0), "", TIME_WIDTH + 1, time);
	add_coloured(frame, text, "\033[2m", padded, width);
	bool has_note = step->note && *step->note && step->state == VG_FRAME_RUNNING;
	if (has_note && room > text_width + 6) {
		vg_text_add(text, "  ");
		add_coloured(frame, text, "\033[2m", step->note, room - text_width - 2);
	}
	vg_text_add(text, "\033[K\n");
}

static void draw_dim(const struct vg_frame *frame, struct vg_text *text, const char *line)
{
	add_coloured(frame, text, "\033[2m", line, frame->width > 1 ? frame->width - 1 : 1);
	vg_text_add(text, "\033[K\n");
}

size_t vg_frame_room(const struct vg_frame *frame)
{
	size_t taken = 1u + (frame->total > 0) + (frame->n_folded > 0);
	return frame->height > taken + 1 ? frame->height - taken : 1;
}

size_t vg_frame_draw(const struct vg_frame *frame, struct vg_text *text)
{
	size_t n_lines = 0, room = vg_frame_room(frame);
	size_t n_shown = frame->n_steps <= room ? frame->n_steps : room - 1;
	if (frame->n_folded) {
		_auto(vg_string) char *line = vg_format(
			"  %s %zu more done", frame->is_utf8 ? "✓" : "+", frame->n_folded);
		draw_dim(frame, text, line);
		n_lines++;
	}
	for (size_t i = 0; i < n_shown; i++, n_lines++)
		draw_step(frame, &frame->steps[i], text);
	if (n_shown < frame->n_steps) {
		_auto(vg_string) char *line =
			vg_format("    and %zu more", frame->n_steps - n_shown);
		draw_dim(frame, text, line);
		n_lines++;
	}
	if (frame->total) {
		_auto(vg_string) char *line =
			vg_format("    %zu of %zu steps", frame->done, frame->total);
		draw_dim(frame, text, line);
		n_lines++;
	}
	return n_lines;
}
