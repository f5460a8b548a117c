// SPDX-License-Identifier: Apache-2.0
#include "templates/template.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "templates/check.h"
#include "templates/expand.h"

// Every profile must expand, not just the one that is used today.
static void try_profiles(const struct vg_template *template, struct vg_findings *findings)
{
	for (size_t i = 0; i <= vg_template_n_profiles(template); i++) {
		const struct vg_expand_options options = {
			.profile = i ? vg_template_profile(template, i - 1) : NULL};
		_auto(vg_grid) struct vg_grid *grid = NULL;
		vg_error_ignore(vg_expand(template, &options, true, findings, &grid));
	}
}

static void read_text(struct vg_template *template, struct vg_findings *findings)
{
	size_t n_before = findings->n_found, n_items = findings->n_items;
	vg_document_read(template->arena, template->file, template->text, template->size, findings,
		&template->root);
	if (template->root)
		vg_check_document(template->root, findings);
	if (findings->n_found == n_before) {
		template->topology_hash = vg_topology_hash(template->arena, template->root);
		try_profiles(template, findings);
	}
	vg_check_finish(findings, n_items);
	vg_findings_sort(findings);
	template->is_good = findings->n_found == n_before;
}

static struct vg_error *too_large(const char *name)
{
	return vg_error_of(VG_ERROR_USAGE, "'%s' is larger than a template may be, 1MiB", name);
}

struct vg_error *vg_template_read_text(const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_template **ret_template)
{
	if (size > VG_TEMPLATE_SIZE_MAX)
		return too_large(name);
	struct vg_template *template = vg_new(struct vg_template);
	// A byte order mark says nothing in UTF-8 (YAML 1.2, section 5.2).
	bool has_mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	template->arena = vg_arena_new();
	template->file = vg_arena_strdup(template->arena, name);
	template->size = has_mark ? size - 3 : size;
	template->text =
		vg_arena_copy(template->arena, has_mark ? text + 3 : text, template->size, 1);
	read_text(template, findings);
	*ret_template = template;
	return NULL;
}

struct vg_error *vg_template_read(
	const char *path, struct vg_findings *findings, struct vg_template **ret_template)
{
	_auto(vg_string) char *text = NULL;
	size_t size;
	bool is_standard_input = strcmp(path, "-") == 0;
	const char *name = is_standard_input ? "<stdin>" : path;
	struct vg_error *error =
		is_standard_input
			? vg_file_read_fd(STDIN_FILENO, name, VG_TEMPLATE_SIZE_MAX, &text, &size)
			: vg_file_read(path, VG_TEMPLATE_SIZE_MAX, &text, &size);
	if (error && vg_error_kind(error) == VG_ERROR_USAGE) {
		vg_error_free(error);
		return too_large(name);
	}
	if (error)
		return vg_error_as(
			vg_error_while(error, "reading the template"), VG_ERROR_USAGE);
	return vg_template_read_text(name, text, size, findings, ret_template);
}

void vg_template_free(struct vg_template *template)
{
	if (!template)
		return;
	vg_arena_free(template->arena);
	free(template);
}

void vg_template_print_findings(
	const struct vg_template *template, const struct vg_findings *findings, FILE *out)
{
	vg_findings_print(findings, out, template->file, template->text, template->size);
}

const char *vg_template_name(const struct vg_template *template)
{
	return vg_value_get(template->root, "name")->text;
}

const char *vg_template_topology_hash(const struct vg_template *template)
{
	return template->topology_hash;
}

size_t vg_template_n_profiles(const struct vg_template *template)
{
	const struct vg_value *profiles = vg_value_get(template->root, "profiles");
	return profiles ? profiles->n_entries : 0;
}

const char *vg_template_profile(const struct vg_template *template, size_t i)
{
	assert(i < vg_template_n_profiles(template));
	return vg_value_get(template->root, "profiles")->entries[i].key;
}

struct vg_error *vg_template_expand(const struct vg_template *template,
	const struct vg_expand_options *options, struct vg_findings *findings,
	struct vg_grid **ret_grid)
{
	assert(template->is_good);
	size_t n_items = findings->n_items;
	struct vg_error *error = vg_expand(template, options, false, findings, ret_grid);
	vg_check_finish(findings, n_items);
	return error;
}
