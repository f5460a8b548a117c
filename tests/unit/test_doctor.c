// SPDX-License-Identifier: Apache-2.0
//
// Claims about the judgement of a site: facts → verdicts. Nobody is asked.
#include "tests/unit/test.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "orchestrator/doctor/judge.h"

enum { N_HOSTS = 3, MTU = 1600 };
#define GIB ((uint64_t)1 << 30)

// Three good hosts of a site far away; each claim spoils something.
struct world {
	struct vg_site_facts facts;
	struct vg_host_facts hosts[N_HOSTS];
	int mtus[N_HOSTS][N_HOSTS - 1];
	struct vg_verdicts verdicts;
};

static struct world *good_world(void)
{
	static const char *const names[] = {"h1", "h2", "h3"};
	struct world *world = vg_new(struct world);
	world->facts = (struct vg_site_facts){.name = "lab",
		.underlay_mtu = MTU,
		.tunnel_overhead = 50,
		.hosts = world->hosts,
		.n_hosts = N_HOSTS,
		.n_peers = N_HOSTS - 1};
	for (size_t h = 0; h < N_HOSTS; h++) {
		for (size_t k = 0; k < N_HOSTS - 1; k++)
			world->mtus[h][k] = MTU;
		world->hosts[h] = (struct vg_host_facts){.name = names[h],
			.place = {"lab.yaml", 5 + (unsigned)h, 3},
			.underlay = {.bytes = {10, 0, 0, (uint8_t)(h + 1)}},
			.given = {{4000, 8 * GIB, VG_UNLIMITED}},
			.is_running = true,
			.slowness = 1,
			.compute = {.manager = (char *)"9.0.0",
				.emulator = (char *)"7.2.22",
				.has_kvm = true,
				.cores = 4,
				.memory = 8 * GIB,
				.limits_cpu = VG_ABILITY_YES,
				.has_clock = true},
			.net = {.version = (char *)"3.1.0",
				.datapath = "system",
				.can_guard = true,
				.can_limit = true},
			.storage = {100 * GIB, 50 * GIB},
			.mtus = world->mtus[h]};
	}
	return world;
}

static int make_world(void **state)
{
	*state = good_world();
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;
	vg_verdicts_done(&world->verdicts);
	free(world);
	return 0;
}

static void judge(struct world *world)
{
	vg_doctor_judge(&world->facts, &world->verdicts);
}

static const struct vg_verdict *find(
	const struct world *world, const char *check, const char *host, const char *peer)
{
	for (size_t i = 0; i < world->verdicts.n_items; i++) {
		const struct vg_verdict *verdict = &world->verdicts.items[i];
		if (strcmp(verdict->check, check) == 0 && vg_text_equal(verdict->host, host) &&
			vg_text_equal(verdict->peer, peer))
			return verdict;
	}
	return NULL;
}

static void expect(const struct vg_verdict *verdict, enum vg_verdict_grade grade,
	const char *detail, const char *remedy)
{
	assert_non_null(verdict);
	assert_string_equal(vg_verdict_name(verdict->grade), vg_verdict_name(grade));
	if (!strstr(verdict->detail, detail))
		fail_msg("'%s' is not in '%s'", detail, verdict->detail);
	if (!remedy)
		assert_null(verdict->remedy);
	else if (!verdict->remedy || !strstr(verdict->remedy, remedy))
		fail_msg("'%s' is not in '%s'", remedy,
			verdict->remedy ? verdict->remedy : "(none)");
}

static void a_good_site_has_nothing_to_mend(void **state)
{
	struct world *world = *state;
	judge(world);
	assert_true(vg_verdicts_are_good(&world->verdicts));
	for (size_t i = 0; i < world->verdicts.n_items; i++) {
		assert_int_equal(world->verdicts.items[i].grade, VG_VERDICT_OK);
		assert_null(world->verdicts.items[i].remedy);
	}
	expect(find(world, "versions", "h2", NULL), VG_VERDICT_OK,
		"libvirt 9.0.0, QEMU 7.2.22, Open vSwitch 3.1.0", NULL);
	expect(find(world, "packets", "h3", NULL), VG_VERDICT_OK, "mtu up to 1550", NULL);
}

