// SPDX-License-Identifier: Apache-2.0
//
// Site files: golden cases (tests/golden-sites/bad/NAME/{site.yaml, errors.txt} and
// good/NAME/site.yaml, site.txt; VG_GOLDEN_WRITE=1 writes what is expected), their language, and
// how hosts are reached.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "templates/field.h"
#include "templates/site_file.h"

#define GOLDEN VG_SOURCE_FOLDER "/tests/golden-sites"

static void compare(const char *path, const char *found)
{
	if (getenv("VG_GOLDEN_WRITE")) {
		assert_null(vg_file_write(path, 0644, found, strlen(found)));
		return;
	}
	_auto(vg_string) char *expected = NULL;
	assert_null(vg_file_read(path, 1 << 20, &expected, NULL));
	if (strcmp(expected, found) != 0)
		fail_msg("%s\nexpected:\n%s\nfound:\n%s", path, expected, found);
}

static char *describe(const struct vg_site_file *file)
{
	struct vg_text text = {0};
	vg_text_addf(&text, "%s: %s, %s, VNIs %u-%u, underlay MTU %u\n", file->name,
		file->is_fake ? "fake" : "real", file->accelerator, file->vni_first, file->vni_last,
		file->underlay_mtu);
	const struct vg_site_driver *drivers[] = {&file->network, &file->storage, &file->state};
	for (size_t i = 0; i < VG_LENGTH(drivers); i++)
		vg_text_addf(&text, "driver %s pool %s config %s user %s\n",
			drivers[i]->driver ? drivers[i]->driver : "-",
			drivers[i]->pool ? drivers[i]->pool : "-",
			drivers[i]->config ? drivers[i]->config : "-",
			drivers[i]->user ? drivers[i]->user : "-");
	for (size_t h = 0; h < file->n_hosts; h++) {
		const struct vg_site_host *host = &file->hosts[h];
		char underlay[VG_IP_LENGTH] = "-";
		if (host->has_underlay)
			vg_ip_write(&host->underlay, underlay);
		vg_text_addf(&text, "host %s transport %d ovsdb %s underlay %s", host->name,
			(int)host->transport, host->ovsdb ? host->ovsdb : "-", underlay);
		for (size_t i = 0; i < host->n_labels; i++)
			vg_text_addf(&text, " %s=%s", host->labels[i].key, host->labels[i].value);
		for (size_t d = 0; d < VG_N_RESOURCES; d++) {
			if (host->given.of[d] == VG_UNLIMITED)
				continue;
			_auto(vg_string) char *amount = vg_resource_write(d, host->given.of[d]);
			vg_text_addf(&text, " %s %s", vg_resource_name(d), amount);
		}
		vg_text_add(&text, "\n");
	}
	vg_text_addf(&text, "overcommit %u %u %u\n", file->overcommit[0], file->overcommit[1],
		file->overcommit[2]);
	return vg_text_take(&text);
}

static void run_case(const char *kind, const char *name)
{
	bool is_bad = strcmp(kind, "bad") == 0;
	_auto(vg_string) char *path = vg_format("%s/%s/%s/site.yaml", GOLDEN, kind, name);
	_auto(vg_string) char *expected =
		vg_format("%s/%s/%s/%s", GOLDEN, kind, name, is_bad ? "errors.txt" : "site.txt");
	_auto(vg_string) char *text = NULL;
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_site_file) struct vg_site_file *file = NULL;
	size_t size;
	assert_null(vg_file_read(path, 1 << 20, &text, &size));
	assert_true(vg_site_file_is(text, size));
	assert_null(vg_site_file_read_text("site.yaml", text, size, &findings, &file));
	char *shown = NULL;
	size_t shown_size;
	FILE *out = open_memstream(&shown, &shown_size);
	vg_site_file_print_findings(file, &findings, out);
	fclose(out);
	if (is_bad != (findings.n_found > 0))
		fail_msg("%s: %zu findings\n%s", path, findings.n_found, shown);
	_auto(vg_string) char *good = is_bad ? NULL : describe(file);
	compare(expected, is_bad ? shown : good);
	free(shown);
}

