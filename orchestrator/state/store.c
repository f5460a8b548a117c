// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/state/store.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"

enum { RECORD_SIZE_MAX = 64 << 20, HOLDER_TRIES = 20, HOLDER_PAUSE_MS = 10 };

static const char process_mark[] = " (process ";

static char *path_of(const struct vg_context *context, const char *key, const char *file)
{
	_auto(vg_string) char *folder = vg_context_grid(context, key);
	return vg_format("%s/%s", folder, file);
}

struct vg_error *vg_store_list(const struct vg_context *context, char ***ret_keys, size_t *ret_n)
{
	_auto(vg_string) char *folder = vg_format("%s/grids", context->home);
	char **names;
	size_t n_names, n_keys = 0;
	struct vg_error *error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = path_of(context, names[i], "record.json");
		if (vg_file_exists(path))
			names[n_keys++] = names[i];
		else
			free(names[i]);
	}
	*ret_keys = names;
	*ret_n = n_keys;
	return NULL;
}

// Does `NAME` or `NAME@SITE` name this key?
static bool names_key(const char *grid, const char *key)
{
	if (strchr(grid, '@'))
		return strcmp(grid, key) == 0;
	size_t length = strcspn(key, "@");
	return strlen(grid) == length && strncmp(grid, key, length) == 0;
}

static struct vg_error *no_such_grid(const char *grid, char *const *keys, size_t n_keys)
{
	struct vg_error *error = vg_error_of(VG_ERROR_NOT_FOUND, "there is no grid '%.80s'", grid);
	const char **names = vg_alloc(n_keys * sizeof(*names));
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	for (size_t i = 0; i < n_keys; i++)
		names[i] = vg_arena_strndup(arena, keys[i], strcspn(keys[i], "@"));
	const char *near = vg_text_nearest(grid, names, n_keys);
	if (near)
		error = vg_error_hint(error, "did you mean '%s'?", near);
	else
		error = vg_error_hint(error, "'vgrid list' shows them all");
	free(names);
	return error;
}

struct vg_error *vg_store_resolve(
	const struct vg_context *context, const char *grid, char **ret_key)
{
	char **keys;
	size_t n_keys, n_found = 0, found = 0;
	struct vg_error *error = vg_store_list(context, &keys, &n_keys);
	if (error)
		return error;
	_auto(vg_text) struct vg_text all = {0};
	for (size_t i = 0; i < n_keys; i++) {
		if (!names_key(grid, keys[i]))
			continue;
		vg_text_addf(&all, "%s'%s'", n_found ? ", " : "", keys[i]);
		found = i;
		n_found++;
	}
	if (n_found == 0)
		error = no_such_grid(grid, keys, n_keys);
	else if (n_found > 1)
		error = vg_error_of(VG_ERROR_USAGE, "'%s' could be any of %s", grid, all.bytes);
	else
		*ret_key = vg_strdup(keys[found]);
	vg_folder_list_free(keys, n_keys);
	return error;
}

static struct vg_error *load_secret(
	const struct vg_context *context, const char *key, struct vg_record *record)
{
	_auto(vg_string) char *path = path_of(context, key, "secret");
	char *bytes = NULL;
	size_t size = 0;
	struct vg_error *error = vg_file_read(path, VG_SECRET_SIZE, &bytes, &size);
	// The record is there: that it lacks its secret must not look as if there were no grid.
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		error = vg_error_hint(vg_error_new("its secret '%s' is missing", path),
			"without it the nodes' keys cannot be made again: put it back, or move the "
			"record's folder away and let 'vgrid gc' remove what the grid owns");
	}
	if (!error && size != VG_SECRET_SIZE)
		error = vg_error_new("'%s' does not hold %d bytes", path, VG_SECRET_SIZE);
	if (!error)
		memcpy(record->secret, bytes, VG_SECRET_SIZE);
	if (bytes)
		explicit_bzero(bytes, size);
	free(bytes);
	return error;
}

struct vg_error *vg_store_load(
	const struct vg_context *context, const char *key, struct vg_record **ret_record)
{
	_auto(vg_string) char *path = path_of(context, key, "record.json");
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	struct vg_error *error = vg_file_read(path, RECORD_SIZE_MAX, &bytes, &size);
	if (error)
		return error;
	_auto(vg_json) struct vg_json *json = NULL;
	_auto(vg_record) struct vg_record *record = NULL;
	error = vg_json_read(bytes, size, &json);
	if (!error)
		error = vg_record_from_json(json, &record);
	if (!error)
		error = load_secret(context, key, record);
	if (error)
		return vg_error_while(error, "reading the record '%s'", path);
	record->key = vg_strdup(key);
	*ret_record = vg_take(record);
	return NULL;
}

struct vg_error *vg_store_save(const struct vg_context *context, struct vg_record *record)
{
	_auto(vg_string) char *folder = vg_context_grid(context, record->key);
	_auto(vg_string) char *path = path_of(context, record->key, "record.json");
	_auto(vg_string) char *secret = path_of(context, record->key, "secret");
	record->generation++;
	record->changed_at = context->now();
	_auto(vg_json) struct vg_json *json = vg_record_to_json(record);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	struct vg_error *error = vg_folder_make(folder, 0700);
	// The secret first: a record without one could not be read.
	if (!error && !vg_file_exists(secret))
		error = vg_file_write(secret, 0600, record->secret, VG_SECRET_SIZE);
	if (!error)
		error = vg_file_write(path, 0600, text, strlen(text));
	return vg_error_while(error, "saving the record of '%s'", record->name);
}

