// SPDX-License-Identifier: Apache-2.0
#include "box/registration.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"

enum { REGISTRATION_SIZE_MAX = 16 * 1024 };

// Differs after each boot (random(4)); start times alone could meet again.
static char *read_boot_id(void)
{
	char *id = NULL;
	vg_error_ignore(vg_file_read("/proc/sys/kernel/random/boot_id", 256, &id, NULL));
	if (!id)
		return vg_strdup("unknown");
	id[strcspn(id, "\n")] = '\0';
	return id;
}

ino_t vg_registration_user_namespace(pid_t pid)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/ns/user", (int)pid);
	struct stat status;
	return stat(path, &status) == 0 ? status.st_ino : 0;
}

struct vg_error *vg_registration_write(const char *path, pid_t pid, const char *what)
{
	_auto(vg_string) char *boot = read_boot_id();
	_auto(vg_json) struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "pid", pid);
	vg_json_set_integer(json, "start-time", (int64_t)vg_process_start_time(pid));
	vg_json_set_string(json, "boot", boot);
	vg_json_set_integer(json, "user-namespace", (int64_t)vg_registration_user_namespace(pid));
	vg_json_set_string(json, "what", what);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	_auto(vg_fd) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return vg_error_errno(errno, "creating '%s'", path);
	return vg_file_write_all(fd, path, text, strlen(text));
}

enum vg_registration_state vg_registration_read(
	const char *path, struct vg_registration *ret_registration)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_error *error = vg_file_read(path, REGISTRATION_SIZE_MAX, &bytes, &size);
	if (!error)
		error = vg_json_read(bytes, size, &json);
	if (error) {
		vg_error_ignore(error);
		return VG_REGISTRATION_NONE;
	}
	struct vg_registration found = {
		.pid = (pid_t)vg_json_get_integer(json, "pid", 0),
		.start_time = (uint64_t)vg_json_get_integer(json, "start-time", 0),
		.user_namespace = (ino_t)vg_json_get_integer(json, "user-namespace", 0),
	};
	_auto(vg_string) char *boot = read_boot_id();
	if (!vg_text_equal(vg_json_get_string(json, "boot", NULL), boot) ||
		!vg_process_is(found.pid, found.start_time) ||
		vg_registration_user_namespace(found.pid) != found.user_namespace)
		return VG_REGISTRATION_STALE;
	*ret_registration = found;
	return VG_REGISTRATION_LIVE;
}
