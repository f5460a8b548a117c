// SPDX-License-Identifier: Apache-2.0
//
// Claims about the plan, on a grid and a world written down here. This program links nothing but
// the pure parts: that it links at all is the proof that the plan needs no libvirt, YAML or Ceph.
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
	struct vg_slice wanted_slice;
	const struct vg_slice *slices[1];
	const char *host_names[1];
	const char *seeds[4];
	struct vg_plan_image plan_image;
	struct vg_plan_input input;
	struct vg_arena *arena;
};

static void set_workers(struct scene *scene, unsigned n)
{
	scene->roles[1].count = n;
	scene->grid.n_nodes = 1 + n;
}

static void scene_init(struct scene *scene)
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
	scene->slices[0] = &scene->wanted_slice;
	scene->host_names[0] = "box-0";
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

static void scene_done(struct scene *scene)
{
	vg_world_free(scene->world);
	vg_arena_free(scene->arena);
}

static struct vg_volume_seen *add_volume(
	struct scene *scene, const char *path, enum vg_volume_kind kind, uint64_t size)
{
	struct vg_volumes_seen *volumes = &scene->world->hosts[0].volumes;
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

static char *tap_of(const struct scene *scene, size_t i)
{
	char link[VG_LINK_NAME_LENGTH];
	_auto(vg_string) char *path = vg_format("node/%s/nic/lan", scene->nodes[i].name);
	_auto(vg_string) char *tag = vg_tag_make(STORE, GRID, path);
	vg_tag_link_name(tag, link);
	return vg_strdup(link);
}

static struct vg_machine_form form_of(const struct scene *scene, size_t i)
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

static struct vg_machine_seen *add_machine(struct scene *scene, size_t i)
{
	struct vg_machines_seen *machines = &scene->world->hosts[0].machines;
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
static void make_it_so(struct scene *scene)
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

static struct vg_plan *plan_of(struct scene *scene)
{
	struct vg_plan *plan = NULL;
	_auto(vg_error) struct vg_error *error = vg_plan_build(&scene->input, &plan);
	if (error)
		fail_msg("%s", vg_error_text(error));
	return plan;
}

static size_t count(const struct vg_plan *plan, enum vg_step_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		n += plan->steps[i].kind == kind;
	return n;
}

static const struct vg_step *find(
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
static bool comes_after(
	const struct vg_plan *plan, const struct vg_step *step, const struct vg_step *first)
{
	for (size_t k = 0; k < step->n_needs; k++) {
		const struct vg_step *need = &plan->steps[step->needs[k]];
		if (need == first || comes_after(plan, need, first))
			return true;
	}
	return false;
}

static void a_new_grid_is_made_in_the_order_of_its_needs(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_MACHINE_START), 3);
	assert_int_equal(count(plan, VG_STEP_VOLUME_CREATE), 4);
	assert_int_equal(count(plan, VG_STEP_SEED_WRITE), 3);
	const struct vg_step *box = find(plan, VG_STEP_HOST_START, "box-0");
	const struct vg_step *head = find(plan, VG_STEP_NODE_READY, "head");
	const struct vg_step *worker = find(plan, VG_STEP_MACHINE_START, "worker-1");
	assert_true(comes_after(plan, head, box));
	assert_true(comes_after(plan, head, find(plan, VG_STEP_VOLUME_CREATE, "head/data")));
	assert_true(comes_after(plan, worker, head)); // `after: [head]`
	assert_false(vg_plan_asks(plan));
	scene_done(&scene);
}

static void a_second_up_has_nothing_to_do(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_steps, 0);
	assert_int_equal(plan->n_changes, 0);
	scene_done(&scene);
}

static void a_newer_generator_alone_changes_nothing(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	struct vg_machine_seen *head = &scene.world->hosts[0].machines.items[0];
	char *generator = strstr(head->applied, "\"generator\":3");
	assert_non_null(generator);
	generator[strlen("\"generator\":")] = '9';
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_steps, 0);
	scene_done(&scene);
}

static void a_grown_role_starts_one_node_and_refreshes_the_others(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	set_workers(&scene, 3);
	for (size_t i = 0; i < 4; i++)
		scene.seeds[i] = "grown:own";
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_MACHINE_START), 1);
	assert_int_equal(count(plan, VG_STEP_MACHINE_STOP), 0);
	assert_int_equal(count(plan, VG_STEP_NODE_REFRESH), 3);
	find(plan, VG_STEP_NODE_READY, "worker-2");
	assert_false(vg_plan_asks(plan));
	scene_done(&scene);
}

