// SPDX-License-Identifier: Apache-2.0
//
// The reader of templates: text → document → checked template → grid, and on into a record. What is
// said about a bad one must be fit for a terminal; a good one must make the round trip.
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "base/text.h"
#include "net/addresses.h"
#include "templates/bind.h"
#include "templates/grid_json.h"
#include "templates/template.h"

enum { NODES_MAX = 40 };

static void check_findings(const struct vg_template *template, const struct vg_findings *findings)
{
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	vg_template_print_findings(template, findings, out);
	fclose(out);
	fuzz_must(vg_text_is_utf8(printed, size));
	for (size_t i = 0; i < size; i++)
		fuzz_must((unsigned char)printed[i] >= 0x20 || printed[i] == '\n');
	for (size_t i = 0; i < findings->n_items; i++)
		fuzz_must(findings->items[i].message && *findings->items[i].message);
	free(printed);
}

static void check_round_trip(const struct vg_grid *grid)
{
	_auto(vg_json) struct vg_json *json = vg_grid_to_json(grid);
	_auto(vg_string) char *text = vg_json_write(json);
	_auto(vg_json) struct vg_json *read = NULL;
	_auto(vg_grid) struct vg_grid *copy = NULL;
	fuzz_must(!vg_json_read(text, strlen(text), &read));
	fuzz_must(!vg_grid_from_json(read, &copy));
	_auto(vg_json) struct vg_json *again = vg_grid_to_json(copy);
	fuzz_must(vg_json_equal(json, again));
}

static void expand(const struct vg_template *template, const char *profile)
{
	const struct vg_expand_options options = {.profile = profile, .nodes_max = NODES_MAX};
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_grid) struct vg_grid *grid = NULL;
	_auto(vg_error) struct vg_error *error =
		vg_template_expand(template, &options, &findings, &grid);
	check_findings(template, &findings);
	fuzz_must(grid || error || findings.n_found);
	if (!grid)
		return;
	_auto(vg_error) struct vg_error *full = vg_addresses_allocate(grid, "IDENTITY", NULL, 0);
	_auto(vg_error) struct vg_error *unbound =
		full ? NULL : vg_grid_bind(grid, "UUID", "IDENTITY");
	if (!full && !unbound)
		check_round_trip(grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	_auto(vg_error) struct vg_error *error =
		vg_template_read_text("t.yaml", (const char *)bytes, size, &findings, &template);
	if (error)
		return 0;
	check_findings(template, &findings);
	if (findings.n_found)
		return 0;
	expand(template, NULL);
	for (size_t i = 0; i < vg_template_n_profiles(template); i++)
		expand(template, vg_template_profile(template, i));
	return 0;
}
