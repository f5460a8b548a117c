// SPDX-License-Identifier: Apache-2.0
//
// Claims about certificates: OpenSSL's own program, which knows nothing of ours, is the judge.
#include "tests/unit/test.h"

#include "base/certificate.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

static char *folder;

static int make_folder(void **state)
{
	(void)state;
	char path[] = "/tmp/vgrid-pki-XXXXXX";
	folder = mkdtemp(path) ? vg_strdup(path) : NULL;
	return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(folder));
	free(folder);
	return 0;
}

static char *put(const char *name, const char *text)
{
	char *path = vg_format("%s/%s", folder, name);
	assert_null(vg_file_write(path, 0600, text, strlen(text)));
	return path;
}

// The status of `openssl …`; *ret_output is malloc'ed.
static int ask_openssl(const char *const *argv, char **ret_output)
{
	int status = -1;
	struct vg_error *error = vg_process_run(argv, NULL, &status, ret_output);
	if (error) {
		vg_error_free(error);
		vg_test_lacks("openssl");
	}
	return status;
}

static void make_both(struct vg_certificate *authority, struct vg_certificate *server)
{
	struct vg_ip ip = {.bytes = {192, 0, 2, 1}};
	vg_certificate_make_authority("vgrid lab", "authority", authority);
	assert_null(vg_certificate_make(authority,
		&(struct vg_certificate_wish){"vgrid lab", "h1", "h1", &ip, true}, server));
}

static void openssl_verifies_a_server_by_address_and_by_name(void **state)
{
	(void)state;
	_auto(vg_certificate) struct vg_certificate authority = {0}, server = {0};
	make_both(&authority, &server);
	_auto(vg_string) char *ca = put("ca.pem", authority.certificate);
	_auto(vg_string) char *end = put("end.pem", server.certificate);
	static const struct {
		const char *option, *value;
		int status;
	} cases[] = {{"-verify_ip", "192.0.2.1", 0}, {"-verify_ip", "192.0.2.2", 2},
		{"-verify_hostname", "h1", 0}, {"-verify_hostname", "h2", 2},
		{"-purpose", "sslserver", 0}, {"-purpose", "sslclient", 0}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_string) char *output = NULL;
		int status = ask_openssl(
			(const char *const[]){"openssl", "verify", "-x509_strict", "-CAfile", ca,
				cases[i].option, cases[i].value, end, NULL},
			&output);
		if (status != cases[i].status)
			fail_msg("%s %s: %d: %s", cases[i].option, cases[i].value, status, output);
	}
}

static void a_client_is_no_server(void **state)
{
	(void)state;
	_auto(vg_certificate) struct vg_certificate authority = {0}, client = {0};
	vg_certificate_make_authority("vgrid lab", "authority", &authority);
	assert_null(vg_certificate_make(&authority,
		&(struct vg_certificate_wish){.organization = "vgrid lab", .name = "operator"},
		&client));
	_auto(vg_string) char *ca = put("ca.pem", authority.certificate);
	_auto(vg_string) char *end = put("end.pem", client.certificate);
	for (int i = 0; i < 2; i++) {
		_auto(vg_string) char *output = NULL;
		int status =
			ask_openssl((const char *const[]){"openssl", "verify", "-CAfile", ca,
					    "-purpose", i ? "sslserver" : "sslclient", end, NULL},
				&output);
		assert_int_equal(status, i ? 2 : 0);
	}
}

static void the_key_is_the_certificates_own(void **state)
{
	(void)state;
	_auto(vg_certificate) struct vg_certificate authority = {0}, server = {0};
	make_both(&authority, &server);
	_auto(vg_string) char *key = put("key.pem", server.key);
	_auto(vg_string) char *end = put("end.pem", server.certificate);
	_auto(vg_string) char *of_key = NULL, *of_end = NULL;
	assert_int_equal(
		ask_openssl((const char *const[]){"openssl", "pkey", "-in", key, "-pubout", NULL},
			&of_key),
		0);
	assert_int_equal(ask_openssl((const char *const[]){"openssl", "x509", "-in", end, "-noout",
					     "-pubkey", NULL},
				 &of_end),
		0);
	assert_string_equal(of_key, of_end);
}

static void only_the_own_authority_counts(void **state)
{
	(void)state;
	_auto(vg_certificate) struct vg_certificate authority = {0}, server = {0}, other = {0};
	make_both(&authority, &server);
	vg_certificate_make_authority("vgrid lab", "authority", &other);
	assert_true(vg_certificate_is_good(server.certificate, authority.certificate));
	assert_false(vg_certificate_is_good(server.certificate, other.certificate));
	assert_false(vg_certificate_is_good("", authority.certificate));
	// Half of one authority and half of another sign nothing.
	struct vg_certificate mixed = {other.key, authority.certificate};
	_auto(vg_certificate) struct vg_certificate none = {0};
	struct vg_error *error = vg_certificate_make(&mixed,
		&(struct vg_certificate_wish){.organization = "vgrid lab", .name = "h2"}, &none);
	assert_non_null(error);
	vg_error_free(error);
	assert_null(none.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_a_server_by_address_and_by_name),
		cmocka_unit_test(a_client_is_no_server),
		cmocka_unit_test(the_key_is_the_certificates_own),
		cmocka_unit_test(only_the_own_authority_counts),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
