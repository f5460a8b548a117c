// SPDX-License-Identifier: Apache-2.0
//
// Claims about plans around hosts that are lost, and about what they bring along when they are
// back.
#include "tests/unit/plan_scene.h"

// The scene with a second host, box-1, on which the head was when it was lost. It is to be on
// box-0.
static void lose_head(struct scene *scene, const char *lost[3])
{
	scene_init(scene);
	vg_world_free(scene->world);
	scene->world = vg_world_new(2);
	scene->input.world = scene->world;
	scene->input.is_owned = false;
	scene->world->hosts[0].is_running = true;
	scene->world->hosts[1].is_replaced = true;
	lost[0] = "box-1";
	lost[1] = lost[2] = NULL;
	scene->input.lost = lost;
}

// What box-1 has of the head, now that it is back.
static void bring_back(struct scene *scene)
{
	scene->input.lost = NULL;
	scene->world->hosts[1].is_replaced = false;
	scene->world->hosts[1].is_running = true;
	scene->here = 1;
	add_machine(scene, 0);
	add_volume(scene, "node/head/disk/root", VG_VOLUME_ROOT, 0);
	add_volume(scene, "node/head/disk/data", VG_VOLUME_DATA, 1 << 30);
	add_volume(scene, "node/head/seed", VG_VOLUME_SEED, 0);
	scene->here = 0;
}

static const char *made[] = {"head/data"};
static const char *replaces[] = {"head/data"};

static struct vg_error *refusal_of(struct scene *scene)
{
	_auto(vg_plan) struct vg_plan *plan = NULL;
	return vg_plan_build(&scene->input, &plan);
}

static void a_lost_node_is_made_anew_elsewhere_and_its_host_is_left_alone(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	scene.roles[0].n_disks = 0;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(count(plan, VG_STEP_HOST_START), 0);
	for (size_t i = 0; i < plan->n_steps; i++)
		assert_int_equal(plan->steps[i].host, 0);
	assert_int_equal(find(plan, VG_STEP_MACHINE_START, "head")->host, 0);
	assert_string_equal(plan->changes[0].text,
		"recreate on box-0 from image base: its root disk is lost with host box-1");
	assert_true(plan->changes[0].asks);
	scene_done(&scene);
}

static void data_that_is_lost_with_a_host_needs_the_word(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	scene.input.made = made;
	scene.input.n_made = 1;
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_string_equal(
		vg_error_message(error), "data is lost with its host: 'head/data' on box-1");
	assert_non_null(strstr(vg_error_remedy(error), "'--replace head/data' makes it anew"));
	scene.input.replaces = replaces;
	scene.input.n_replaces = 1;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(find(plan, VG_STEP_VOLUME_CREATE, "head/data")->host, 0);
	bool is_said = false;
	for (size_t i = 0; i < plan->n_changes; i++)
		is_said |= strcmp(plan->changes[i].text,
				   "make its data disk 'data' anew, empty: its data is lost with "
				   "host box-1") == 0;
	assert_true(is_said);
	scene_done(&scene);
}

static void what_a_grid_had_that_was_never_complete_is_taken_for_data(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	assert_null(refusal_of(&scene)); // a disk that the template has only now
	scene.input.was_complete = false;
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_non_null(error);
	scene_done(&scene);
}

static void an_old_copy_goes_before_anything_is_made_of_its_node(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	bring_back(&scene);
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_first, 3); // the machine, its root disk, its seed
	const struct vg_step *gone = find(plan, VG_STEP_MACHINE_REMOVE, "head");
	assert_int_equal(gone->host, 1);
	for (size_t i = 0; i < plan->n_first; i++) {
		assert_int_equal(plan->steps[i].host, 1);
		for (size_t k = 0; k < plan->steps[i].n_needs; k++)
			assert_in_range(plan->steps[i].needs[k], 0, i - 1);
	}
	assert_true(comes_after(plan, find(plan, VG_STEP_MACHINE_START, "head"), gone));
	assert_true(comes_after(plan, find(plan, VG_STEP_VOLUME_CREATE, "head/root"), gone));
	assert_int_equal(find(plan, VG_STEP_MACHINE_START, "head")->host, 0);
	scene_done(&scene);
}

