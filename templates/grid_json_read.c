// SPDX-License-Identifier: Apache-2.0
#include "templates/grid_json.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "templates/bind.h"

// A list in a record never needs more room; one that would is no record.
enum { NODES_MAX = 1000000, LIST_SIZE_MAX = 256 << 20 };

// The first error stays; after it every getter yields nothing, and the caller looks once at the
// end.
struct reader {
	struct vg_grid *grid;
	struct vg_text path; // of the object that is being read
	struct vg_error *error;
};

static void fail(struct reader *reader, const char *key, const char *what)
{
	if (!reader->error)
		reader->error = vg_error_new("the record of a grid: %s%s%s: %s",
			reader->path.bytes ? reader->path.bytes : "",
			reader->path.length ? "." : "", key, what);
}

static const char *text_of(
	struct reader *reader, const struct vg_json *object, const char *key, bool is_required)
{
	const struct vg_json *json = vg_json_get(object, key);
	if (!json && !is_required)
		return NULL;
	if (!vg_json_is_string(json)) {
		fail(reader, key, "no text");
		return "";
	}
	return vg_arena_strdup(reader->grid->arena, vg_json_text(json, ""));
}

static const char *get_text(struct reader *reader, const struct vg_json *object, const char *key)
{
	return text_of(reader, object, key, true);
}

static const char *get_option(struct reader *reader, const struct vg_json *object, const char *key)
{
	return text_of(reader, object, key, false);
}

static uint64_t get_number(
	struct reader *reader, const struct vg_json *object, const char *key, uint64_t max)
{
	const struct vg_json *json = vg_json_get(object, key);
	int64_t number = vg_json_number(json, -1);
	if (!vg_json_is_integer(json) || number < 0 || (uint64_t)number > max) {
		fail(reader, key, "no number, or out of its range");
		return 0;
	}
	return (uint64_t)number;
}

// An index into something that has n entries.
static size_t get_index(
	struct reader *reader, const struct vg_json *object, const char *key, size_t n)
{
	if (n == 0) {
		fail(reader, key, "an index into nothing");
		return 0;
	}
	return (size_t)get_number(reader, object, key, n - 1);
}

static bool get_boolean(struct reader *reader, const struct vg_json *object, const char *key)
{
	bool value = vg_json_get_boolean(object, key, false);
	if (value != vg_json_get_boolean(object, key, true))
		fail(reader, key, "no boolean");
	return value;
}

static struct vg_place get_place(struct reader *reader, const struct vg_json *object)
{
	const struct vg_json *json = vg_json_get(object, "place");
	int64_t line = vg_json_number(vg_json_at(json, 0), -1);
	int64_t column = vg_json_number(vg_json_at(json, 1), -1);
	if (!vg_json_is_array(json) || line < 0 || line > INT32_MAX || column < 0 ||
		column > INT32_MAX)
		fail(reader, "place", "no line and column");
	return (struct vg_place){reader->grid->file, (unsigned)line, (unsigned)column};
}

static struct vg_phrase get_phrase(
	struct reader *reader, const struct vg_json *object, const char *key, bool is_required)
{
	const struct vg_json *json = vg_json_get(object, key);
	if (!json && !is_required)
		return (struct vg_phrase){0};
	if (!vg_json_is_object(json)) {
		fail(reader, key, "no text with its place");
		return (struct vg_phrase){0};
	}
	return (struct vg_phrase){get_text(reader, json, "text"), get_place(reader, json)};
}

static const struct vg_json *get_object(
	struct reader *reader, const struct vg_json *object, const char *key)
{
	const struct vg_json *json = vg_json_get(object, key);
	if (!vg_json_is_object(json))
		fail(reader, key, "no object");
	return json;
}

// A list of objects, and zeroed room for as many of `size` bytes.
static void *get_list(struct reader *reader, const struct vg_json *object, const char *key,
	size_t size, size_t *ret_n, const struct vg_json **ret_list)
{
	const struct vg_json *list = vg_json_get(object, key);
	if (!vg_json_is_array(list))
		fail(reader, key, "no list");
	else if (vg_json_length(list) > LIST_SIZE_MAX / size)
		fail(reader, key, "a list too long");
	*ret_n = reader->error ? 0 : vg_json_length(list);
	*ret_list = list;
	return vg_arena_alloc(reader->grid->arena, *ret_n * size);
}

