// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/seeds.h"

#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/plan/applied.h"

// What seeds were called by until the shared files had a version of their own: by their contents.
static void version_by_content(const struct vg_facts *facts, char ret_version[VG_FACTS_VERSION])
{
	_auto(vg_text) struct vg_text all = {0};
	for (size_t i = 0; i < VG_SHARED_FILES; i++)
		vg_text_addf(&all, "%s %o %s\n", facts->files[i].path, facts->files[i].mode,
			facts->files[i].sha256);
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(all.bytes, all.length, hex);
	memcpy(ret_version, hex, VG_FACTS_VERSION - 1);
	ret_version[VG_FACTS_VERSION - 1] = '\0';
}

static bool shares(const char *version, const char *shared)
{
	size_t length = VG_FACTS_VERSION - 1;
	return strncmp(version, shared, length) == 0 && version[length] == ':';
}

// Seeds that are there with another shared part: by tag.
static struct vg_map *find_others(const struct vg_planning *planning)
{
	struct vg_map *others = vg_map_new();
	for (size_t h = 0; h < planning->world->n_hosts; h++) {
		const struct vg_volumes_seen *seen = &planning->world->hosts[h].volumes;
		for (size_t i = 0; i < seen->n_items; i++) {
			const char *version = seen->items[i].version;
			if (version && !shares(version, planning->facts->version))
				vg_map_set(others, seen->items[i].tag, seen->items[i].version);
		}
	}
	return others;
}

// A newer vgrid alone writes no seed again: one that an older vgrid wrote keeps its name if the
// files are the same.
static void accept_older(struct vg_session *session, struct vg_planning *planning)
{
	const struct vg_record *record = session->record;
	const struct vg_grid *grid = record->grid;
	_auto(vg_map) struct vg_map *others = find_others(planning);
	if (!vg_map_size(others))
		return;
	char older[VG_FACTS_VERSION];
	vg_facts_complete(planning->facts, grid, record->secret);
	version_by_content(planning->facts, older);
	for (size_t i = 0; i < grid->n_nodes; i++) {
		_auto(vg_string) char *path = vg_format("node/%s/seed", grid->nodes[i].name);
		_auto(vg_string) char *tag =
			vg_tag_make(session->context->store, record->uuid, path);
		const char *version = vg_map_get(others, tag);
		if (version && shares(version, older))
			memcpy(planning->seeds[i], older, VG_FACTS_VERSION - 1);
	}
}

void vg_seeds_version(struct vg_session *session, struct vg_planning *planning)
{
	const struct vg_grid *grid = session->record->grid;
	planning->n_seeds = grid->n_nodes;
	planning->seeds = vg_alloc(grid->n_nodes * sizeof(char *));
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		const char *digest = planning->images[vg_node_role(grid, node)->image].digest;
		_auto(vg_string) char *applied = vg_applied_of_seed(grid, node, digest);
		char hex[VG_SHA256_HEX];
		vg_sha256_hex(applied, strlen(applied), hex);
		planning->seeds[i] = vg_format("%s:%.16s", planning->facts->version, hex);
	}
	accept_older(session, planning);
}
