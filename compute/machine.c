// SPDX-License-Identifier: Apache-2.0
#include "compute/machine.h"

#include "base/memory.h"

static void copy_string(struct vg_arena *arena, const char **text)
{
	if (*text)
		*text = vg_arena_strdup(arena, *text);
}

const struct vg_machine *vg_machine_copy(struct vg_arena *arena, const struct vg_machine *machine)
{
	struct vg_machine *copy = vg_arena_copy(arena, machine, 1, sizeof(*machine));
	const char **texts[] = {&copy->tag, &copy->uuid, &copy->name, &copy->node, &copy->kernel,
		&copy->initrd, &copy->cmdline, &copy->console_log, &copy->applied};
	for (size_t i = 0; i < VG_LENGTH(texts); i++)
		copy_string(arena, texts[i]);
	copy->disks = vg_arena_copy(arena, machine->disks, machine->n_disks, sizeof(*copy->disks));
	for (size_t i = 0; i < copy->n_disks; i++) {
		copy_string(arena, &copy->disks[i].name);
		copy_string(arena, &copy->disks[i].path);
		copy_string(arena, &copy->disks[i].format);
	}
	copy->nics = vg_arena_copy(arena, machine->nics, machine->n_nics, sizeof(*copy->nics));
	for (size_t i = 0; i < copy->n_nics; i++) {
		copy_string(arena, &copy->nics[i].network);
		copy_string(arena, &copy->nics[i].link);
	}
	return copy;
}

const char *vg_machine_state_name(enum vg_machine_state state)
{
	switch (state) {
	case VG_MACHINE_RUNNING:
		return "running";
	case VG_MACHINE_PAUSED:
		return "paused";
	case VG_MACHINE_STOPPED:
		return "stopped";
	case VG_MACHINE_CRASHED:
		return "crashed";
	}
	return "unknown";
}

static void free_names(char **names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		free(names[i]);
	free(names);
}

void vg_machine_form_done(struct vg_machine_form *form)
{
	free_names(form->links, form->n_links);
	free_names(form->disks, form->n_disks);
	*form = (struct vg_machine_form){0};
}

void vg_machines_seen_done(struct vg_machines_seen *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < seen->n_items; i++) {
		free(seen->items[i].tag);
		free(seen->items[i].uuid);
		free(seen->items[i].name);
		free(seen->items[i].applied);
		vg_machine_form_done(&seen->items[i].now);
		vg_machine_form_done(&seen->items[i].next);
	}
	free(seen->items);
	free_names(seen->foreign, seen->n_foreign);
	*seen = (struct vg_machines_seen){0};
}
