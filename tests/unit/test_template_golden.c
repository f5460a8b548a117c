// SPDX-License-Identifier: Apache-2.0
//
// Golden cases of templates: tests/golden/good/NAME/{template.yaml, grid.txt} and
// tests/golden/bad/NAME/{template.yaml, errors.txt}, each with an optional `options` of lines
// `profile NAME`, `set PARAMETER=VALUE` and `name NAME`. With VG_GOLDEN_WRITE=1 the expected files
// are written instead of compared: read what changed before you commit it.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "templates/bind.h"
#include "templates/template.h"

#define GOLDEN VG_SOURCE_FOLDER "/tests/golden"

enum { SETS_MAX = 8 };

struct options {
	char *text;
	const char *sets[SETS_MAX];
	struct vg_expand_options expand;
};

static void read_options(const char *folder, struct options *options)
{
	_auto(vg_string) char *path = vg_format("%s/options", folder);
	size_t size;
	*options = (struct options){.expand = {.sets = options->sets}};
	if (!vg_file_exists(path))
		return;
	assert_null(vg_file_read(path, 4096, &options->text, &size));
	char *rest = NULL;
	for (char *line = strtok_r(options->text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		if (vg_text_starts(line, "profile "))
			options->expand.profile = line + 8;
		else if (vg_text_starts(line, "name "))
			options->expand.name = line + 5;
		else if (vg_text_starts(line, "set ") && options->expand.n_sets < SETS_MAX)
			options->sets[options->expand.n_sets++] = line + 4;
		else
			fail_msg("%s: no option: '%s'", path, line);
	}
}

static void add_size(struct vg_text *text, const char *word, char *value)
{
	vg_text_addf(text, " %s %s", word, value);
	free(value);
}

static void add_text(struct vg_text *text, const char *word, const char *value)
{
	vg_text_addf(text, "    %s: ", word);
	for (; *value; value++)
		vg_text_addf(text, *value == '\n' ? "\\n" : "%c", *value);
	vg_text_add(text, "\n");
}

static void add_names(struct vg_text *text, const struct vg_grid *grid, const char *word,
	const size_t *indices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vg_text_addf(text, "%s%s", i ? " " : word, grid->roles[indices[i]].name);
}

static void add_role(struct vg_text *text, const struct vg_grid *grid, const struct vg_role *role)
{
	vg_text_addf(text, "role %s %s%u: image %s cpu %u", role->name, role->is_counted ? "x" : "",
		role->count, grid->images[role->image].name, role->cpu);
	add_size(text, "memory", vg_units_write_size(role->memory));
	if (role->cpu_limit)
		vg_text_addf(text, " limit %u/1000", role->cpu_limit);
	add_size(text, "within", vg_units_write_duration(role->ready.within));
	static const char *const kinds[] = {"agent", "exec", "console"};
	vg_text_addf(text, " ready %s %s %s", kinds[role->ready.kind],
		role->wish.kind == VG_PLACE_SPREAD ? "spread" : "pack", role->wish.label);
	add_names(text, grid, " after ", role->after, role->n_after);
	add_names(text, grid, " with ", role->wish.with, role->wish.n_with);
	add_names(text, grid, " apart ", role->wish.apart, role->wish.n_apart);
	vg_text_add(text, "\n");
	for (size_t i = 0; i < role->n_disks; i++) {
		vg_text_addf(text, "  disk %s", role->disks[i].name);
		add_size(text, "size", vg_units_write_size(role->disks[i].size));
		vg_text_addf(
			text, " mount %s\n", role->disks[i].mount ? role->disks[i].mount : "-");
	}
	for (size_t i = 0; i < role->n_nics; i++) {
		char address[VG_IP_LENGTH];
		vg_ip_write(&role->nics[i].address, address);
		vg_text_addf(text, "  nic %s address %s",
			grid->networks[role->nics[i].network].name,
			role->nics[i].has_address ? address : "-");
		add_size(text, "rate", vg_units_write_rate(role->nics[i].rate));
		vg_text_add(text, "\n");
	}
}

static void add_node(struct vg_text *text, const struct vg_grid *grid, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(grid, node);
	vg_text_addf(text, "  node %s\n", node->name);
	for (size_t i = 0; i < role->n_environment; i++)
		add_text(text, role->environment[i].name, node->environment[i]);
	for (size_t i = 0; i < role->n_files; i++) {
		_auto(vg_string) char *word =
			vg_format("%s %04o", role->files[i].path, role->files[i].mode);
		add_text(text, word, node->contents[i]);
	}
	if (node->setup)
		add_text(text, "setup", node->setup);
	if (node->ready)
		add_text(text, "ready", node->ready);
}

static void add_test(struct vg_text *text, const struct vg_grid *grid, const struct vg_test *test)
{
	const struct vg_role *role = test->is_reach ? NULL : &grid->roles[test->role];
	vg_text_addf(text, "test %s: %s %s", test->name, test->is_reach ? "reach" : "on",
		role ? role->name : grid->networks[test->network].name);
	add_size(text, "within", vg_units_write_duration(test->within));
	vg_text_add(text, "\n");
	for (unsigned i = 0; role && i < role->count && i < 2; i++) {
		const struct vg_node *node = &grid->nodes[role->first_node + i];
		_auto(vg_string) char *run = NULL, *expect = NULL;
		assert_null(vg_grid_expand(grid, node, &test->run, &run));
		add_text(text, "run", run);
		if (!test->expect.text)
			continue;
		assert_null(vg_grid_expand(grid, node, &test->expect, &expect));
		add_text(text, "expect", expect);
	}
}

// What the grid came to, in a form that a person can check.
static void add_grid(struct vg_text *text, const struct vg_grid *grid)
{
	static const char *const kinds[] = {"builtin", "file", "rbd"};
	vg_text_addf(text, "grid %s profile %s", grid->name, grid->profile ? grid->profile : "-");
	add_size(text, "lease", vg_units_write_duration(grid->lease));
	vg_text_addf(text, "\ntopology %s\n", grid->topology_hash);
	for (size_t i = 0; i < grid->n_parameters; i++)
		vg_text_addf(text, "parameter %s = %s\n", grid->parameters[i].name,
			grid->parameters[i].value);
	for (size_t i = 0; i < grid->n_images; i++)
		vg_text_addf(text, "image %s: %s %s format %s\n", grid->images[i].name,
			kinds[grid->images[i].kind], grid->images[i].source,
			grid->images[i].format ? grid->images[i].format : "-");
	for (size_t i = 0; i < grid->n_networks; i++) {
		char cidr[VG_CIDR_LENGTH];
		vg_cidr_write(&grid->networks[i].cidr, cidr);
		vg_text_addf(text, "network %s: %s mtu %u\n", grid->networks[i].name, cidr,
			grid->networks[i].mtu);
	}
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_role *role = &grid->roles[i];
		add_role(text, grid, role);
		for (unsigned k = 0; k < role->count && k < 4; k++)
			add_node(text, grid, &grid->nodes[role->first_node + k]);
	}
	for (size_t i = 0; i < grid->n_tests; i++)
		add_test(text, grid, &grid->tests[i]);
	for (size_t i = 0; i < grid->n_outputs; i++) {
		_auto(vg_string) char *value = NULL;
		assert_null(vg_grid_expand(grid, NULL, &grid->outputs[i].value, &value));
		vg_text_addf(text, "output %s: %s\n", grid->outputs[i].name, value);
	}
	vg_text_addf(text, "nodes %zu\n", grid->n_nodes);
}