static size_t enter(struct reader *reader, const char *key, size_t i)
{
	size_t length = reader->path.length;
	vg_text_addf(&reader->path, "%s%s[%zu]", length ? "." : "", key, i);
	return length;
}

static void leave(struct reader *reader, size_t length)
{
	reader->path.length = length;
	reader->path.bytes[length] = '\0';
}

static size_t *get_indices(struct reader *reader, const struct vg_json *object, const char *key,
	size_t n_roles, size_t *ret_n)
{
	const struct vg_json *list;
	size_t *indices = get_list(reader, object, key, sizeof(*indices), ret_n, &list);
	for (size_t i = 0; i < *ret_n; i++) {
		int64_t index = vg_json_number(vg_json_at(list, i), -1);
		if (index < 0 || (uint64_t)index >= n_roles)
			fail(reader, key, "no index of a role");
		else
			indices[i] = (size_t)index;
	}
	return indices;
}

// Reads an address or a block; the reader's own words are enough.
static void take(struct reader *reader, const char *key, struct vg_error *error)
{
	if (error)
		fail(reader, key, vg_error_message(error));
	vg_error_free(error);
}

static void read_images(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	grid->images =
		get_list(reader, json, "images", sizeof(*grid->images), &grid->n_images, &list);
	for (size_t i = 0; i < grid->n_images; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		size_t length = enter(reader, "images", i);
		grid->images[i] = (struct vg_image){
			.name = get_text(reader, object, "name"),
			.place = get_place(reader, object),
			.kind = (enum vg_image_kind)get_number(
				reader, object, "kind", VG_IMAGE_RBD),
			.source = get_text(reader, object, "source"),
			.format = get_option(reader, object, "format"),
			.sha256 = get_option(reader, object, "sha256"),
		};
		leave(reader, length);
	}
}

static void read_networks(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	grid->networks = get_list(
		reader, json, "networks", sizeof(*grid->networks), &grid->n_networks, &list);
	for (size_t i = 0; i < grid->n_networks; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		struct vg_network *network = &grid->networks[i];
		size_t length = enter(reader, "networks", i);
		network->name = get_text(reader, object, "name");
		network->place = get_place(reader, object);
		network->mtu = (unsigned)get_number(reader, object, "mtu", 65535);
		take(reader, "cidr",
			vg_cidr_read(get_text(reader, object, "cidr"), &network->cidr));
		leave(reader, length);
	}
}

static void read_disks(struct reader *reader, const struct vg_json *json, struct vg_role *role)
{
	const struct vg_json *list;
	role->disks = get_list(reader, json, "disks", sizeof(*role->disks), &role->n_disks, &list);
	for (size_t i = 0; i < role->n_disks; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		size_t length = enter(reader, "disks", i);
		role->disks[i] = (struct vg_disk){
			.name = get_text(reader, object, "name"),
			.place = get_place(reader, object),
			.size = get_number(reader, object, "size", INT64_MAX),
			.mount = get_option(reader, object, "mount"),
		};
		leave(reader, length);
	}
}

static void read_nics(struct reader *reader, const struct vg_json *json, struct vg_role *role)
{
	const struct vg_json *list;
	role->nics = get_list(reader, json, "nics", sizeof(*role->nics), &role->n_nics, &list);
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		struct vg_nic *nic = &role->nics[i];
		size_t length = enter(reader, "nics", i);
		nic->network = get_index(reader, object, "network", reader->grid->n_networks);
		nic->place = get_place(reader, object);
		nic->rate = get_number(reader, object, "rate", INT64_MAX);
		const char *address = get_option(reader, object, "address");
		nic->has_address = address != NULL;
		if (address)
			take(reader, "address", vg_ip_read(address, &nic->address));
		leave(reader, length);
	}
}