static void of_a_host_that_does_not_answer_only_that_is_told(void **state)
{
	struct world *world = *state;
	world->hosts[1].problem = (char *)"connecting: Connection refused";
	world->hosts[1].remedy = (char *)"is libvirtd running on 'h2'?";
	judge(world);
	assert_false(vg_verdicts_are_good(&world->verdicts));
	expect(find(world, "reachable", "h2", NULL), VG_VERDICT_MISSING, "refused",
		"is libvirtd running");
	assert_null(find(world, "memory", "h2", NULL));
	expect(find(world, "memory", "h3", NULL), VG_VERDICT_OK, "8GiB", NULL);
}

static void a_practice_site_says_what_starts_its_hosts_again(void **state)
{
	struct world *world = *state;
	world->facts.is_practice = world->facts.is_here = true;
	world->hosts[0].is_running = false;
	world->hosts[1].problem = (char *)"libvirtd does not answer";
	world->hosts[1].is_hanging = true;
	world->hosts[1].process = 77;
	world->hosts[2].repaired = "libvirtd";
	judge(world);
	expect(find(world, "reachable", "h1", NULL), VG_VERDICT_MISSING, "does not run",
		"vgrid site practice lab");
	expect(find(world, "reachable", "h2", NULL), VG_VERDICT_MISSING, "does not answer",
		"pkill -9 -P 77 'libvirtd|ovsdb-server|ovs-vswitchd'\nvgrid site practice lab");
	expect(find(world, "reachable", "h3", NULL), VG_VERDICT_NOTE, "its libvirtd had died", NULL);
	expect(find(world, "clock", "h3", NULL), VG_VERDICT_OK, "this machine's own", NULL);
}

static void less_than_the_site_gives_is_missing_with_the_line_to_change(void **state)
{
	struct world *world = *state;
	world->hosts[0].compute.cores = 2;
	world->hosts[1].compute.memory = 6 * GIB;
	world->hosts[2].given.of[VG_RESOURCE_DISK] = 200 * GIB;
	judge(world);
	expect(find(world, "cpu", "h1", NULL), VG_VERDICT_MISSING, "2 cores, and the site gives 4",
		"write 'cpu: 2' for 'h1' in lab.yaml:5");
	expect(find(world, "memory", "h2", NULL), VG_VERDICT_MISSING, "6GiB",
		"write 'memory: 6GiB' for 'h2' in lab.yaml:6");
	expect(find(world, "disk", "h3", NULL), VG_VERDICT_MISSING, "200GiB", "'disk: 100GiB'");
	expect(find(world, "cpu", "h2", NULL), VG_VERDICT_OK, "4 cores, 4 for grids", NULL);
}

static void what_is_not_known_is_not_invented(void **state)
{
	struct world *world = *state;
	struct vg_host_facts *host = &world->hosts[0];
	host->compute = (struct vg_compute_facts){
		.has_kvm = true, .why_not = (char *)"no machine runs there"};
	host->mtus_unknown = (char *)"OVSDB cannot send packets";
	host->net.version = NULL;
	judge(world);
	assert_true(vg_verdicts_are_good(&world->verdicts));
	static const char *const checks[] = {
		"versions", "cpu", "memory", "cpu limits", "clock", "packets"};
	for (size_t i = 0; i < VG_LENGTH(checks); i++)
		assert_int_equal(find(world, checks[i], "h1", NULL)->grade, VG_VERDICT_UNKNOWN);
	expect(find(world, "packets", "h1", NULL), VG_VERDICT_UNKNOWN, "OVSDB cannot",
		"on 'h1': ping -M do -c 3 -s 1572 10.0.0.2");
}

static void each_way_that_does_not_carry_the_underlay_mtu_is_named(void **state)
{
	struct world *world = *state;
	world->mtus[0][1] = 1400; // h1 to h3
	world->mtus[2][1] = 0;    // h3 to h2
	world->mtus[1][0] = -1;   // h2 to h3 was not tried
	judge(world);
	assert_false(vg_verdicts_are_good(&world->verdicts));
	expect(find(world, "packets", "h1", "h3"), VG_VERDICT_MISSING,
		"1400 bytes get there, 1600 do not: networks with an mtu above 1350",
		"ip link set dev LINK mtu 1600\nor write 'underlay-mtu: 1400' in lab.yaml");
	expect(find(world, "packets", "h3", "h2"), VG_VERDICT_MISSING, "none gets there",
		"on 'h3': ping -M do -c 3 -s 0 10.0.0.2");
	assert_null(find(world, "packets", "h1", NULL));
	assert_null(find(world, "packets", "h1", "h2"));
	expect(find(world, "packets", "h2", NULL), VG_VERDICT_OK, "1600 bytes", NULL);
}

