// SPDX-License-Identifier: Apache-2.0
#include "compute/seed.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "compute/cloudinit.h"
#include "compute/facts.h"
#include "compute/seed_format.h"
#include "compute/seed_iso.h"
#include "templates/grid.h"

enum { ENTROPY_SIZE = 64 };

// What is being gathered for one node.
struct seed {
	struct vg_seed_file *files; // what the node shall have, in the order of writing
	size_t n_files;
	struct vg_iso_file *contents; // files of the image
	size_t n_contents;
	struct vg_text index;
	char *grid_key, *host_key; // the public ones, as lines of a file
};

static void seed_done(struct seed *seed)
{
	for (size_t i = 0; i < seed->n_contents; i++) {
		free(seed->contents[i].name);
		explicit_bzero(seed->contents[i].bytes, seed->contents[i].size);
		free(seed->contents[i].bytes);
	}
	free(seed->files);
	free(seed->contents);
	vg_text_done(&seed->index);
	free(seed->grid_key);
	free(seed->host_key);
}

static void add_field(struct vg_text *line, const char *text)
{
	vg_text_add(line, " ");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c > ' ' && c < 0x7f && c != '%')
			vg_text_add_bytes(line, &c, 1);
		else
			vg_text_addf(line, "%%%02X", c);
	}
}

// Takes the bytes.
static void add_content(struct seed *seed, char *name, char *bytes, size_t size)
{
	vg_append(seed->contents, seed->n_contents) =
		(struct vg_iso_file){.name = name, .bytes = bytes, .size = size};
}

// A content of the plain form; its name goes into the index.
static void add_plain(struct seed *seed, const char *bytes, size_t size)
{
	_auto(vg_string) char *number = vg_format("%zu", seed->n_contents);
	char *copy = vg_alloc(size + 1);
	memcpy(copy, bytes, size);
	add_field(&seed->index, number);
	add_content(seed, vg_format(VG_SEED_FOLDER "/%s", number), copy, size);
}

static void add_file(struct seed *seed, const char *path, unsigned mode, const char *content)
{
	vg_append(seed->files, seed->n_files) = (struct vg_seed_file){
		.path = path, .mode = mode, .content = content, .size = strlen(content)};
}

// For `.` of a shell: NAME='value' with each ' as '\''.
static struct vg_error *write_environment(
	const struct vg_grid *grid, const struct vg_node *node, char **ret_text)
{
	const struct vg_role *role = vg_node_role(grid, node);
	struct vg_text text = {0};
	for (size_t i = 0; i < role->n_environment; i++) {
		const char *name = role->environment[i].name, *at = name;
		while (*at && (*at == '_' || isalnum((unsigned char)*at)))
			at++;
		if (*at || at == name || isdigit((unsigned char)*name)) {
			vg_text_done(&text);
			return vg_error_at(role->environment[i].value.place,
				"'%s' is no name for an environment variable", name);
		}
		vg_text_addf(&text, "%s='", name);
		for (at = node->environment[i]; *at; at++) {
			if (*at == '\'')
				vg_text_add(&text, "'\\''");
			else
				vg_text_add_bytes(&text, at, 1);
		}
		vg_text_add(&text, "'\n");
	}
	*ret_text = vg_text_take(&text);
	return NULL;
}

// What any kind of node gets as a file. The user's own come last: they win.
static void gather_files(struct seed *seed, const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_facts *facts, const char *environment)
{
	const struct vg_role *role = vg_node_role(grid, node);
	for (size_t i = 0; i < VG_SHARED_FILES; i++) {
		const struct vg_shared_file *file = &facts->files[i];
		vg_append(seed->files, seed->n_files) = (struct vg_seed_file){.path = file->path,
			.mode = file->mode,
			.content = file->content,
			.size = file->size,
			.base64 = file->base64};
	}
	add_file(seed, "/etc/vgrid/env", 0600, environment);
	add_file(seed, "/root/.ssh/id_ed25519", 0600, facts->private_key);
	add_file(seed, "/root/.ssh/id_ed25519.pub", 0644, seed->grid_key);
	for (size_t i = 0; i < role->n_files; i++)
		add_file(seed, role->files[i].path, role->files[i].mode, node->contents[i]);
}

static void index_nics(struct seed *seed, const struct vg_grid *grid, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(grid, node);
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_network *network = &grid->networks[role->nics[i].network];
		char mac[VG_MAC_LENGTH], ip[VG_IP_LENGTH];
		vg_mac_write(&node->nics[i].mac, mac);
		vg_ip_write(&node->nics[i].address, ip);
		vg_text_addf(&seed->index, "nic %s %u %s/%u\n", mac, network->mtu, ip,
			network->cidr.prefix);
	}
}

static void index_file(struct seed *seed, const struct vg_seed_file *file)
{
	vg_text_addf(&seed->index, "file %o", file->mode);
	add_field(&seed->index, file->path);
	add_plain(seed, file->content, file->size);
	vg_text_add(&seed->index, "\n");
}