static void a_shrunk_role_loses_just_its_last_node(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	set_workers(&scene, 1);
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_MACHINE_REMOVE), 1);
	const struct vg_step *gone = find(plan, VG_STEP_MACHINE_REMOVE, "worker-1");
	assert_string_equal(gone->uuid, "u-1");
	assert_true(comes_after(plan, find(plan, VG_STEP_VOLUME_REMOVE, "worker-1/root"), gone));
	find(plan, VG_STEP_VOLUME_REMOVE, "worker-1/seed");
	assert_int_equal(count(plan, VG_STEP_VOLUME_REMOVE), 2);
	assert_int_equal(count(plan, VG_STEP_MACHINE_START), 0);
	assert_true(vg_plan_asks(plan));
	scene_done(&scene);
}

static void more_memory_restarts_just_that_role_and_says_why(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.roles[0].memory = 512 << 20;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	const struct vg_step *stop = find(plan, VG_STEP_MACHINE_STOP, "head");
	assert_true(stop->is_clean);
	const struct vg_step *start = find(plan, VG_STEP_MACHINE_START, "head");
	assert_true(comes_after(plan, start, find(plan, VG_STEP_MACHINE_DEFINE, "head")));
	assert_true(comes_after(plan, start, stop));
	assert_int_equal(count(plan, VG_STEP_MACHINE_START), 1);
	assert_int_equal(plan->n_changes, 1);
	assert_string_equal(plan->changes[0].text, "restart: memory 256MiB → 512MiB");
	assert_true(plan->changes[0].asks);
	scene_done(&scene);
}

static void another_image_makes_the_root_disk_anew_and_keeps_the_data_disk(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.plan_image.digest = "fedcba";
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	const struct vg_step *remove = find(plan, VG_STEP_VOLUME_REMOVE, "head/root");
	assert_true(comes_after(plan, remove, find(plan, VG_STEP_MACHINE_STOP, "head")));
	assert_true(comes_after(plan, find(plan, VG_STEP_VOLUME_CREATE, "head/root"), remove));
	for (size_t i = 0; i < plan->n_steps; i++)
		assert_false(plan->steps[i].tag && strstr(plan->steps[i].tag, "disk/data"));
	scene_done(&scene);
}

static struct vg_error *refusal_of(struct scene *scene)
{
	_auto(vg_plan) struct vg_plan *plan = NULL;
	return vg_plan_build(&scene->input, &plan);
}

static void a_data_disk_never_shrinks_without_the_word(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.disk.size = 512 << 20;
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_non_null(error);
	assert_non_null(strstr(vg_error_text(error), "t.yaml:9:3: "));
	assert_non_null(strstr(vg_error_remedy(error), "--replace head/data"));

	const char *replaces[] = {"head/data"};
	scene.input.replaces = replaces;
	scene.input.n_replaces = 1;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_true(comes_after(plan, find(plan, VG_STEP_VOLUME_CREATE, "head/data"),
		find(plan, VG_STEP_VOLUME_REMOVE, "head/data")));
	scene_done(&scene);
}

static void a_data_disk_that_vanished_is_not_made_anew_in_silence(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	struct vg_volumes_seen *volumes = &scene.world->hosts[0].volumes;
	volumes->items[volumes->n_items - 1].is_broken = true;
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_non_null(error);
	assert_non_null(strstr(vg_error_text(error), "is gone"));
	scene_done(&scene);
}

static void a_node_goes_with_its_data_disk_only_by_the_word(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	add_volume(&scene, "node/worker-1/disk/scratch", VG_VOLUME_DATA, 1 << 20);
	set_workers(&scene, 1);
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_non_null(error);
	assert_non_null(strstr(vg_error_text(error), "'worker-1'"));
	scene.input.deletes_disks = true;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	find(plan, VG_STEP_VOLUME_REMOVE, "worker-1/scratch");
	scene_done(&scene);
}