static void read_texts(struct reader *reader, const struct vg_json *json, struct vg_role *role)
{
	const struct vg_json *list;
	role->environment = get_list(
		reader, json, "env", sizeof(*role->environment), &role->n_environment, &list);
	for (size_t i = 0; i < role->n_environment; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		size_t length = enter(reader, "env", i);
		role->environment[i] = (struct vg_environment){get_text(reader, object, "name"),
			get_phrase(reader, object, "value", true)};
		leave(reader, length);
	}
	role->files = get_list(reader, json, "files", sizeof(*role->files), &role->n_files, &list);
	for (size_t i = 0; i < role->n_files; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		size_t length = enter(reader, "files", i);
		role->files[i] = (struct vg_role_file){
			.path = get_text(reader, object, "path"),
			.place = get_place(reader, object),
			.content = get_phrase(reader, object, "content", true),
			.mode = (unsigned)get_number(reader, object, "mode", 07777),
		};
		leave(reader, length);
	}
	role->setup = get_phrase(reader, json, "setup", false);
}

static void read_role(struct reader *reader, const struct vg_json *json, struct vg_role *role)
{
	const struct vg_grid *grid = reader->grid;
	role->name = get_text(reader, json, "name");
	role->place = get_place(reader, json);
	role->is_counted = get_boolean(reader, json, "is_counted");
	role->count = (unsigned)get_number(reader, json, "count", NODES_MAX);
	if (!role->is_counted && role->count != 1)
		fail(reader, "count", "a role without a count has one node");
	role->image = get_index(reader, json, "image", grid->n_images);
	role->cpu = (unsigned)get_number(reader, json, "cpu", INT32_MAX);
	role->cpu_limit = (unsigned)get_number(reader, json, "cpu_limit", INT32_MAX);
	role->memory = get_number(reader, json, "memory", INT64_MAX);
	read_disks(reader, json, role);
	read_nics(reader, json, role);
	read_texts(reader, json, role);
	const struct vg_json *ready = get_object(reader, json, "ready");
	role->ready.kind = (enum vg_ready_kind)get_number(reader, ready, "kind", VG_READY_CONSOLE);
	role->ready.text = get_phrase(reader, ready, "text", role->ready.kind != VG_READY_AGENT);
	role->ready.within = get_number(reader, ready, "within", INT64_MAX);
	role->after = get_indices(reader, json, "after", grid->n_roles, &role->n_after);
	const struct vg_json *wish = get_object(reader, json, "wish");
	role->wish.kind = (enum vg_place_kind)get_number(reader, wish, "kind", VG_PLACE_SPREAD);
	role->wish.label = get_text(reader, wish, "label");
	role->wish.with = get_indices(reader, wish, "with", grid->n_roles, &role->wish.n_with);
	role->wish.apart = get_indices(reader, wish, "apart", grid->n_roles, &role->wish.n_apart);
	role->wish.place = get_place(reader, wish);
}

static void read_roles(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	grid->roles = get_list(reader, json, "roles", sizeof(*grid->roles), &grid->n_roles, &list);
	for (size_t i = 0; i < grid->n_roles; i++) {
		size_t length = enter(reader, "roles", i);
		read_role(reader, vg_json_at(list, i), &grid->roles[i]);
		leave(reader, length);
	}
}

static void read_node(struct reader *reader, const struct vg_json *json, struct vg_node *node,
	size_t role_index, unsigned index)
{
	const struct vg_role *role = &reader->grid->roles[role_index];
	const struct vg_json *list = vg_json_get(json, "nics");
	*node = (struct vg_node){.role = role_index, .index = index};
	node->name = role->is_counted
			     ? vg_arena_format(reader->grid->arena, "%s-%u", role->name, index)
			     : role->name;
	if (!vg_text_equal(vg_json_get_string(json, "name", NULL), node->name))
		fail(reader, "name", "not the name that its role gives it");
	int64_t host = vg_json_get_integer(json, "host", INT64_MAX);
	if (host < VG_HOST_NONE || host > INT32_MAX)
		fail(reader, "host", "no number, or out of its range");
	else
		node->host = (int)host;
	node->nics = vg_arena_alloc(reader->grid->arena, role->n_nics * sizeof(*node->nics));
	if (!vg_json_is_array(list) || vg_json_length(list) != role->n_nics)
		fail(reader, "nics", "not as many as its role has");
	for (size_t i = 0; i < role->n_nics && !reader->error; i++) {
		const struct vg_json *nic = vg_json_at(list, i);
		take(reader, "nics.address",
			vg_ip_read(get_text(reader, nic, "address"), &node->nics[i].address));
		take(reader, "nics.mac",
			vg_mac_read(get_text(reader, nic, "mac"), &node->nics[i].mac));
	}
}

