// SPDX-License-Identifier: Apache-2.0
//
// Claims about templates/: reading, expansion, the topology hash, binding.
#include "tests/unit/test.h"

#include <time.h>

#include "base/json.h"
#include "base/text.h"
#include "templates/bind.h"
#include "templates/grid_json.h"
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

static struct vg_grid *bound_grid(void)
{
	_auto(vg_template) struct vg_template *template = read_template(
		"vgrid: 1\nname: a\ndescription: d\nlease: 2h\nimages: {b: {builtin: tiny}, "
		"f: {file: x.raw, sha256: "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}}\n"
		"networks: {lan: {cidr: 10.0.0.0/24}, six: {cidr: \"fd00::/64\", mtu: 1400}}\n"
		"parameters: {n: {type: integer, default: 2}}\n"
		"roles:\n  h: {image: f, nics: {lan: {address: 10.0.0.9, rate: 1Mbit}, six: }, "
		"ready: {console: \"login:\"}, disks: {d: {size: 1GiB, mount: /d}}, "
		"setup: echo hi, files: {/x: {content: c, mode: \"0600\"}}}\n"
		"  w: {image: b, count: \"${n}\", cpu-limit: 0.5, env: {A: \"${node.index}\"}, "
		"after: [h], place: {spread: rack, apart: h}}\n"
		"tests: [{name: t, on: w, run: \"true\", expect: x}, {name: r, reach: lan}]\n"
		"outputs: {o: \"${h.ip.six}\"}\n");
	const struct vg_expand_options options = {0};
	struct vg_grid *grid = expand(template, &options);
	assert_true(vg_cidr_address(&grid->networks[1].cidr, 7, &grid->nodes[0].nics[1].address));
	grid->nodes[0].nics[0].mac.bytes[5] = 7;
	grid->nodes[2].host = 4;
	assert_null(vg_grid_bind(grid, "u", "i"));
	return grid;
}

// What a comparison of two writings would not see: a field that the writer leaves out.
static void assert_same_role(const struct vg_role *role, const struct vg_role *other)
{
	assert_string_equal(role->name, other->name);
	assert_true(role->is_counted == other->is_counted && role->count == other->count &&
		    role->image == other->image && role->cpu == other->cpu &&
		    role->cpu_limit == other->cpu_limit && role->memory == other->memory &&
		    role->n_disks == other->n_disks && role->n_nics == other->n_nics &&
		    role->n_environment == other->n_environment &&
		    role->n_files == other->n_files && role->n_after == other->n_after &&
		    role->first_node == other->first_node);
	for (size_t i = 0; i < role->n_disks; i++) {
		assert_true(role->disks[i].size == other->disks[i].size);
		assert_string_equal(role->disks[i].mount, other->disks[i].mount);
	}
	for (size_t i = 0; i < role->n_nics; i++)
		assert_true(role->nics[i].network == other->nics[i].network &&
			    role->nics[i].rate == other->nics[i].rate &&
			    role->nics[i].has_address == other->nics[i].has_address &&
			    vg_ip_equal(&role->nics[i].address, &other->nics[i].address));
	for (size_t i = 0; i < role->n_files; i++) {
		assert_string_equal(role->files[i].path, other->files[i].path);
		assert_string_equal(role->files[i].content.text, other->files[i].content.text);
		assert_int_equal(role->files[i].mode, other->files[i].mode);
	}
	assert_true(vg_text_equal(role->setup.text, other->setup.text));
	assert_true(vg_text_equal(role->ready.text.text, other->ready.text.text));
	assert_true(role->ready.kind == other->ready.kind &&
		    role->ready.within == other->ready.within &&
		    role->wish.kind == other->wish.kind &&
		    role->wish.n_with == other->wish.n_with &&
		    role->wish.n_apart == other->wish.n_apart);
	assert_string_equal(role->wish.label, other->wish.label);
}

static void assert_same_grid(const struct vg_grid *grid, const struct vg_grid *other)
{
	assert_string_equal(grid->description, other->description);
	assert_string_equal(grid->topology_hash, other->topology_hash);
	assert_string_equal(grid->uuid, other->uuid);
	assert_string_equal(grid->identity, other->identity);
	assert_true(grid->lease == other->lease && grid->n_roles == other->n_roles &&
		    grid->n_tests == other->n_tests);
	assert_string_equal(grid->parameters[0].value, other->parameters[0].value);
	for (size_t i = 0; i < grid->n_images; i++) {
		assert_int_equal(grid->images[i].kind, other->images[i].kind);
		assert_string_equal(grid->images[i].source, other->images[i].source);
		assert_true(vg_text_equal(grid->images[i].format, other->images[i].format));
		assert_true(vg_text_equal(grid->images[i].sha256, other->images[i].sha256));
	}
	for (size_t i = 0; i < grid->n_networks; i++) {
		assert_int_equal(grid->networks[i].mtu, other->networks[i].mtu);
		assert_int_equal(grid->networks[i].cidr.prefix, other->networks[i].cidr.prefix);
	}
	for (size_t i = 0; i < grid->n_roles; i++)
		assert_same_role(&grid->roles[i], &other->roles[i]);
	for (size_t i = 0; i < grid->n_tests; i++) {
		const struct vg_test *test = &grid->tests[i], *same = &other->tests[i];
		assert_true(test->is_reach == same->is_reach && test->role == same->role &&
			    test->network == same->network && test->within == same->within);
		assert_true(vg_text_equal(test->run.text, same->run.text));
		assert_true(vg_text_equal(test->expect.text, same->expect.text));
	}
	assert_memory_equal(&grid->nodes[0].nics[0].mac, &other->nodes[0].nics[0].mac,
		sizeof(grid->nodes[0].nics[0].mac));
}

