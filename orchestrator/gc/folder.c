// SPDX-License-Identifier: Apache-2.0
//
// Folders of grids. Volumes in them are known by their tags; what else vgrid puts there (the
// secret, drafts of the record, logs of consoles) by its name; all other files are somebody else's.
#include "orchestrator/gc/gc.h"

#include <fnmatch.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "box/box.h"
#include "orchestrator/context.h"

static const char stays[] = "not vgrid's: it stays";

// What vgrid has in its home, in a grid's folder, and in a host's folder below that.
static const char *const home_names[] = {"grids", "sites", "ledger-*", "images", "run", "cache", "locks", "store",
	"store.lock", "store.*.new", "fake-*", NULL};
static const char *const grid_names[] = {"secret", "secret.*.new", "record.json.*.new", NULL};
static const char *const console_names[] = {"*.log", "*.log.[0-9]*", NULL};

static bool is_one_of(const char *const *patterns, const char *name)
{
	for (; *patterns; patterns++) {
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	}
	return false;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

struct names {
	char **items;
	size_t n_items;
};

static void names_auto_free(struct names *names)
{
	vg_folder_list_free(names->items, names->n_items);
}

static struct vg_error *list(const char *path, struct names *ret_names)
{
	return vg_folder_list(path, &ret_names->items, &ret_names->n_items);
}

static void add_foreign(struct vg_gc *gc, const char *path)
{
	const char *below = path + strlen(gc->context->home) + 1;
	vg_gc_add(gc, VG_GC_FILE, VG_GC_NOWHERE, vg_strdup(below), vg_strdup(stays))->is_foreign =
		true;
}

// What to do with a file of a grid's folder, by whose it is.
typedef void visit_file(struct vg_gc *gc, const char *path, bool is_ours);

static void show_file(struct vg_gc *gc, const char *path, bool is_ours)
{
	if (!is_ours)
		add_foreign(gc, path);
}

static void remove_file(struct vg_gc *gc, const char *path, bool is_ours)
{
	(void)gc;
	if (is_ours)
		vg_error_ignore(vg_file_remove(path));
}

static struct vg_error *visit_all(
	struct vg_gc *gc, const char *folder, const char *const *patterns, visit_file *visit)
{
	_auto(names) struct names names = {0};
	struct vg_error *error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names.items[i]);
		visit(gc, path, is_one_of(patterns, names.items[i]) && !is_folder(path));
	}
	return error;
}

// Volumes have been dealt with, or are listed, by their tags.
static struct vg_error *visit_host(struct vg_gc *gc, const char *folder, visit_file *visit)
{
	_auto(names) struct names names = {0};
	struct vg_error *error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names.items[i]);
		if (strcmp(names.items[i], "console") == 0 && is_folder(path))
			error = visit_all(gc, path, console_names, visit);
		else if (strcmp(names.items[i], "volumes") != 0)
			visit(gc, path, false);
	}
	return error;
}

static struct vg_error *visit_grid(struct vg_gc *gc, const char *folder, visit_file *visit)
{
	_auto(names) struct names names = {0};
	struct vg_error *error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names.items[i]);
		if (vg_text_starts(names.items[i], "host-") && is_folder(path))
			error = visit_host(gc, path, visit);
		else
			visit(gc, path, is_one_of(grid_names, names.items[i]) && !is_folder(path));
	}
	return error;
}

static size_t count_volumes(const char *folder)
{
	_auto(names) struct names grids = {0};
	size_t n = 0;
	vg_error_ignore(list(folder, &grids));
	for (size_t i = 0; i < grids.n_items; i++) {
		_auto(names) struct names volumes = {0};
		_auto(vg_string) char *path = vg_format("%s/%s", folder, grids.items[i]);
		if (is_folder(path))
			vg_error_ignore(list(path, &volumes));
		n += volumes.n_items + !is_folder(path);
	}
	return n;
}

