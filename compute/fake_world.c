// SPDX-License-Identifier: Apache-2.0
#include "compute/fake_world.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { WORLD_SIZE_MAX = 64 << 20 };

struct vg_fake_world {
	pthread_mutex_t lock;
	struct vg_json *root;
	char *path;  // NULL: in memory
	int lock_fd; // held while it is locked; the file holds the number of the last change
	uint64_t generation;
	struct stat seen; // of the file that root was read from
	unsigned n_users;
	struct vg_fake_world *next;
};

static struct vg_fake_world in_memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .lock_fd = -1};

// The hosts of a site are in one file: read once for all of them, not again by each one after every
// change that another made.
static struct {
	pthread_mutex_t lock;
	struct vg_fake_world *first;
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct vg_fake_world *new_world(const char *path)
{
	struct vg_fake_world *world = vg_new(struct vg_fake_world);
	pthread_mutex_init(&world->lock, NULL);
	world->path = vg_strdup(path);
	world->lock_fd = -1;
	world->next = opened.first;
	opened.first = world;
	return world;
}

struct vg_error *vg_fake_world_open(const char *uri, struct vg_fake_world **ret_world)
{
	if (!vg_text_starts(uri, "fake:"))
		return vg_error_new("'%s' is no world of the fake driver", uri);
	if (!uri[strlen("fake:")]) {
		*ret_world = &in_memory;
		return NULL;
	}
	const char *path = uri + strlen("fake:");
	pthread_mutex_lock(&opened.lock);
	struct vg_fake_world *world = opened.first;
	while (world && strcmp(world->path, path) != 0)
		world = world->next;
	if (!world)
		world = new_world(path);
	world->n_users++;
	pthread_mutex_unlock(&opened.lock);
	*ret_world = world;
	return NULL;
}

void vg_fake_world_close(struct vg_fake_world *world)
{
	if (!world || world == &in_memory)
		return;
	pthread_mutex_lock(&opened.lock);
	bool is_used = --world->n_users;
	struct vg_fake_world **at = &opened.first;
	while (*at != world)
		at = &(*at)->next;
	if (!is_used)
		*at = world->next;
	pthread_mutex_unlock(&opened.lock);
	if (is_used)
		return;
	pthread_mutex_destroy(&world->lock);
	vg_json_free(world->root);
	free(world->path);
	free(world);
}

void vg_fake_world_reset(void)
{
	pthread_mutex_lock(&in_memory.lock);
	vg_json_free(vg_take(in_memory.root));
	pthread_mutex_unlock(&in_memory.lock);
}

static uint64_t read_generation(int fd)
{
	char digits[24] = {0};
	unsigned long long generation = 0;
	if (pread(fd, digits, sizeof(digits) - 1, 0) > 0)
		generation = strtoull(digits, NULL, 10);
	return generation;
}

// A clock tick may hide a change of the file, the number cannot; and a test that writes the file
// itself knows nothing of the number.
static bool is_fresh(const struct vg_fake_world *world, const struct stat *status)
{
	return world->root && world->generation == read_generation(world->lock_fd) &&
	       world->seen.st_ino == status->st_ino && world->seen.st_size == status->st_size &&
	       world->seen.st_mtim.tv_sec == status->st_mtim.tv_sec &&
	       world->seen.st_mtim.tv_nsec == status->st_mtim.tv_nsec;
}

static char *draft_of(const struct vg_fake_world *world)
{
	return vg_format("%s.new", world->path);
}

static struct vg_error *load(struct vg_fake_world *world)
{
	struct stat status = {0};
	_auto(vg_string) char *draft = draft_of(world);
	if (!world->root) // what a killed one left: only the lock's holder has a draft
		vg_error_ignore(vg_file_remove(draft));
	if (stat(world->path, &status) < 0 && errno != ENOENT)
		return vg_error_errno(errno, "'%s'", world->path);
	if (is_fresh(world, &status))
		return NULL;
	_auto(vg_string) char *bytes = NULL;
	_auto(vg_json) struct vg_json *root = NULL;
	size_t size = 0;
	struct vg_error *error = vg_file_read(world->path, WORLD_SIZE_MAX, &bytes, &size);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_free(vg_take(error));
		root = vg_json_object();
	} else if (!error) {
		error = vg_json_read(bytes, size, &root);
	}
	if (!error && !vg_json_is_object(root))
		error = vg_error_new("it is no object");
	if (error)
		return vg_error_while(error, "the fake world '%s'", world->path);
	vg_json_free(world->root);
	world->root = vg_take(root);
	world->seen = status;
	world->generation = read_generation(world->lock_fd);
	return NULL;
}

