// SPDX-License-Identifier: Apache-2.0
//
// Claims about the fake net driver: it keeps what it was told, apart by host and grid, and refuses
// as a real host would.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/filter_spec.h"
#include "base/memory.h"
#include "base/tag.h"
#include "net/filter.h"

static const char store[] = "11111111-1111-8111-8111-111111111111";
static const char grid_a[] = "aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa";
static const char grid_b[] = "bbbbbbbb-bbbb-8bbb-8bbb-bbbbbbbbbbbb";

// A slice with one overlay, one port and one remote; without any if vni is 0.
static struct vg_slice *make_slice(const char *grid, uint32_t vni)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	slice->store = vg_strdup(store);
	slice->grid = vg_strdup(grid);
	slice->link_group = vg_tag_link_group(store, grid);
	assert_null(vg_ip_read("192.0.2.11", &slice->tunnel));
	if (!vni)
		return slice;
	struct vg_slice_overlay *overlay = &vg_append(slice->overlays, slice->n_overlays);
	overlay->tag = vg_tag_make(store, grid, "network/lan");
	overlay->bridge = vg_strdup("vgbridge");
	overlay->vxlan = vg_strdup("vgvxlan");
	overlay->vni = vni;
	overlay->mtu = 1450;
	overlay->place = (struct vg_place){"mpi.yaml", 14, 5};
	struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
	port->tag = vg_tag_make(store, grid, "node/head/nic/lan");
	port->link = vg_strdup("vgtap");
	port->rate = 100000000;
	assert_null(vg_mac_read("02:00:00:00:00:01", &port->mac));
	assert_null(vg_ip_read("10.9.0.2", &port->ip));
	struct vg_slice_remote *remote = &vg_append(overlay->remotes, overlay->n_remotes);
	assert_null(vg_mac_read("02:00:00:00:00:02", &remote->mac));
	assert_null(vg_ip_read("10.9.0.3", &remote->ip));
	assert_null(vg_ip_read("fd00::12", &remote->tunnel));
	return slice;
}

static struct vg_net *open_host(const char *host, const char *endpoint)
{
	struct vg_net_target target = {.host = host, .namespace_fd = -1, .endpoint = endpoint};
	struct vg_net *net;
	assert_null(vg_net_fake.open(&target, &net));
	return net;
}

static void assert_seen(struct vg_net *net, const struct vg_slice *wanted)
{
	_auto(vg_slice) struct vg_slice *seen = NULL;
	assert_null(vg_net_fake.observe(net, wanted->store, wanted->grid, &seen));
	_auto(vg_string) char *difference = vg_slice_difference(wanted, seen);
	assert_null(difference);
	assert_string_equal(seen->grid, wanted->grid);
	assert_int_equal(seen->link_group, wanted->link_group);
}

static void assert_refused(struct vg_net *net, const struct vg_slice *slice, const char *text)
{
	_auto(vg_error) struct vg_error *error = vg_net_fake.converge(net, slice);
	assert_non_null(error);
	assert_string_equal(vg_error_text(error), text);
}

// A world in a file of a folder of its own.
struct fixture {
	char *folder, *file, *endpoint;
};

static int make_world(void **state)
{
	char folder[] = "/tmp/vg-net-fake-XXXXXX";
	if (!mkdtemp(folder))
		return -1;
	struct fixture *fixture = vg_new(struct fixture);
	fixture->folder = vg_strdup(folder);
	fixture->file = vg_format("%s/world.json", folder);
	fixture->endpoint = vg_format("fake:%s", fixture->file);
	*state = fixture;
	return 0;
}

static int remove_world(void **state)
{
	struct fixture *fixture = *state;
	vg_error_ignore(vg_folder_remove(fixture->folder));
	free(fixture->folder);
	free(fixture->file);
	free(fixture->endpoint);
	free(fixture);
	return 0;
}

