// SPDX-License-Identifier: Apache-2.0
//
// A grid and a world written down, for claims about the plan. Used by test_plan.c and
// test_plan_lost.c.
#pragma once

#include "tests/unit/test.h"

#include "base/memory.h"
#include "base/tag.h"
#include "orchestrator/plan/applied.h"
#include "orchestrator/plan/plan.h"

#define STORE "11111111-1111-4111-8111-111111111111"
#define GRID "22222222-2222-4222-8222-222222222222"
#define DIGEST "abcdef"

// A head with a data disk, and two workers that come after it, on one network and one host.
struct scene {
	struct vg_grid grid;
	struct vg_image image;
	struct vg_network network;
	struct vg_role roles[2];
	struct vg_node nodes[4];
	struct vg_nic nic;
	struct vg_disk disk;
	struct vg_nic_binding bindings[4];
	size_t after;
	struct vg_world *world;
	size_t here; // the host that add_machine() and add_volume() add to
	struct vg_slice wanted_slice;
	const struct vg_slice *slices[2];
	const char *host_names[2];
	const char *seeds[4];
	struct vg_plan_image plan_image;
	struct vg_plan_input input;
	struct vg_arena *arena;
};

static inline void set_workers(struct scene *scene, unsigned n)
{
	scene->roles[1].count = n;
	scene->grid.n_nodes = 1 + n;
}

static inline void scene_init(struct scene *scene)
{
	static const char *const names[] = {"head", "worker-0", "worker-1", "worker-2"};
	static const char *const uuids[] = {"u-head", "u-0", "u-1", "u-2"};
	*scene = (struct scene){0};
	scene->arena = vg_arena_new();
	scene->image = (struct vg_image){.name = "base", .source = "tiny"};
	scene->network = (struct vg_network){.name = "lan", .mtu = 1450};
	scene->disk = (struct vg_disk){.name = "data", .size = 1 << 30, .place = {"t.yaml", 9, 3}};
	scene->roles[0] = (struct vg_role){.name = "head",
		.count = 1,
		.cpu = 1,
		.memory = 256 << 20,
		.disks = &scene->disk,
		.n_disks = 1,
		.nics = &scene->nic,
		.n_nics = 1};
	scene->roles[1] = (struct vg_role){.name = "worker",
		.is_counted = true,
		.cpu = 1,
		.memory = 128 << 20,
		.nics = &scene->nic,
		.n_nics = 1,
		.after = &scene->after,
		.n_after = 1,
		.first_node = 1};
	for (unsigned i = 0; i < 4; i++) {
		scene->nodes[i] = (struct vg_node){.name = names[i],
			.role = i > 0,
			.index = i ? i - 1 : 0,
			.nics = &scene->bindings[i],
			.uuid = uuids[i]};
		scene->bindings[i].address.bytes[3] = (uint8_t)(i + 2);
		scene->seeds[i] = "shared:own";
	}
	scene->grid = (struct vg_grid){.arena = scene->arena,
		.name = "t",
		.uuid = GRID,
		.place = {"t.yaml", 1, 1},
		.images = &scene->image,
		.n_images = 1,
		.networks = &scene->network,
		.n_networks = 1,
		.roles = scene->roles,
		.n_roles = 2,
		.nodes = scene->nodes};
	set_workers(scene, 2);
	scene->world = vg_world_new(1);
	scene->slices[0] = scene->slices[1] = &scene->wanted_slice;
	scene->host_names[0] = "box-0";
	scene->host_names[1] = "box-1";
	scene->plan_image = (struct vg_plan_image){DIGEST, true};
	scene->input = (struct vg_plan_input){.wanted = &scene->grid,
		.world = scene->world,
		.store = STORE,
		.grid_uuid = GRID,
		.host_names = scene->host_names,
		.slices = scene->slices,
		.images = &scene->plan_image,
		.seeds = scene->seeds,
		.is_owned = true,
		.was_complete = true};
}

static inline void scene_done(struct scene *scene)
{
	vg_world_free(scene->world);
	vg_arena_free(scene->arena);
}