static void read_nodes(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	size_t n_wanted = 0;
	for (size_t i = 0; i < grid->n_roles; i++) {
		grid->roles[i].first_node = n_wanted;
		n_wanted += grid->roles[i].count;
	}
	grid->nodes = get_list(reader, json, "nodes", sizeof(*grid->nodes), &grid->n_nodes, &list);
	if (grid->n_nodes != n_wanted)
		fail(reader, "nodes", "not as many as the roles have");
	for (size_t i = 0; i < grid->n_roles; i++) {
		for (unsigned k = 0; k < grid->roles[i].count && !reader->error; k++) {
			size_t at = grid->roles[i].first_node + k;
			size_t length = enter(reader, "nodes", at);
			read_node(reader, vg_json_at(list, at), &grid->nodes[at], i, k);
			leave(reader, length);
		}
	}
}

static void read_tests(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	grid->tests = get_list(reader, json, "tests", sizeof(*grid->tests), &grid->n_tests, &list);
	for (size_t i = 0; i < grid->n_tests; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		struct vg_test *test = &grid->tests[i];
		size_t length = enter(reader, "tests", i);
		test->name = get_text(reader, object, "name");
		test->place = get_place(reader, object);
		test->is_reach = get_boolean(reader, object, "is_reach");
		if (test->is_reach)
			test->network = get_index(reader, object, "network", grid->n_networks);
		else
			test->role = get_index(reader, object, "role", grid->n_roles);
		test->run = get_phrase(reader, object, "run", !test->is_reach);
		test->expect = get_phrase(reader, object, "expect", false);
		test->within = get_number(reader, object, "within", INT64_MAX);
		leave(reader, length);
	}
	grid->outputs =
		get_list(reader, json, "outputs", sizeof(*grid->outputs), &grid->n_outputs, &list);
	for (size_t i = 0; i < grid->n_outputs; i++) {
		const struct vg_json *object = vg_json_at(list, i);
		size_t length = enter(reader, "outputs", i);
		grid->outputs[i] = (struct vg_output){get_text(reader, object, "name"),
			get_phrase(reader, object, "value", true)};
		leave(reader, length);
	}
}

static void read_top(struct reader *reader, const struct vg_json *json)
{
	struct vg_grid *grid = reader->grid;
	const struct vg_json *list;
	grid->file = get_text(reader, json, "file");
	grid->name = get_text(reader, json, "name");
	grid->description = get_text(reader, json, "description");
	grid->profile = get_option(reader, json, "profile");
	grid->topology_hash = get_text(reader, json, "topology_hash");
	grid->lease = get_number(reader, json, "lease", INT64_MAX);
	grid->place = get_place(reader, json);
	grid->uuid = get_text(reader, json, "uuid");
	grid->identity = get_text(reader, json, "identity");
	grid->parameters = get_list(
		reader, json, "parameters", sizeof(*grid->parameters), &grid->n_parameters, &list);
	for (size_t i = 0; i < grid->n_parameters; i++) {
		size_t length = enter(reader, "parameters", i);
		grid->parameters[i] =
			(struct vg_parameter){get_text(reader, vg_json_at(list, i), "name"),
				get_text(reader, vg_json_at(list, i), "value")};
		leave(reader, length);
	}
	read_images(reader, json);
	read_networks(reader, json);
	read_roles(reader, json);
	if (!reader->error)
		read_nodes(reader, json);
	read_tests(reader, json);
}

struct vg_error *vg_grid_from_json(const struct vg_json *json, struct vg_grid **ret_grid)
{
	_auto(vg_grid) struct vg_grid *grid = NULL;
	struct vg_arena *arena = vg_arena_new();
	grid = vg_arena_alloc(arena, sizeof(*grid));
	grid->arena = arena;
	struct reader reader = {.grid = grid};
	read_top(&reader, json);
	vg_text_done(&reader.path);
	if (!reader.error && *grid->uuid) {
		const char *uuid = grid->uuid, *identity = grid->identity;
		reader.error =
			vg_error_while(vg_grid_bind(grid, uuid, identity), "the record of a grid");
	}
	if (reader.error)
		return reader.error;
	*ret_grid = vg_take(grid);
	return NULL;
}
