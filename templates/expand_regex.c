// SPDX-License-Identifier: Apache-2.0
#include "templates/expand.h"

#include "base/text.h"
#include "templates/reference.h"

// The text with its parameters put in; other references stand for a word. Says in `names` what was
// put in. False when there is none, or one that has no value (found elsewhere, or a trial).
static bool put_in(const struct vg_expansion *expansion, const char *phrase, struct vg_text *text,
	struct vg_text *names)
{
	struct vg_reference part;
	vg_text_add(text, "");
	for (const char *at = phrase; vg_reference_next(&at, &part);) {
		if (part.kind == VG_REFERENCE_LITERAL) {
			vg_text_add_bytes(text, part.text, part.length);
			continue;
		}
		const char *value = "0";
		if (part.kind == VG_REFERENCE_PARAMETER) {
			value = vg_map_get(expansion->values, part.subject);
			if (!value)
				return false;
			vg_text_addf(names, "%s%s='%.60s'", names->length ? ", " : "", part.subject,
				value);
		}
		vg_text_add(text, value);
		if (text->length > VG_TEMPLATE_SIZE_MAX)
			break; // too long, as will be said
	}
	return names->length > 0;
}

void vg_expand_check_regex(
	struct vg_expansion *expansion, const char *path, const struct vg_value *value)
{
	const struct vg_field *row = vg_field_find(path);
	_auto(vg_text) struct vg_text text = {0}, names = {0};
	struct vg_reference part;
	uint64_t number;
	if (!value || !put_in(expansion, value->text, &text, &names))
		return;
	_auto(vg_error) struct vg_error *error = vg_field_read(row, text.bytes, &number);
	if (!error)
		return;
	struct vg_finding *finding = vg_finding_add(expansion->findings, value->place,
		"'%s' with %s: %s", vg_field_key(row), names.bytes, vg_error_message(error));
	if (vg_error_remedy(error))
		vg_finding_hint(finding, "%s", vg_error_remedy(error));
	for (const char *at = value->text; vg_reference_next(&at, &part);) {
		const struct vg_place *source =
			part.kind == VG_REFERENCE_PARAMETER
				? vg_map_get(expansion->sources, part.subject)
				: NULL;
		if (source)
			vg_finding_also(finding, *source, "the value of '%s' comes from here",
				part.subject);
	}
}
