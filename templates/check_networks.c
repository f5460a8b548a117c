// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

#include "base/ip.h"

// Blocks that no node can have an address of (RFC 6890).
static const struct {
	const char *cidr, *what;
} unusable[] = {
	{"0.0.0.0/8", "'this network'"},
	{"127.0.0.0/8", "loopback"},
	{"169.254.0.0/16", "link-local"},
	{"224.0.0.0/3", "multicast or reserved"},
	{"::/8", "reserved"},
	{"fe80::/10", "link-local"},
	{"ff00::/8", "multicast"},
};

static void check_block(struct vg_check *check, struct vg_value *value, const struct vg_cidr *cidr)
{
	for (size_t i = 0; i < VG_LENGTH(unusable); i++) {
		struct vg_cidr other;
		vg_error_ignore(vg_cidr_read(unusable[i].cidr, &other));
		if (!vg_cidr_overlap(cidr, &other))
			continue;
		vg_finding_hint(vg_check_fault(check, value, "'%.60s' touches %s, which is %s",
					value->text, unusable[i].cidr, unusable[i].what),
			"a private block, as in %s",
			cidr->base.is_ipv6 ? "fd00:9::/64" : "10.9.0.0/24");
		return;
	}
	if (vg_cidr_room(cidr) == 0)
		vg_finding_hint(vg_check_fault(check, value, "'%.60s' has no address for a node",
					value->text),
			"the first address is kept for a gateway: at most /%d",
			cidr->base.is_ipv6 ? 126 : 30);
}

static void check_network(struct vg_check *check, const struct vg_entry *entry)
{
	const char *text = vg_check_word(entry->value, "cidr");
	const char *mtu = vg_check_word(entry->value, "mtu");
	struct vg_cidr cidr;
	if (!text)
		return;
	struct vg_error *error = vg_cidr_read(text, &cidr);
	if (error) {
		vg_error_ignore(error); // found with the field
		return;
	}
	check_block(check, vg_value_get(entry->value, "cidr"), &cidr);
	if (!mtu || !cidr.base.is_ipv6 || strtoul(mtu, NULL, 10) >= 1280)
		return;
	struct vg_finding *finding = vg_check_fault(check, vg_value_get(entry->value, "mtu"),
		"an IPv6 network has an MTU of at least 1280");
	vg_finding_also(finding, vg_value_get(entry->value, "cidr")->place, "it is IPv6 by this");
}

void vg_check_networks(struct vg_check *check)
{
	for (size_t i = 0; i < vg_map_size(check->networks); i++) {
		const struct vg_entry *entry = vg_map_value_at(check->networks, i);
		if (!entry->value->is_faulty)
			check_network(check, entry);
	}
}
