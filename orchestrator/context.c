// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/context.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"

static uint64_t wall_clock(void)
{
	return (uint64_t)time(NULL);
}

static uint64_t monotonic_clock(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static bool never(void *data)
{
	(void)data;
	return false;
}

static struct vg_error *find_home(char **ret_home)
{
	const char *home = getenv("VGRID_HOME");
	const char *state = getenv("XDG_STATE_HOME");
	const char *user = getenv("HOME");
	if (home && *home) {
		char cwd[PATH_MAX];
		if (*home != '/' && !getcwd(cwd, sizeof(cwd)))
			return vg_error_errno(errno, "finding the working directory");
		*ret_home = *home == '/' ? vg_strdup(home) : vg_format("%s/%s", cwd, home);
	} else if (state && *state == '/') {
		*ret_home = vg_format("%s/vgrid", state);
	} else if (user && *user == '/') {
		*ret_home = vg_format("%s/.local/state/vgrid", user);
	} else {
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "there is no home folder"),
			"set VGRID_HOME to an absolute path");
	}
	return NULL;
}

// Installed: PREFIX/bin/vgrid. In a build folder, share/ lies beside the program.
static struct vg_error *find_prefix(char **ret_prefix)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length < 0)
		return vg_error_errno(errno, "finding this program's own path");
	program[length] = '\0';
	*strrchr(program, '/') = '\0';
	_auto(vg_string) char *beside = vg_format("%s/share/vgrid", program);
	*ret_prefix = vg_file_exists(beside) ? vg_strdup(program) : vg_format("%s/..", program);
	return NULL;
}

struct vg_error *vg_context_init(struct vg_context *context, const char *verb)
{
	*context = (struct vg_context){
		.store = vg_strdup(""),
		.verb = verb,
		.now = wall_clock,
		.monotonic = monotonic_clock,
		.begun = monotonic_clock(),
		.is_interrupted = never,
	};
	struct vg_error *error = find_home(&context->home);
	return error ? error : find_prefix(&context->prefix);
}

void vg_context_done(struct vg_context *context)
{
	free(context->home);
	free(context->store);
	free(context->prefix);
}

struct vg_error *vg_context_store(struct vg_context *context)
{
	_auto(vg_string) char *path = vg_format("%s/store", context->home);
	_auto(vg_string) char *lock = vg_format("%s/store.lock", context->home);
	struct vg_error *error = vg_folder_make(context->home, 0700);
	_auto(vg_fd) int fd = -1;
	if (!error)
		error = vg_lock_take(lock, true, &fd);
	if (!error)
		vg_file_tidy(path);
	if (!error && !vg_file_exists(path)) {
		char uuid[VG_UUID_LENGTH];
		vg_uuid_random(uuid);
		error = vg_file_write(path, 0600, uuid, strlen(uuid));
	}
	_auto(vg_string) char *uuid = NULL;
	if (!error)
		error = vg_file_read(path, 64, &uuid, NULL);
	if (!error && strlen(uuid) != VG_UUID_LENGTH - 1)
		error = vg_error_new("'%s' does not hold a uuid", path);
	if (error)
		return vg_error_while(error, "opening the store '%s'", context->home);
	free(context->store);
	context->store = vg_take(uuid);
	return NULL;
}

char *vg_context_images(const struct vg_context *context)
{
	return vg_format("%s/images", context->home);
}

char *vg_context_grid(const struct vg_context *context, const char *key)
{
	return vg_format("%s/grids/%s", context->home, key);
}

char *vg_context_recipe(const struct vg_context *context, const char *image)
{
	return vg_format("%s/share/vgrid/images/%s/build", context->prefix, image);
}

char *vg_context_guest_program(const struct vg_context *context)
{
	return vg_format("%s/libexec/vgrid/vgrid-guest", context->prefix);
}
