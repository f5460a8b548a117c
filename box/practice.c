// SPDX-License-Identifier: Apache-2.0
#include "box/practice.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "box/underlay.h"

enum { FILE_SIZE_MAX = 16 * 1024, FORMAT = 1 };

static const char file_name[] = VG_PRACTICE_FILE;

void vg_practice_free(struct vg_practice *practice)
{
	if (!practice)
		return;
	free(practice->home);
	free(practice->name);
	free(practice);
}

bool vg_practice_may_be_called(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && length <= VG_PRACTICE_NAME_MAX && *name >= 'a' && *name <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
	       strcmp(name, "sandbox") != 0 && strcmp(name, "fake") != 0;
}

static char *folder_of(const char *home, const char *name)
{
	return vg_format("%s/sites/%s", home, name);
}

char *vg_practice_path(const struct vg_practice *practice, const char *below)
{
	return vg_format("%s/sites/%s/%s", practice->home, practice->name, below);
}

struct vg_error *vg_practice_load(
	const char *home, const char *name, struct vg_practice **ret_practice)
{
	_auto(vg_string) char *path = vg_format("%s/sites/%s/%s", home, name, file_name);
	_auto(vg_string) char *bytes = NULL;
	_auto(vg_json) struct vg_json *json = NULL;
	size_t size = 0;
	if (!vg_practice_may_be_called(name))
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no practice site '%.60s'", name);
	struct vg_error *error = vg_file_read(path, FILE_SIZE_MAX, &bytes, &size);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no practice site '%.60s'", name);
	}
	if (!error)
		error = vg_json_read(bytes, size, &json);
	int64_t n_hosts = vg_json_get_integer(json, "hosts", 0);
	if (!error && (vg_json_get_integer(json, "practice", 0) != FORMAT || n_hosts < 1 ||
			      n_hosts > VG_PRACTICE_HOSTS_MAX))
		error = vg_error_hint(vg_error_new("it is not one of this program's"),
			"'vgrid site stop %s' removes what there is", name);
	if (error)
		return vg_error_while(error, "reading '%s'", path);
	struct vg_practice *practice = vg_new(struct vg_practice);
	*practice = (struct vg_practice){
		.home = vg_strdup(home),
		.name = vg_strdup(name),
		.n_hosts = (size_t)n_hosts,
		.has_switch = vg_json_get_boolean(json, "ovs", false),
	};
	*ret_practice = practice;
	return NULL;
}

struct vg_error *vg_practice_save(const struct vg_practice *practice)
{
	_auto(vg_string) char *folder = folder_of(practice->home, practice->name);
	_auto(vg_string) char *path = vg_practice_path(practice, file_name);
	_auto(vg_json) struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "practice", FORMAT);
	vg_json_set_integer(json, "hosts", (int64_t)practice->n_hosts);
	vg_json_set_boolean(json, "ovs", practice->has_switch);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	struct vg_error *error = vg_folder_make(folder, 0700);
	return error ? error : vg_file_write(path, 0600, text, strlen(text));
}

// The keys are made right after the file, and are the last to go.
bool vg_practice_has_traces(const char *home, const char *name)
{
	_auto(vg_string) char *folder = folder_of(home, name);
	_auto(vg_string) char *file = vg_format("%s/%s", folder, file_name);
	_auto(vg_string) char *pki = vg_format("%s/pki", folder);
	return vg_file_exists(file) || vg_file_exists(pki);
}

bool vg_practice_is_taken(const char *home, const char *name)
{
	_auto(vg_string) char *file = vg_format("%s/sites/%s/site.yaml", home, name);
	return vg_file_exists(file) && !vg_practice_has_traces(home, name);
}

struct vg_error *vg_practice_list(const char *home, char ***ret_names, size_t *ret_n_names)
{
	_auto(vg_string) char *sites = vg_format("%s/sites", home);
	char **names;
	size_t n_names, n_kept = 0;
	struct vg_error *error = vg_folder_list(sites, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		if (vg_practice_may_be_called(names[i]) && vg_practice_has_traces(home, names[i]))
			names[n_kept++] = names[i];
		else
			free(names[i]);
	}
	*ret_names = names;
	*ret_n_names = n_kept;
	return NULL;
}

static char *lock_of(const char *home, const char *name)
{
	return vg_format("%s/sites/.%s.lock", home, name);
}

struct vg_error *vg_practice_lock(const char *home, const char *name, int *ret_fd)
{
	_auto(vg_string) char *sites = vg_format("%s/sites", home);
	_auto(vg_string) char *path = lock_of(home, name);
	for (;;) {
		struct vg_error *error = vg_folder_make(sites, 0700);
		if (!error)
			error = vg_lock_take(path, true, ret_fd);
		// The last site that ended took the folder with it.
		if (!error || vg_error_kind(error) != VG_ERROR_NOT_FOUND)
			return vg_error_while(error, "locking the practice site '%s'", name);
		vg_error_ignore(error);
	}
}

void vg_practice_unlock(const char *home, const char *name, int *fd)
{
	_auto(vg_string) char *sites = vg_format("%s/sites", home);
	_auto(vg_string) char *folder = folder_of(home, name);
	_auto(vg_string) char *path = lock_of(home, name);
	if (*fd < 0)
		return;
	if (vg_file_exists(folder)) {
		close(vg_take_fd(fd));
		return;
	}
	vg_lock_remove(path, fd);
	rmdir(sites); // only when it was the last
}

char *vg_practice_file(const struct vg_practice *practice)
{
	return vg_practice_path(practice, "site.yaml");
}

char *vg_practice_host_name(size_t host)
{
	return vg_format("h%zu", host + 1);
}

char *vg_practice_keys(const struct vg_practice *practice)
{
	return vg_practice_path(practice, "pki/operator");
}

struct vg_ip vg_practice_address(size_t host)
{
	return vg_underlay_address(host);
}

// A path as the value of a URI's query (RFC 3986, section 3.4).
static void add_escaped(struct vg_text *text, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	for (const char *at = path; *at; at++) {
		if (strchr(plain, *at))
			vg_text_add_bytes(text, at, 1);
		else
			vg_text_addf(text, "%%%02X", (unsigned char)*at);
	}
}

char *vg_practice_libvirt(const struct vg_practice *practice, size_t host)
{
	_auto(vg_string) char *keys = vg_practice_keys(practice);
	struct vg_ip ip = vg_practice_address(host);
	char address[VG_IP_LENGTH];
	vg_ip_write(&ip, address);
	_auto(vg_text) struct vg_text uri = {0};
	vg_text_addf(&uri, "qemu+tls://%s/session?pkipath=", address);
	add_escaped(&uri, keys);
	return vg_text_take(&uri);
}

char *vg_practice_ovsdb(const struct vg_practice *practice, size_t host)
{
	if (!practice->has_switch)
		return NULL;
	struct vg_ip ip = vg_practice_address(host);
	char address[VG_IP_LENGTH];
	vg_ip_write(&ip, address);
	return vg_format("ssl:%s:6640", address);
}
