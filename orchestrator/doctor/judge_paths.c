// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/doctor/judge_paths.h"

#include "base/text.h"

enum { ECHO_HEADERS = 28 }; // of IPv4 and ICMP: ping's -s is without them

static const char check[] = "packets";

// Which of the two ends it is, or what lies between, is not known. A practice site puts its links
// and its file right itself.
static char *mend_size(const struct vg_site_facts *facts, const struct vg_host_facts *from,
	const struct vg_host_facts *to, unsigned mtu)
{
	struct vg_text text = {0};
	if (facts->is_practice)
		return vg_format("vgrid site practice %s", facts->name);
	vg_text_addf(&text,
		"on '%s', on '%s' and on what lies between: sudo ip link set dev LINK mtu %u",
		from->name, to->name, facts->underlay_mtu);
	if (from->place.file)
		vg_text_addf(&text, "\nor write 'underlay-mtu: %u' in %s", mtu, from->place.file);
	return vg_text_take(&text);
}

static char *look_closer(
	const struct vg_host_facts *from, const struct vg_host_facts *to, unsigned size)
{
	char address[VG_IP_LENGTH];
	vg_ip_write(&to->underlay, address);
	return vg_format("on '%s': ping -M do -c 3 -s %u %s", from->name, size, address);
}

static void judge_path(const struct vg_site_facts *facts, const struct vg_host_facts *from,
	const struct vg_host_facts *to, unsigned mtu, struct vg_verdicts *verdicts)
{
	struct vg_verdict verdict = {
		.check = check, .grade = VG_VERDICT_MISSING, .host = from->name, .peer = to->name};
	if (mtu == 0) {
		verdict.detail = vg_strdup("none gets there");
		verdict.remedy = facts->is_practice
					 ? vg_format("vgrid site practice %s", facts->name)
					 : look_closer(from, to, 0);
	} else {
		unsigned left = mtu > facts->tunnel_overhead ? mtu - facts->tunnel_overhead : 0;
		verdict.detail = vg_format("%u bytes get there, %u do not: networks with an mtu "
					   "above %u lose packets",
			mtu, facts->underlay_mtu, left);
		verdict.remedy = mend_size(facts, from, to, mtu);
	}
	vg_verdicts_add(verdicts, verdict);
}

void vg_doctor_judge_paths(
	const struct vg_site_facts *facts, size_t h, struct vg_verdicts *verdicts)
{
	const struct vg_host_facts *from = &facts->hosts[h];
	size_t n_tried = 0, n_good = 0;
	if (from->mtus_unknown && facts->n_peers) {
		const struct vg_host_facts *to = &facts->hosts[vg_site_facts_peer(facts, h, 0)];
		vg_verdicts_add(verdicts, (struct vg_verdict){.check = check,
						  .grade = VG_VERDICT_UNKNOWN,
						  .host = from->name,
						  .detail = vg_strdup(from->mtus_unknown),
						  .remedy = look_closer(from, to,
							  facts->underlay_mtu - ECHO_HEADERS)});
		return;
	}
	for (size_t k = 0; k < facts->n_peers; k++) {
		const struct vg_host_facts *to = &facts->hosts[vg_site_facts_peer(facts, h, k)];
		if (from->mtus[k] < 0)
			continue;
		n_tried++;
		if ((unsigned)from->mtus[k] >= facts->underlay_mtu)
			n_good++;
		else
			judge_path(facts, from, to, (unsigned)from->mtus[k], verdicts);
	}
	if (n_tried && n_tried == n_good)
		vg_verdicts_add(verdicts,
			(struct vg_verdict){.check = check,
				.grade = VG_VERDICT_OK,
				.host = from->name,
				.detail = vg_format("%u bytes get to every other host: networks "
						    "with an mtu up to %u",
					facts->underlay_mtu,
					facts->underlay_mtu - facts->tunnel_overhead)});
}
