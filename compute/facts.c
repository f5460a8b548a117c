// SPDX-License-Identifier: Apache-2.0
#include "compute/facts.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "templates/grid.h"

static void derive_key(const uint8_t secret[VG_SECRET_SIZE], const char *purpose,
	const char *comment, char **ret_public, char **ret_private)
{
	uint8_t seed[32];
	vg_hkdf(secret, purpose, seed, sizeof(seed));
	vg_ssh_key(seed, comment, ret_public, ret_private);
	explicit_bzero(seed, sizeof(seed));
}

void vg_facts_grid_key(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE],
	char **ret_public, char **ret_private)
{
	_auto(vg_string) char *comment = vg_format("vgrid:%s", grid->name);
	derive_key(secret, "ssh/grid", comment, ret_public, ret_private);
}

void vg_facts_host_key(const char *node, const uint8_t secret[VG_SECRET_SIZE], char **ret_public,
	char **ret_private)
{
	_auto(vg_string) char *purpose = vg_format("ssh/host/%s", node);
	derive_key(secret, purpose, node, ret_public, ret_private);
}

static const char *network_name(const struct vg_grid *grid, const struct vg_node *node, size_t nic)
{
	return grid->networks[vg_node_role(grid, node)->nics[nic].network].name;
}

// The bare name goes with the first nic's address; NAME.NETWORK says which one is meant.
static char *write_hosts(const struct vg_grid *grid)
{
	struct vg_text text = {0};
	vg_text_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		for (size_t j = 0; j < vg_node_role(grid, node)->n_nics; j++) {
			char address[VG_IP_LENGTH];
			vg_ip_write(&node->nics[j].address, address);
			vg_text_addf(&text, "%s %s%s%s.%s\n", address, j == 0 ? node->name : "",
				j == 0 ? " " : "", node->name, network_name(grid, node, j));
		}
	}
	return vg_text_take(&text);
}

// sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
static char *write_known_hosts(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE])
{
	struct vg_text text = {0};
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		_auto(vg_string) char *public_key = NULL;
		char *private_key;
		vg_facts_host_key(node->name, secret, &public_key, &private_key);
		vg_secret_free(private_key);
		vg_text_add(&text, node->name);
		for (size_t j = 0; j < vg_node_role(grid, node)->n_nics; j++) {
			char address[VG_IP_LENGTH];
			vg_ip_write(&node->nics[j].address, address);
			vg_text_addf(&text, ",%s.%s,%s", node->name, network_name(grid, node, j),
				address);
		}
		vg_text_addf(&text, " %s\n", public_key);
	}
	return vg_text_take(&text);
}

static struct vg_json *describe_node(const struct vg_grid *grid, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(grid, node);
	struct vg_json *json = vg_json_object(), *addresses = vg_json_object();
	vg_json_set_string(json, "name", node->name);
	vg_json_set_string(json, "role", role->name);
	vg_json_set_integer(json, "index", node->index);
	for (size_t i = 0; i < role->n_nics; i++) {
		char address[VG_IP_LENGTH];
		vg_ip_write(&node->nics[i].address, address);
		vg_json_set_string(addresses, network_name(grid, node, i), address);
	}
	vg_json_set(json, "addresses", addresses);
	return json;
}

static char *write_grid(const struct vg_grid *grid)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	struct vg_json *networks = vg_json_array(), *roles = vg_json_array(),
		       *nodes = vg_json_array();
	for (size_t i = 0; i < grid->n_networks; i++) {
		struct vg_json *network = vg_json_object();
		char cidr[VG_CIDR_LENGTH];
		vg_cidr_write(&grid->networks[i].cidr, cidr);
		vg_json_set_string(network, "name", grid->networks[i].name);
		vg_json_set_string(network, "cidr", cidr);
		vg_json_set_integer(network, "mtu", grid->networks[i].mtu);
		vg_json_push(networks, network);
	}
	for (size_t i = 0; i < grid->n_roles; i++) {
		struct vg_json *role = vg_json_object();
		vg_json_set_string(role, "name", grid->roles[i].name);
		vg_json_set_integer(role, "count", grid->roles[i].count);
		vg_json_push(roles, role);
	}
	for (size_t i = 0; i < grid->n_nodes; i++)
		vg_json_push(nodes, describe_node(grid, &grid->nodes[i]));
	vg_json_set_integer(json, "version", 1);
	vg_json_set_string(json, "name", grid->name);
	vg_json_set_string(json, "uuid", grid->uuid);
	vg_json_set(json, "networks", networks);
	vg_json_set(json, "roles", roles);
	vg_json_set(json, "nodes", nodes);
	return vg_json_write_pretty(json);
}

static struct vg_shared_file share(const char *path, char *content)
{
	struct vg_shared_file file = {
		.path = path, .mode = 0644, .content = content, .size = strlen(content)};
	file.base64 = vg_base64_encode(content, file.size);
	vg_sha256_hex(content, file.size, file.sha256);
	return file;
}

// Names, addresses and networks are all in grid.json, the keys derive from names and the secret, and
// the formats are those of this program.
struct vg_facts *vg_facts_draft(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE])
{
	enum { FORMATS = 1 };
	struct vg_facts *facts = vg_new(struct vg_facts);
	uint8_t mark[VG_SHA256_SIZE];
	char hex[VG_SHA256_HEX];
	_auto(vg_text) struct vg_text text = {0};
	_auto(vg_string) char *described = write_grid(grid);
	vg_hkdf(secret, "facts/version", mark, sizeof(mark));
	vg_text_addf(&text, "%d\n", FORMATS);
	vg_text_add_bytes(&text, mark, sizeof(mark));
	vg_text_add(&text, described);
	vg_sha256_hex(text.bytes, text.length, hex);
	memcpy(facts->version, hex, VG_FACTS_VERSION - 1);
	return facts;
}

void vg_facts_complete(struct vg_facts *facts, const struct vg_grid *grid,
	const uint8_t secret[VG_SECRET_SIZE])
{
	if (facts->is_complete)
		return;
	facts->files[VG_SHARED_HOSTS] = share("/etc/hosts", write_hosts(grid));
	facts->files[VG_SHARED_KNOWN_HOSTS] =
		share("/etc/ssh/ssh_known_hosts", write_known_hosts(grid, secret));
	facts->files[VG_SHARED_GRID] = share("/etc/vgrid/grid.json", write_grid(grid));
	vg_facts_grid_key(grid, secret, &facts->public_key, &facts->private_key);
	facts->is_complete = true;
}

struct vg_facts *vg_facts_new(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE])
{
	struct vg_facts *facts = vg_facts_draft(grid, secret);
	vg_facts_complete(facts, grid, secret);
	return facts;
}

void vg_facts_free(struct vg_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < VG_SHARED_FILES; i++) {
		free(facts->files[i].content);
		free(facts->files[i].base64);
	}
	free(facts->public_key);
	vg_secret_free(facts->private_key);
	free(facts);
}
