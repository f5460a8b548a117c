// SPDX-License-Identifier: Apache-2.0
//
// Claims about templates/: reading, expansion, the topology hash, binding.
#include "tests/unit/test.h"

#include <time.h>

#include "base/text.h"
#include "templates/bind.h"
#include "templates/template.h"

static struct vg_template *read_template(const char *text)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	struct vg_template *template = NULL;
	assert_null(vg_template_read_text("t.yaml", text, strlen(text), &findings, &template));
	if (findings.n_found)
		vg_template_print_findings(template, &findings, stderr);
	assert_int_equal(findings.n_found, 0);
	return template;
}

static struct vg_grid *expand(
	const struct vg_template *template, const struct vg_expand_options *options)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	struct vg_grid *grid = NULL;
	assert_null(vg_template_expand(template, options, &findings, &grid));
	if (findings.n_found)
		vg_template_print_findings(template, &findings, stderr);
	assert_int_equal(findings.n_found, 0);
	return grid;
}

static void hello_is_a_head_and_two_workers(void **state)
{
	(void)state;
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	assert_null(vg_template_read(
		VG_SOURCE_FOLDER "/templates/catalog/hello.yaml", &findings, &template));
	assert_int_equal(findings.n_found, 0);
	const struct vg_expand_options options = {0};
	_auto(vg_grid) struct vg_grid *grid = expand(template, &options);
	assert_int_equal(grid->n_nodes, 3);
	assert_string_equal(grid->nodes[0].name, "head");
	assert_string_equal(grid->nodes[2].name, "worker-1");
	assert_int_equal(grid->roles[0].memory, 256 << 20);
	assert_int_equal(grid->roles[1].memory, 192 << 20);
	assert_ptr_equal(vg_grid_node(grid, "worker-1"), &grid->nodes[2]);
	assert_null(vg_grid_node(grid, "worker-01"));
	assert_null(vg_grid_node(grid, "worker-2"));
	assert_string_equal(grid->roles[1].wish.label, "host");
	assert_int_equal(grid->roles[1].after[0], 0);
}

static void a_set_wins_over_a_profile_which_wins_over_a_default(void **state)
{
	(void)state;
	_auto(vg_template) struct vg_template *template =
		read_template("vgrid: 1\nname: a\nimages: {b: {builtin: tiny}}\n"
			      "parameters: {n: {type: integer, default: 1}}\n"
			      "roles: {w: {image: b, count: \"${n}\"}}\n"
			      "profiles: {p: {parameters: {n: 2}, roles: {w: {memory: 1GiB}}}}\n");
	const char *sets[] = {"n=3"};
	const struct vg_expand_options plain = {0}, profile = {.profile = "p"},
				       set = {.profile = "p", .sets = sets, .n_sets = 1};
	_auto(vg_grid) struct vg_grid *one = expand(template, &plain);
	_auto(vg_grid) struct vg_grid *two = expand(template, &profile);
	_auto(vg_grid) struct vg_grid *three = expand(template, &set);
	assert_int_equal(one->n_nodes, 1);
	assert_int_equal(two->n_nodes, 2);
	assert_int_equal(three->n_nodes, 3);
	assert_int_equal(one->roles[0].memory, 256 << 20);
	assert_int_equal(three->roles[0].memory, 1 << 30);
	assert_string_equal(one->topology_hash, three->topology_hash);
}

static void binding_expands_each_reference_once(void **state)
{
	(void)state;
	_auto(vg_template) struct vg_template *template = read_template(
		"vgrid: 1\nname: a\nimages: {b: {builtin: tiny}}\n"
		"networks: {lan: {cidr: 10.0.0.0/24}}\n"
		"parameters: {m: {type: string, default: \"${grid.name} $${\"}}\n"
		"roles:\n  h: {image: b, nics: [lan]}\n"
		"  w: {image: b, count: 2, nics: [lan], env: {A: \"${m} ${node.name} $${x} $\", "
		"B: \"${w.ips.lan} ${w.names} ${w.count} ${h.ip.lan} ${grid.uuid}\"}}\n");
	const struct vg_expand_options options = {.name = "other"};
	_auto(vg_grid) struct vg_grid *grid = expand(template, &options);
	for (size_t i = 0; i < grid->n_nodes; i++)
		assert_true(vg_cidr_address(
			&grid->networks[0].cidr, 2 + i, &grid->nodes[i].nics[0].address));
	assert_null(vg_grid_bind(grid, "the-uuid", "the-identity"));
	assert_string_equal(grid->nodes[2].environment[0], "${grid.name} $${ w-1 ${x} $");
	assert_string_equal(
		grid->nodes[1].environment[1], "10.0.0.3 10.0.0.4 w-0 w-1 2 10.0.0.2 the-uuid");
	assert_string_not_equal(grid->nodes[1].uuid, grid->nodes[2].uuid);
	assert_string_equal(grid->name, "other");
}

static void a_hundred_thousand_nodes_expand_in_well_under_a_second(void **state)
{
	(void)state;
	_auto(vg_template) struct vg_template *template = read_template(
		"vgrid: 1\nname: a\nimages: {b: {builtin: tiny}}\n"
		"networks: {lan: {cidr: 10.0.0.0/8}}\n"
		"roles: {w: {image: b, count: 100000, nics: [lan], env: {N: \"${w.names}\"}}}\n");
	const struct vg_expand_options options = {0};
	clock_t start = clock();
	_auto(vg_grid) struct vg_grid *grid = expand(template, &options);
	assert_int_equal(grid->n_nodes, 100000);
	assert_null(vg_grid_bind(grid, "u", "i"));
	// Two seconds: a sanitizer makes it slower. Anything quadratic takes minutes.
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_a_head_and_two_workers),
		cmocka_unit_test(a_set_wins_over_a_profile_which_wins_over_a_default),
		cmocka_unit_test(binding_expands_each_reference_once),
		cmocka_unit_test(a_hundred_thousand_nodes_expand_in_well_under_a_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
