// SPDX-License-Identifier: Apache-2.0
//
// Claims about the table of the language and the pages made from it.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "templates/field.h"
#include "templates/template.h"

static char *explain(const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_null(vg_language_explain(path, out));
	fclose(out);
	return text;
}

static void a_field_is_explained_by_any_path_to_it(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"roles.worker.memory", "roles.*.memory", "profiles.production.roles.worker.memory"};
	for (size_t i = 0; i < VG_LENGTH(paths); i++) {
		_auto(vg_string) char *text = explain(paths[i]);
		assert_non_null(strstr(text, "16MiB to 64TiB"));
		assert_non_null(strstr(text, "restart"));
		assert_non_null(strstr(text, "quantum"));
	}
	_auto(vg_string) char *tests = explain("tests.run");
	assert_non_null(strstr(tests, "shell"));
	_auto(vg_string) char *file = explain("roles.head.files./etc/motd");
	assert_non_null(strstr(file, "content"));
	_auto(vg_string) char *top = explain("");
	assert_non_null(strstr(top, "roles"));
}

static void an_unknown_field_is_answered_with_a_near_one(void **state)
{
	(void)state;
	static const struct {
		const char *path, *remedy;
	} cases[] = {{"roles.worker.memroy", "did you mean 'memory'?"},
		{"netwroks", "did you mean 'networks'?"},
		{"tests.expct", "did you mean 'expect'?"}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_error) struct vg_error *error = vg_language_explain(cases[i].path, stdout);
		assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
		assert_string_equal(vg_error_remedy(error), cases[i].remedy);
	}
	_auto(vg_error) struct vg_error *error = vg_language_explain("roles..memory", stdout);
	assert_non_null(error);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < vg_n_fields; i++) {
		const struct vg_field *row = &vg_fields[i];
		uint64_t number;
		assert_non_null(row->help);
		assert_ptr_equal(vg_field_find(row->path), row);
		_auto(vg_string) char *text = explain(row->path);
		assert_non_null(strstr(text, row->help));
		if (row->standard)
			assert_null(vg_field_read(row, row->standard, &number));
		bool is_literal = row->example && !strstr(row->example, "${") &&
				  row->example[0] != '"' && row->example[0] != '{';
		if (is_literal)
			assert_null(vg_field_read(row, row->example, &number));
		if (row->type == VG_FIELD_MAP_OF)
			assert_non_null(vg_field_child(row, "x"));
	}
	assert_int_equal(vg_field_effect("roles.*.memory"), VG_EFFECT_RESTART);
	assert_int_equal(vg_field_effect("roles.*.count"), VG_EFFECT_LIVE);
	assert_int_equal(vg_field_effect("roles.*.setup"), VG_EFFECT_RECREATE);
	assert_int_equal(vg_field_effect("outputs.*"), VG_EFFECT_NONE);
}

static void the_page_in_docs_is_the_one_the_table_yields(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size, size_there;
	FILE *out = open_memstream(&page, &size);
	vg_language_write_markdown(out);
	fclose(out);
	_auto(vg_string) char *made = page, *there = NULL;
	assert_null(vg_file_read(
		VG_SOURCE_FOLDER "/docs/template-language.md", 1 << 20, &there, &size_there));
	assert_string_equal(made, there);
}

static void the_schema_is_of_its_draft_and_names_every_section(void **state)
{
	(void)state;
	_auto(vg_json) struct vg_json *schema = vg_language_schema();
	assert_string_equal(vg_json_get_string(schema, "$schema", ""),
		"https://json-schema.org/draft/2020-12/schema");
	const struct vg_json *properties = vg_json_get(schema, "properties");
	static const char *const sections[] = {"vgrid", "name", "parameters", "images", "networks",
		"roles", "profiles", "tests", "outputs", "lease"};
	for (size_t i = 0; i < VG_LENGTH(sections); i++)
		assert_non_null(vg_json_get(properties, sections[i]));
	assert_null(vg_json_get(properties, "parts"));
}

static void every_template_of_the_catalog_is_good_under_each_profile(void **state)
{
	(void)state;
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(VG_SOURCE_FOLDER "/templates/catalog", &names, &n_names));
	assert_true(n_names >= 4);
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path =
			vg_format("%s/templates/catalog/%s", VG_SOURCE_FOLDER, names[i]);
		_auto(vg_findings) struct vg_findings findings = {0};
		_auto(vg_template) struct vg_template *template = NULL;
		assert_null(vg_template_read(path, &findings, &template));
		if (findings.n_found)
			vg_template_print_findings(template, &findings, stderr);
		assert_int_equal(findings.n_found, 0);
		for (size_t k = 0; k <= vg_template_n_profiles(template); k++) {
			const struct vg_expand_options options = {
				.profile = k ? vg_template_profile(template, k - 1) : NULL};
			_auto(vg_grid) struct vg_grid *grid = NULL;
			assert_null(vg_template_expand(template, &options, &findings, &grid));
			assert_non_null(grid);
			assert_string_equal(
				grid->topology_hash, vg_template_topology_hash(template));
		}
	}
	vg_folder_list_free(names, n_names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_explained_by_any_path_to_it),
		cmocka_unit_test(an_unknown_field_is_answered_with_a_near_one),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(the_page_in_docs_is_the_one_the_table_yields),
		cmocka_unit_test(the_schema_is_of_its_draft_and_names_every_section),
		cmocka_unit_test(every_template_of_the_catalog_is_good_under_each_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
