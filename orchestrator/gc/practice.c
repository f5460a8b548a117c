// SPDX-License-Identifier: Apache-2.0
//
// Hosts of practice sites: no grid's own, so only what is on them may be lost.
#include "orchestrator/gc/gc.h"

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/site_file.h"

// The host's drivers are taken over from the site.
static struct vg_error *look_at_host(
	struct vg_gc *gc, const struct vg_site *site, struct vg_host *from)
{
	if (!from->is_running) {
		vg_progress_say(gc->context->progress, "%s of '%s' is not looked at: %s",
			from->name, site->text,
			from->problem ? vg_error_message(from->problem) : "it does not run");
		return NULL;
	}
	size_t number = gc->n_hosts;
	struct vg_gc_host *host = &vg_append(gc->hosts, gc->n_hosts);
	host->name = vg_format("%s@%s", from->name, site->text);
	host->drivers = site->drivers;
	host->compute = vg_take(from->compute);
	host->net = vg_take(from->net);
	host->storage = vg_take(from->storage);
	return vg_gc_look_at_host(gc, number);
}

static struct vg_error *look_at_site(struct vg_gc *gc, const char *name)
{
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = vg_site_find(gc->context, name, &site);
	if (!error) {
		site->is_lenient = true;
		error = vg_site_connect(site, gc->context, "", "");
	}
	for (size_t h = 0; !error && h < site->n_hosts; h++)
		error = look_at_host(gc, site, &site->hosts[h]);
	return vg_error_while(error, "looking at the site '%s'", name);
}

struct vg_error *vg_gc_look_at_practice(struct vg_gc *gc)
{
	char **names = NULL;
	size_t n_names = 0;
	struct vg_error *error = vg_practice_list(gc->context->home, &names, &n_names);
	for (size_t i = 0; i < n_names && !error; i++)
		error = look_at_site(gc, names[i]);
	vg_folder_list_free(names, n_names);
	return error;
}