static void an_old_copy_beside_the_node_itself_changes_nothing_of_the_node(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	make_it_so(&scene);
	bring_back(&scene);
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_steps, plan->n_first);
	assert_string_equal(plan->changes[0].text,
		"remove its old copy from box-1, where it is running: it belongs on box-0 now");
	assert_string_equal(plan->changes[1].text,
		"its old data disk 'data' stays on box-1: '--delete-disks' deletes it");
	assert_int_equal(plan->n_changes, 2);
	scene_done(&scene);
}

static void data_of_an_old_copy_goes_only_by_the_word(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	make_it_so(&scene);
	bring_back(&scene);
	scene.input.deletes_disks = true;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_first, 4);
	const struct vg_step *removal = find(plan, VG_STEP_VOLUME_REMOVE, "head/data");
	assert_int_equal(removal->host, 1);
	assert_true(comes_after(plan, removal, find(plan, VG_STEP_MACHINE_REMOVE, "head")));
	scene_done(&scene);
}

// The head was on box-0, then on box-1, and box-1 is lost before box-0 was cleared.
static void an_old_copy_where_a_lost_node_comes_is_not_taken_for_the_node(void **state)
{
	(void)state;
	struct scene scene;
	const char *lost[3];
	lose_head(&scene, lost);
	add_machine(&scene, 0)->state = VG_MACHINE_STOPPED;
	add_volume(&scene, "node/head/disk/root", VG_VOLUME_ROOT, 0);
	add_volume(&scene, "node/head/disk/data", VG_VOLUME_DATA, 1 << 30);
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_string_equal(vg_error_message(error),
		"an old data disk 'data' of 'head' is on box-0, where it is to be made anew");
	scene.input.deletes_disks = true;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_first, 3);
	assert_int_equal(count(plan, VG_STEP_VOLUME_CREATE), 2 + 2); // roots of all, and the data
	assert_non_null(find(plan, VG_STEP_VOLUME_CREATE, "head/data"));
	scene_done(&scene);
}

// The head was removed while box-1 was away, and comes anew to just that host.
static void what_is_there_of_a_new_node_is_not_taken_for_it(void **state)
{
	(void)state;
	struct scene scene;
	const bool is_fresh[3] = {true, false, false};
	scene_init(&scene);
	make_it_so(&scene);
	scene.input.is_fresh = is_fresh;
	_auto(vg_error) struct vg_error *error = refusal_of(&scene);
	assert_non_null(strstr(vg_error_message(error), "an old data disk 'data' of 'head'"));
	scene.input.deletes_disks = true;
	_auto(vg_plan) struct vg_plan *plan = plan_of(&scene);
	assert_int_equal(plan->n_first, 4);
	assert_int_equal(find(plan, VG_STEP_MACHINE_REMOVE, "head")->node, VG_STEP_NODE_NONE);
	assert_non_null(find(plan, VG_STEP_VOLUME_CREATE, "head/data"));
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_node_is_made_anew_elsewhere_and_its_host_is_left_alone),
		cmocka_unit_test(data_that_is_lost_with_a_host_needs_the_word),
		cmocka_unit_test(what_a_grid_had_that_was_never_complete_is_taken_for_data),
		cmocka_unit_test(an_old_copy_goes_before_anything_is_made_of_its_node),
		cmocka_unit_test(an_old_copy_beside_the_node_itself_changes_nothing_of_the_node),
		cmocka_unit_test(data_of_an_old_copy_goes_only_by_the_word),
		cmocka_unit_test(an_old_copy_where_a_lost_node_comes_is_not_taken_for_the_node),
		cmocka_unit_test(what_is_there_of_a_new_node_is_not_taken_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
