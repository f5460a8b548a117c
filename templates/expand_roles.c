// SPDX-License-Identifier: Apache-2.0
#include "templates/expand.h"

#include <inttypes.h>
#include <string.h>

// One role while it is expanded: its own values and those of the profile, which come first.
struct source {
	struct vg_expansion *expansion;
	const struct vg_entry *entry;
	const struct vg_value *own, *profile;
};

static const struct vg_value *pick(const struct source *source, const char *key)
{
	const struct vg_value *value = vg_value_get(source->profile, key);
	return value ? value : vg_value_get(source->own, key);
}

static uint64_t number(const struct source *source, const char *path, const char *key)
{
	return vg_expand_number(source->expansion, path, pick(source, key));
}

// A field below a named disk or nic.
static const struct vg_value *pick_below(const struct source *source, const char *key,
	const char *name, const struct vg_value *own, const char *field)
{
	const struct vg_value *quanta = vg_value_get(vg_value_get(source->profile, key), name);
	const struct vg_value *value = vg_value_get(quanta, field);
	return value ? value : vg_value_get(own, field);
}

static struct vg_arena *arena_of(const struct source *source)
{
	return source->expansion->grid->arena;
}

static void *room_for(const struct source *source, const char *key, size_t size, size_t *ret_n)
{
	const struct vg_value *value = vg_value_get(source->own, key);
	*ret_n = value ? value->n_entries : 0;
	return vg_arena_alloc(arena_of(source), *ret_n * size);
}

static void expand_disks(const struct source *source, struct vg_role *role)
{
	const struct vg_value *disks = vg_value_get(source->own, "disks");
	role->disks = room_for(source, "disks", sizeof(*role->disks), &role->n_disks);
	for (size_t i = 0; i < role->n_disks; i++) {
		const struct vg_entry *entry = &disks->entries[i];
		const struct vg_value *size =
			pick_below(source, "disks", entry->key, entry->value, "size");
		role->disks[i] = (struct vg_disk){
			.name = vg_arena_strdup(arena_of(source), entry->key),
			.place = vg_expand_place(source->expansion, entry->place),
			.size = vg_expand_number(source->expansion, "roles.*.disks.*.size", size),
			.mount = vg_expand_text(
				source->expansion, vg_value_get(entry->value, "mount")),
		};
	}
}

static void expand_nics(const struct source *source, struct vg_role *role)
{
	const struct vg_value *nics = vg_value_get(source->own, "nics");
	role->nics = room_for(source, "nics", sizeof(*role->nics), &role->n_nics);
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_entry *entry = &nics->entries[i];
		const char *name = entry->key ? entry->key : entry->value->text;
		const struct vg_value *address = vg_value_get(entry->value, "address");
		struct vg_nic *nic = &role->nics[i];
		nic->network = vg_expand_index(source->expansion->networks, name);
		nic->place = vg_expand_place(source->expansion, entry->place);
		nic->rate = vg_expand_number(source->expansion, "roles.*.nics.*.rate",
			pick_below(source, "nics", name, entry->value, "rate"));
		if (!address)
			continue;
		nic->has_address = true;
		vg_error_ignore(vg_ip_read(address->text, &nic->address));
		if (role->count <= 1)
			continue;
		struct vg_finding *finding = vg_finding_add(source->expansion->findings,
			address->place, "role '%s' has %u nodes, and one address is for one node",
			role->name, role->count);
		vg_finding_also(finding, pick(source, "count")->place, "the count comes from here");
	}
}

static void expand_environment(const struct source *source, struct vg_role *role)
{
	const struct vg_value *environment = vg_value_get(source->own, "env");
	role->environment =
		room_for(source, "env", sizeof(*role->environment), &role->n_environment);
	for (size_t i = 0; i < role->n_environment; i++)
		role->environment[i] = (struct vg_environment){
			vg_arena_strdup(arena_of(source), environment->entries[i].key),
			vg_expand_phrase(source->expansion, environment->entries[i].value)};
}

