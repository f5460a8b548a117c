// SPDX-License-Identifier: Apache-2.0
//
// Keys and certificates for the world: ca.pem signs host.pem (for all hosts) and user.pem;
// other-ca.pem is an authority that nobody trusts, with other.pem; lost.pem is signed by ca.pem for
// a host of another name.
#include "tests/live/ovs_world.h"

#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "tests/unit/test.h"

static void openssl(const char *arguments)
{
	_auto(vg_string) char *words = vg_strdup(arguments), *output = NULL;
	const char *argv[40] = {"/usr/bin/openssl"};
	size_t n = 1;
	char *rest = NULL;
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < VG_LENGTH(argv) - 1);
		argv[n++] = word;
	}
	int status;
	assert_null(vg_process_run(argv, NULL, &status, &output));
	if (status != 0)
		fail_msg("openssl %s: %s", arguments, output);
}

static void authority(const char *name)
{
	_auto(vg_string) char *line = vg_format(
		"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%s "
		"-keyout %s/%s.key -out %s/%s.pem",
		name, world_folder, name, world_folder, name);
	openssl(line);
}

// names is a subjectAltName, or "" for none, as ovs-pki makes them.
static void certificate(const char *name, const char *signer, const char *names)
{
	const char *folder = world_folder;
	_auto(vg_string) char *request = vg_format(
		"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s "
		"-keyout %s/%s.key -out %s/%s.csr",
		name, folder, name, folder, name);
	_auto(vg_string) char *extensions = vg_format("%s/%s.ext", folder, name);
	_auto(vg_string) char *text = vg_format("basicConstraints=CA:FALSE\n%s%s%s",
		*names ? "subjectAltName=" : "", names, *names ? "\n" : "");
	_auto(vg_string) char *sign =
		vg_format("x509 -req -in %s/%s.csr -CA %s/%s.pem -CAkey %s/%s.key -CAcreateserial "
			  "-days 2 -extfile %s -out %s/%s.pem",
			folder, name, folder, signer, folder, signer, extensions, folder, name);
	openssl(request);
	assert_null(vg_file_write(extensions, 0600, text, strlen(text)));
	openssl(sign);
}

void world_certificates(void)
{
	authority("ca");
	authority("other-ca");
	certificate("host", "ca", "IP:192.0.2.11,IP:192.0.2.12,IP:192.0.2.13");
	certificate("user", "ca", "");
	certificate("other", "other-ca", "");
	certificate("lost", "ca", "DNS:elsewhere");
}
