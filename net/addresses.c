// SPDX-License-Identifier: Apache-2.0
#include "net/addresses.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/map.h"

enum { FIRST_NUMBER = 2 }; // 0 is the network's address, 1 the gateway's

// A nic of a node on the network at hand.
struct member {
	const struct vg_node *node;
	const struct vg_nic *nic;
	struct vg_nic_binding *binding;
	bool has_number, was_kept;
	uint64_t number; // within the network's block
};

struct members {
	struct member *items;
	size_t n_items;
};

static char *join(const char *node, const char *network)
{
	return vg_format("%s/%s", node, network);
}

// The last number a node can have. The block may have no room at all.
static uint64_t last_number(const struct vg_network *network)
{
	return FIRST_NUMBER + vg_cidr_room(&network->cidr) - 1;
}

static bool is_for_nodes(const struct vg_network *network, uint64_t number)
{
	return number >= FIRST_NUMBER && number <= last_number(network);
}

// All members of all networks, in template order; one list a network.
static struct members *collect(struct vg_grid *grid)
{
	struct members *members = vg_alloc(sizeof(*members) * (grid->n_networks + 1));
	for (size_t i = 0; i < grid->n_nodes; i++) {
		struct vg_node *node = &grid->nodes[i];
		const struct vg_role *role = vg_node_role(grid, node);
		node->nics = vg_arena_alloc(grid->arena, sizeof(*node->nics) * (role->n_nics + 1));
		for (size_t j = 0; j < role->n_nics; j++) {
			struct members *list = &members[role->nics[j].network];
			vg_append(list->items, list->n_items) = (struct member){
				.node = node, .nic = &role->nics[j], .binding = &node->nics[j]};
		}
	}
	return members;
}

// Which member has which number. Numbers are written as text: the map knows strings only.
static struct member *holder(const struct vg_map *taken, uint64_t number, char key[21])
{
	snprintf(key, 21, "%llu", (unsigned long long)number);
	return vg_map_get(taken, key);
}

static struct vg_error *honour_pin(
	const struct vg_network *network, struct member *member, struct vg_map *taken)
{
	const struct vg_nic *nic = member->nic;
	char text[VG_IP_LENGTH], block[VG_CIDR_LENGTH], key[21];
	vg_ip_write(&nic->address, text);
	vg_cidr_write(&network->cidr, block);
	uint64_t number = vg_cidr_number(&network->cidr, &nic->address);
	if (number == UINT64_MAX)
		return vg_error_at(nic->place, "address '%s' lies outside of network '%s' (%s)",
			text, network->name, block);
	if (!is_for_nodes(network, number))
		return vg_error_at(nic->place,
			"address '%s' is the %s of network '%s' (%s): no node can have it", text,
			number == 0   ? "base"
			: number == 1 ? "gateway"
				      : "broadcast address",
			network->name, block);
	const struct member *other = holder(taken, number, key);
	if (other)
		return vg_error_at(nic->place,
			"address '%s' of node '%s' on network '%s' is taken by node '%s'", text,
			member->node->name, network->name, other->node->name);
	vg_map_set(taken, key, member);
	member->has_number = true;
	member->number = number;
	return NULL;
}

static void keep(const struct vg_network *network, struct member *member,
	const struct vg_map *kept_by_name, struct vg_map *taken)
{
	_auto(vg_string) char *name = join(member->node->name, network->name);
	const struct vg_address_kept *kept = vg_map_get(kept_by_name, name);
	char key[21];
	if (!kept)
		return;
	member->was_kept = true;
	uint64_t number = vg_cidr_number(&network->cidr, &kept->address);
	if (member->has_number || !is_for_nodes(network, number) || holder(taken, number, key))
		return;
	vg_map_set(taken, key, member);
	member->has_number = true;
	member->number = number;
}

static struct vg_error *give_addresses(const struct vg_network *network, struct members *members,
	const struct vg_map *kept_by_name)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	struct vg_error *error = NULL;
	char key[21];
	for (size_t i = 0; i < members->n_items && !error; i++)
		if (members->items[i].nic->has_address)
			error = honour_pin(network, &members->items[i], taken);
	if (error)
		return error;
	for (size_t i = 0; i < members->n_items; i++)
		keep(network, &members->items[i], kept_by_name, taken);
	// What was given out lies behind, so the search never goes back.
	uint64_t lowest = FIRST_NUMBER;
	for (size_t i = 0; i < members->n_items; i++) {
		struct member *member = &members->items[i];
		while (!member->has_number && holder(taken, lowest, key))
			lowest++;
		if (!member->has_number && lowest > last_number(network)) {
			char block[VG_CIDR_LENGTH];
			vg_cidr_write(&network->cidr, block);
			return vg_error_at(network->place,
				"network '%s' (%s) is full: it has room for %llu nodes and %zu "
				"want an address",
				network->name, block,
				(unsigned long long)vg_cidr_room(&network->cidr), members->n_items);
		}
		if (!member->has_number)
			member->number = lowest++;
		vg_cidr_address(&network->cidr, member->number, &member->binding->address);
	}
	return NULL;
}

// Locally administered and unicast (IEEE 802, 8.2.2); the other five bytes are a hash.
static struct vg_mac derive_mac(
	const char *identity, const char *node, const char *network, unsigned attempt)
{
	_auto(vg_string) char *text =
		vg_format("mac/%s/%s/%s/%u", identity, node, network, attempt);
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(text, strlen(text), hex);
	hex[10] = '\0';
	uint64_t hash = strtoull(hex, NULL, 16);
	struct vg_mac mac = {.bytes = {0x02}};
	for (int i = 5; i > 0; i--, hash >>= 8)
		mac.bytes[i] = (uint8_t)hash;
	return mac;
}

static void give_mac(const struct vg_network *network, struct member *member, const char *identity,
	struct vg_map *taken)
{
	char text[VG_MAC_LENGTH];
	unsigned attempt = 0;
	do {
		member->binding->mac =
			derive_mac(identity, member->node->name, network->name, attempt++);
		vg_mac_write(&member->binding->mac, text);
	} while (vg_map_has(taken, text));
	vg_map_set(taken, text, member);
}

// Nodes that were there before choose first, so that a new one does not change their MACs.
static void give_macs(
	const struct vg_network *network, struct members *members, const char *identity)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	for (int is_new = 0; is_new < 2; is_new++)
		for (size_t i = 0; i < members->n_items; i++)
			if (members->items[i].was_kept == !is_new)
				give_mac(network, &members->items[i], identity, taken);
}

struct vg_error *vg_addresses_allocate(struct vg_grid *grid, const char *identity,
	const struct vg_address_kept *kept, size_t n_kept)
{
	_auto(vg_map) struct vg_map *kept_by_name = vg_map_new();
	for (size_t i = 0; i < n_kept; i++) {
		_auto(vg_string) char *name = join(kept[i].node, kept[i].network);
		vg_map_set(kept_by_name, name, (void *)&kept[i]);
	}
	struct members *members = collect(grid);
	struct vg_error *error = NULL;
	for (size_t i = 0; i < grid->n_networks && !error; i++) {
		error = give_addresses(&grid->networks[i], &members[i], kept_by_name);
		if (!error)
			give_macs(&grid->networks[i], &members[i], identity);
	}
	for (size_t i = 0; i < grid->n_networks; i++)
		free(members[i].items);
	free(members);
	return error;
}
