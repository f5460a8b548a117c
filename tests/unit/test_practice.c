// SPDX-License-Identifier: Apache-2.0
//
// Claims about practice sites that need no namespace: names, keys, addresses, the site file.
#include "tests/unit/test.h"

#include <sys/stat.h>

#include "base/certificate.h"
#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/practice_file.h"
#include "templates/site_file.h"

static char *home;

static int make_home(void **state)
{
	(void)state;
	char path[] = "/tmp/vgrid practice XXXXXX";
	home = mkdtemp(path) ? vg_strdup(path) : NULL;
	return home ? 0 : -1;
}

static int remove_home(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(home));
	free(home);
	return 0;
}

static struct vg_practice lab(bool has_switch)
{
	return (struct vg_practice){
		.home = home, .name = "lab", .n_hosts = 2, .has_switch = has_switch};
}

static char *read_key(const struct vg_practice *practice, const char *below)
{
	_auto(vg_string) char *path = vg_practice_path(practice, below);
	struct stat status;
	char *text = NULL;
	assert_null(vg_file_read(path, 1 << 16, &text, NULL));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	return text;
}

static void names_that_could_be_anything_else_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "sandbox", "fake", "Lab", "1lab", "a b", "../x",
		"lab.yaml", "a@b", "sandbox:3", "abcdefghijklmnopqrstuvwxyz012345"};
	for (size_t i = 0; i < VG_LENGTH(bad); i++)
		assert_false(vg_practice_may_be_called(bad[i]));
	assert_true(vg_practice_may_be_called("lab"));
	assert_true(vg_practice_may_be_called("a-1"));
}

static void what_was_asked_for_is_read_back_and_foreign_files_are_refused(void **state)
{
	(void)state;
	struct vg_practice practice = lab(true);
	_auto(vg_practice) struct vg_practice *read = NULL;
	struct vg_error *error = vg_practice_load(home, "lab", &read);
	assert_int_equal(vg_error_kind(error), VG_ERROR_NOT_FOUND);
	vg_error_free(error);
	assert_null(vg_practice_save(&practice));
	assert_null(vg_practice_load(home, "lab", &read));
	assert_int_equal(read->n_hosts, 2);
	assert_true(read->has_switch);
	static const char *const foreign[] = {"", "{}", "[", "{\"practice\":2,\"hosts\":2}",
		"{\"practice\":1,\"hosts\":0}", "{\"practice\":1,\"hosts\":999999}"};
	_auto(vg_string) char *path = vg_practice_path(&practice, "practice.json");
	for (size_t i = 0; i < VG_LENGTH(foreign); i++) {
		struct vg_practice *none = NULL;
		assert_null(vg_file_write(path, 0600, foreign[i], strlen(foreign[i])));
		error = vg_practice_load(home, "lab", &none);
		assert_non_null(error);
		assert_int_not_equal(vg_error_kind(error), VG_ERROR_NOT_FOUND);
		assert_null(none);
		vg_error_free(error);
	}
}

static void keys_stay_and_what_is_not_the_authoritys_is_made_anew(void **state)
{
	(void)state;
	struct vg_practice practice = lab(false);
	assert_null(vg_practice_make_keys(&practice));
	_auto(vg_string) char *authority = read_key(&practice, "pki/cacert.pem");
	_auto(vg_string) char *first = read_key(&practice, "pki/h1/servercert.pem");
	_auto(vg_string) char *second = read_key(&practice, "pki/h2/servercert.pem");
	_auto(vg_string) char *of_operator = read_key(&practice, "pki/operator/clientcert.pem");
	free(read_key(&practice, "pki/cakey.pem"));
	free(read_key(&practice, "pki/h1/serverkey.pem"));
	assert_true(vg_certificate_is_good(first, authority));
	assert_true(vg_certificate_is_good(of_operator, authority));

	_auto(vg_string) char *path = vg_practice_path(&practice, "pki/h2/servercert.pem");
	assert_null(vg_file_write(path, 0600, "nonsense", 8));
	assert_null(vg_practice_make_keys(&practice));
	_auto(vg_string) char *first_again = read_key(&practice, "pki/h1/servercert.pem");
	_auto(vg_string) char *second_again = read_key(&practice, "pki/h2/servercert.pem");
	assert_string_equal(first_again, first);
	assert_string_not_equal(second_again, second);
	assert_true(vg_certificate_is_good(second_again, authority));
}