static void expand_files(const struct source *source, struct vg_role *role)
{
	const struct vg_value *files = vg_value_get(source->own, "files");
	role->files = room_for(source, "files", sizeof(*role->files), &role->n_files);
	for (size_t i = 0; i < role->n_files; i++) {
		const struct vg_entry *entry = &files->entries[i];
		role->files[i] = (struct vg_role_file){
			.path = vg_arena_strdup(arena_of(source), entry->key),
			.place = vg_expand_place(source->expansion, entry->place),
			.content = vg_expand_phrase(
				source->expansion, vg_value_get(entry->value, "content")),
			.mode = (unsigned)vg_expand_number(source->expansion,
				"roles.*.files.*.mode", vg_value_get(entry->value, "mode")),
		};
	}
}

static void expand_ready(const struct source *source, struct vg_role *role)
{
	const struct vg_value *ready = vg_value_get(source->own, "ready");
	const struct vg_value *exec = vg_value_get(ready, "exec");
	const struct vg_value *console = vg_value_get(ready, "console");
	role->ready.kind = exec ? VG_READY_EXEC : console ? VG_READY_CONSOLE : VG_READY_AGENT;
	role->ready.text = vg_expand_phrase(source->expansion, exec ? exec : console);
	vg_expand_check_regex(source->expansion, "roles.*.ready.console", console);
	role->ready.within = vg_expand_number(
		source->expansion, "roles.*.ready.within", vg_value_get(ready, "within"));
}

// A list of roles, or one role's name, as indices.
static size_t *expand_names(
	const struct source *source, const struct vg_value *names, size_t *ret_n)
{
	const struct vg_map *roles = source->expansion->roles;
	*ret_n = !names ? 0 : names->text ? 1 : names->n_entries;
	size_t *indices = vg_arena_alloc(arena_of(source), *ret_n * sizeof(*indices));
	for (size_t i = 0; i < *ret_n; i++)
		indices[i] = vg_expand_index(
			roles, names->text ? names->text : names->entries[i].value->text);
	return indices;
}

// A profile's `place` stands for the whole of the role's.
static void expand_wish(const struct source *source, struct vg_role *role)
{
	const struct vg_value *place = pick(source, "place");
	const struct vg_value *spread = vg_value_get(place, "spread");
	const struct vg_value *label = spread ? spread : vg_value_get(place, "pack");
	struct vg_placement_wish *wish = &role->wish;
	wish->kind = spread ? VG_PLACE_SPREAD : label ? VG_PLACE_PACK : VG_PLACE_UNSAID;
	wish->label = label ? vg_expand_text(source->expansion, label) : "host";
	wish->with = expand_names(source, vg_value_get(place, "with"), &wish->n_with);
	wish->apart = expand_names(source, vg_value_get(place, "apart"), &wish->n_apart);
	wish->place =
		vg_expand_place(source->expansion, place ? place->place : source->entry->place);
}

static void expand_role(const struct source *source, struct vg_role *role)
{
	struct vg_expansion *expansion = source->expansion;
	role->name = vg_arena_strdup(arena_of(source), source->entry->key);
	role->place = vg_expand_place(expansion, source->entry->place);
	role->is_counted = vg_value_get(source->own, "count") != NULL;
	role->count = role->is_counted ? (unsigned)number(source, "roles.*.count", "count") : 1;
	role->image = vg_expand_index(expansion->images, vg_value_get(source->own, "image")->text);
	role->cpu = (unsigned)number(source, "roles.*.cpu", "cpu");
	role->cpu_limit = (unsigned)number(source, "roles.*.cpu-limit", "cpu-limit");
	role->memory = number(source, "roles.*.memory", "memory");
	expand_disks(source, role);
	expand_nics(source, role);
	expand_environment(source, role);
	expand_files(source, role);
	role->setup = vg_expand_phrase(expansion, vg_value_get(source->own, "setup"));
	expand_ready(source, role);
	role->after = expand_names(source, vg_value_get(source->own, "after"), &role->n_after);
	expand_wish(source, role);
}

