// SPDX-License-Identifier: Apache-2.0
//
// vg_images_build of storage/images.h: a builtin's recipe is run and what it leaves is stored.
#include "storage/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "storage/image_check.h"
#include "storage/image_draft.h"

enum { LOG_LINES = 10, LOG_SIZE_MAX = 64 << 20, MANIFEST_SIZE_MAX = 1 << 20 };

extern char **environ;

// The end of the log, malloc'ed; at most LOG_LINES lines.
static char *read_log_end(const char *path)
{
	char *bytes = NULL;
	size_t size = 0;
	vg_error_ignore(vg_file_read(path, LOG_SIZE_MAX, &bytes, &size));
	if (!bytes)
		return vg_strdup("");
	while (size > 0 && bytes[size - 1] == '\n')
		bytes[--size] = '\0';
	size_t at = size;
	for (int lines = 0; at > 0; at--) {
		if (bytes[at - 1] == '\n' && ++lines == LOG_LINES)
			break;
	}
	char *end = vg_strdup(bytes + at);
	free(bytes);
	return end;
}

static struct vg_error *run_recipe(const char *const *argv, const char *cache, const char *log_path)
{
	_auto(vg_fd) int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log < 0)
		return vg_error_errno(errno, "creating '%s'", log_path);
	_auto(vg_string) char *variable = vg_format("VGRID_CACHE=%s", cache);
	char **environment = NULL;
	size_t n = 0;
	for (char **entry = environ; *entry; entry++)
		vg_append(environment, n) = *entry;
	if (!getenv("VGRID_CACHE"))
		vg_append(environment, n) = variable;
	vg_append(environment, n) = NULL;
	pid_t pid;
	int status = 0;
	struct vg_error *error = vg_process_start(argv, (const char *const *)environment,
		(struct vg_process_files){-1, log, log}, &pid);
	free(environment);
	if (!error)
		error = vg_process_wait(pid, &status);
	if (error || status == 0)
		return error;
	_auto(vg_string) char *end = read_log_end(log_path);
	return vg_error_hint(vg_error_new("its recipe '%s' ended with status %d", argv[0], status),
		"the end of '%s':\n%s", log_path, end);
}

// What the recipe left.
struct result {
	const char *folder;
	struct vg_json *manifest;
};

static struct vg_error *read_manifest(struct result *result)
{
	_auto(vg_string) char *path = vg_format("%s/manifest.json", result->folder);
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	struct vg_error *error = vg_file_read(path, MANIFEST_SIZE_MAX, &bytes, &size);
	if (!error)
		error = vg_json_read(bytes, size, &result->manifest);
	return vg_error_while(error, "reading '%s'", path);
}

// Moves a part from the recipe's folder to the draft and hashes it. Parts that the manifest does
// not name are no error here; *ret_size stays.
static struct vg_error *take_part(const struct result *result, struct vg_image_draft *draft,
	const char *part, const char *format, uint64_t *ret_size)
{
	const char *name = vg_json_get_string(result->manifest, part, NULL);
	if (!name)
		return NULL;
	if (strchr(name, '/') || name[0] == '.')
		return vg_error_new("manifest.json: '%s' is no name of a file", name);
	_auto(vg_string) char *from = vg_format("%s/%s", result->folder, name);
	_auto(vg_string) char *to = vg_format("%s/%s", vg_image_draft_path(draft), part);
	_auto(vg_fd) int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return vg_error_errno(errno, "opening '%s'", from);
	char sha256[VG_SHA256_HEX];
	struct vg_error *error = NULL;
	if (format)
		error = vg_image_check_disk(fd, name, format, ret_size);
	if (!error)
		error = vg_sha256_fd(fd, name, NULL, NULL, sha256);
	if (!error && rename(from, to) < 0)
		error = vg_error_errno(errno, "renaming '%s' to '%s'", from, to);
	return error ? error : vg_image_draft_part(draft, part, sha256);
}

