// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/replan.h"

#include <string.h>

#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/run/observe.h"
#include "orchestrator/run/place_grid.h"
#include "orchestrator/run/replace.h"
#include "orchestrator/run/seeds.h"

void vg_planning_free(struct vg_planning *planning)
{
	if (!planning)
		return;
	vg_world_free(planning->world);
	for (size_t h = 0; h < planning->n_hosts; h++)
		vg_slice_free(planning->slices[h]);
	free(planning->slices);
	free(planning->limits_rates);
	vg_facts_free(planning->facts);
	for (size_t i = 0; i < planning->n_seeds; i++)
		free(planning->seeds[i]);
	free(planning->seeds);
	for (size_t i = 0; planning->reasons && i < planning->n_seeds; i++)
		free(planning->reasons[i]);
	free(planning->reasons);
	for (size_t i = 0; i < planning->n_images; i++)
		vg_image_info_free(planning->infos[i]);
	free(planning->infos);
	free(planning->images);
	vg_plan_free(planning->plan);
	free(planning);
}

// What the store knows of the grid's images; one that is not there yet leaves its digest NULL.
static struct vg_error *find_images(struct vg_session *session, struct vg_planning *planning)
{
	const struct vg_record *record = session->record;
	const struct vg_grid *grid = record->grid;
	_auto(vg_string) char *folder = vg_context_images(session->context);
	planning->n_images = grid->n_images;
	planning->images = vg_alloc(grid->n_images * sizeof(*planning->images));
	planning->infos = vg_alloc(grid->n_images * sizeof(struct vg_image_info *));
	for (size_t i = 0; i < grid->n_images; i++) {
		const char *digest = NULL;
		for (size_t k = 0; k < record->n_images; k++) {
			if (strcmp(record->images[k].name, grid->images[i].name) == 0)
				digest = record->images[k].digest;
		}
		planning->images[i] = (struct vg_plan_image){digest, true};
		if (!digest)
			continue;
		struct vg_error *error = vg_images_find(folder, digest, &planning->infos[i]);
		if (error && vg_error_kind(error) != VG_ERROR_NOT_FOUND)
			return vg_error_place(error, grid->images[i].place);
		vg_error_ignore(error);
		if (planning->infos[i])
			planning->images[i].has_root = planning->infos[i]->format != NULL;
	}
	return NULL;
}

// What a host does not enforce is not asked of it; the plan lists it.
static void drop_rates(struct vg_slice *slice)
{
	for (size_t i = 0; i < slice->n_overlays; i++)
		for (size_t j = 0; j < slice->overlays[i].n_ports; j++)
			slice->overlays[i].ports[j].rate = 0;
}

// Each host's slice of the wanted grid, or an empty one.
static void build_slices(struct vg_session *session, struct vg_planning *planning, bool removes_all)
{
	const struct vg_record *record = session->record;
	size_t n_hosts = session->site->n_hosts;
	struct vg_ip *tunnels = vg_alloc(n_hosts * sizeof(*tunnels));
	for (size_t h = 0; h < n_hosts; h++)
		tunnels[h] = session->site->hosts[h].tunnel;
	planning->n_hosts = n_hosts;
	planning->slices = vg_alloc(n_hosts * sizeof(struct vg_slice *));
	planning->limits_rates = vg_alloc(n_hosts * sizeof(*planning->limits_rates));
	const struct vg_slice_input input = {
		record->grid, session->context->store, record->vnis, tunnels};
	for (size_t h = 0; h < n_hosts; h++) {
		planning->slices[h] = vg_slice_build(&input, removes_all ? VG_HOST_NONE : (int)h);
		planning->limits_rates[h] = vg_site_limits_rates(session->site, h);
		if (!planning->limits_rates[h])
			drop_rates(planning->slices[h]);
	}
	free(tunnels);
}

struct vg_error *vg_replan(struct vg_session *session, const struct vg_replan_options *options,
	struct vg_planning **ret_planning)
{
	const struct vg_record *record = session->record;
	_auto(vg_planning) struct vg_planning *planning = vg_new(struct vg_planning);
	planning->options = *options;
	struct vg_timings *timings = session->context->timings;
	struct vg_error *error = find_images(session, planning);
	enum vg_timed before = vg_timings_turn(timings, VG_TIMED_OBSERVE);
	if (!error)
		error = vg_replace_explain(session, vg_observe(session->site, session->context,
							    record->uuid, &planning->world));
	vg_timings_turn(timings, before);
	if (!error)
		error = vg_replace_check(session, options->is_sure_it_is_off);
	if (error)
		return error;
	build_slices(session, planning, options->removes_all);
	if (!options->removes_all) {
		planning->facts = vg_facts_draft(record->grid, record->secret);
		vg_seeds_version(session, planning);
		planning->reasons = vg_place_reasons(session);
	}
	const char **names = vg_alloc(session->site->n_hosts * sizeof(*names));
	for (size_t h = 0; h < session->site->n_hosts; h++)
		names[h] = session->site->hosts[h].name;
	const char **lost = options->removes_all ? NULL : vg_replace_lost(session);
	bool *is_fresh = options->removes_all ? NULL : vg_replace_fresh(session);
	const struct vg_plan_input input = {
		.wanted = options->removes_all ? NULL : record->grid,
		.world = planning->world,
		.store = session->context->store,
		.grid_uuid = record->uuid,
		.host_names = names,
		.slices = (const struct vg_slice *const *)planning->slices,
		.limits_rates = planning->limits_rates,
		.images = planning->images,
		.seeds = (const char *const *)planning->seeds,
		.reasons = (const char *const *)planning->reasons,
		.lost = lost,
		.is_fresh = is_fresh,
		.is_owned = session->site->is_owned,
		.was_complete = record->phase == VG_PHASE_UP,
		.keeps_disks = options->keeps_disks,
		.deletes_disks = options->deletes_disks,
		.replaces = options->replaces,
		.n_replaces = options->n_replaces,
		.made = (const char *const *)record->made,
		.n_made = record->n_made,
		.is_report = options->is_report,
	};
	error = vg_plan_build(&input, &planning->plan);
	free(names);
	free(lost);
	free(is_fresh);
	if (!error)
		*ret_planning = vg_take(planning);
	return error;
}