static inline struct vg_volume_seen *add_volume(
	struct scene *scene, const char *path, enum vg_volume_kind kind, uint64_t size)
{
	struct vg_volumes_seen *volumes = &scene->world->hosts[scene->here].volumes;
	struct vg_volume_seen *seen = &vg_append(volumes->items, volumes->n_items);
	seen->tag = vg_tag_make(STORE, GRID, path);
	seen->kind = kind;
	seen->size = size;
	if (kind == VG_VOLUME_ROOT)
		seen->image = vg_strdup(DIGEST);
	if (kind == VG_VOLUME_SEED)
		seen->version = vg_strdup("shared:own");
	return seen;
}

static inline char *tap_of(const struct scene *scene, size_t i)
{
	char link[VG_LINK_NAME_LENGTH];
	_auto(vg_string) char *path = vg_format("node/%s/nic/lan", scene->nodes[i].name);
	_auto(vg_string) char *tag = vg_tag_make(STORE, GRID, path);
	vg_tag_link_name(tag, link);
	return vg_strdup(link);
}

static inline struct vg_machine_form form_of(const struct scene *scene, size_t i)
{
	const struct vg_role *role = &scene->roles[scene->nodes[i].role];
	struct vg_machine_form form = {
		role->memory, role->memory, role->cpu, role->cpu, NULL, 0, NULL, 0};
	vg_append(form.links, form.n_links) = tap_of(scene, i);
	vg_append(form.disks, form.n_disks) = vg_strdup("root");
	vg_append(form.disks, form.n_disks) = vg_strdup("seed");
	for (size_t d = 0; d < role->n_disks; d++)
		vg_append(form.disks, form.n_disks) = vg_strdup(role->disks[d].name);
	return form;
}

static inline struct vg_machine_seen *add_machine(struct scene *scene, size_t i)
{
	struct vg_machines_seen *machines = &scene->world->hosts[scene->here].machines;
	struct vg_machine_seen *seen = &vg_append(machines->items, machines->n_items);
	_auto(vg_string) char *path = vg_format("node/%s", scene->nodes[i].name);
	seen->tag = vg_tag_make(STORE, GRID, path);
	seen->uuid = vg_strdup(scene->nodes[i].uuid);
	seen->name = vg_strdup(scene->nodes[i].name);
	seen->reason = "";
	seen->is_active = seen->is_defined = true;
	seen->now = form_of(scene, i);
	seen->next = form_of(scene, i);
	seen->applied = vg_applied_make(&scene->grid, &scene->nodes[i], DIGEST);
	return seen;
}

// The world as it is after an `up` of all nodes of the grid.
static inline void make_it_so(struct scene *scene)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	scene->world->hosts[0].is_running = true;
	scene->world->hosts[0].slice = slice;
	for (size_t i = 0; i < scene->grid.n_nodes; i++)
		vg_append(slice->held, slice->n_held) = tap_of(scene, i);
	for (size_t i = 0; i < scene->grid.n_nodes; i++) {
		_auto(vg_string) char *root = vg_format("node/%s/disk/root", scene->nodes[i].name);
		_auto(vg_string) char *seed = vg_format("node/%s/seed", scene->nodes[i].name);
		add_machine(scene, i);
		add_volume(scene, root, VG_VOLUME_ROOT, 0);
		add_volume(scene, seed, VG_VOLUME_SEED, 0);
	}
	add_volume(scene, "node/head/disk/data", VG_VOLUME_DATA, 1 << 30);
}

static inline struct vg_plan *plan_of(struct scene *scene)
{
	struct vg_plan *plan = NULL;
	_auto(vg_error) struct vg_error *error = vg_plan_build(&scene->input, &plan);
	if (error)
		fail_msg("%s", vg_error_text(error));
	return plan;
}

static inline size_t count(const struct vg_plan *plan, enum vg_step_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		n += plan->steps[i].kind == kind;
	return n;
}

static inline const struct vg_step *find(
	const struct vg_plan *plan, enum vg_step_kind kind, const char *subject)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].kind == kind && strcmp(plan->steps[i].subject, subject) == 0)
			return &plan->steps[i];
	}
	fail_msg("no step of kind %s for '%s'", vg_step_types[kind].name, subject);
	return NULL;
}

// Is `first` needed by `step`, directly or through others?
static inline bool comes_after(
	const struct vg_plan *plan, const struct vg_step *step, const struct vg_step *first)
{
	for (size_t k = 0; k < step->n_needs; k++) {
		const struct vg_step *need = &plan->steps[step->needs[k]];
		if (need == first || comes_after(plan, need, first))
			return true;
	}
	return false;
}