static void a_home_with_blanks_fits_into_a_uri(void **state)
{
	(void)state;
	struct vg_practice practice = {.home = "/a home/100%&?#", .name = "lab", .n_hosts = 1};
	_auto(vg_string) char *uri = vg_practice_libvirt(&practice, 1);
	assert_string_equal(uri, "qemu+tls://192.0.2.2/session?pkipath="
				 "/a%20home/100%25%26%3F%23/sites/lab/pki/operator");
	assert_null(vg_practice_ovsdb(&practice, 0));
	practice.has_switch = true;
	_auto(vg_string) char *endpoint = vg_practice_ovsdb(&practice, 0);
	assert_string_equal(endpoint, "ssl:192.0.2.1:6640");
}

static void the_site_file_names_every_host_once_and_has_no_faults(void **state)
{
	(void)state;
	struct vg_practice practice = {
		.home = "/a \"home\"", .name = "lab", .n_hosts = 2, .has_switch = true};
	_auto(vg_string) char *text = vg_practice_site_text(&practice);
	static const char *const parts[] = {"vgrid-site: 1\nname: lab\n", "  - name: h1\n",
		"?pkipath=/a%20%22home%22/sites/lab/pki/operator\"\n    ovsdb: "
		"\"ssl:192.0.2.1:6640",
		"  - name: h2\n", "    ovsdb: \"ssl:192.0.2.2:6640\"\n", "  driver: ovs\n"};
	for (size_t i = 0; i < VG_LENGTH(parts); i++) {
		const char *at = strstr(text, parts[i]);
		if (!at || strstr(at + 1, parts[i]))
			fail_msg("not once in the site file: %s\n%s", parts[i], text);
	}
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_site_file) struct vg_site_file *file = NULL;
	_auto(vg_string) char *path = vg_format("%s/checked.yaml", home);
	assert_null(vg_file_write(path, 0600, text, strlen(text)));
	assert_null(vg_site_file_read(path, &findings, &file));
	assert_int_equal(findings.n_found, 0);
	assert_int_equal(file->n_hosts, 2);
	practice.has_switch = false;
	_auto(vg_string) char *plain = vg_practice_site_text(&practice);
	assert_non_null(strstr(plain, "  driver: kernel\n"));
	assert_null(strstr(plain, "ovsdb"));
}

static void a_remembered_site_is_never_taken_for_a_practice_site(void **state)
{
	(void)state;
	_auto(vg_string) char *folder = vg_format("%s/sites/rack", home);
	_auto(vg_string) char *file = vg_format("%s/site.yaml", folder);
	bool had_any = true;
	char **names = NULL;
	size_t n_names = 0;
	assert_null(vg_folder_make(folder, 0700));
	assert_null(vg_file_write(file, 0600, "x", 1));
	assert_true(vg_practice_is_taken(home, "rack"));
	assert_false(vg_practice_is_taken(home, "unknown"));
	assert_null(vg_practice_list(home, &names, &n_names));
	for (size_t i = 0; i < n_names; i++)
		assert_string_not_equal(names[i], "rack");
	vg_folder_list_free(names, n_names);
	assert_null(
		vg_practice_end(home, "5f0c7a3e-0000-4000-8000-000000000001", "rack", &had_any));
	assert_false(had_any);
	assert_true(vg_file_exists(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_could_be_anything_else_are_refused),
		cmocka_unit_test(what_was_asked_for_is_read_back_and_foreign_files_are_refused),
		cmocka_unit_test(keys_stay_and_what_is_not_the_authoritys_is_made_anew),
		cmocka_unit_test(a_remembered_site_is_never_taken_for_a_practice_site),
		cmocka_unit_test(a_home_with_blanks_fits_into_a_uri),
		cmocka_unit_test(the_site_file_names_every_host_once_and_has_no_faults),
	};
	return cmocka_run_group_tests(tests, make_home, remove_home);
}
