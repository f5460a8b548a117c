// SPDX-License-Identifier: Apache-2.0
//
// The reference expander: any text, cut into parts and expanded for a node of a small grid. The
// parts make up the whole text; what it becomes is bounded.
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "net/addresses.h"
#include "templates/bind.h"
#include "templates/reference.h"
#include "templates/template.h"

static const char source[] = "vgrid: 1\nname: grid-name\n"
			     "parameters: {n: {type: integer, default: 2}, text: {type: string, "
			     "default: '${n} $${n} ${node.name}'}}\n"
			     "images: {base: {builtin: tiny}}\n"
			     "networks: {lan: {cidr: 10.9.0.0/24}, six: {cidr: 'fd00::/64'}}\n"
			     "roles:\n  head: {image: base, nics: [lan, six]}\n"
			     "  worker: {image: base, count: '${n}', nics: [lan]}\n"
			     "  none: {image: base, count: 0, nics: [lan]}\n";

static struct vg_grid *make_grid(void)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	const struct vg_expand_options options = {0};
	struct vg_grid *grid = NULL;
	fuzz_must(!vg_template_read_text("t.yaml", source, strlen(source), &findings, &template));
	fuzz_must(!findings.n_found);
	fuzz_must(!vg_template_expand(template, &options, &findings, &grid));
	fuzz_must(!vg_addresses_allocate(grid, "IDENTITY", NULL, 0));
	fuzz_must(!vg_grid_bind(grid, "UUID", "IDENTITY"));
	return grid;
}

// Every part lies behind the one before it, and none is empty.
static void check_parts(const char *text)
{
	struct vg_reference part;
	const char *at = text;
	for (const char *before = at; vg_reference_next(&at, &part); before = at) {
		fuzz_must(at > before && part.text >= before && part.length > 0);
		fuzz_must(part.text + part.length <= at);
		fuzz_must(strlen(part.subject) < VG_REFERENCE_NAME_SIZE);
		fuzz_must(strlen(part.network) < VG_REFERENCE_NAME_SIZE);
	}
	fuzz_must(*at == '\0');
	char name[VG_REFERENCE_NAME_SIZE];
	if (vg_reference_is_parameter(text, name) || vg_reference_in_node(text))
		fuzz_must(vg_reference_in(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct vg_grid *grid;
	if (!grid)
		grid = make_grid();
	_auto(vg_string) char *text = fuzz_text(bytes, size);
	check_parts(text);
	const struct vg_phrase phrase = {text, {"t.yaml", 1, 1}};
	const struct vg_node *nodes[] = {NULL, &grid->nodes[0], &grid->nodes[2]};
	for (size_t i = 0; i < VG_LENGTH(nodes); i++) {
		_auto(vg_string) char *expanded = NULL;
		_auto(vg_error) struct vg_error *error =
			vg_grid_expand(grid, nodes[i], &phrase, &expanded);
		fuzz_must(!error == (expanded != NULL));
		if (expanded && !strchr(text, '$'))
			fuzz_must(strcmp(text, expanded) == 0);
	}
	return 0;
}
