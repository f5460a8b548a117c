// SPDX-License-Identifier: Apache-2.0
//
// The keys of a practice site: a small authority, and what it has signed for the operator and for
// each host.
#include "box/practice.h"

#include <string.h>

#include "base/certificate.h"
#include "base/file.h"
#include "base/memory.h"
#include "box/underlay.h"

enum { PEM_SIZE_MAX = 64 * 1024 };

// One end's files, under the names that libvirt's `pkipath` asks for.
struct end {
	const char *name; // its folder, and the common name
	const struct vg_ip *ip;
	const char *key, *certificate; // names of files
	bool is_server;
};

static struct vg_error *put(const char *folder, const char *name, const char *text)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, name);
	return vg_file_write(path, 0600, text, strlen(text));
}

// NULL when it is not there or cannot be read.
static char *get(const char *folder, const char *name)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, name);
	char *text = NULL;
	vg_error_ignore(vg_file_read(path, PEM_SIZE_MAX, &text, NULL));
	return text;
}

static struct vg_error *get_authority(
	const struct vg_practice *practice, struct vg_certificate *ret_authority)
{
	_auto(vg_string) char *folder = vg_practice_path(practice, "pki");
	_auto(vg_string) char *name = vg_format("vgrid %s", practice->name);
	_auto(vg_certificate) struct vg_certificate authority = {
		get(folder, "cakey.pem"), get(folder, "cacert.pem")};
	struct vg_error *error = NULL;
	if (!authority.key || !authority.certificate ||
		!vg_certificate_is_good(authority.certificate, authority.certificate)) {
		vg_certificate_done(&authority);
		vg_certificate_make_authority(name, "authority", &authority);
		error = vg_folder_make(folder, 0700);
		// The certificate last: with it the authority is whole.
		if (!error)
			error = put(folder, "cakey.pem", authority.key);
		if (!error)
			error = put(folder, "cacert.pem", authority.certificate);
	}
	if (!error) {
		*ret_authority = authority;
		authority = (struct vg_certificate){0};
	}
	return error;
}

static struct vg_error *make_end(const struct vg_practice *practice,
	const struct vg_certificate *authority, const struct end *end)
{
	_auto(vg_string) char *below = vg_format("pki/%s", end->name);
	_auto(vg_string) char *folder = vg_practice_path(practice, below);
	_auto(vg_string) char *organization = vg_format("vgrid %s", practice->name);
	_auto(vg_certificate) struct vg_certificate made = {0};
	_auto(vg_string) char *there = get(folder, end->certificate);
	if (there && vg_certificate_is_good(there, authority->certificate))
		return NULL;
	struct vg_error *error = vg_certificate_make(authority,
		&(struct vg_certificate_wish){organization, end->name,
			end->is_server ? end->name : NULL, end->ip, end->is_server},
		&made);
	if (!error)
		error = vg_folder_make(folder, 0700);
	if (!error)
		error = put(folder, "cacert.pem", authority->certificate);
	if (!error)
		error = put(folder, end->key, made.key);
	if (!error)
		error = put(folder, end->certificate, made.certificate);
	return error;
}

struct vg_error *vg_practice_make_keys(const struct vg_practice *practice)
{
	_auto(vg_certificate) struct vg_certificate authority = {0};
	struct vg_error *error = get_authority(practice, &authority);
	if (!error)
		error = make_end(practice, &authority,
			&(struct end){"operator", NULL, "clientkey.pem", "clientcert.pem", false});
	for (size_t h = 0; h < practice->n_hosts && !error; h++) {
		_auto(vg_string) char *name = vg_practice_host_name(h);
		struct vg_ip ip = vg_practice_address(h);
		error = make_end(practice, &authority,
			&(struct end){name, &ip, "serverkey.pem", "servercert.pem", true});
	}
	return vg_error_while(error, "making the keys of the site '%s'", practice->name);
}