// The plain form. Its order is that of applying.
static void write_index(struct seed *seed, const struct vg_grid *grid, const struct vg_node *node,
	char *const host_key[2], const char *instance, const uint8_t entropy[ENTROPY_SIZE])
{
	const struct vg_role *role = vg_node_role(grid, node);
	const struct vg_seed_file own[] = {
		{.path = "/etc/ssh/ssh_host_ed25519_key", .mode = 0600, .content = host_key[1]},
		{.path = "/etc/ssh/ssh_host_ed25519_key.pub",
			.mode = 0644,
			.content = seed->host_key},
		{.path = "/root/.ssh/authorized_keys", .mode = 0600, .content = seed->grid_key},
	};
	vg_text_addf(
		&seed->index, "vgrid-seed %d\ninstance %s\nhostname", VG_SEED_VERSION, instance);
	add_field(&seed->index, node->name);
	vg_text_add(&seed->index, "\nentropy");
	add_plain(seed, (const char *)entropy, ENTROPY_SIZE);
	vg_text_add(&seed->index, "\n");
	index_nics(seed, grid, node);
	for (size_t i = 0; i < role->n_environment; i++) {
		vg_text_add(&seed->index, "env");
		add_field(&seed->index, role->environment[i].name);
		add_field(&seed->index, node->environment[i]);
		vg_text_add(&seed->index, "\n");
	}
	// Disks before files: a file may lie on one.
	for (size_t i = 0; i < role->n_disks; i++) {
		if (!role->disks[i].mount)
			continue;
		vg_text_add(&seed->index, "disk");
		add_field(&seed->index, role->disks[i].name);
		add_field(&seed->index, role->disks[i].mount);
		vg_text_add(&seed->index, "\n");
	}
	for (size_t i = 0; i < VG_LENGTH(own); i++) {
		struct vg_seed_file file = own[i];
		file.size = strlen(file.content);
		index_file(seed, &file);
	}
	for (size_t i = 0; i < seed->n_files; i++)
		index_file(seed, &seed->files[i]);
	if (node->setup) {
		vg_text_add(&seed->index, "setup");
		add_plain(seed, node->setup, strlen(node->setup));
		vg_text_add(&seed->index, "\n");
	}
	vg_text_add(&seed->index, "end\n");
}

// Changes when anything does that the node shall have: then cloud-init and the guest program apply
// the seed again on the next boot. Of shared files the hash is at hand.
static void derive_instance(const struct seed *seed, const struct vg_grid *grid,
	const struct vg_node *node, const struct vg_facts *facts, char *const host_key[2],
	char ret_instance[VG_UUID_LENGTH])
{
	struct vg_text text = {0};
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_string) char *network = vg_cloudinit_network(grid, node);
	for (size_t i = 0; i < seed->n_files; i++) {
		char hash[VG_SHA256_HEX];
		if (i < VG_SHARED_FILES)
			memcpy(hash, facts->files[i].sha256, sizeof(hash));
		else
			vg_sha256_hex(seed->files[i].content, seed->files[i].size, hash);
		vg_text_addf(&text, "%o %zu %s %s\n", seed->files[i].mode,
			strlen(seed->files[i].path), seed->files[i].path, hash);
	}
	for (size_t i = 0; i < role->n_disks; i++)
		if (role->disks[i].mount)
			vg_text_addf(&text, "disk %s %zu %s\n", role->disks[i].name,
				strlen(role->disks[i].mount), role->disks[i].mount);
	vg_text_addf(&text, "%s\n%s\n%s\n%s", host_key[0], facts->public_key, network,
		node->setup ? node->setup : "");
	char hash[VG_SHA256_HEX];
	vg_sha256_hex(text.bytes, text.length, hash);
	_auto(vg_string) char *name = vg_format("seed/%s/%s", node->name, hash);
	vg_uuid_derive(grid->identity, name, ret_instance);
	vg_text_done(&text);
}

static void add_text(struct seed *seed, const char *name, char *text)
{
	add_content(seed, vg_strdup(name), text, strlen(text));
}

struct vg_error *vg_seed_build(const struct vg_grid *grid, const struct vg_node *node,
	const uint8_t secret[VG_SECRET_SIZE], const struct vg_facts *facts, uint8_t **ret_bytes,
	size_t *ret_size)
{
	char *host_key[2], instance[VG_UUID_LENGTH];
	assert(facts->is_complete);
	_auto(vg_string) char *environment = NULL;
	struct vg_error *error = write_environment(grid, node, &environment);
	if (error)
		return error;
	struct seed seed = {0};
	uint8_t entropy[ENTROPY_SIZE];
	vg_facts_host_key(node->name, secret, &host_key[0], &host_key[1]);
	seed.grid_key = vg_format("%s\n", facts->public_key);
	seed.host_key = vg_format("%s\n", host_key[0]);
	gather_files(&seed, grid, node, facts, environment);
	derive_instance(&seed, grid, node, facts, host_key, instance);
	_auto(vg_string) char *purpose =
		vg_format("entropy/%s/%s/%s", grid->uuid, node->name, instance);
	vg_hkdf(secret, purpose, entropy, sizeof(entropy));
	write_index(&seed, grid, node, host_key, instance, entropy);
	add_text(&seed, VG_SEED_FOLDER "/" VG_SEED_INDEX, vg_text_take(&seed.index));
	add_text(&seed, "meta-data", vg_cloudinit_meta_data(node, instance));
	add_text(&seed, "network-config", vg_cloudinit_network(grid, node));
	add_text(&seed, "user-data",
		vg_cloudinit_user_data(grid, node, facts, host_key, seed.files, seed.n_files));
	error = vg_iso_build(VG_SEED_VOLUME, seed.contents, seed.n_contents, ret_bytes, ret_size);
	seed_done(&seed);
	explicit_bzero(entropy, sizeof(entropy));
	free(host_key[0]);
	vg_secret_free(host_key[1]);
	return vg_error_while(error, "building the seed of node '%s'", node->name);
}
