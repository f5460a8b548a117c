// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/doctor/judge.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "orchestrator/doctor/judge_paths.h"

enum { CLOCK_MS = 1000 };
#define DISK_LEAST ((uint64_t)2 << 30)

struct judging {
	const struct vg_site_facts *site;
	const struct vg_host_facts *host;
	struct vg_verdicts *verdicts;
};

// Takes detail and remedy over.
static void say(const struct judging *judging, const char *check, enum vg_verdict_grade grade,
	char *detail, char *remedy)
{
	vg_verdicts_add(judging->verdicts, (struct vg_verdict){.check = check,
						   .grade = grade,
						   .host = judging->host->name,
						   .detail = detail,
						   .remedy = remedy});
}

static char *copy(const char *text)
{
	return text ? vg_strdup(text) : NULL;
}

// What hangs has to be ended before it can be started again; guests run on.
static char *mend_problem(const struct judging *judging)
{
	const struct vg_site_facts *site = judging->site;
	const struct vg_host_facts *host = judging->host;
	if (site->is_practice && host->is_hanging && host->process)
		return vg_format("pkill -9 -P %d 'libvirtd|ovsdb-server|ovs-vswitchd'\n"
				 "vgrid site practice %s",
			host->process, site->name);
	if (host->remedy)
		return vg_strdup(host->remedy);
	if (site->is_practice)
		return vg_format("vgrid site practice %s", site->name);
	return host->is_hanging ? vg_format("on '%s': sudo systemctl restart libvirtd", host->name)
				: NULL;
}

static bool judge_answer(const struct judging *judging)
{
	const struct vg_host_facts *host = judging->host;
	if (host->problem)
		say(judging, "reachable", VG_VERDICT_MISSING, vg_strdup(host->problem),
			mend_problem(judging));
	else if (!host->is_running)
		say(judging, "reachable", VG_VERDICT_MISSING, vg_strdup("it does not run"),
			mend_problem(judging));
	else if (host->repaired)
		say(judging, "reachable", VG_VERDICT_NOTE,
			vg_format("it answers; its %s had died and was started again",
				host->repaired),
			NULL);
	else
		say(judging, "reachable", VG_VERDICT_OK, vg_strdup("it answers"), NULL);
	return !host->problem && host->is_running;
}

static void judge_versions(const struct judging *judging)
{
	const struct vg_host_facts *host = judging->host;
	const char *const programs[][2] = {{"libvirt", host->compute.manager},
		{"QEMU", host->compute.emulator}, {"Open vSwitch", host->net.version}};
	_auto(vg_text) struct vg_text text = {0};
	for (size_t i = 0; i < VG_LENGTH(programs); i++) {
		if (programs[i][1])
			vg_text_addf(&text, "%s%s %s", text.length ? ", " : "", programs[i][0],
				programs[i][1]);
	}
	if (text.length)
		say(judging, "versions", VG_VERDICT_OK, vg_text_take(&text), NULL);
	else
		say(judging, "versions", VG_VERDICT_UNKNOWN, vg_strdup("it does not say"), NULL);
}

// The race (vgrid doctor) has more to say than libvirt, which only looks whether there is KVM.
static void judge_accelerator(const struct judging *judging)
{
	const struct vg_host_facts *host = judging->host;
	bool is_kvm = host->is_raced ? host->prefers_kvm : host->compute.has_kvm;
	if (is_kvm) {
		say(judging, "accelerator", VG_VERDICT_OK, vg_strdup("kvm"), NULL);
		return;
	}
	_auto(vg_text) struct vg_text text = {0};
	vg_text_addf(&text, "tcg (emulation): %s",
		host->compute.has_kvm ? "kvm is there, and slower" : "there is no kvm");
	if (host->slowness > 1)
		vg_text_addf(&text, "; `within` counts %u times", host->slowness);
	char *remedy = NULL;
	if (judging->site->is_here)
		remedy = vg_strdup("vgrid doctor");
	else
		remedy = vg_format("switch virtualization on in the firmware of '%s', then there: "
				   "sudo modprobe -a kvm_intel kvm_amd",
			host->name);
	say(judging, "accelerator", judging->site->wants_kvm ? VG_VERDICT_MISSING : VG_VERDICT_NOTE,
		vg_text_take(&text), remedy);
}