struct vg_error *vg_store_remove(const struct vg_context *context, const char *key)
{
	_auto(vg_string) char *path = path_of(context, key, "record.json");
	_auto(vg_string) char *folder = vg_context_grid(context, key);
	_auto(vg_string) char *grids = vg_format("%s/grids", context->home);
	struct vg_error *error = vg_folder_remove(folder);
	if (!error)
		rmdir(grids); // only when it was the last
	return vg_error_while(error, "removing the record '%s'", path);
}

// Who takes the last grid away removes the folder of locks too, also between our two calls.
static struct vg_error *take_lock(const char *locks, const char *path, bool wait, int *ret_fd)
{
	for (;;) {
		struct vg_error *error = vg_folder_make(locks, 0700);
		if (!error)
			error = vg_lock_take(path, wait, ret_fd);
		if (!error || vg_error_kind(error) != VG_ERROR_NOT_FOUND)
			return error;
		vg_error_ignore(error);
	}
}

// Who holds the lock, in words, malloc'ed. Whoever took it says so a moment later; until then the
// file is empty, or tells of the one before, who is not there any more.
static char *read_holder(const char *path)
{
	for (unsigned tries = 0;; tries++) {
		_auto(vg_string) char *holder = vg_lock_holder_read(path);
		const char *mark = strstr(holder, process_mark);
		int pid = mark ? atoi(mark + strlen(process_mark)) : 0;
		if (pid > 0 && (kill(pid, 0) == 0 || errno == EPERM))
			return vg_take(holder);
		if (tries == HOLDER_TRIES)
			return vg_strdup("another command");
		nanosleep(&(struct timespec){0, HOLDER_PAUSE_MS * 1000000}, NULL);
	}
}

struct vg_error *vg_store_lock(
	struct vg_context *context, const char *key, const char *doing, int *ret_fd)
{
	_auto(vg_string) char *locks = vg_format("%s/locks", context->home);
	_auto(vg_string) char *path = vg_format("%s/%s", locks, key);
	struct vg_error *error = take_lock(locks, path, false, ret_fd);
	if (error && vg_error_kind(error) == VG_ERROR_TIMEOUT) {
		vg_error_ignore(error);
		_auto(vg_string) char *holder = read_holder(path);
		vg_progress_say(context->progress, "Waiting for '%s', which is being changed by %s",
			key, holder);
		error = take_lock(locks, path, true, ret_fd);
	}
	if (error)
		return vg_error_while(error, "locking grid '%s'", key);
	_auto(vg_string) char *who = vg_format("'%s'%s%d)", doing, process_mark, (int)getpid());
	vg_lock_holder_write(*ret_fd, who);
	_auto(vg_string) char *record = path_of(context, key, "record.json");
	_auto(vg_string) char *secret = path_of(context, key, "secret");
	vg_file_tidy(record);
	vg_file_tidy(secret);
	return NULL;
}

bool vg_store_is_locked(const struct vg_context *context, const char *key)
{
	_auto(vg_string) char *path = vg_format("%s/locks/%s", context->home, key);
	_auto(vg_fd) int fd = -1;
	if (!vg_file_exists(path))
		return false;
	_auto(vg_error) struct vg_error *error = vg_lock_take(path, false, &fd);
	return error && vg_error_kind(error) == VG_ERROR_TIMEOUT;
}

bool vg_store_has(const struct vg_context *context, const char *key)
{
	_auto(vg_string) char *path = path_of(context, key, "record.json");
	return vg_file_exists(path);
}

void vg_store_unlock_gone(const struct vg_context *context, const char *key, int *fd)
{
	_auto(vg_string) char *locks = vg_format("%s/locks", context->home);
	_auto(vg_string) char *path = vg_format("%s/%s", locks, key);
	vg_lock_remove(path, fd);
	rmdir(locks); // only when it was the last
}

// What an up left that was killed before it had saved a record.
static void remove_unborn(struct vg_context *context, const char *key)
{
	_auto(vg_string) char *path = path_of(context, key, "record.json");
	_auto(vg_string) char *lock = vg_format("%s/locks/%s", context->home, key);
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = vg_lock_take(lock, false, &fd);
	if (!error && !vg_file_exists(path)) {
		error = vg_store_remove(context, key);
		vg_store_unlock_gone(context, key, &fd);
	}
	vg_error_ignore(error);
}

void vg_store_tidy(struct vg_context *context, const char *grid)
{
	_auto(vg_string) char *locks = vg_format("%s/locks", context->home);
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(locks, &names, &n_names);
	if (error) {
		vg_error_ignore(error);
		return;
	}
	for (size_t i = 0; i < n_names; i++) {
		if (names_key(grid, names[i]))
			remove_unborn(context, names[i]);
	}
	vg_folder_list_free(names, n_names);
	rmdir(locks); // who removed the last lock may have been killed before that
}

struct vg_error *vg_store_lock_ledger(const struct vg_context *context, int *ret_fd)
{
	_auto(vg_string) char *path = vg_format("%s/store.lock", context->home);
	return vg_error_while(vg_lock_take(path, true, ret_fd), "locking the store");
}
