// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/site_practice.h"

#include <string.h>

#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/context.h"

struct vg_error *vg_site_practice_adopt(struct vg_site *site, const struct vg_context *context)
{
	_auto(vg_practice) struct vg_practice *practice = NULL;
	struct vg_error *error = vg_practice_load(context->home, site->name, &practice);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		return NULL;
	}
	if (!error && practice->n_hosts != site->n_hosts)
		error = vg_error_hint(
			vg_error_of(VG_ERROR_USAGE,
				"the file of the practice site '%s' has other hosts", site->name),
			"'vgrid site practice %s' writes it anew", site->name);
	if (error)
		return error;
	const char *driver = site->file->network.driver;
	bool has_switch = !driver || strcmp(driver, "ovs") == 0;
	if (has_switch && !practice->has_switch)
		return vg_error_hint(
			vg_error_at(site->file->network.place,
				"the practice site '%s' has no Open vSwitch", site->name),
			"'driver: kernel', or end it and make it with '--ovs'");
	free(site->kind);
	site->kind = vg_strdup(has_switch ? "practice-ovs" : "practice");
	site->shared = vg_site_this_machine();
	site->practice = vg_take(practice);
	return vg_drivers_of(site->kind, &site->drivers);
}

// A host without the switch cannot be reached: it counts as one that does not run.
struct vg_error *vg_site_practice_find(struct vg_site *site, struct vg_context *context)
{
	struct vg_error *error =
		vg_practice_find_switch(site->practice, context->store, &site->underlay);
	for (size_t h = 0; h < site->n_hosts && !error && site->underlay; h++)
		error = vg_practice_find(site->practice, context->store, h, &site->hosts[h].box);
	return error;
}

// Under the site's lock, and only while there is such a site: it may be ending.
struct vg_error *vg_site_practice_start(
	struct vg_site *site, struct vg_context *context, size_t number)
{
	_auto(vg_practice) struct vg_practice *practice = NULL;
	_auto(vg_string) char *images = vg_context_images(context);
	_auto(vg_box) struct vg_box *sw = NULL;
	struct vg_host *host = &site->hosts[number];
	int lock = -1;
	struct vg_error *error = vg_practice_lock(context->home, site->practice->name, &lock);
	if (error)
		return error;
	error = vg_practice_load(context->home, site->practice->name, &practice);
	if (!error)
		error = vg_practice_start_switch(practice, context->store, &sw);
	vg_box_free(vg_take(host->box));
	if (!error)
		error = vg_practice_start(practice, context->store, number, images, &host->box);
	// Kept by the site: hosts that are started after each other share it.
	if (!error && !site->underlay)
		site->underlay = vg_take(sw);
	vg_practice_unlock(context->home, site->practice->name, &lock);
	return error;
}
