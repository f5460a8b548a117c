// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/wish.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "net/addresses.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/run/images.h"
#include "orchestrator/run/place_grid.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"
#include "templates/bind.h"
#include "templates/template.h"

static const char default_site[] = "sandbox";

static struct vg_error *read_grid(
	struct vg_context *context, const struct vg_wish *wish, struct vg_grid **ret_grid)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	struct vg_error *error = vg_template_read(wish->file, &findings, &template);
	const struct vg_expand_options options = {.name = wish->name,
		.profile = wish->profile,
		.sets = wish->sets,
		.n_sets = wish->n_sets};
	if (!error && !findings.n_found)
		error = vg_template_expand(template, &options, &findings, ret_grid);
	if (error)
		return error;
	if (findings.n_found) {
		vg_progress_pause(context->progress);
		vg_findings_sort(&findings);
		vg_template_print_findings(template, &findings, stderr);
	}
	return vg_findings_error(&findings, wish->file);
}

// The record's folder: one grid of a name on each site.
static char *key_of(const char *name, const struct vg_site *site)
{
	return vg_format("%s@%s", name, site->name);
}

// A grid stays on the site that it was made for.
static struct vg_error *choose_site(
	struct vg_session *session, const struct vg_wish *wish, const struct vg_record *before)
{
	if (!before || strcmp(before->site, session->site->text) == 0)
		return NULL;
	if (wish->site && strcmp(wish->site, session->site->name) != 0)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "grid '%s' is on site '%s', not '%s'",
				before->name, before->site, wish->site),
			"take it down first, or give the new one another name with '--name'");
	vg_site_free(vg_take(session->site));
	return vg_site_find(session->context, before->site, &session->site);
}

static struct vg_record *begin_record(
	struct vg_context *context, const char *key, const struct vg_site *site)
{
	struct vg_record *record = vg_new(struct vg_record);
	char uuid[VG_UUID_LENGTH];
	vg_uuid_random(uuid);
	record->uuid = vg_strdup(uuid);
	vg_uuid_random(uuid);
	record->identity = vg_strdup(uuid);
	record->key = vg_strdup(key);
	record->site = vg_strdup(site->text);
	record->phase = VG_PHASE_CREATING;
	record->created_at = context->now();
	vg_random(record->secret, sizeof(record->secret));
	return record;
}

static char *absolute(const char *path)
{
	char whole[PATH_MAX];
	if (strcmp(path, "-") == 0 || !realpath(path, whole))
		return vg_strdup(path);
	return vg_strdup(whole);
}

// Addresses and hosts that the nodes of the recorded grid have, in the form allocation wants.
static struct vg_error *allocate(
	struct vg_grid *grid, const struct vg_grid *before, const char *identity)
{
	struct vg_address_kept *kept = NULL;
	size_t n_kept = 0;
	for (size_t i = 0; before && i < before->n_nodes; i++) {
		const struct vg_node *node = &before->nodes[i];
		const struct vg_role *role = vg_node_role(before, node);
		for (size_t k = 0; k < role->n_nics; k++)
			vg_append(kept, n_kept) = (struct vg_address_kept){node->name,
				before->networks[role->nics[k].network].name,
				node->nics[k].address};
	}
	struct vg_error *error = vg_addresses_allocate(grid, identity, kept, n_kept);
	free(kept);
	return error;
}

// VNIs of networks that stay, 0 for new ones.
static void carry_vnis(struct vg_record *record, const struct vg_grid *grid)
{
	const struct vg_grid *before = record->grid;
	uint32_t *vnis = vg_alloc(grid->n_networks * sizeof(*vnis));
	for (size_t i = 0; i < grid->n_networks; i++) {
		for (size_t k = 0; before && k < before->n_networks && k < record->n_vnis; k++) {
			if (strcmp(before->networks[k].name, grid->networks[i].name) == 0)
				vnis[i] = record->vnis[k];
		}
	}
	free(record->vnis);
	record->vnis = vnis;
	record->n_vnis = grid->n_networks;
}

// The record now wants `grid` (taken over): allocations are carried on or made.
static struct vg_error *renew(
	struct vg_session *session, const struct vg_wish *wish, struct vg_grid *wanted)
{
	_auto(vg_grid) struct vg_grid *grid = wanted;
	struct vg_record *record = session->record;
	char *template_path = absolute(wish->file);
	struct vg_timings *timings = session->context->timings;
	enum vg_timed before = vg_timings_turn(timings, VG_TIMED_IMAGE);
	struct vg_error *error = vg_images_get(session->context, session->site, grid,
		template_path, wish->only_looks, record);
	vg_timings_turn(timings, before);
	free(record->template_path);
	record->template_path = template_path;
	if (!error)
		error = allocate(grid, record->grid, record->identity);
	if (error)
		return error;
	carry_vnis(record, grid);
	free(record->name);
	record->name = vg_strdup(grid->name);
	session->before = record->grid;
	record->grid = vg_take(grid);
	bool is_other;
	error = vg_place_grid(session, &is_other);
	if (!error)
		error = vg_grid_bind(record->grid, record->uuid, record->identity);
	return error ? error : vg_grid_check_regexes(record->grid);
}

static struct vg_error *find_record(
	struct vg_session *session, const struct vg_wish *wish, const char *key)
{
	struct vg_error *error = vg_store_load(session->context, key, &session->record);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		session->record = begin_record(session->context, key, session->site);
		vg_session_name_hosts(session);
		return NULL;
	}
	if (!error)
		error = choose_site(session, wish, session->record);
	return error ? error : vg_session_find_hosts(session);
}

struct vg_error *vg_wish_open(struct vg_context *context, const struct vg_wish *wish,
	struct vg_session **ret_session)
{
	_auto(vg_session) struct vg_session *session = vg_new(struct vg_session);
	_auto(vg_grid) struct vg_grid *grid = NULL;
	session->context = context;
	session->lock = -1;
	const char *site = wish->site ? wish->site : getenv("VGRID_SITE");
	struct vg_error *error =
		vg_site_find(context, site && *site ? site : default_site, &session->site);
	// A faulty file is told of whether or not the site can be entered; standard input can be read
	// only once, and entering may start the program anew.
	bool is_stream = strcmp(wish->file, "-") == 0;
	if (!error && !is_stream)
		error = read_grid(context, wish, &grid);
	enum vg_timed before = vg_timings_turn(context->timings, VG_TIMED_ENTER);
	if (!error)
		error = vg_site_enter(session->site, context);
	vg_timings_turn(context->timings, before);
	if (!error && is_stream)
		error = read_grid(context, wish, &grid);
	if (!error && !wish->only_looks)
		error = vg_site_check(session->site);
	if (!error)
		error = vg_context_store(context);
	if (error)
		return error;
	_auto(vg_string) char *key = key_of(grid->name, session->site);
	vg_timings_turn(context->timings, VG_TIMED_LOCK);
	if (!wish->only_looks)
		error = vg_store_lock(context, key, wish->doing, &session->lock);
	vg_timings_turn(context->timings, before);
	if (!error)
		error = find_record(session, wish, key);
	if (!error)
		error = renew(session, wish, vg_take(grid));
	vg_timings_turn(context->timings, VG_TIMED_CONNECT);
	if (!error)
		error = vg_site_connect(session->site, context, session->record->key,
			session->record->uuid);
	vg_timings_turn(context->timings, before);
	if (!error)
		*ret_session = vg_take(session);
	return error;
}
