// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

// The format of a file is stated, by a field or by its ending, and never probed.
static bool is_stated(const char *file)
{
	return vg_text_ends(file, ".qcow2") || vg_text_ends(file, ".raw") ||
	       vg_text_ends(file, ".img");
}

static void check_image(struct vg_check *check, const struct vg_value *image)
{
	static const char *const of_files[] = {"format", "sha256"};
	const struct vg_entry *file = vg_value_entry(image, "file");
	for (size_t i = 0; i < VG_LENGTH(of_files); i++) {
		const struct vg_entry *field = vg_value_entry(image, of_files[i]);
		if (field && !file && !field->value->is_faulty)
			vg_check_fault(check, field->value, "'%s' belongs to 'file'", of_files[i]);
	}
	const char *path = vg_check_word(image, "file");
	if (path && !vg_value_entry(image, "format") && !is_stated(path))
		vg_finding_hint(vg_check_fault(check, file->value,
					"the format of '%.100s' is not stated", path),
			"add 'format: qcow2' or 'format: raw'; a format is never guessed");
}

void vg_check_images(struct vg_check *check)
{
	for (size_t i = 0; i < vg_map_size(check->images); i++) {
		const struct vg_entry *entry = vg_map_value_at(check->images, i);
		if (!entry->value->is_faulty)
			check_image(check, entry->value);
	}
}
