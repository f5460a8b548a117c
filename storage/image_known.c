// SPDX-License-Identifier: Apache-2.0
#include "storage/image_known.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { ENTRY_SIZE_MAX = 64 * 1024 };

// Everything that changes when a file does. The time of its last change (ctime) cannot be set back.
static char *make_stamp(const struct stat *status, const char *format)
{
	return vg_format("%s %ju:%ju %jd %jd.%09ld %jd.%09ld", format, (uintmax_t)status->st_dev,
		(uintmax_t)status->st_ino, (intmax_t)status->st_size,
		(intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
		(intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
}

// One small file a path: two imports at once cannot disturb each other.
static char *entry_path(const char *store, const char *path)
{
	_auto(vg_string) char *real = realpath(path, NULL);
	const char *name = real ? real : path;
	char hash[VG_SHA256_HEX];
	vg_sha256_hex(name, strlen(name), hash);
	return vg_format("%s/.known/%s.json", store, hash);
}

static struct vg_json *read_entry(const char *path)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	struct vg_json *entry = NULL;
	struct vg_error *error = vg_file_read(path, ENTRY_SIZE_MAX, &bytes, &size);
	if (!error)
		error = vg_json_read(bytes, size, &entry);
	vg_error_ignore(error);
	return entry;
}

bool vg_image_known_find(const char *store, const char *path, const struct stat *status,
	const char *format, char **ret_digest, char **ret_sha256)
{
	_auto(vg_string) char *file = entry_path(store, path);
	_auto(vg_string) char *stamp = make_stamp(status, format);
	_auto(vg_json) struct vg_json *entry = read_entry(file);
	const char *digest = vg_json_get_string(entry, "digest", NULL);
	const char *sha256 = vg_json_get_string(entry, "sha256", NULL);
	if (!digest || !sha256 || !vg_text_equal(vg_json_get_string(entry, "stamp", NULL), stamp))
		return false;
	*ret_digest = vg_strdup(digest);
	*ret_sha256 = vg_strdup(sha256);
	return true;
}

void vg_image_known_remember(const char *store, const char *path, const struct stat *status,
	const char *format, const char *digest, const char *sha256)
{
	_auto(vg_string) char *folder = vg_format("%s/.known", store);
	_auto(vg_string) char *file = entry_path(store, path);
	_auto(vg_string) char *stamp = make_stamp(status, format);
	_auto(vg_json) struct vg_json *entry = vg_json_object();
	vg_json_set_string(entry, "stamp", stamp);
	vg_json_set_string(entry, "digest", digest);
	vg_json_set_string(entry, "sha256", sha256);
	_auto(vg_string) char *text = vg_json_write_pretty(entry);
	struct vg_error *error = vg_folder_make(folder, 0755);
	if (!error)
		error = vg_file_write(file, 0600, text, strlen(text));
	vg_error_ignore(error);
}

void vg_image_known_forget(const char *store, const char *digest)
{
	_auto(vg_string) char *folder = vg_format("%s/.known", store);
	char **names = NULL;
	size_t n_names = 0;
	vg_error_ignore(vg_folder_list(folder, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names[i]);
		_auto(vg_json) struct vg_json *entry = read_entry(path);
		if (vg_text_equal(vg_json_get_string(entry, "digest", NULL), digest))
			vg_error_ignore(vg_file_remove(path));
	}
	vg_folder_list_free(names, n_names);
}
