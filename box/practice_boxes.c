// SPDX-License-Identifier: Apache-2.0
//
// The boxes of a practice site: found by their tags, started, joined, ended.
#include "box/practice.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/tag.h"
#include "base/text.h"
#include "box/daemon.h"
#include "box/practice_switch.h"
#include "box/underlay.h"
#include "net/link.h"

static char *tag_of(const struct vg_practice *practice, const char *store, size_t host)
{
	_auto(vg_string) char *path = vg_format("%s/host/%zu", practice->name, host + 1);
	return vg_tag_make(store, NULL, path);
}

static char *tag_of_switch(const struct vg_practice *practice, const char *store)
{
	_auto(vg_string) char *path = vg_format("%s/underlay", practice->name);
	return vg_tag_make(store, NULL, path);
}

struct vg_error *vg_practice_find(
	const struct vg_practice *practice, const char *store, size_t host, struct vg_box **ret_box)
{
	_auto(vg_string) char *tag = tag_of(practice, store, host);
	return vg_box_find(practice->home, tag, ret_box);
}

struct vg_error *vg_practice_find_switch(
	const struct vg_practice *practice, const char *store, struct vg_box **ret_box)
{
	_auto(vg_string) char *tag = tag_of_switch(practice, store);
	return vg_box_find(practice->home, tag, ret_box);
}

struct vg_error *vg_practice_start(const struct vg_practice *practice, const char *store,
	size_t host, const char *images, struct vg_box **ret_box)
{
	_auto(vg_string) char *name = vg_practice_host_name(host);
	_auto(vg_string) char *tag = tag_of(practice, store, host);
	_auto(vg_string) char *folder = vg_practice_path(practice, name);
	_auto(vg_string) char *console = vg_format("%s/console", folder);
	_auto(vg_string) char *below = vg_format("pki/%s", name);
	_auto(vg_string) char *keys = vg_practice_path(practice, below);
	const struct vg_box_spec spec = {.home = practice->home,
		.tag = tag,
		.name = name,
		.folder = folder,
		.images = images,
		.keys = keys,
		.has_hypervisor = true,
		.has_switch = practice->has_switch};
	struct vg_error *error = vg_folder_make(console, 0700);
	if (!error)
		error = vg_folder_make(images, 0755);
	return error ? error : vg_box_start(&spec, ret_box);
}

struct vg_error *vg_practice_start_switch(
	const struct vg_practice *practice, const char *store, struct vg_box **ret_box)
{
	_auto(vg_string) char *tag = tag_of_switch(practice, store);
	_auto(vg_string) char *folder = vg_practice_path(practice, "underlay");
	const struct vg_box_spec spec = {
		.home = practice->home, .tag = tag, .name = "underlay", .folder = folder};
	struct vg_error *error = vg_folder_make(folder, 0700);
	if (!error)
		error = vg_box_start(&spec, ret_box);
	return error ? error : vg_underlay_make(*ret_box);
}

struct vg_error *vg_practice_join(const struct vg_practice *practice, struct vg_box *sw,
	size_t host, struct vg_box *box, uint64_t timeout_ms, const char **ret_restarted)
{
	bool was_restarted = false;
	const char *of_switch = NULL;
	const char *carrier = practice->has_switch ? VG_PRACTICE_BRIDGE : VG_LINK_UNDERLAY;
	struct vg_error *error = vg_underlay_plug(sw, box, host, practice->has_switch);
	if (!error && practice->has_switch)
		error = vg_practice_switch(box, host, timeout_ms, &of_switch);
	if (!error)
		error = vg_underlay_name(box, carrier, host);
	if (!error)
		error = vg_box_await(box, VG_BOX_LIBVIRTD, timeout_ms, &was_restarted);
	if (!error)
		*ret_restarted = was_restarted ? vg_daemons[VG_BOX_LIBVIRTD].program : of_switch;
	return error;
}

// Is this box one of the site's, whatever it is there?
static bool is_of(const struct vg_box *box, const char *name)
{
	_auto(vg_string) char *prefix = vg_format("%s/", name);
	struct vg_tag tag;
	return vg_tag_read(box->tag, &tag) && vg_text_starts(tag.path, prefix);
}

static struct vg_error *end_boxes(
	const char *home, const char *store, const char *name, bool *ret_had_any)
{
	struct vg_box_list boxes = {0};
	struct vg_error *error = vg_box_list(home, store, "site", &boxes);
	for (size_t i = 0; !error && i < boxes.n_items; i++) {
		if (!is_of(boxes.items[i], name))
			continue;
		*ret_had_any = true;
		error = vg_box_stop(boxes.items[i]);
	}
	vg_box_list_done(&boxes);
	return error;
}

// By a name that is nobody's, so that what a kill leaves is no site.
static struct vg_error *remove_folder(const char *home, const char *name, bool *ret_had_any)
{
	_auto(vg_string) char *folder = vg_format("%s/sites/%s", home, name);
	_auto(vg_string) char *gone = vg_format("%s/sites/.%s.gone", home, name);
	*ret_had_any |= vg_file_exists(gone);
	struct vg_error *error = vg_folder_remove(gone);
	if (error || !vg_practice_has_traces(home, name))
		return error;
	*ret_had_any = true;
	if (rename(folder, gone) < 0)
		return vg_error_errno(errno, "renaming '%s'", folder);
	return vg_folder_remove(gone);
}

struct vg_error *vg_practice_end(
	const char *home, const char *store, const char *name, bool *ret_had_any)
{
	bool had_any = vg_practice_has_traces(home, name);
	_auto(vg_string) char *pki = vg_format("%s/sites/%s/pki", home, name);
	_auto(vg_string) char *file = vg_format("%s/sites/%s/" VG_PRACTICE_FILE, home, name);
	// One that was just begun has a file and no keys yet: the folder stays a practice site's to
	// the end.
	struct vg_error *error = had_any ? vg_folder_make(pki, 0700) : NULL;
	// First, so that nobody takes the site for one that is there any more.
	if (!error)
		error = vg_file_remove(file);
	if (!error)
		error = end_boxes(home, store, name, &had_any);
	if (!error)
		error = remove_folder(home, name, &had_any);
	if (!error)
		*ret_had_any = had_any;
	return vg_error_while(error, "ending the practice site '%s'", name);
}
