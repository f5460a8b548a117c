// SPDX-License-Identifier: Apache-2.0
//
// A practice site as it is right now, and its table. Used by `site practice`, `site show`, `site
// list` and `site stop`.
#pragma once

#include <sys/types.h>

#include "base/json.h"
#include "orchestrator/cli/command.h"

struct vg_practice;

struct vg_site_view {
	struct vg_practice *practice;
	const char **states; // one a host: "running", "no libvirtd", "stopped", …; constants
	size_t n_running;
	pid_t underlay; // process 1 of the underlay's namespaces, 0 when it does not run
	char **grids;   // keys of the grids that live there
	size_t n_grids;
};

void vg_site_view_free(struct vg_site_view *view);
VG_AUTO(vg_site_view);

// Looks and changes nothing; inside the user namespace, with the store open. Takes the practice
// site over.
struct vg_error *vg_site_view_make(struct vg_context *context, struct vg_practice *practice,
	struct vg_site_view **ret_view) VG_MUST_CHECK;
// The keys of the grids that have a record on this site; free with vg_folder_list_free(). A record
// that cannot be read is an error.
struct vg_error *vg_site_view_grids(const struct vg_context *context, const char *site,
	char ***ret_keys, size_t *ret_n_keys) VG_MUST_CHECK;
// The hosts' table, where the site's files are, and what to type next.
void vg_site_view_print(const struct vg_site_view *view);
// As a result's object has it: into `result`.
void vg_site_view_json(const struct vg_site_view *view, struct vg_json *result);

// Fields of vg_site_view_json(), to begin a verb's own with.
#define VG_SITE_VIEW_FIELDS                                                                        \
	{"name", "string", "the site's"}, {"file", "string", "its site file"},                     \
		{"keys", "string", "the folder with the operator's keys, as pkipath of a URI"},    \
		{"underlay", "integer?", "a process in the underlay's network, where URIs work"},  \
		{"hosts[].name", "string", "the host's"},                                          \
		{"hosts[].state", "string",                                                        \
			"running or stopped, or which of its daemons is missing"},                 \
		{"hosts[].underlay", "string", "its address"},                                     \
		{"hosts[].libvirt", "string", "its URI, within the underlay's network"},           \
		{"hosts[].ovsdb", "string?", "its endpoint; null without Open vSwitch"},           \
		{"hosts[].folder", "string", "what it has as /v: volumes, consoles"},              \
	{                                                                                          \
		"grids[]", "string", "NAME@SITE of the grids that live there"                      \
	}