static struct vg_error *take_parts(
	const struct result *result, struct vg_image_draft *draft, struct vg_image_info *info)
{
	bool has_root = vg_json_get_string(result->manifest, "root", NULL);
	bool has_kernel = vg_json_get_string(result->manifest, "kernel", NULL);
	const char *format = vg_json_get_string(result->manifest, "format", NULL);
	if (!has_root && !has_kernel)
		return vg_error_new("manifest.json names neither a root disk nor a kernel");
	if (has_root && !vg_text_equal(format, "qcow2") && !vg_text_equal(format, "raw"))
		return vg_error_new("manifest.json: the format is 'qcow2' or 'raw'");
	struct vg_error *error =
		take_part(result, draft, "root", has_root ? format : NULL, &info->root_size);
	if (!error)
		error = take_part(result, draft, "kernel", NULL, NULL);
	if (!error)
		error = take_part(result, draft, "initrd", NULL, NULL);
	if (!error && has_root)
		info->format = (char *)format;
	return error;
}

static struct vg_error *build(const char *folder, const char *name, const char *recipe,
	const char *guest_program, const char *log_path, struct vg_image_info **ret_info)
{
	_auto(vg_image_draft) struct vg_image_draft *draft = NULL;
	struct vg_error *error = vg_image_draft_new(folder, &draft);
	if (error)
		return error;
	_auto(vg_string) char *out = vg_format("%s/out", vg_image_draft_path(draft));
	_auto(vg_string) char *cache = vg_format("%s/.cache", folder);
	error = vg_folder_make(out, 0755);
	if (!error)
		error = run_recipe(
			(const char *const[]){recipe, out, guest_program, NULL}, cache, log_path);
	struct result result = {.folder = out};
	if (!error)
		error = read_manifest(&result);
	_auto(vg_json) struct vg_json *manifest = result.manifest;
	_auto(vg_string) char *origin = vg_format("builtin:%s", name);
	_auto(vg_string) char *own_name = vg_strdup(name);
	struct vg_image_info info = {.name = own_name,
		.origin = origin,
		.cmdline = (char *)vg_json_get_string(manifest, "cmdline", NULL)};
	if (!error)
		error = take_parts(&result, draft, &info);
	if (!error)
		error = vg_folder_remove(out);
	return error ? error : vg_image_draft_publish(draft, &info, ret_info);
}

static bool is_name(const char *name)
{
	return *name && strlen(name) <= 64 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

// Takes the lock; *ret_info is what another built while we waited for it, or stays NULL. The lock's
// text is the digest of the last result, empty while one is at work.
static struct vg_error *wait_for_others(
	const char *folder, const char *lock, int *ret_fd, struct vg_image_info **ret_info)
{
	struct vg_error *error = vg_lock_take(lock, false, ret_fd);
	if (!error || vg_error_kind(error) != VG_ERROR_TIMEOUT)
		return error;
	vg_error_ignore(error);
	error = vg_lock_take(lock, true, ret_fd);
	if (error)
		return error;
	_auto(vg_string) char *digest = vg_lock_holder_read(lock);
	if (*digest)
		vg_error_ignore(vg_images_find(folder, digest, ret_info));
	return NULL;
}

struct vg_error *vg_images_build(const char *folder, const char *name, const char *recipe,
	const char *guest_program, const char *log_path, struct vg_image_info **ret_info)
{
	if (!is_name(name))
		return vg_error_of(VG_ERROR_USAGE, "'%s' is no name of a builtin image", name);
	struct vg_error *error = vg_folder_make(folder, 0755);
	if (error)
		return error;
	_auto(vg_string) char *lock = vg_format("%s/.lock-build-%s", folder, name);
	_auto(vg_fd) int fd = -1;
	struct vg_image_info *info = NULL;
	error = wait_for_others(folder, lock, &fd, &info);
	if (!error && !info) {
		vg_lock_holder_write(fd, "");
		error = build(folder, name, recipe, guest_program, log_path, &info);
		if (!error)
			vg_lock_holder_write(fd, info->digest);
	}
	if (error)
		return vg_error_while(error, "building the image '%s'", name);
	*ret_info = info;
	return NULL;
}
