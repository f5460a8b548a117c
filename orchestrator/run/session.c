// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/session.h"

#include <string.h>

#include "base/call.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"

// The site stands in the record; entering it must come before the first thread.
static struct vg_error *enter_site_of(
	struct vg_context *context, const char *key, struct vg_site **ret_site)
{
	_auto(vg_record) struct vg_record *record = NULL;
	struct vg_error *error = vg_store_load(context, key, &record);
	if (!error)
		error = vg_site_find(context, record->site, ret_site);
	return error ? error : vg_site_enter(*ret_site, context);
}

// The grid may have gone while its lock was waited for.
static struct vg_error *load(
	struct vg_context *context, const char *grid, const char *key, struct vg_session *session)
{
	struct vg_error *error = vg_store_load(context, key, &session->record);
	if (!error || vg_error_kind(error) != VG_ERROR_NOT_FOUND)
		return error;
	if (session->lock >= 0)
		vg_store_unlock_gone(context, key, &session->lock);
	_auto(vg_string) char *other = NULL;
	struct vg_error *gone = vg_store_resolve(context, grid, &other);
	if (!gone)
		return error;
	vg_error_ignore(error);
	return gone;
}

// What an up of it left that was killed before its first record: its folder, its lock, its
// promises.
static void tidy(struct vg_context *context, const char *grid)
{
	vg_store_tidy(context, grid);
	vg_error_ignore(vg_ledger_settle(context));
}

static struct vg_error *open_session(struct vg_context *context, const char *grid,
	const char *doing, bool ends, struct vg_session **ret_session)
{
	_auto(vg_string) char *key = NULL;
	_auto(vg_session) struct vg_session *session = vg_new(struct vg_session);
	session->context = context;
	session->lock = -1;
	struct vg_error *error = vg_store_resolve(context, grid, &key);
	if (error && doing && vg_error_kind(error) == VG_ERROR_NOT_FOUND)
		tidy(context, grid);
	if (!error)
		error = enter_site_of(context, key, &session->site);
	if (!error)
		error = vg_context_store(context);
	if (!error && doing)
		error = vg_store_lock(context, key, doing, &session->lock);
	if (!error)
		error = load(context, grid, key, session);
	// What is asked of one host does not depend on the others.
	if (!error) {
		session->site->is_lenient = true;
		session->site->is_ending = ends && session->site->is_owned;
	}
	if (!error)
		error = vg_session_find_hosts(session);
	if (!error)
		error = vg_site_connect(
			session->site, context, session->record->key, session->record->uuid);
	if (!error)
		*ret_session = vg_take(session);
	return error;
}

struct vg_error *vg_session_open(struct vg_context *context, const char *grid, const char *doing,
	struct vg_session **ret_session)
{
	return open_session(context, grid, doing, false, ret_session);
}

struct vg_error *vg_session_open_to_end(struct vg_context *context, const char *grid,
	const char *doing, struct vg_session **ret_session)
{
	return open_session(context, grid, doing, true, ret_session);
}

void vg_session_free(struct vg_session *session)
{
	if (!session)
		return;
	vg_ledger_free(session->ledger);
	vg_placement_free(session->placement);
	// A grid that never came to have a record leaves no lock behind either.
	bool never_was = session->record && session->record->generation == 0;
	if (session->lock >= 0 && never_was)
		vg_store_unlock_gone(session->context, session->record->key, &session->lock);
	if (session->lock >= 0)
		close(session->lock);
	// Places in the record's grid are lent to the drivers, and one may still come back.
	if (vg_call_is_owed())
		return;
	vg_site_free(session->site);
	vg_grid_free(session->before);
	vg_record_free(session->record);
	free(session);
}

void vg_session_name_hosts(struct vg_session *session)
{
	struct vg_record *record = session->record;
	const struct vg_site *site = session->site;
	for (size_t i = 0; i < record->n_hosts; i++)
		free(record->hosts[i]);
	free(vg_take(record->hosts));
	record->n_hosts = 0;
	for (size_t h = 0; h < site->n_hosts && !site->is_owned; h++)
		vg_append(record->hosts, record->n_hosts) = vg_strdup(site->hosts[h].name);
}

struct vg_error *vg_session_find_hosts(struct vg_session *session)
{
	struct vg_record *record = session->record;
	const struct vg_site *site = session->site;
	_auto(vg_map) struct vg_map *numbers = vg_map_new();
	for (size_t h = 0; h < site->n_hosts; h++)
		vg_map_set(numbers, site->hosts[h].name, &site->hosts[h]);
	for (size_t i = 0; record->n_hosts && i < record->grid->n_nodes; i++) {
		struct vg_node *node = &record->grid->nodes[i];
		if (node->host < 0 || (size_t)node->host >= record->n_hosts)
			continue;
		const char *name = record->hosts[node->host];
		const struct vg_host *host = vg_map_get(numbers, name);
		if (!host)
			return vg_error_hint(
				vg_error_new("'%s' of grid '%s' is on host '%s', which site '%s' "
					     "has no more",
					node->name, record->name, name, site->name),
				"put the host back into the site's file");
		node->host = (int)(host - site->hosts);
	}
	vg_session_name_hosts(session);
	return NULL;
}

static struct vg_error *no_such_node(const struct vg_grid *grid, const char *name)
{
	const char **names = vg_alloc(grid->n_nodes * sizeof(*names));
	for (size_t i = 0; i < grid->n_nodes; i++)
		names[i] = grid->nodes[i].name;
	struct vg_error *error =
		vg_error_of(VG_ERROR_NOT_FOUND, "grid '%s' has no node '%.80s'", grid->name, name);
	const char *near = vg_text_nearest(name, names, grid->n_nodes);
	if (near)
		error = vg_error_hint(error, "did you mean '%s'?", near);
	else if (grid->n_nodes)
		error = vg_error_hint(
			error, "its nodes are '%s' … '%s'", names[0], names[grid->n_nodes - 1]);
	free(names);
	return error;
}

struct vg_error *vg_session_node(struct vg_session *session, const char *name,
	const struct vg_node **ret_node, struct vg_host **ret_host)
{
	const struct vg_grid *grid = session->record->grid;
	const struct vg_node *node = vg_grid_node(grid, name);
	if (!node)
		return no_such_node(grid, name);
	if (node->host < 0 || (size_t)node->host >= session->site->n_hosts)
		return vg_error_new("'%s' has no host yet", name);
	struct vg_host *host = &session->site->hosts[node->host];
	if (host->problem)
		return vg_error_hint(
			vg_error_of(vg_error_kind(host->problem), "'%s' is on '%s': %s", name,
				host->name, vg_error_message(host->problem)),
			"%s", vg_error_remedy(host->problem) ? vg_error_remedy(host->problem) : "");
	if (!host->is_running)
		return vg_error_hint(vg_error_new("'%s' does not run: neither does its host '%s'",
					     name, host->name),
			"'vgrid up' with its template starts the grid again");
	*ret_node = node;
	*ret_host = host;
	return NULL;
}

struct vg_error *vg_session_agent(
	struct vg_session *session, const char *name, struct vg_agent *ret_agent)
{
	const struct vg_node *node;
	struct vg_host *host;
	struct vg_error *error = vg_session_node(session, name, &node, &host);
	if (!error)
		*ret_agent = (struct vg_agent){
			session->site->drivers->compute, host->compute, node->uuid};
	return error;
}
