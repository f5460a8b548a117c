// SPDX-License-Identifier: Apache-2.0
//
// Static forwarding entries, in the tables of bridges and VXLAN devices (bridge(8), "fdb").
#include "net/kernel_links.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/memory.h"
#include "net/kernel_batch.h"

struct entries {
	struct vg_kernel_entry *items;
	size_t n_items;
};

static void entries_auto_free(struct entries *entries)
{
	free(entries->items);
}

static void add(struct entries *entries, int link, bool is_self, const struct vg_mac *mac,
	const struct vg_ip *tunnel)
{
	struct vg_kernel_entry *entry = &vg_append(entries->items, entries->n_items);
	entry->link = link;
	entry->is_self = is_self;
	entry->mac = *mac;
	if (tunnel)
		entry->tunnel = *tunnel;
}

// Sorts, and keeps each once: many members share a host.
static void tidy(struct entries *entries)
{
	size_t n = 0;
	if (entries->n_items)
		qsort(entries->items, entries->n_items, sizeof(*entries->items),
			vg_kernel_entry_compare);
	for (size_t i = 0; i < entries->n_items; i++)
		if (n == 0 ||
			vg_kernel_entry_compare(&entries->items[n - 1], &entries->items[i]) != 0)
			entries->items[n++] = entries->items[i];
	entries->n_items = n;
}

// A frame of unknown destination and a broadcast go where the all-zero MAC leads.
static const struct vg_mac everybody;

static void add_remotes(struct entries *entries, int link, const struct vg_slice_overlay *overlay)
{
	for (size_t i = 0; i < overlay->n_remotes; i++) {
		const struct vg_slice_remote *remote = &overlay->remotes[i];
		add(entries, link, false, &remote->mac, NULL);
		add(entries, link, true, &remote->mac, &remote->tunnel);
		add(entries, link, true, &everybody, &remote->tunnel);
	}
}

static void request(struct vg_batch *batch, int type, const struct vg_kernel_entry *entry)
{
	bool is_everybody = memcmp(&entry->mac, &everybody, sizeof(everybody)) == 0;
	// Only the all-zero MAC leads to several hosts.
	int flags = type == RTM_DELNEIGH
			    ? 0
			    : NLM_F_CREATE | (is_everybody ? NLM_F_APPEND : NLM_F_REPLACE);
	struct vg_request *added = vg_batch_add(batch, type, flags,
		type == RTM_DELNEIGH ? "removing forwarding entries of" : "forwarding to",
		"other members");
	added->tolerated = type == RTM_DELNEIGH ? ENOENT : EEXIST;
	// Sticky: a member that sends with another's MAC does not draw its frames to itself.
	struct ndmsg header = {.ndm_family = AF_BRIDGE,
		.ndm_ifindex = entry->link,
		.ndm_state = entry->is_self ? NUD_NOARP | NUD_PERMANENT : NUD_NOARP,
		.ndm_flags = entry->is_self ? NTF_SELF : NTF_MASTER | NTF_STICKY};
	nlmsg_append(added->message, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put(added->message, NDA_LLADDR, sizeof(entry->mac.bytes), entry->mac.bytes);
	if (entry->is_self)
		nla_put(added->message, NDA_DST, entry->tunnel.is_ipv6 ? 16 : 4,
			entry->tunnel.bytes);
}

static int compare_ints(const void *a, const void *b)
{
	int first = *(const int *)a, second = *(const int *)b;
	return first < second ? -1 : first > second;
}

// Those that are there on one of our links and not wanted.
static void remove_others(struct vg_batch *batch, const struct entries *wanted, int *links,
	size_t n_links, const struct vg_kernel_state *state)
{
	qsort(links, n_links, sizeof(*links), compare_ints);
	for (size_t i = 0; i < state->n_entries; i++) {
		const struct vg_kernel_entry *entry = &state->entries[i];
		if (!bsearch(&entry->link, links, n_links, sizeof(*links), compare_ints))
			continue;
		if (!wanted->n_items || !bsearch(entry, wanted->items, wanted->n_items,
						sizeof(*entry), vg_kernel_entry_compare))
			request(batch, RTM_DELNEIGH, entry);
	}
}

struct vg_error *vg_kernel_forward(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state)
{
	_auto(entries) struct entries wanted = {0};
	_auto(vg_batch) struct vg_batch batch = {0};
	if (!wants->n_items)
		return NULL;
	int *links = vg_alloc(wants->n_items * sizeof(*links));
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_kernel_want *item = &wants->items[i];
		links[i] = vg_kernel_link(state, item->name)->index;
		if (item->kind == VG_KERNEL_TAP)
			add(&wanted, links[i], false, &item->port->mac, NULL);
		else if (item->kind == VG_KERNEL_VXLAN)
			add_remotes(&wanted, links[i], item->overlay);
	}
	tidy(&wanted);
	remove_others(&batch, &wanted, links, wants->n_items, state);
	for (size_t i = 0; i < wanted.n_items; i++)
		if (!vg_kernel_has_entry(state, &wanted.items[i]))
			request(&batch, RTM_NEWNEIGH, &wanted.items[i]);
	free(links);
	return vg_batch_send(netlink, &batch);
}
