// SPDX-License-Identifier: Apache-2.0
//
// bench-overlays driver|batch N: makes N overlays, each a bridge with a VXLAN device, in the
// network namespace that it is started in, and deletes them again; with the kernel driver, or with
// one file for `ip -batch` each. Prints the seconds of making, those of deleting, and the CPU
// seconds of both.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "bench/timer.h"
#include "net/driver.h"

static const char store[] = "11111111-1111-4111-8111-111111111111",
		  grid_uuid[] = "22222222-2222-4222-8222-222222222222";
static const unsigned mtu = 1450, ip_group = 4711; // ip takes 31 bits for a group

// A grid of one node with a nic on each of the networks would have taps; here only what overlays
// cost is of interest, so the ports are taken out again.
static struct vg_slice *build(size_t n_overlays)
{
	struct vg_grid grid = {.name = "bench", .uuid = grid_uuid, .identity = grid_uuid};
	struct vg_role role = {.name = "node", .count = 1, .n_nics = n_overlays};
	struct vg_node node = {.name = "node"};
	struct vg_ip tunnel;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	uint32_t *vnis = vg_arena_alloc(arena, n_overlays * sizeof(*vnis));
	bench_must(vg_ip_read("192.0.2.1", &tunnel));
	grid.networks = vg_arena_alloc(arena, n_overlays * sizeof(*grid.networks));
	role.nics = vg_arena_alloc(arena, n_overlays * sizeof(*role.nics));
	node.nics = vg_arena_alloc(arena, n_overlays * sizeof(*node.nics));
	for (size_t i = 0; i < n_overlays; i++) {
		grid.networks[i].name = vg_arena_format(arena, "net-%zu", i);
		grid.networks[i].mtu = mtu;
		role.nics[i].network = i;
		vnis[i] = (uint32_t)(i + 1);
	}
	grid.n_networks = n_overlays;
	grid.roles = &role;
	grid.n_roles = 1;
	grid.nodes = &node;
	grid.n_nodes = 1;
	struct vg_slice *slice =
		vg_slice_build(&(struct vg_slice_input){&grid, store, vnis, &tunnel}, 0);
	for (size_t i = 0; i < slice->n_overlays; i++) {
		struct vg_slice_overlay *overlay = &slice->overlays[i];
		for (size_t k = 0; k < overlay->n_ports; k++) {
			free(overlay->ports[k].tag);
			free(overlay->ports[k].link);
		}
		overlay->n_ports = 0;
	}
	return slice;
}

static void run_driver(struct vg_slice *slice)
{
	struct vg_net *net;
	bench_must(vg_net_kernel.open(
		&(struct vg_net_target){.host = "bench", .namespace_fd = -1}, &net));
	double begun = bench_now();
	bench_must(vg_net_kernel.converge(net, slice));
	double made = bench_now();
	size_t n_overlays = slice->n_overlays;
	slice->n_overlays = 0;
	bench_must(vg_net_kernel.converge(net, slice));
	printf("%.6f %.6f %.6f\n", made - begun, bench_now() - made, bench_cpu(RUSAGE_SELF));
	slice->n_overlays = n_overlays;
	vg_net_kernel.close(net);
}

static void run_batch(const char *path, const struct vg_text *lines)
{
	bench_must(vg_file_write(path, 0600, lines->bytes, lines->length));
	_auto(vg_string) char *output = NULL;
	int status;
	bench_must(vg_process_run(
		(const char *const[]){"ip", "-batch", path, NULL}, NULL, &status, &output));
	if (status != 0)
		bench_must(vg_error_new("ip -batch: %s", output));
	unlink(path);
}

static void run_ip(const struct vg_slice *slice)
{
	_auto(vg_text) struct vg_text makes = {0}, deletes = {0};
	for (size_t i = 0; i < slice->n_overlays; i++) {
		const struct vg_slice_overlay *overlay = &slice->overlays[i];
		vg_text_addf(&makes,
			"link add %s group %u type bridge stp_state 0 mcast_snooping 0\n"
			"link add %s group %u type vxlan id %u local 192.0.2.1 dstport 4789 "
			"nolearning\n",
			overlay->bridge, ip_group, overlay->vxlan, ip_group, overlay->vni);
		vg_text_addf(&makes,
			"link set %s alias %s mtu %u addrgenmode none\n"
			"link set %s alias %s/vxlan mtu %u addrgenmode none master %s\n"
			"link set %s up\nlink set %s up\n",
			overlay->bridge, overlay->tag, overlay->mtu, overlay->vxlan, overlay->tag,
			overlay->mtu, overlay->bridge, overlay->vxlan, overlay->bridge);
	}
	vg_text_addf(&deletes, "link del group %u\n", ip_group);
	double begun = bench_now();
	run_batch("make.batch", &makes);
	double made = bench_now();
	run_batch("delete.batch", &deletes);
	printf("%.6f %.6f %.6f\n", made - begun, bench_now() - made, bench_cpu(RUSAGE_CHILDREN));
}

int main(int argc, char *argv[])
{
	bool is_driver = argc == 3 && strcmp(argv[1], "driver") == 0;
	if (argc != 3 || (!is_driver && strcmp(argv[1], "batch") != 0)) {
		fprintf(stderr, "usage: %s driver|batch N\n", argv[0]);
		return 2;
	}
	_auto(vg_slice) struct vg_slice *slice = build(strtoul(argv[2], NULL, 10));
	if (is_driver)
		run_driver(slice);
	else
		run_ip(slice);
	return 0;
}
