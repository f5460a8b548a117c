// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/site_file.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/site_practice.h"

static char *path_of(const struct vg_context *context, const char *name)
{
	return vg_format("%s/sites/%s/site.yaml", context->home, name);
}

static bool is_file(const char *text)
{
	return strchr(text, '/') || vg_text_ends(text, ".yaml") || vg_text_ends(text, ".yml") ||
	       vg_text_ends(text, ".json");
}

// What a host has for grids: what the file gives it, times the overcommit.
static struct vg_resources capacity_of(
	const struct vg_site_file *file, const struct vg_site_host *host)
{
	struct vg_resources capacity = host->given;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double more = (double)capacity.of[d] / 1000 * file->overcommit[d];
		if (capacity.of[d] != VG_UNLIMITED)
			capacity.of[d] = more < (double)INT64_MAX ? (uint64_t)more : INT64_MAX;
	}
	return capacity;
}

// Fake hosts need no address. One that comes from the name stays when the file is changed (RFC 4193).
static struct vg_ip tunnel_of(const struct vg_site_host *host)
{
	struct vg_cidr block;
	struct vg_ip ip = host->underlay;
	char hex[VG_SHA256_HEX];
	if (host->has_underlay)
		return ip;
	vg_sha256_hex(host->name, strlen(host->name), hex);
	hex[15] = '\0';
	vg_error_ignore(vg_cidr_read("fd00:7667::/64", &block));
	vg_cidr_address(&block, strtoull(hex, NULL, 16), &ip);
	return ip;
}

static struct vg_error *make(struct vg_site_file *file, struct vg_site **ret_site)
{
	_auto(vg_site) struct vg_site *site = vg_new(struct vg_site);
	site->file = file;
	site->text = vg_strdup(file->name);
	site->name = vg_strdup(file->name);
	site->kind = vg_strdup(file->is_fake ? "fake" : "hosts");
	site->is_simulated = file->is_fake;
	site->vni_first = file->vni_first;
	site->vni_last = file->vni_last;
	site->underlay_mtu = file->n_hosts > 1 ? file->underlay_mtu : 0;
	site->tunnel_overhead = file->hosts[0].underlay.is_ipv6 ? 70 : 50;
	for (size_t d = 0; d < VG_N_RESOURCES; d++)
		site->shared.of[d] = VG_UNLIMITED;
	site->hosts = vg_alloc(file->n_hosts * sizeof(*site->hosts));
	site->n_hosts = file->n_hosts;
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_site_host *host = &file->hosts[h];
		site->hosts[h].name = vg_strdup(host->name);
		site->hosts[h].tunnel = tunnel_of(host);
		site->hosts[h].capacity = capacity_of(file, host);
		site->hosts[h].labels = host->labels;
		site->hosts[h].n_labels = host->n_labels;
		site->hosts[h].slowness = 1;
		site->hosts[h].n_booting = 8;
	}
	struct vg_error *error = file->is_fake ? vg_drivers_of(site->kind, &site->drivers) : NULL;
	if (!error)
		*ret_site = vg_take(site);
	return error;
}

static struct vg_error *read_file(
	struct vg_context *context, const char *path, struct vg_site **ret_site)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_site_file) struct vg_site_file *file = NULL;
	struct vg_error *error = vg_site_file_read(path, &findings, &file);
	if (!error && findings.n_found) {
		vg_progress_pause(context->progress);
		vg_site_file_print_findings(file, &findings, stderr);
		error = vg_findings_error(&findings, path);
	}
	return error ? error : make(vg_take(file), ret_site);
}

struct vg_error *vg_site_known(const struct vg_context *context, char ***ret_names, size_t *ret_n)
{
	_auto(vg_string) char *folder = vg_format("%s/sites", context->home);
	char **names;
	size_t n_names, n_known = 0;
	struct vg_error *error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = path_of(context, names[i]);
		if (vg_file_exists(path))
			names[n_known++] = names[i];
		else
			free(names[i]);
	}
	*ret_names = names;
	*ret_n = n_known;
	return NULL;
}

static struct vg_error *unknown_site(const struct vg_context *context, const char *text)
{
	struct vg_error *unknown = vg_error_of(VG_ERROR_USAGE, "there is no site '%.60s'", text);
	char **names;
	size_t n_names;
	struct vg_error *error = vg_site_known(context, &names, &n_names);
	if (error) {
		vg_error_free(unknown);
		return error;
	}
	const char **all = vg_alloc((n_names + 1) * sizeof(*all));
	all[0] = "sandbox";
	for (size_t i = 0; i < n_names; i++)
		all[i + 1] = names[i];
	_auto(vg_string) char *stem = vg_strndup(text, strcspn(text, ":"));
	const char *near = vg_text_nearest(stem, all, n_names + 1);
	if (near)
		unknown = vg_error_hint(unknown, "did you mean '%s'?", near);
	else
		unknown = vg_error_hint(unknown,
			"a site is 'sandbox', 'sandbox:3' for three boxes, a file ('./lab.yaml'), "
			"or the name of one that was used before ('vgrid site list')");
	free(all);
	vg_folder_list_free(names, n_names);
	return unknown;
}

// A name of a site, and so of a folder.
static bool is_name(const char *text)
{
	return *text >= 'a' && *text <= 'z' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

// A practice site's own file is told from a file of a site that is called the same.
static struct vg_error *read_given(
	struct vg_context *context, const char *path, struct vg_site **ret_site)
{
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = read_file(context, path, &site);
	if (error)
		return error;
	if (vg_practice_has_traces(context->home, site->name))
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
					     "'%s' calls its site '%s', as a practice site is called",
					     path, site->name),
			"'--site %s' is the practice site; call the other one otherwise", site->name);
	*ret_site = vg_take(site);
	return NULL;
}

struct vg_error *vg_site_find(
	struct vg_context *context, const char *text, struct vg_site **ret_site)
{
	if (vg_site_is_built_in(text))
		return vg_site_read(text, ret_site);
	if (is_file(text))
		return read_given(context, text, ret_site);
	_auto(vg_string) char *path = path_of(context, text);
	if (!is_name(text) || !vg_file_exists(path))
		return unknown_site(context, text);
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = read_file(context, path, &site);
	if (!error)
		error = vg_site_practice_adopt(site, context);
	if (!error)
		*ret_site = vg_take(site);
	return error;
}

struct vg_error *vg_site_remember(struct vg_context *context, const struct vg_site *site)
{
	if (!site->file)
		return NULL;
	_auto(vg_string) char *path = path_of(context, site->name);
	_auto(vg_string) char *folder = vg_format("%s/sites/%s", context->home, site->name);
	_auto(vg_string) char *known = NULL;
	size_t size = 0;
	struct vg_error *error = vg_file_exists(path)
					 ? vg_file_read(path, VG_SITE_FILE_SIZE_MAX, &known, &size)
					 : NULL;
	bool is_same =
		known && size == site->file->size && memcmp(known, site->file->text, size) == 0;
	if (error || is_same)
		return error;
	error = vg_folder_make(folder, 0700);
	if (!error)
		error = vg_file_write(path, 0600, site->file->text, site->file->size);
	return vg_error_while(error, "remembering site '%s'", site->name);
}
