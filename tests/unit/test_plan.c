// SPDX-License-Identifier: Apache-2.0
//
// Claims about the plan, on a grid and a world written down. This program links nothing but the pure
// parts: that it links at all is the proof that the plan needs no libvirt, YAML or Ceph.
#include "tests/unit/plan_scene.h"

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