// Lost volumes of all hosts in a folder; without a record all others are somebody else's.
static struct vg_error *find_volumes(
	struct vg_gc *gc, const char *key, const char *folder, bool has_record)
{
	_auto(names) struct names names = {0};
	struct vg_error *error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names.items[i]);
		_auto(vg_string) char *name = vg_format("%s/%s", key, names.items[i]);
		if (!vg_text_starts(names.items[i], "host-") || !is_folder(path))
			continue;
		size_t n_before = gc->n_items;
		error = vg_gc_look_at_volumes(gc, key, name, path);
		_auto(vg_string) char *volumes = vg_format("%s/volumes", path);
		size_t n_volumes = count_volumes(volumes), n_lost = gc->n_items - n_before;
		if (!error && !has_record && n_volumes > n_lost) {
			add_foreign(gc, volumes);
			free(gc->items[gc->n_items - 1].detail);
			gc->items[gc->n_items - 1].detail =
				vg_format("%zu without a tag of this store: %s", n_volumes - n_lost,
					n_volumes - n_lost == 1 ? "it stays" : "they stay");
		}
	}
	return error;
}

static struct vg_error *look_at_folder(struct vg_gc *gc, const char *key)
{
	_auto(vg_string) char *folder = vg_context_grid(gc->context, key);
	_auto(vg_string) char *record = vg_format("%s/record.json", folder);
	bool has_record = vg_file_exists(record);
	if (!is_folder(folder)) {
		add_foreign(gc, folder);
		return NULL;
	}
	if (gc->has_unreadable)
		return NULL;
	struct vg_error *error = find_volumes(gc, key, folder, has_record);
	if (error || has_record)
		return error;
	vg_gc_add(gc, VG_GC_FOLDER, VG_GC_NOWHERE, vg_strdup(key), vg_strdup("without a record"))
		->id = vg_strdup(key);
	return visit_grid(gc, folder, show_file);
}

// Locks of grids whose folder is gone, and that nobody holds.
static struct vg_error *look_at_locks(struct vg_gc *gc)
{
	_auto(vg_string) char *folder = vg_format("%s/locks", gc->context->home);
	_auto(names) struct names names = {0};
	struct vg_error *error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		_auto(vg_string) char *grid = vg_context_grid(gc->context, names.items[i]);
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names.items[i]);
		_auto(vg_fd) int lock = -1;
		struct vg_error *held = vg_lock_take(path, false, &lock);
		if (!held && !is_folder(grid))
			vg_gc_add(gc, VG_GC_FILE, VG_GC_NOWHERE,
				vg_format("locks/%s", names.items[i]),
				vg_strdup("a lock that nobody holds"))
				->id = vg_strdup(path);
		vg_error_ignore(held);
	}
	return error;
}

struct vg_error *vg_gc_look_at_folders(struct vg_gc *gc)
{
	_auto(vg_string) char *grids = vg_format("%s/grids", gc->context->home);
	_auto(names) struct names keys = {0}, home = {0};
	struct vg_error *error = list(grids, &keys);
	for (size_t i = 0; i < keys.n_items && !error; i++)
		error = look_at_folder(gc, keys.items[i]);
	if (!error)
		error = look_at_locks(gc);
	if (!error)
		error = list(gc->context->home, &home);
	for (size_t i = 0; i < home.n_items && !error; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", gc->context->home, home.items[i]);
		if (!is_one_of(home_names, home.items[i]))
			add_foreign(gc, path);
	}
	return error;
}

// A box holds on to its folder: without it the box would leave.
static bool has_box(const struct vg_gc *gc, const char *key, const char *name)
{
	for (size_t i = 0; i < gc->n_hosts; i++) {
		const struct vg_gc_host *host = &gc->hosts[i];
		if (!host->box || !host->stays || strcmp(host->key, key) != 0)
			continue;
		_auto(vg_string) char *copy = vg_strdup(host->box->folder);
		if (strcmp(basename(copy), name) == 0)
			return true;
	}
	return false;
}

struct vg_error *vg_gc_clear_folder(struct vg_gc *gc, const char *key, bool *ret_is_gone)
{
	_auto(vg_string) char *folder = vg_context_grid(gc->context, key);
	_auto(names) struct names names = {0};
	struct vg_error *error = visit_grid(gc, folder, remove_file);
	if (!error)
		error = list(folder, &names);
	for (size_t i = 0; i < names.n_items && !error; i++) {
		static const char *const below[] = {"/volumes", "/console", ""};
		for (size_t k = 0; k < VG_LENGTH(below); k++) {
			_auto(vg_string) char *path =
				vg_format("%s/%s%s", folder, names.items[i], below[k]);
			if (vg_text_starts(names.items[i], "host-") &&
				!has_box(gc, key, names.items[i]))
				rmdir(path); // only what is empty
		}
	}
	rmdir(folder);
	*ret_is_gone = !vg_file_exists(folder);
	return error;
}
