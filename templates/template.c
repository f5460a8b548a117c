// SPDX-License-Identifier: Apache-2.0
#include "templates/template.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "templates/check.h"
#include "templates/expand.h"

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

// Cleans the texts of the findings behind the first `from` and drops repeated ones: two profiles
// may run into the same fault.
static void finish(struct vg_findings *findings, size_t from)
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
	finish(findings, n_items);
	vg_findings_sort(findings);
	template->is_good = findings->n_found == n_before;
}

struct vg_error *vg_template_read_text(const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_template **ret_template)
{
	if (size > VG_TEMPLATE_SIZE_MAX)
		return vg_error_of(
			VG_ERROR_USAGE, "'%s' is larger than a template may be, 1MiB", name);
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
	if (error)
		return vg_error_while(error, "reading the template");
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
	finish(findings, n_items);
	return error;
}