// Addresses in the simplest way: the lowest ones, whatever is pinned.
static void give_addresses(struct vg_grid *grid)
{
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t k = 0; k < role->n_nics; k++) {
			const struct vg_nic *nic = &role->nics[k];
			assert_true(vg_cidr_address(&grid->networks[nic->network].cidr, 2 + i,
				&grid->nodes[i].nics[k].address));
			if (nic->has_address)
				grid->nodes[i].nics[k].address = nic->address;
		}
	}
}

static void print_findings(struct vg_text *text, const struct vg_template *template,
	const struct vg_findings *findings)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);
	assert_non_null(out);
	vg_template_print_findings(template, findings, out);
	fclose(out);
	vg_text_add_bytes(text, bytes, size);
	free(bytes);
}

// What a case comes to: its grid, or its findings.
static char *result_of(const char *folder)
{
	_auto(vg_string) char *path = vg_format("%s/template.yaml", folder);
	_auto(vg_string) char *source = NULL;
	_auto(vg_text) struct vg_text text = {0};
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	_auto(vg_grid) struct vg_grid *grid = NULL;
	struct options options;
	size_t size;
	read_options(folder, &options);
	assert_null(vg_file_read(path, VG_TEMPLATE_SIZE_MAX, &source, &size));
	assert_null(vg_template_read_text("template.yaml", source, size, &findings, &template));
	_auto(vg_error) struct vg_error *error = NULL;
	if (!findings.n_found)
		error = vg_template_expand(template, &options.expand, &findings, &grid);
	free(options.text);
	if (error) {
		vg_text_addf(&text, "%s\n", vg_error_text(error));
		if (vg_error_remedy(error))
			vg_text_addf(&text, "  help: %s\n", vg_error_remedy(error));
	} else if (findings.n_found) {
		print_findings(&text, template, &findings);
	} else {
		give_addresses(grid);
		assert_null(vg_grid_bind(grid, "UUID", "IDENTITY"));
		add_grid(&text, grid);
	}
	return vg_text_take(&text);
}