static void a_grid_makes_the_round_trip_through_json(void **state)
{
	(void)state;
	_auto(vg_grid) struct vg_grid *grid = bound_grid();
	_auto(vg_json) struct vg_json *json = vg_grid_to_json(grid);
	_auto(vg_grid) struct vg_grid *again = NULL;
	assert_null(vg_grid_from_json(json, &again));
	_auto(vg_json) struct vg_json *second = vg_grid_to_json(again);
	_auto(vg_string) char *one = vg_json_write_pretty(json);
	_auto(vg_string) char *two = vg_json_write_pretty(second);
	assert_string_equal(one, two);
	assert_same_grid(grid, again);
	assert_string_equal(again->nodes[2].environment[0], "1");
	assert_int_equal(again->nodes[2].host, 4);
	assert_int_equal(again->roles[0].nics[0].place.line, grid->roles[0].nics[0].place.line);
	assert_string_equal(again->roles[0].nics[0].place.file, "t.yaml");
	assert_int_equal(again->roles[1].cpu_limit, 500);
	_auto(vg_string) char *output = NULL;
	assert_null(vg_grid_expand(again, NULL, &again->outputs[0].value, &output));
	assert_string_equal(output, "fd00::7");
}

// Takes every value of a record away, and puts a wrong one in its place.
static void damage(struct vg_json *root, struct vg_json *at, size_t *n_tried)
{
	static const char *const wrong[] = {
		"null", "-1", "1e999", "[]", "{}", "\"x\"", "[[[0]]]", "99999999999999999", "true"};
	for (size_t i = 0; i < vg_json_length(at); i++) {
		if (vg_json_is_array(at))
			damage(root, vg_json_at(at, i), n_tried);
	}
	if (!vg_json_is_object(at))
		return;
	_auto(vg_json) struct vg_json *copy = vg_json_copy(at);
	static const char *const names[] = {"file", "name", "description", "lease", "place", "uuid",
		"identity", "parameters", "value", "images", "kind", "source", "networks", "cidr",
		"mtu", "roles", "is_counted", "count", "image", "cpu", "memory", "disks", "size",
		"nics", "network", "rate", "address", "env", "text", "files", "path", "content",
		"mode", "ready", "within", "after", "wish", "label", "with", "apart", "nodes",
		"host", "mac", "tests", "is_reach", "role", "outputs"};
	for (size_t k = 0; k < VG_LENGTH(names); k++) {
		if (!vg_json_get(copy, names[k]))
			continue;
		for (size_t i = 0; i < VG_LENGTH(wrong); i++) {
			struct vg_json *value = NULL;
			vg_error_ignore(vg_json_read(wrong[i], strlen(wrong[i]), &value));
			vg_json_set(at, names[k], value);
			_auto(vg_grid) struct vg_grid *grid = NULL;
			_auto(vg_error) struct vg_error *error = vg_grid_from_json(root, &grid);
			assert_true(error || grid);
			(*n_tried)++;
		}
		vg_json_delete(at, names[k]);
		_auto(vg_grid) struct vg_grid *grid = NULL;
		vg_error_ignore(vg_grid_from_json(root, &grid));
		vg_json_set(at, names[k], vg_json_copy(vg_json_get(copy, names[k])));
		damage(root, vg_json_get(at, names[k]), n_tried);
	}
}

static void a_damaged_record_is_an_error_and_no_crash(void **state)
{
	(void)state;
	_auto(vg_grid) struct vg_grid *grid = bound_grid();
	_auto(vg_json) struct vg_json *json = vg_grid_to_json(grid);
	size_t n_tried = 0;
	damage(json, json, &n_tried);
	assert_true(n_tried > 500);
	vg_json_set_integer(vg_json_at(vg_json_get(json, "roles"), 1), "image", 2);
	_auto(vg_grid) struct vg_grid *again = NULL;
	_auto(vg_error) struct vg_error *error = vg_grid_from_json(json, &again);
	assert_non_null(error);
	assert_non_null(strstr(vg_error_text(error), "roles[1].image"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_is_a_head_and_two_workers),
		cmocka_unit_test(a_set_wins_over_a_profile_which_wins_over_a_default),
		cmocka_unit_test(binding_expands_each_reference_once),
		cmocka_unit_test(a_hundred_thousand_nodes_expand_in_well_under_a_second),
		cmocka_unit_test(a_grid_makes_the_round_trip_through_json),
		cmocka_unit_test(a_damaged_record_is_an_error_and_no_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