static bool check_total(struct vg_expansion *expansion)
{
	const struct vg_grid *grid = expansion->grid;
	const struct vg_value *roles = vg_value_get(expansion->template->root, "roles");
	uint64_t most = expansion->options->nodes_max ? expansion->options->nodes_max : 100000;
	uint64_t total = 0;
	for (size_t i = 0; i < grid->n_roles; i++) {
		total += grid->roles[i].count;
		if (total <= most)
			continue;
		vg_finding_add(expansion->findings, roles->entries[i].place,
			"with role '%s' the grid has more than %" PRIu64 " nodes",
			grid->roles[i].name, most);
		return false;
	}
	return true;
}

// Does each network have an address for every node on it?
static void check_rooms(struct vg_expansion *expansion)
{
	const struct vg_grid *grid = expansion->grid;
	const struct vg_value *networks = vg_value_get(expansion->template->root, "networks");
	uint64_t *needs = vg_alloc((grid->n_networks + 1) * sizeof(*needs));
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_role *role = &grid->roles[i];
		for (size_t k = 0; k < role->n_nics; k++) {
			size_t index = role->nics[k].network;
			const struct vg_network *network = &grid->networks[index];
			uint64_t room = vg_cidr_room(&network->cidr), before = needs[index];
			needs[index] += role->count;
			if (before > room || needs[index] <= room)
				continue;
			const struct vg_value *cidr =
				vg_value_get(networks->entries[index].value, "cidr");
			struct vg_finding *finding =
				vg_finding_add(expansion->findings, cidr->place,
					"network '%s' has room for %" PRIu64 " nodes, and %" PRIu64
					" are on it",
					network->name, room, needs[index]);
			struct vg_place nic = role->nics[k].place;
			nic.file = expansion->template->file; // outlives the grid
			vg_finding_also(
				finding, nic, "with the %u of role '%s'", role->count, role->name);
		}
	}
	free(needs);
}

static void make_nodes(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	for (size_t i = 0; i < grid->n_roles; i++) {
		grid->roles[i].first_node = grid->n_nodes;
		grid->n_nodes += grid->roles[i].count;
	}
	grid->nodes = vg_arena_alloc(grid->arena, grid->n_nodes * sizeof(*grid->nodes));
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_role *role = &grid->roles[i];
		for (unsigned k = 0; k < role->count; k++) {
			struct vg_node *node = &grid->nodes[role->first_node + k];
			node->name = role->is_counted
					     ? vg_arena_format(grid->arena, "%s-%u", role->name, k)
					     : role->name;
			node->role = i;
			node->index = k;
			node->host = VG_HOST_NONE;
			node->nics =
				vg_arena_alloc(grid->arena, role->n_nics * sizeof(*node->nics));
		}
	}
}

void vg_expand_roles(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *roles = vg_value_get(expansion->template->root, "roles");
	const struct vg_value *quanta = vg_value_get(expansion->profile, "roles");
	grid->n_roles = roles->n_entries;
	grid->roles = vg_arena_alloc(grid->arena, grid->n_roles * sizeof(*grid->roles));
	for (size_t i = 0; i < grid->n_roles; i++)
		vg_map_set(expansion->roles, roles->entries[i].key, (void *)(uintptr_t)(i + 1));
	for (size_t i = 0; i < grid->n_roles; i++) {
		const struct vg_entry *entry = &roles->entries[i];
		const struct source source = {
			expansion, entry, entry->value, vg_value_get(quanta, entry->key)};
		expand_role(&source, &grid->roles[i]);
	}
	if (!check_total(expansion))
		return;
	check_rooms(expansion);
	if (!expansion->is_trial)
		make_nodes(expansion);
}