static void run_folder(const char *kind, size_t least)
{
	_auto(vg_string) char *folder = vg_format("%s/%s", GOLDEN, kind);
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(folder, &names, &n_names));
	assert_true(n_names >= least);
	for (size_t i = 0; i < n_names; i++)
		run_case(kind, names[i]);
	vg_folder_list_free(names, n_names);
}

static void bad_site_files_are_told_of_with_places_and_remedies(void **state)
{
	(void)state;
	run_folder("bad", 70);
}

static void good_site_files_are_read_whole(void **state)
{
	(void)state;
	run_folder("good", 4);
}

static void templates_are_not_taken_for_site_files(void **state)
{
	(void)state;
	static const char *const templates[] = {"vgrid: 1\nname: t\n", "", "[]", "roles: {}\n",
		"vgrid: 1\nhosts: []\n", "{", "\xff\xff"};
	for (size_t i = 0; i < VG_LENGTH(templates); i++)
		assert_false(vg_site_file_is(templates[i], strlen(templates[i])));
	assert_true(vg_site_file_is("hosts: []\n", 10));
}

// As in the language of templates: an example that is wrong would teach nonsense.
static void every_example_and_default_of_the_language_is_right(void **state)
{
	(void)state;
	for (size_t i = 1; i < vg_site_language.n_fields; i++) {
		const struct vg_field *row = &vg_site_language.fields[i];
		assert_ptr_equal(vg_language_find(&vg_site_language, row->path), row);
		assert_ptr_equal(vg_field_language(row), &vg_site_language);
		assert_non_null(row->help);
		bool is_tree = row->type == VG_FIELD_MAP || row->type == VG_FIELD_MAP_OF ||
			       row->type == VG_FIELD_LIST;
		const char *texts[] = {row->standard, row->example};
		for (size_t k = 0; k < VG_LENGTH(texts) && !is_tree; k++) {
			uint64_t number;
			if (!texts[k])
				continue;
			size_t length = strlen(texts[k]), quotes = *texts[k] == '"';
			_auto(vg_string) char *text =
				vg_strndup(texts[k] + quotes, length - 2 * quotes);
			assert_null(vg_field_read(row, text, &number));
		}
	}
}

static void the_page_of_the_language_is_up_to_date(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);
	vg_site_language_write_markdown(out);
	fclose(out);
	_auto(vg_string) char *made = page, *there = NULL;
	assert_null(vg_file_read(VG_SOURCE_FOLDER "/docs/site-language.md", 1 << 20, &there, NULL));
	assert_string_equal(made, there);
}

static void fields_of_sites_are_explained_below_the_word_site(void **state)
{
	(void)state;
	static const struct {
		const char *path, *says;
	} cases[] = {{"site", "hosts"}, {"site.hosts.libvirt", "qemu+tls"},
		{"site.hosts.0.labels.rack", "label"}, {"site.overcommit.cpu", "0.01 to 1000"},
		{"site.network", "underlay-mtu"}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		assert_null(vg_language_explain(cases[i].path, out));
		fclose(out);
		if (!strstr(text, cases[i].says) || strstr(text, "topology"))
			fail_msg("%s: %s", cases[i].path, text);
		free(text);
	}
	_auto(vg_error) struct vg_error *error = vg_language_explain("site.hosts.libvrit", stdout);
	assert_string_equal(vg_error_remedy(error), "did you mean 'libvirt'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_site_files_are_told_of_with_places_and_remedies),
		cmocka_unit_test(good_site_files_are_read_whole),
		cmocka_unit_test(templates_are_not_taken_for_site_files),
		cmocka_unit_test(every_example_and_default_of_the_language_is_right),
		cmocka_unit_test(the_page_of_the_language_is_up_to_date),
		cmocka_unit_test(fields_of_sites_are_explained_below_the_word_site),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
