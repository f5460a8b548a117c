// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/replace.h"

#include <string.h>

#include "base/map.h"
#include "base/text.h"

enum { NODES_NAMED_MAX = 8 };

static struct vg_error *no_such_host(const struct vg_site *site, const char *name)
{
	const char **names = vg_alloc(site->n_hosts * sizeof(*names));
	for (size_t h = 0; h < site->n_hosts; h++)
		names[h] = site->hosts[h].name;
	struct vg_error *error =
		vg_error_of(VG_ERROR_USAGE, "site '%s' has no host '%.80s'", site->name, name);
	const char *near = vg_text_nearest(name, names, site->n_hosts);
	free(names);
	return near ? vg_error_hint(error, "did you mean '%s'?", near) : error;
}

struct vg_error *vg_replace_mark(struct vg_site *site, const char *const *names, size_t n_names)
{
	if (n_names && site->is_owned)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE,
				"hosts of the %s belong to their grid and are not replaced",
				site->kind),
			"'vgrid up' starts one that does not run");
	for (size_t i = 0; i < n_names; i++) {
		size_t h = 0;
		while (h < site->n_hosts && strcmp(site->hosts[h].name, names[i]) != 0)
			h++;
		if (h == site->n_hosts)
			return no_such_host(site, names[i]);
		site->hosts[h].is_replaced = true;
	}
	return NULL;
}

// `'a', 'b' and 7 more`, malloc'ed: the recorded nodes of the host. How many there are.
static size_t name_nodes(const struct vg_grid *before, size_t host, char **ret_names)
{
	_auto(vg_text) struct vg_text text = {0};
	size_t n = 0;
	for (size_t i = 0; before && i < before->n_nodes; i++) {
		if (before->nodes[i].host != (int)host)
			continue;
		if (n++ < NODES_NAMED_MAX)
			vg_text_addf(&text, "%s'%s'", n > 1 ? ", " : "", before->nodes[i].name);
	}
	if (n > NODES_NAMED_MAX)
		vg_text_addf(&text, " and %zu more", n - NODES_NAMED_MAX);
	*ret_names = vg_text_take(&text);
	return n;
}

struct vg_error *vg_replace_check(const struct vg_session *session, bool is_sure_it_is_off)
{
	const struct vg_site *site = session->site;
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_host *host = &site->hosts[h];
		if (!host->is_replaced)
			continue;
		if (host->is_running && !host->problem)
			return vg_error_hint(
				vg_error_new("host '%s' answers: it is not replaced", host->name),
				"leave out '--replace-host %s': its nodes stay where they are",
				host->name);
		_auto(vg_string) char *nodes = NULL;
		size_t n_nodes = name_nodes(session->before, h, &nodes);
		if (!n_nodes || is_sure_it_is_off)
			continue;
		return vg_error_hint(
			vg_error_new(
				"host '%s' does not answer, and %s may still run there: a second "
				"copy would have the same addresses",
				host->name, nodes),
			"switch '%s' off, or cut it from power and network; then say "
			"'--i-am-sure-it-is-off' too",
			host->name);
	}
	return NULL;
}

const char **vg_replace_lost(const struct vg_session *session)
{
	const struct vg_grid *grid = session->record->grid, *before = session->before;
	const struct vg_site *site = session->site;
	bool has_replaced = false;
	for (size_t h = 0; h < site->n_hosts; h++)
		has_replaced |= site->hosts[h].is_replaced;
	if (!has_replaced)
		return NULL;
	_auto(vg_map) struct vg_map *hosts = vg_map_new();
	for (size_t i = 0; before && i < before->n_nodes; i++) {
		int host = before->nodes[i].host;
		if (host >= 0 && site->hosts[host].is_replaced)
			vg_map_set(hosts, before->nodes[i].name, site->hosts[host].name);
	}
	const char **lost = vg_alloc(grid->n_nodes * sizeof(*lost));
	for (size_t i = 0; i < grid->n_nodes; i++)
		lost[i] = vg_map_get(hosts, grid->nodes[i].name);
	return lost;
}

bool *vg_replace_fresh(const struct vg_session *session)
{
	const struct vg_grid *grid = session->record->grid, *before = session->before;
	if (!before || session->record->phase != VG_PHASE_UP)
		return NULL;
	_auto(vg_map) struct vg_map *known = vg_map_new();
	for (size_t i = 0; i < before->n_nodes; i++)
		vg_map_set(known, before->nodes[i].name, known);
	bool *is_fresh = vg_alloc(grid->n_nodes * sizeof(*is_fresh));
	for (size_t i = 0; i < grid->n_nodes; i++)
		is_fresh[i] = !vg_map_has(known, grid->nodes[i].name);
	return is_fresh;
}

static void add_way_out(
	struct vg_text *text, const struct vg_session *session, size_t host, const char *name)
{
	_auto(vg_string) char *nodes = NULL;
	size_t n_nodes = name_nodes(session->before, host, &nodes);
	vg_text_add(text, text->length && text->bytes[text->length - 1] != '\n' ? "\n" : "");
	if (n_nodes)
		vg_text_addf(text,
			"on '%s': %s; if it is lost, '--replace-host %s' makes %s anew on other "
			"hosts",
			name, nodes, name, n_nodes == 1 ? "it" : "them");
	else
		vg_text_addf(text,
			"no node of '%s' is on '%s': '--replace-host %s' goes on without it",
			session->record->name, name, name);
}

struct vg_error *vg_replace_explain(const struct vg_session *session, struct vg_error *error)
{
	const struct vg_site *site = session->site;
	size_t n_silent = 0;
	for (size_t h = 0; h < site->n_hosts; h++)
		n_silent += site->hosts[h].problem || site->hosts[h].is_replaced;
	if (!error || site->is_owned || n_silent == site->n_hosts)
		return error;
	const char *remedy = vg_error_remedy(error);
	_auto(vg_text) struct vg_text text = {0};
	vg_text_add(&text, remedy ? remedy : "");
	for (size_t h = 0; h < site->n_hosts; h++) {
		if (site->hosts[h].problem && !site->hosts[h].is_replaced)
			add_way_out(&text, session, h, site->hosts[h].name);
	}
	return text.length ? vg_error_hint(error, "%s", text.bytes) : error;
}
