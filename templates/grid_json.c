// SPDX-License-Identifier: Apache-2.0
#include "templates/grid_json.h"

#include "base/json.h"

// Line and column; the file is the grid's.
static void set_place(struct vg_json *object, struct vg_place place)
{
	struct vg_json *json = vg_json_array();
	vg_json_push(json, vg_json_integer(place.line));
	vg_json_push(json, vg_json_integer(place.column));
	vg_json_set(object, "place", json);
}

static void set_phrase(struct vg_json *object, const char *key, const struct vg_phrase *phrase)
{
	struct vg_json *json = NULL;
	if (phrase->text) {
		json = vg_json_object();
		vg_json_set_string(json, "text", phrase->text);
		set_place(json, phrase->place);
	}
	vg_json_set(object, key, json);
}

static void set_indices(struct vg_json *object, const char *key, const size_t *indices, size_t n)
{
	struct vg_json *json = vg_json_array();
	for (size_t i = 0; i < n; i++)
		vg_json_push(json, vg_json_integer((int64_t)indices[i]));
	vg_json_set(object, key, json);
}

// Sets a new list and is it.
static struct vg_json *set_list(struct vg_json *object, const char *key)
{
	struct vg_json *list = vg_json_array();
	vg_json_set(object, key, list);
	return list;
}

// Pushes a new object and is it.
static struct vg_json *push_object(struct vg_json *list, const char *name, struct vg_place place)
{
	struct vg_json *object = vg_json_object();
	if (name)
		vg_json_set_string(object, "name", name);
	set_place(object, place);
	vg_json_push(list, object);
	return object;
}

static void set_number(struct vg_json *object, const char *key, uint64_t number)
{
	vg_json_set_integer(object, key, (int64_t)number);
}

static void write_images(const struct vg_grid *grid, struct vg_json *json)
{
	struct vg_json *list = set_list(json, "images");
	for (size_t i = 0; i < grid->n_images; i++) {
		const struct vg_image *image = &grid->images[i];
		struct vg_json *object = push_object(list, image->name, image->place);
		set_number(object, "kind", image->kind);
		vg_json_set_string(object, "source", image->source);
		vg_json_set_string(object, "format", image->format);
		vg_json_set_string(object, "sha256", image->sha256);
	}
}

static void write_networks(const struct vg_grid *grid, struct vg_json *json)
{
	struct vg_json *list = set_list(json, "networks");
	for (size_t i = 0; i < grid->n_networks; i++) {
		const struct vg_network *network = &grid->networks[i];
		struct vg_json *object = push_object(list, network->name, network->place);
		char cidr[VG_CIDR_LENGTH];
		vg_cidr_write(&network->cidr, cidr);
		vg_json_set_string(object, "cidr", cidr);
		set_number(object, "mtu", network->mtu);
	}
}

static void write_devices(const struct vg_role *role, struct vg_json *json)
{
	struct vg_json *disks = set_list(json, "disks"), *nics = set_list(json, "nics");
	for (size_t i = 0; i < role->n_disks; i++) {
		const struct vg_disk *disk = &role->disks[i];
		struct vg_json *object = push_object(disks, disk->name, disk->place);
		set_number(object, "size", disk->size);
		vg_json_set_string(object, "mount", disk->mount);
	}
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_nic *nic = &role->nics[i];
		struct vg_json *object = push_object(nics, NULL, nic->place);
		char address[VG_IP_LENGTH];
		vg_ip_write(&nic->address, address);
		set_number(object, "network", nic->network);
		vg_json_set_string(object, "address", nic->has_address ? address : NULL);
		set_number(object, "rate", nic->rate);
	}
}

static void write_texts(const struct vg_role *role, struct vg_json *json)
{
	struct vg_json *environment = set_list(json, "env"), *files = set_list(json, "files");
	for (size_t i = 0; i < role->n_environment; i++) {
		const struct vg_environment *variable = &role->environment[i];
		struct vg_json *object =
			push_object(environment, variable->name, variable->value.place);
		set_phrase(object, "value", &variable->value);
	}
	for (size_t i = 0; i < role->n_files; i++) {
		const struct vg_role_file *file = &role->files[i];
		struct vg_json *object = push_object(files, NULL, file->place);
		vg_json_set_string(object, "path", file->path);
		set_phrase(object, "content", &file->content);
		set_number(object, "mode", file->mode);
	}
	set_phrase(json, "setup", &role->setup);
}