// The lines of `text` that do not stand in `other`, at most a few.
static void print_missing(const char *sign, const char *text, const char *other)
{
	unsigned n = 0;
	for (const char *at = text; *at && n < 12;) {
		size_t length = strcspn(at, "\n");
		_auto(vg_string) char *line = vg_strndup(at, length);
		if (!strstr(other, line)) {
			print_error("  %s %s\n", sign, line);
			n++;
		}
		at += length + (at[length] == '\n');
	}
}

static bool matches(const char *folder, const char *file)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, file);
	_auto(vg_string) char *result = result_of(folder);
	_auto(vg_string) char *expected = NULL;
	size_t size;
	if (getenv("VG_GOLDEN_WRITE")) {
		assert_null(vg_file_write(path, 0644, result, strlen(result)));
		return true;
	}
	_auto(vg_error) struct vg_error *error = vg_file_read(path, 1 << 20, &expected, &size);
	if (error) {
		print_error("%s\n", vg_error_text(error));
		return false;
	}
	if (strcmp(result, expected) == 0)
		return true;
	print_error("%s is not as expected:\n", path);
	print_missing("-", expected, result);
	print_missing("+", result, expected);
	return false;
}

// A bad template comes to no grid, whatever its file says.
static bool is_as_meant(const char *folder, const char *file)
{
	_auto(vg_string) char *result = result_of(folder);
	bool is_grid = strncmp(result, "grid ", 5) == 0;
	if (is_grid == (strcmp(file, "grid.txt") == 0))
		return true;
	print_error("%s: %s\n", folder, is_grid ? "it is good" : result);
	return false;
}

static size_t walk(const char *kind, const char *file)
{
	_auto(vg_string) char *root = vg_format("%s/%s", GOLDEN, kind);
	char **names;
	size_t n_names, n_wrong = 0;
	assert_null(vg_folder_list(root, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *folder = vg_format("%s/%s", root, names[i]);
		n_wrong += !is_as_meant(folder, file) || !matches(folder, file);
	}
	vg_folder_list_free(names, n_names);
	assert_int_equal(n_wrong, 0);
	return n_names;
}

static void good_templates_come_to_the_expected_grids(void **state)
{
	(void)state;
	assert_true(walk("good", "grid.txt") >= 20);
}

static void bad_templates_are_refused_with_place_and_remedy(void **state)
{
	(void)state;
	assert_true(walk("bad", "errors.txt") >= 215);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_templates_come_to_the_expected_grids),
		cmocka_unit_test(bad_templates_are_refused_with_place_and_remedy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