static void a_stopped_node_is_started_and_its_fellows_are_left_alone(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	struct vg_machine_seen *worker = &scene.world->hosts[0].machines.items[2];
	worker->state = VG_MACHINE_STOPPED;
	worker->reason = "the guest powered itself off";
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_steps, 2);
	find(plan, VG_STEP_MACHINE_START, "worker-1");
	find(plan, VG_STEP_NODE_READY, "worker-1");
	assert_non_null(strstr(plan->changes[0].text, "the guest powered itself off"));
	scene_done(&scene);
}

static void after_an_interrupted_up_what_runs_is_waited_for(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.input.was_complete = false;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_steps, 3);
	assert_int_equal(count(plan, VG_STEP_NODE_READY), 3);
	scene_done(&scene);
}

static void a_box_that_is_gone_comes_back_with_all_its_nodes_from_their_disks(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	vg_machines_seen_done(&scene.world->hosts[0].machines);
	scene.world->hosts[0].is_running = false;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_HOST_START), 1);
	assert_int_equal(count(plan, VG_STEP_MACHINE_DEFINE), 3);
	assert_int_equal(count(plan, VG_STEP_VOLUME_CREATE), 0);
	assert_string_equal(plan->changes[0].text, "start: it does not run");
	assert_non_null(strstr(plan->changes[1].text, "from its disks"));
	scene_done(&scene);
}

static void a_rate_is_named_where_the_host_of_one_of_its_nodes_does_not_enforce_it(void **state)
{
	(void)state;
	const bool answers[] = {false, true};
	for (size_t i = 0; i < 3; i++) {
		struct scene scene;
		scene_init(&scene);
		scene.nic.rate = 10000000;
		scene.input.limits_rates = i < 2 ? &answers[i] : NULL;
		_auto(vg_plan) struct vg_plan *plan = NULL;
		assert_null(vg_plan_build(&scene.input, &plan));
		assert_int_equal(plan->n_unenforced, i == 1 ? 0 : 2); // one a role
		if (i != 1)
			assert_string_equal(
				plan->unenforced[0], "rate 10Mbit of role 'head' on network 'lan'");
		scene_done(&scene);
	}
}

static void down_ends_an_owned_box_at_once_and_then_removes_its_volumes(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.input.wanted = NULL;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_MACHINE_REMOVE), 0);
	assert_int_equal(count(plan, VG_STEP_VOLUME_REMOVE), 7);
	assert_true(comes_after(plan, find(plan, VG_STEP_VOLUME_REMOVE, "head/data"),
		find(plan, VG_STEP_HOST_STOP, "box-0")));
	scene_done(&scene);
}

static void down_with_kept_disks_asks_the_guests_and_removes_no_volume(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	make_it_so(&scene);
	scene.input.wanted = NULL;
	scene.input.keeps_disks = true;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_VOLUME_REMOVE), 0);
	const struct vg_step *stop = find(plan, VG_STEP_MACHINE_STOP, "head");
	assert_true(stop->is_clean);
	assert_true(comes_after(plan, find(plan, VG_STEP_HOST_STOP, "box-0"), stop));
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_grid_is_made_in_the_order_of_its_needs),
		cmocka_unit_test(a_second_up_has_nothing_to_do),
		cmocka_unit_test(a_newer_generator_alone_changes_nothing),
		cmocka_unit_test(a_grown_role_starts_one_node_and_refreshes_the_others),
		cmocka_unit_test(a_shrunk_role_loses_just_its_last_node),
		cmocka_unit_test(more_memory_restarts_just_that_role_and_says_why),
		cmocka_unit_test(another_image_makes_the_root_disk_anew_and_keeps_the_data_disk),
		cmocka_unit_test(a_data_disk_never_shrinks_without_the_word),
		cmocka_unit_test(a_data_disk_that_vanished_is_not_made_anew_in_silence),
		cmocka_unit_test(a_node_goes_with_its_data_disk_only_by_the_word),
		cmocka_unit_test(a_stopped_node_is_started_and_its_fellows_are_left_alone),
		cmocka_unit_test(after_an_interrupted_up_what_runs_is_waited_for),
		cmocka_unit_test(a_box_that_is_gone_comes_back_with_all_its_nodes_from_their_disks),
		cmocka_unit_test(
			a_rate_is_named_where_the_host_of_one_of_its_nodes_does_not_enforce_it),
		cmocka_unit_test(down_ends_an_owned_box_at_once_and_then_removes_its_volumes),
		cmocka_unit_test(down_with_kept_disks_asks_the_guests_and_removes_no_volume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
