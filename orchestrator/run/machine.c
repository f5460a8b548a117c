// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/machine.h"

#include "base/tag.h"
#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/plan/applied.h"

// Frees a malloc'ed string after copying it into the arena.
static const char *keep(struct vg_arena *arena, char *text)
{
	const char *kept = text ? vg_arena_strdup(arena, text) : NULL;
	free(text);
	return kept;
}

static const char *tag_of(struct vg_arena *arena, struct vg_session *session, const char *path)
{
	return keep(arena,
		vg_tag_make(session->context->store, session->record->uuid, path));
}

static void add_disk(struct vg_arena *arena, struct vg_session *session, struct vg_machine *machine,
	const struct vg_node *node, const char *name, enum vg_volume_kind kind)
{
	const struct vg_host *host = &session->site->hosts[node->host];
	const char *path = kind == VG_VOLUME_SEED
				   ? vg_arena_format(arena, "node/%s/seed", node->name)
				   : vg_arena_format(arena, "node/%s/disk/%s", node->name, name);
	struct vg_machine_disk *disk = &machine->disks[machine->n_disks++];
	char *located = NULL;
	session->site->drivers->storage->locate(
		host->storage, tag_of(arena, session, path), kind, &located, &disk->format);
	disk->path = keep(arena, located);
	disk->name = name;
	disk->is_read_only = kind == VG_VOLUME_SEED;
	disk->is_data = kind == VG_VOLUME_DATA;
}

static void add_disks(struct vg_arena *arena, struct vg_session *session,
	const struct vg_planning *planning, struct vg_machine *machine, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(session->record->grid, node);
	machine->disks = vg_arena_alloc(arena, (role->n_disks + 2) * sizeof(*machine->disks));
	if (planning->images[role->image].has_root)
		add_disk(arena, session, machine, node, "root", VG_VOLUME_ROOT);
	add_disk(arena, session, machine, node, "seed", VG_VOLUME_SEED);
	for (size_t i = 0; i < role->n_disks; i++)
		add_disk(arena, session, machine, node, role->disks[i].name, VG_VOLUME_DATA);
}

static void add_nics(struct vg_arena *arena, struct vg_session *session, struct vg_machine *machine,
	const struct vg_node *node)
{
	const struct vg_grid *grid = session->record->grid;
	const struct vg_role *role = vg_node_role(grid, node);
	bool is_plain = session->site->hosts[node->host].net_facts.needs_plain_frames;
	machine->nics = vg_arena_alloc(arena, role->n_nics * sizeof(*machine->nics));
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_network *network = &grid->networks[role->nics[i].network];
		const char *tag = tag_of(arena, session,
			vg_arena_format(arena, "node/%s/nic/%s", node->name, network->name));
		char *link = vg_arena_alloc(arena, VG_LINK_NAME_LENGTH);
		vg_tag_link_name(tag, link);
		machine->nics[machine->n_nics++] = (struct vg_machine_nic){
			network->name, link, node->nics[i].mac, network->mtu, is_plain};
	}
}

struct vg_machine *vg_machine_make(struct vg_arena *arena, struct vg_session *session,
	const struct vg_planning *planning, size_t number)
{
	const struct vg_grid *grid = session->record->grid;
	const struct vg_node *node = &grid->nodes[number];
	const struct vg_role *role = vg_node_role(grid, node);
	const struct vg_host *host = &session->site->hosts[node->host];
	const struct vg_image_info *info = planning->infos[role->image];
	const char *digest = planning->images[role->image].digest;
	struct vg_machine *machine = vg_arena_alloc(arena, sizeof(*machine));
	machine->tag = tag_of(arena, session, vg_arena_format(arena, "node/%s", node->name));
	machine->uuid = node->uuid;
	machine->name = vg_arena_format(arena, "%s.%s", grid->name, node->name);
	machine->node = node->name;
	machine->place = role->place;
	machine->cpu = role->cpu;
	machine->memory = role->memory;
	machine->accelerator = host->accelerator;
	if (info && info->has_kernel) {
		machine->kernel = keep(arena, vg_images_path(host->images_seen, digest, "kernel"));
		machine->initrd = keep(arena, vg_images_path(host->images_seen, digest, "initrd"));
		machine->cmdline = vg_arena_strdup(arena, info->cmdline ? info->cmdline : "");
	}
	add_disks(arena, session, planning, machine, node);
	add_nics(arena, session, machine, node);
	machine->console_log =
		vg_arena_format(arena, "%s/console/%s.log", host->folder_seen, machine->name);
	machine->applied = keep(arena, vg_applied_make(grid, node, digest));
	return machine;
}