static void what_was_converged_is_observed_by_another_process_too(void **state)
{
	struct fixture *fixture = *state;
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid_a, 77);
	struct vg_net *net = open_host("h1", fixture->endpoint);
	assert_null(vg_net_fake.converge(net, slice));
	vg_net_fake.close(net);
	net = open_host("h1", fixture->endpoint);
	assert_seen(net, slice);
	_auto(vg_slice) struct vg_slice *seen = NULL;
	assert_null(vg_net_fake.observe(net, store, grid_a, &seen));
	assert_int_equal(seen->overlays[0].ports[0].rate, 100000000);
	assert_true(vg_ip_equal(
		&seen->overlays[0].remotes[0].tunnel, &slice->overlays[0].remotes[0].tunnel));
	assert_true(vg_ip_equal(&seen->tunnel, &slice->tunnel));
	vg_net_fake.close(net);
}

static void hosts_and_grids_are_kept_apart(void **state)
{
	struct fixture *fixture = *state;
	_auto(vg_slice) struct vg_slice *a = make_slice(grid_a, 77), *b = make_slice(grid_b, 78);
	_auto(vg_slice) struct vg_slice *no_a = make_slice(grid_a, 0),
					*no_b = make_slice(grid_b, 0);
	struct vg_net *first = open_host("h1", fixture->endpoint);
	struct vg_net *second = open_host("h2", fixture->endpoint);
	assert_null(vg_net_fake.converge(first, a));
	assert_null(vg_net_fake.converge(first, b));
	assert_seen(second, no_a);
	char **grids;
	size_t n_grids;
	assert_null(vg_net_fake.owners(first, store, &grids, &n_grids));
	assert_int_equal(n_grids, 2);
	vg_folder_list_free(grids, n_grids);
	assert_null(vg_net_fake.converge(first, no_a));
	assert_seen(first, no_a);
	assert_seen(first, b);
	assert_null(vg_net_fake.converge(first, no_b));
	assert_null(vg_net_fake.owners(first, store, &grids, &n_grids));
	assert_int_equal(n_grids, 0);
	vg_folder_list_free(grids, n_grids);
	vg_net_fake.close(first);
	vg_net_fake.close(second);
}

static void a_vni_of_another_grid_is_refused_where_it_was_asked_for(void **state)
{
	struct fixture *fixture = *state;
	_auto(vg_slice) struct vg_slice *a = make_slice(grid_a, 77), *b = make_slice(grid_b, 77);
	_auto(vg_slice) struct vg_slice *none = make_slice(grid_b, 0);
	struct vg_net *net = open_host("h1", fixture->endpoint);
	assert_null(vg_net_fake.converge(net, a));
	assert_refused(net, b,
		"mpi.yaml:14:5: building the overlays on host 'h1': VNI 77 is taken by grid "
		"'aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa'");
	assert_seen(net, none);
	assert_seen(net, a);
	vg_net_fake.close(net);
}

static void a_knob_lets_a_host_refuse(void **state)
{
	struct fixture *fixture = *state;
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid_a, 77);
	static const char world[] = "{\"fail\": {\"converge\": \"no space\"},"
				    " \"knobs\": {\"h2\": {\"fail\": {\"converge\": \"no time\", "
				    "\"observe\": \"no eyes\"}}}}";
	assert_null(vg_file_write(fixture->file, 0600, world, strlen(world)));
	struct vg_net *first = open_host("h1", fixture->endpoint);
	struct vg_net *second = open_host("h2", fixture->endpoint);
	assert_refused(first, slice, "mpi.yaml:14:5: building the overlays on host 'h1': no space");
	assert_refused(second, slice, "mpi.yaml:14:5: building the overlays on host 'h2': no time");
	struct vg_slice *seen;
	_auto(vg_error) struct vg_error *error = vg_net_fake.observe(second, store, grid_a, &seen);
	assert_string_equal(vg_error_text(error), "observing the overlays on host 'h2': no eyes");
	vg_net_fake.close(first);
	vg_net_fake.close(second);
}

static void a_broken_world_is_an_error_and_stays_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	assert_null(vg_file_write(fixture->file, 0600, "{", 1));
	struct vg_net_target target = {
		.host = "h1", .namespace_fd = -1, .endpoint = fixture->endpoint};
	struct vg_net *net;
	_auto(vg_error) struct vg_error *error = vg_net_fake.open(&target, &net);
	assert_non_null(error);
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	assert_null(vg_file_read(fixture->file, 100, &bytes, &size));
	assert_string_equal(bytes, "{");
}