static struct vg_error *lock_file(struct vg_fake_world *world)
{
	_auto(vg_string) char *path = vg_format("%s.lock", world->path);
	_auto(vg_string) char *copy = vg_strdup(path);
	struct vg_error *error = vg_folder_make(dirname(copy), 0700);
	if (!error)
		error = vg_lock_take(path, true, &world->lock_fd);
	return error;
}

static void unlock_file(struct vg_fake_world *world)
{
	if (world->lock_fd >= 0)
		close(world->lock_fd);
	world->lock_fd = -1;
}

struct vg_error *vg_fake_world_lock(struct vg_fake_world *world, struct vg_json **ret_root)
{
	pthread_mutex_lock(&world->lock);
	struct vg_error *error = NULL;
	if (world->path) {
		error = lock_file(world);
		if (!error)
			error = load(world);
	} else if (!world->root) {
		world->root = vg_json_object();
	}
	if (error) {
		unlock_file(world);
		pthread_mutex_unlock(&world->lock);
		return error;
	}
	*ret_root = world->root;
	return NULL;
}

// Whole or not at all, but without fsync: what it describes does not outlive the machine either.
static struct vg_error *save(struct vg_fake_world *world)
{
	_auto(vg_string) char *fresh = draft_of(world);
	_auto(vg_string) char *bytes = vg_json_write_pretty(world->root);
	_auto(vg_fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return vg_error_errno(errno, "creating '%s'", fresh);
	struct vg_error *error = vg_file_write_all(fd, fresh, bytes, strlen(bytes));
	if (!error && rename(fresh, world->path) < 0)
		error = vg_error_errno(errno, "renaming '%s'", fresh);
	if (!error && fstat(fd, &world->seen) < 0)
		error = vg_error_errno(errno, "'%s'", world->path);
	if (error) {
		unlink(fresh);
		return error;
	}
	char digits[24];
	snprintf(digits, sizeof(digits), "%llu\n", (unsigned long long)++world->generation);
	vg_lock_holder_write(world->lock_fd, digits);
	return NULL;
}

struct vg_error *vg_fake_world_unlock(struct vg_fake_world *world, bool is_changed)
{
	struct vg_error *error = NULL;
	if (world->path && is_changed)
		error = save(world);
	if (error)
		vg_json_free(vg_take(world->root)); // what is in memory is not what is in the file
	unlock_file(world);
	pthread_mutex_unlock(&world->lock);
	return error;
}

struct vg_json *vg_fake_object(struct vg_json *parent, const char *key)
{
	struct vg_json *object = vg_json_get(parent, key);
	if (!vg_json_is_object(object)) {
		object = vg_json_object();
		vg_json_set(parent, key, object);
	}
	return object;
}

struct vg_json *vg_fake_knobs(
	const struct vg_json *root, const char *host, const struct vg_json *machine)
{
	const struct vg_json *all = vg_json_get(root, "knobs");
	const char *who[] = {vg_json_get_string(machine, "name", NULL),
		vg_json_get_string(machine, "node", NULL), host};
	for (size_t i = 0; all && i < VG_LENGTH(who); i++) {
		struct vg_json *knobs = who[i] ? vg_json_get(all, who[i]) : NULL;
		if (knobs)
			return knobs;
	}
	return NULL;
}
