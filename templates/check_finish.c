// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "templates/check.h"

enum { MESSAGE_LENGTH_MAX = 400 };

// What a user wrote stands in messages: what could fool a terminal made visible, long ones cut.
static void clean(char **message)
{
	_auto(vg_text) struct vg_text text = {0};
	size_t size = *message ? strlen(*message) : 0;
	if (!*message)
		return;
	for (size_t at = 0; at < size;) {
		bool is_plain;
		size_t step = vg_text_step(*message + at, size - at, &is_plain);
		if (text.length > MESSAGE_LENGTH_MAX) {
			vg_text_add(&text, "…");
			break;
		}
		if (is_plain)
			vg_text_add_bytes(&text, *message + at, step);
		for (size_t i = 0; i < step && !is_plain; i++)
			vg_text_addf(&text, "\\x%02x", (unsigned char)(*message)[at + i]);
		at += step;
	}
	free(*message);
	*message = vg_text_take(&text);
}

static bool is_same(const struct vg_finding *a, const struct vg_finding *b)
{
	return a->places[0].line == b->places[0].line &&
	       a->places[0].column == b->places[0].column && vg_text_equal(a->message, b->message);
}

static void free_finding(struct vg_finding *finding)
{
	free(finding->message);
	free(finding->hint);
	for (size_t k = 0; k < VG_FINDING_PLACES_MAX; k++)
		free(finding->notes[k]);
}

void vg_check_finish(struct vg_findings *findings, size_t from)
{
	size_t n_kept = from < findings->n_items ? from : findings->n_items;
	for (size_t i = n_kept; i < findings->n_items; i++) {
		struct vg_finding *finding = &findings->items[i];
		bool is_known = false;
		clean(&finding->message);
		clean(&finding->hint);
		for (size_t k = 0; k < VG_FINDING_PLACES_MAX; k++)
			clean(&finding->notes[k]);
		for (size_t k = from; k < n_kept && !is_known; k++)
			is_known = is_same(&findings->items[k], finding);
		if (is_known) {
			free_finding(finding);
			findings->n_found--;
		} else {
			findings->items[n_kept++] = *finding;
		}
	}
	findings->n_items = n_kept;
}