static void judge_resource(const struct judging *judging, enum vg_resource resource, uint64_t found)
{
	const struct vg_host_facts *host = judging->host;
	const char *name = vg_resource_name(resource);
	uint64_t given = host->given.of[resource];
	if (found == 0) {
		say(judging, name, VG_VERDICT_UNKNOWN, vg_strdup("it does not say"), NULL);
		return;
	}
	const char *unit = resource == VG_RESOURCE_CPU ? " cores" : "";
	_auto(vg_string) char *there = found == VG_UNLIMITED ? vg_strdup("as much as one likes")
							     : vg_resource_write(resource, found);
	if (found == VG_UNLIMITED)
		unit = "";
	if (given == VG_UNLIMITED) {
		say(judging, name, VG_VERDICT_OK, vg_format("%s%s", there, unit), NULL);
		return;
	}
	_auto(vg_string) char *wanted = vg_resource_write(resource, given);
	if (given <= found)
		say(judging, name, VG_VERDICT_OK,
			vg_format("%s%s, %s for grids", there, unit, wanted), NULL);
	else
		say(judging, name, VG_VERDICT_MISSING,
			vg_format("%s%s, and the site gives %s to grids", there, unit, wanted),
			vg_format("write '%s: %s' for '%s' in %s:%u", name, there, host->name,
				host->place.file ? host->place.file : "the site file",
				host->place.line));
}

static void judge_capacity(const struct judging *judging)
{
	const struct vg_host_facts *host = judging->host;
	uint64_t cores = host->compute.cores;
	judge_resource(judging, VG_RESOURCE_CPU, cores == UINT64_MAX ? cores : cores * 1000);
	judge_resource(judging, VG_RESOURCE_MEMORY, host->compute.memory);
	judge_resource(judging, VG_RESOURCE_DISK, host->storage.size);
	if (host->storage.size_free >= DISK_LEAST)
		return;
	_auto(vg_string) char *left = vg_resource_write(VG_RESOURCE_DISK, host->storage.size_free);
	say(judging, "free disk", VG_VERDICT_NOTE, vg_format("%s are left", left),
		vg_strdup("make room: 2GiB are needed for images and a few disks"));
}

static void judge_cpu_limits(const struct judging *judging)
{
	const struct vg_compute_facts *compute = &judging->host->compute;
	const char *why = compute->why_not ? compute->why_not : "";
	switch (compute->limits_cpu) {
	case VG_ABILITY_YES:
		say(judging, "cpu limits", VG_VERDICT_OK, vg_strdup("cgroups can enforce them"),
			NULL);
		return;
	case VG_ABILITY_NO:
		say(judging, "cpu limits", VG_VERDICT_NOTE,
			vg_format("not enforced there: %s", why), NULL);
		return;
	case VG_ABILITY_UNKNOWN:
		break;
	}
	say(judging, "cpu limits", VG_VERDICT_UNKNOWN, vg_strdup(why), NULL);
}

// One row a promise of the network.
static void judge_promise(
	const struct judging *judging, const char *check, bool is_kept, const char *detail)
{
	const struct vg_site_facts *site = judging->site;
	const struct vg_net_facts *net = &judging->host->net;
	if (is_kept) {
		say(judging, check, VG_VERDICT_OK, vg_strdup(detail), NULL);
		return;
	}
	char *remedy = copy(net->remedy);
	if (!remedy && site->is_practice && !site->has_switch)
		remedy = vg_strdup("vgrid site practice NAME --ovs");
	say(judging, check, VG_VERDICT_NOTE,
		vg_format("not enforced there: %s", net->why_not ? net->why_not : "unknown why"),
		remedy);
}