static void write_role(const struct vg_role *role, struct vg_json *json)
{
	vg_json_set_boolean(json, "is_counted", role->is_counted);
	set_number(json, "count", role->count);
	set_number(json, "image", role->image);
	set_number(json, "cpu", role->cpu);
	set_number(json, "cpu_limit", role->cpu_limit);
	set_number(json, "memory", role->memory);
	write_devices(role, json);
	write_texts(role, json);
	struct vg_json *ready = vg_json_object();
	set_number(ready, "kind", role->ready.kind);
	set_phrase(ready, "text", &role->ready.text);
	set_number(ready, "within", role->ready.within);
	vg_json_set(json, "ready", ready);
	set_indices(json, "after", role->after, role->n_after);
	struct vg_json *wish = vg_json_object();
	set_number(wish, "kind", role->wish.kind);
	vg_json_set_string(wish, "label", role->wish.label);
	set_indices(wish, "with", role->wish.with, role->wish.n_with);
	set_indices(wish, "apart", role->wish.apart, role->wish.n_apart);
	set_place(wish, role->wish.place);
	vg_json_set(json, "wish", wish);
}

// What allocation and placement gave. Name, role and index follow from the roles; the name is kept
// for readers of the record.
static void write_nodes(const struct vg_grid *grid, struct vg_json *json)
{
	struct vg_json *list = set_list(json, "nodes");
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		struct vg_json *object = vg_json_object(), *nics = set_list(object, "nics");
		vg_json_push(list, object);
		vg_json_set_string(object, "name", node->name);
		vg_json_set_integer(object, "host", node->host);
		for (size_t k = 0; node->nics && k < vg_node_role(grid, node)->n_nics; k++) {
			struct vg_json *nic = vg_json_object();
			char address[VG_IP_LENGTH], mac[VG_MAC_LENGTH];
			vg_ip_write(&node->nics[k].address, address);
			vg_mac_write(&node->nics[k].mac, mac);
			vg_json_set_string(nic, "address", address);
			vg_json_set_string(nic, "mac", mac);
			vg_json_push(nics, nic);
		}
	}
}

static void write_tests(const struct vg_grid *grid, struct vg_json *json)
{
	struct vg_json *tests = set_list(json, "tests"), *outputs = set_list(json, "outputs");
	for (size_t i = 0; i < grid->n_tests; i++) {
		const struct vg_test *test = &grid->tests[i];
		struct vg_json *object = push_object(tests, test->name, test->place);
		vg_json_set_boolean(object, "is_reach", test->is_reach);
		set_number(object, "role", test->role);
		set_number(object, "network", test->network);
		set_phrase(object, "run", &test->run);
		set_phrase(object, "expect", &test->expect);
		set_number(object, "within", test->within);
	}
	for (size_t i = 0; i < grid->n_outputs; i++) {
		const struct vg_output *output = &grid->outputs[i];
		struct vg_json *object = push_object(outputs, output->name, output->value.place);
		set_phrase(object, "value", &output->value);
	}
}

struct vg_json *vg_grid_to_json(const struct vg_grid *grid)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "file", grid->file);
	vg_json_set_string(json, "name", grid->name);
	vg_json_set_string(json, "description", grid->description);
	vg_json_set_string(json, "profile", grid->profile);
	vg_json_set_string(json, "topology_hash", grid->topology_hash);
	set_number(json, "lease", grid->lease);
	set_place(json, grid->place);
	vg_json_set_string(json, "uuid", grid->uuid);
	vg_json_set_string(json, "identity", grid->identity);
	struct vg_json *parameters = set_list(json, "parameters");
	for (size_t i = 0; i < grid->n_parameters; i++) {
		struct vg_json *object = vg_json_object();
		vg_json_set_string(object, "name", grid->parameters[i].name);
		vg_json_set_string(object, "value", grid->parameters[i].value);
		vg_json_push(parameters, object);
	}
	write_images(grid, json);
	write_networks(grid, json);
	struct vg_json *roles = set_list(json, "roles");
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_role *role = &grid->roles[i];
		write_role(role, push_object(roles, role->name, role->place));
	}
	write_nodes(grid, json);
	write_tests(grid, json);
	return json;
}
