// SPDX-License-Identifier: Apache-2.0
//
// Claims about connections to libvirt that need none: which are remote, and what is said of one
// that is refused. The words are those of libvirt 9 and GnuTLS 3.7.
#include "tests/unit/test.h"

#include "compute/libvirt.h"

static void only_a_uri_with_a_host_is_remote(void **state)
{
	(void)state;
	assert_true(vg_libvirt_is_remote("qemu+tls://h1/system"));
	assert_true(vg_libvirt_is_remote("qemu+ssh://root@h1/system"));
	assert_false(vg_libvirt_is_remote("qemu+unix:///session?socket=/x"));
	assert_false(vg_libvirt_is_remote("qemu:///system"));
	assert_false(vg_libvirt_is_remote("nonsense"));
}

static void what_is_refused_names_the_host_and_what_would_be_right(void **state)
{
	(void)state;
	static const struct {
		const char *uri, *words, *remedy;
	} cases[] = {
		{"qemu+tls://h1/system",
			"authentication failed: Failed to verify peer's certificate",
			"'h1' shows must be signed by the authority"},
		{"qemu+tls://192.0.2.1/session?pkipath=/p",
			"Unable to read TLS confirmation: Input/output error",
			"'192.0.2.1' does not accept this operator's certificate"},
		{"qemu+tls://h1/system",
			"unable to connect to server at 'h1:16514': Connection refused",
			"is libvirtd running on 'h1'"},
		{"qemu+tls://h1/system",
			"unable to connect to server at 'h1:16514': No route to host",
			"is 'h1' up"},
		{"qemu+tls://h1/system",
			"Cannot read CA certificate '/x': No such file or directory",
			"'?pkipath=FOLDER'"},
		{"qemu+ssh://root@h2/system",
			"Cannot recv data: Host key verification failed.: Connection reset by peer",
			"'ssh root@h2' must work without a question"},
		{"qemu+ssh://h2/system",
			"Cannot recv data: a@h2: Permission denied (publickey,password).",
			"'ssh h2' must work without a password"},
	};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_string) char *remedy = vg_libvirt_explain(cases[i].uri, cases[i].words);
		if (!remedy || !strstr(remedy, cases[i].remedy))
			fail_msg("'%s': '%s'", cases[i].words, remedy ? remedy : "nothing");
	}
	assert_null(vg_libvirt_explain("qemu+tls://h1/system", "something new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_uri_with_a_host_is_remote),
		cmocka_unit_test(what_is_refused_names_the_host_and_what_would_be_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