static void judge_network(const struct judging *judging)
{
	const struct vg_host_facts *host = judging->host;
	const struct vg_net_facts *net = &host->net;
	bool is_kernel = net->datapath && strcmp(net->datapath, "system") == 0;
	const char *detail = is_kernel ? "in the kernel" : "in userspace (netdev), which is slower";
	if (is_kernel || judging->site->is_here)
		say(judging, "datapath", VG_VERDICT_OK, vg_strdup(detail), NULL);
	else
		say(judging, "datapath", VG_VERDICT_NOTE, vg_strdup(detail),
			vg_format("on '%s': sudo modprobe openvswitch; sudo ovs-vsctl set bridge "
				  "BRIDGE datapath_type=system",
				host->name));
	judge_promise(
		judging, "guards", net->can_guard, "a port carries only what its machine may send");
	judge_promise(judging, "rates", net->can_limit, "'rate' is enforced in both directions");
}

static void judge_clock(const struct judging *judging)
{
	const struct vg_compute_facts *compute = &judging->host->compute;
	int64_t ahead = compute->clock_ahead_ms;
	if (judging->site->is_here) {
		say(judging, "clock", VG_VERDICT_OK, vg_strdup("this machine's own"), NULL);
		return;
	}
	if (!compute->has_clock) {
		say(judging, "clock", VG_VERDICT_UNKNOWN,
			vg_strdup("nobody there tells the time: libvirt and OVSDB cannot"),
			vg_format("on '%s': chronyc tracking", judging->host->name));
		return;
	}
	bool is_near = ahead >= -CLOCK_MS && ahead <= CLOCK_MS;
	char *detail = vg_format("%" PRId64 ".%" PRId64 " s %s this machine's",
		(ahead < 0 ? -ahead : ahead) / 1000, (ahead < 0 ? -ahead : ahead) % 1000 / 100,
		ahead < 0 ? "behind" : "ahead of");
	say(judging, "clock", is_near ? VG_VERDICT_OK : VG_VERDICT_NOTE, detail,
		is_near ? NULL : vg_format("on '%s': sudo chronyc makestep", judging->host->name));
}

// A running node moves to the same QEMU or a newer one only.
static void judge_sameness(const struct vg_site_facts *facts, struct vg_verdicts *verdicts)
{
	const struct vg_host_facts *first = NULL;
	for (size_t h = 0; h < facts->n_hosts; h++) {
		const struct vg_host_facts *host = &facts->hosts[h];
		if (!host->compute.emulator)
			continue;
		first = first ? first : host;
		if (strcmp(host->compute.emulator, first->compute.emulator) == 0)
			continue;
		vg_verdicts_add(verdicts,
			(struct vg_verdict){.check = "same versions",
				.grade = VG_VERDICT_NOTE,
				.detail = vg_format(
					"'%s' has QEMU %s and '%s' %s: running nodes move to "
					"the same or a newer one only",
					first->name, first->compute.emulator, host->name,
					host->compute.emulator),
				.remedy = vg_strdup("install the same version on all hosts")});
		return;
	}
}

void vg_doctor_judge(const struct vg_site_facts *facts, struct vg_verdicts *ret_verdicts)
{
	struct vg_verdicts verdicts = {0};
	for (size_t h = 0; h < facts->n_hosts; h++) {
		struct judging judging = {facts, &facts->hosts[h], &verdicts};
		if (!judge_answer(&judging))
			continue;
		judge_versions(&judging);
		judge_accelerator(&judging);
		judge_capacity(&judging);
		judge_network(&judging);
		judge_cpu_limits(&judging);
		judge_clock(&judging);
		vg_doctor_judge_paths(facts, h, &verdicts);
	}
	judge_sameness(facts, &verdicts);
	*ret_verdicts = verdicts;
}