static void the_world_in_memory_is_one_for_the_process(void **state)
{
	(void)state;
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid_a, 77),
					*none = make_slice(grid_a, 0);
	struct vg_net *one = open_host("h1", "fake:"), *other = open_host("h1", NULL);
	assert_null(vg_net_fake.converge(one, slice));
	assert_seen(other, slice);
	assert_null(vg_net_fake.converge(other, none));
	vg_net_fake.close(one);
	vg_net_fake.close(other);
}

static void a_filter_lets_calls_fail_before_or_after_they_are_made(void **state)
{
	struct fixture *fixture = *state;
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid_a, 77),
					*none = make_slice(grid_a, 0);
	_auto(vg_filter) struct vg_filter *filter = NULL;
	assert_null(vg_filter_read(
		"fault:net.converge:1,lost:net.converge:2,lost:net.o[bw]*:2", &filter));
	struct vg_net_target target = {
		.host = "h1", .namespace_fd = -1, .endpoint = fixture->endpoint};
	struct vg_net *below = open_host("h1", fixture->endpoint), *net;
	const struct vg_call_rules rules = {.filter = filter};
	assert_null(vg_net_filter_open(&vg_net_fake, &rules, &target, &net));
	const struct vg_slice *expected[] = {none, slice};
	for (size_t i = 0; i < 2; i++) {
		_auto(vg_error) struct vg_error *error = vg_net_filtered.converge(net, slice);
		assert_non_null(error);
		assert_int_equal(vg_error_where(error).line, 14);
		assert_seen(below, expected[i]);
	}
	assert_null(vg_net_filtered.converge(net, slice));
	struct vg_slice *seen;
	char **grids;
	size_t n_grids;
	assert_null(vg_net_filtered.observe(net, store, grid_a, &seen));
	vg_slice_free(seen);
	_auto(vg_error) struct vg_error *lost =
		vg_net_filtered.owners(net, store, &grids, &n_grids);
	assert_non_null(lost);
	vg_net_filtered.close(net);
	vg_net_fake.close(below);
}

static struct vg_error *say_what_is_needed(struct vg_net *net, struct vg_net_facts *ret_facts)
{
	(void)net;
	*ret_facts = (struct vg_net_facts){.version = vg_strdup("3.1.0"),
		.datapath = "netdev",
		.needs_plain_frames = true,
		.why_not = vg_strdup("it has no meters")};
	return NULL;
}

static void a_filter_passes_on_what_a_host_needs_and_can_do(void **state)
{
	struct fixture *fixture = *state;
	struct vg_net_target target = {
		.host = "h1", .namespace_fd = -1, .endpoint = fixture->endpoint};
	const struct vg_call_rules rules = {0};
	struct vg_net_driver special = vg_net_fake;
	special.facts = say_what_is_needed;
	const struct vg_net_driver *drivers[] = {&vg_net_fake, &special};
	for (size_t i = 0; i < 2; i++) {
		struct vg_net *net;
		struct vg_net_facts facts;
		assert_null(vg_net_filter_open(drivers[i], &rules, &target, &net));
		assert_null(vg_net_filtered.facts(net, &facts));
		assert_string_equal(facts.datapath, i ? "netdev" : "system");
		assert_int_equal(facts.needs_plain_frames, i);
		assert_non_null(facts.why_not);
		vg_net_facts_done(&facts);
		vg_net_filtered.close(net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_converged_is_observed_by_another_process_too, make_world,
			remove_world),
		cmocka_unit_test_setup_teardown(
			hosts_and_grids_are_kept_apart, make_world, remove_world),
		cmocka_unit_test_setup_teardown(
			a_vni_of_another_grid_is_refused_where_it_was_asked_for, make_world,
			remove_world),
		cmocka_unit_test_setup_teardown(
			a_knob_lets_a_host_refuse, make_world, remove_world),
		cmocka_unit_test_setup_teardown(
			a_broken_world_is_an_error_and_stays_as_it_is, make_world, remove_world),
		cmocka_unit_test_setup_teardown(
			a_filter_lets_calls_fail_before_or_after_they_are_made, make_world,
			remove_world),
		cmocka_unit_test_setup_teardown(
			a_filter_passes_on_what_a_host_needs_and_can_do, make_world, remove_world),
		cmocka_unit_test(the_world_in_memory_is_one_for_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