static void the_accelerator_that_the_site_demands_must_be_there(void **state)
{
	struct world *world = *state;
	world->hosts[0].compute.has_kvm = false;
	judge(world);
	expect(find(world, "accelerator", "h1", NULL), VG_VERDICT_NOTE, "there is no kvm",
		"sudo modprobe -a kvm_intel kvm_amd");
	vg_verdicts_done(&world->verdicts);
	world->facts.wants_kvm = true;
	judge(world);
	expect(find(world, "accelerator", "h1", NULL), VG_VERDICT_MISSING, "there is no kvm",
		"modprobe");
	expect(find(world, "accelerator", "h2", NULL), VG_VERDICT_OK, "kvm", NULL);
}

static void of_a_host_here_the_race_tells_and_not_libvirt(void **state)
{
	struct world *world = *state;
	world->hosts[0].is_raced = true;
	world->hosts[0].slowness = 6;
	judge(world);
	expect(find(world, "accelerator", "h1", NULL), VG_VERDICT_NOTE,
		"kvm is there, and slower; `within` counts 6 times", "");
}

static void promises_that_are_not_kept_are_notes_with_the_reason(void **state)
{
	struct world *world = *state;
	struct vg_host_facts *host = &world->hosts[1];
	host->net.can_guard = host->net.can_limit = false;
	host->net.why_not = (char *)"the switch has no TLS keys";
	host->net.remedy = (char *)"ovs-vsctl set-ssl";
	host->net.datapath = "netdev";
	host->compute.limits_cpu = VG_ABILITY_NO;
	host->compute.why_not = (char *)"no cgroups";
	host->compute.clock_ahead_ms = -2500;
	host->storage.size_free = GIB;
	judge(world);
	assert_true(vg_verdicts_are_good(&world->verdicts));
	expect(find(world, "guards", "h2", NULL), VG_VERDICT_NOTE, "no TLS keys", "set-ssl");
	expect(find(world, "rates", "h2", NULL), VG_VERDICT_NOTE, "no TLS keys", "set-ssl");
	expect(find(world, "datapath", "h2", NULL), VG_VERDICT_NOTE, "netdev", "openvswitch");
	expect(find(world, "cpu limits", "h2", NULL), VG_VERDICT_NOTE, "no cgroups", NULL);
	expect(find(world, "clock", "h2", NULL), VG_VERDICT_NOTE, "2.5 s behind", "makestep");
	expect(find(world, "free disk", "h2", NULL), VG_VERDICT_NOTE, "1GiB", "make room");
}

static void hosts_with_other_versions_of_qemu_are_told(void **state)
{
	struct world *world = *state;
	world->hosts[2].compute.emulator = (char *)"8.0.0";
	judge(world);
	expect(find(world, "same versions", NULL, NULL), VG_VERDICT_NOTE,
		"'h1' has QEMU 7.2.22 and 'h3' 8.0.0", "install the same");
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int main(void)
{
	const struct CMUnitTest claims[] = {
		CLAIM(a_good_site_has_nothing_to_mend),
		CLAIM(of_a_host_that_does_not_answer_only_that_is_told),
		CLAIM(a_practice_site_says_what_starts_its_hosts_again),
		CLAIM(less_than_the_site_gives_is_missing_with_the_line_to_change),
		CLAIM(what_is_not_known_is_not_invented),
		CLAIM(each_way_that_does_not_carry_the_underlay_mtu_is_named),
		CLAIM(the_accelerator_that_the_site_demands_must_be_there),
		CLAIM(of_a_host_here_the_race_tells_and_not_libvirt),
		CLAIM(promises_that_are_not_kept_are_notes_with_the_reason),
		CLAIM(hosts_with_other_versions_of_qemu_are_told),
	};
	return cmocka_run_group_tests(claims, NULL, NULL);
}
