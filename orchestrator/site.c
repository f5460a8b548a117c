// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/site.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/tag.h"
#include "base/text.h"
#include "box/accelerator.h"
#include "box/box.h"
#include "box/namespace.h"
#include "box/practice.h"
#include "box/underlay.h"
#include "orchestrator/context.h"
#include "orchestrator/every_host.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/site_practice.h"

enum {
	HYPERVISOR_TIMEOUT_MS = 30 * 1000,
	PRACTICE_TIMEOUT_MS = 10 * 1000,
	VNI_FIRST = 100,
	VNI_LAST = 0xffffff
};

static const struct vg_resources unlimited = {{VG_UNLIMITED, VG_UNLIMITED, VG_UNLIMITED}};
enum { SANDBOX_CPU_OVERCOMMIT = 32 };

// What is built in. A box is made for its grid; a fake host is only a line in a file.
static const struct {
	const char *kind;
	bool is_owned, has_boxes, is_simulated;
} kinds[] = {{"sandbox", true, true, false}, {"fake", false, false, true}};

bool vg_site_has_boxes(const struct vg_site *site)
{
	if (site->practice)
		return true;
	for (size_t i = 0; i < VG_LENGTH(kinds); i++) {
		if (strcmp(kinds[i].kind, site->kind) == 0)
			return kinds[i].has_boxes;
	}
	return false;
}

bool vg_site_is_built_in(const char *text)
{
	size_t length = strcspn(text, ":");
	for (size_t i = 0; i < VG_LENGTH(kinds); i++) {
		if (strlen(kinds[i].kind) == length && strncmp(kinds[i].kind, text, length) == 0)
			return true;
	}
	return false;
}

static struct vg_error *unknown_site(const char *text)
{
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "there is no site '%.60s'", text),
		"a site is 'sandbox', 'sandbox:3' for three boxes, or one that 'vgrid site list' "
		"shows");
}

struct vg_resources vg_site_this_machine(void)
{
	struct vg_resources all = unlimited;
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (pages > 0 && size > 0)
		all.of[VG_RESOURCE_MEMORY] = (uint64_t)pages * (uint64_t)size;
	if (cores > 0)
		all.of[VG_RESOURCE_CPU] = (uint64_t)cores * 1000 * SANDBOX_CPU_OVERCOMMIT;
	return all;
}

struct vg_error *vg_site_read(const char *text, struct vg_site **ret_site)
{
	size_t length = strcspn(text, ":");
	_auto(vg_string) char *kind = vg_strndup(text, length);
	bool is_owned = false, is_known = false, is_simulated = false;
	for (size_t i = 0; i < VG_LENGTH(kinds); i++) {
		if (strcmp(kinds[i].kind, kind) != 0)
			continue;
		is_known = true;
		is_owned = kinds[i].is_owned;
		is_simulated = kinds[i].is_simulated;
	}
	unsigned n_hosts = 1;
	int end = 0;
	if (text[length] && (sscanf(text + length, ":%3u%n", &n_hosts, &end) != 1 ||
				    text[length + (size_t)end]))
		return unknown_site(text);
	if (!is_known)
		return unknown_site(text);
	if (n_hosts < 1 || n_hosts > VG_SITE_HOSTS_MAX)
		return vg_error_of(
			VG_ERROR_USAGE, "'%s': a site has 1 to %d hosts", text, VG_SITE_HOSTS_MAX);
	_auto(vg_site) struct vg_site *site = vg_new(struct vg_site);
	site->text = vg_strdup(text);
	site->name = vg_strdup(kind);
	site->kind = vg_take(kind);
	site->vni_first = VNI_FIRST;
	site->vni_last = VNI_LAST;
	site->shared = is_owned ? vg_site_this_machine() : unlimited;
	site->is_owned = is_owned;
	site->is_simulated = is_simulated;
	site->hosts = vg_alloc(n_hosts * sizeof(*site->hosts));
	site->n_hosts = n_hosts;
	for (size_t h = 0; h < n_hosts; h++) {
		site->hosts[h].name = vg_format("%s-%zu", is_owned ? "box" : "host", h);
		site->hosts[h].tunnel = vg_underlay_address(h);
		site->hosts[h].capacity = unlimited;
		site->hosts[h].slowness = 1;
		site->hosts[h].n_booting = 8;
	}
	struct vg_error *error = vg_drivers_of(site->kind, &site->drivers);
	if (!error)
		*ret_site = vg_take(site);
	return error;
}

static void disconnect(const struct vg_site *site, struct vg_host *host)
{
	if (host->compute)
		site->drivers->compute->close(host->compute);
	if (host->net)
		site->drivers->net->close(host->net);
	if (host->storage)
		site->drivers->storage->close(host->storage);
	vg_net_facts_done(&host->net_facts);
	vg_box_free(host->box);
	vg_error_free(host->problem);
	host->problem = NULL;
	host->compute = NULL;
	host->net = NULL;
	host->storage = NULL;
	host->box = NULL;
	host->is_running = false;
}

void vg_site_free(struct vg_site *site)
{
	if (!site)
		return;
	for (size_t h = 0; h < site->n_hosts; h++) {
		disconnect(site, &site->hosts[h]);
		free(site->hosts[h].name);
		free(site->hosts[h].folder_seen);
		free(site->hosts[h].images_seen);
	}
	vg_box_free(site->underlay);
	vg_practice_free(site->practice);
	free(site->hosts);
	free(site->text);
	free(site->name);
	vg_site_file_free(site->file);
	free(site->kind);
	free(site);
}

bool vg_site_limits_rates(const struct vg_site *site, size_t host)
{
	const struct vg_host *it = &site->hosts[host];
	return it->is_running ? it->net_facts.can_limit : site->drivers->below->net->facts != NULL;
}

// What a site file can say and no driver does yet.
static struct vg_error *check_drivers(const struct vg_site *site)
{
	const struct vg_site_file *file = site->file;
	if (file && !file->is_fake && !site->practice)
		return vg_error_hint(
			vg_error_at(file->hosts[0].libvirt_place,
				"site '%s': hosts reached by libvirt cannot be used yet",
				site->name),
			"the file is good; 'vgrid site practice NAME' makes hosts of this machine");
	if (file && file->state.driver && strcmp(file->state.driver, "file") != 0)
		return vg_error_at(file->state.place,
			"site '%s': records cannot be kept by '%s' yet", site->name,
			file->state.driver);
	return NULL;
}

struct vg_error *vg_site_enter(const struct vg_site *site, struct vg_context *context)
{
	struct vg_error *error = check_drivers(site);
	if (error || !vg_site_has_boxes(site))
		return error;
	return vg_error_while(vg_namespace_enter(context->home, context->verb), "entering the %s",
		site->practice ? "practice site" : "sandbox");
}

struct vg_error *vg_site_check(const struct vg_site *site)
{
	if (!vg_site_has_boxes(site))
		return NULL;
	struct vg_error *error = vg_box_probe_programs();
	return error ? error : vg_namespace_probe_tun();
}

static char *box_tag(const struct vg_context *context, const char *uuid, size_t host)
{
	_auto(vg_string) char *path = vg_format("host/%zu", host);
	return vg_tag_make(context->store, uuid, path);
}

static char *box_folder(const struct vg_context *context, const char *key, size_t host)
{
	_auto(vg_string) char *grid = vg_context_grid(context, key);
	return vg_format("%s/host-%zu", grid, host);
}

// What differs between sites about a host's addresses.
struct endpoints {
	char *uri, *folder, *images, *net;
	char *key, *certificate, *authority; // for `net`; NULL: none
	const char *folder_seen, *images_seen;
	int namespace_fd;          // of the host's network
	int operator_namespace_fd; // where libvirt and OVSDB are reached from; 0: from here
};

static void endpoints_done(struct endpoints *endpoints)
{
	free(endpoints->uri);
	free(endpoints->folder);
	free(endpoints->images);
	free(endpoints->net);
	free(endpoints->key);
	free(endpoints->certificate);
	free(endpoints->authority);
}

// The box's daemons are looked after and reached as the site's hosts are: over the underlay, by
// TLS.
static struct vg_error *join_practice(
	const struct vg_site *site, struct vg_host *host, struct endpoints *endpoints)
{
	size_t number = (size_t)(host - site->hosts);
	endpoints->uri = vg_practice_libvirt(site->practice, number);
	endpoints->net = vg_practice_ovsdb(site->practice, number);
	endpoints->key = vg_practice_path(site->practice, "pki/operator/clientkey.pem");
	endpoints->certificate = vg_practice_path(site->practice, "pki/operator/clientcert.pem");
	endpoints->authority = vg_practice_path(site->practice, "pki/operator/cacert.pem");
	endpoints->operator_namespace_fd = site->underlay->net_fd;
	endpoints->namespace_fd = host->box->net_fd;
	return vg_practice_join(site->practice, site->underlay, number, host->box,
		vg_drivers_limit(site->drivers, PRACTICE_TIMEOUT_MS), &host->repaired);
}

static struct vg_error *find_endpoints(const struct vg_site *site, struct vg_host *host,
	struct vg_context *context, const char *key, struct endpoints *ret)
{
	size_t number = (size_t)(host - site->hosts);
	*ret = (struct endpoints){.images = vg_context_images(context), .namespace_fd = -1};
	if (!vg_site_has_boxes(site)) {
		_auto(vg_string) char *worlds =
			site->file ? vg_format("%s/sites/%s", context->home, site->name)
				   : vg_strdup(context->home);
		ret->uri = vg_format("fake:%s/fake-compute.json", worlds);
		ret->net = vg_format("fake:%s/fake-net.json", worlds);
		ret->folder = vg_format("fake:%s/fake-storage.json", worlds);
		ret->folder_seen = ret->folder;
		ret->images_seen = ret->images;
		return vg_folder_make(worlds, 0700);
	}
	ret->folder = site->practice ? vg_practice_path(site->practice, host->name)
				     : box_folder(context, key, number);
	ret->folder_seen = "/v"; // box/box.h
	ret->images_seen = "/i";
	if (!host->box || site->is_ending)
		return NULL;
	if (site->practice)
		return join_practice(site, host, ret);
	ret->namespace_fd = host->box->net_fd;
	_auto(vg_string) char *console = vg_format("%s/console", ret->folder);
	struct vg_error *error = vg_folder_make(console, 0700);
	if (error)
		return error;
	bool was_restarted = false;
	error = vg_box_hypervisor(host->box, vg_drivers_limit(site->drivers, HYPERVISOR_TIMEOUT_MS),
		&ret->uri, &was_restarted);
	host->repaired = was_restarted ? "libvirtd" : NULL;
	return error;
}

// What a host's opening or start took since `begun`.
static void note_time(
	struct vg_context *context, const struct vg_host *host, enum vg_timed kind, uint64_t begun)
{
	vg_timings_add(context->timings, &(struct vg_span){.kind = kind,
						 .subject = host->name,
						 .host = host->name,
						 .ready = begun,
						 .begun = begun,
						 .ended = vg_timings_now(context->timings)});
}

static struct vg_error *open_host(
	struct vg_site *site, struct vg_host *host, struct vg_context *context, const char *key)
{
	struct endpoints at;
	uint64_t begun = vg_timings_now(context->timings);
	struct vg_error *error = find_endpoints(site, host, context, key, &at);
	free(host->folder_seen);
	free(host->images_seen);
	host->folder_seen = vg_strdup(at.folder_seen);
	host->images_seen = vg_strdup(at.images_seen);
	const struct vg_drivers *drivers = site->drivers;
	struct vg_error *storage_error = NULL;
	if (!host->storage)
		storage_error = vg_drivers_open_storage(drivers,
			&(struct vg_storage_target){
				host->name, at.folder, at.folder_seen, at.images, at.images_seen},
			&host->storage);
	if (error)
		vg_error_ignore(storage_error);
	else
		error = storage_error;
	bool runs = (host->box && !site->is_ending) || !vg_site_has_boxes(site);
	if (!error && runs)
		error = vg_drivers_open_compute(drivers,
			&(struct vg_compute_target){host->name, at.uri, at.folder, at.folder_seen,
				at.operator_namespace_fd},
			&host->compute);
	if (host->box && runs)
		note_time(context, host, VG_TIMED_LIBVIRTD, begun);
	if (!error && runs)
		error = vg_drivers_open_net(drivers,
			&(struct vg_net_target){.host = host->name,
				.namespace_fd = at.namespace_fd,
				.endpoint_namespace_fd = at.operator_namespace_fd,
				.endpoint = at.net,
				.tls = {at.key, at.certificate, at.authority}},
			&host->net);
	if (!error && runs)
		error = drivers->net->facts(host->net, &host->net_facts);
	host->is_running = !error && runs;
	endpoints_done(&at);
	return vg_error_while(error, "opening host '%s'", host->name);
}

struct opening {
	struct vg_site *site;
	struct vg_context *context;
	const char *key;
};

static struct vg_error *open_one(struct vg_host *host, void *data)
{
	const struct opening *opening = data;
	return open_host(opening->site, host, opening->context, opening->key);
}

static struct vg_error *find_boxes(
	struct vg_site *site, struct vg_context *context, const char *uuid)
{
	if (site->practice)
		return vg_site_practice_find(site, context);
	for (size_t h = 0; h < site->n_hosts; h++) {
		_auto(vg_string) char *tag = box_tag(context, uuid, h);
		struct vg_error *error = vg_box_find(context->home, tag, &site->hosts[h].box);
		if (error)
			return error;
	}
	_auto(vg_string) char *tag = box_tag(context, uuid, site->n_hosts);
	return site->n_hosts > 1 ? vg_box_find(context->home, tag, &site->underlay) : NULL;
}

// The race tells the accelerator; booting guests without one take a core each.
static struct vg_error *race(struct vg_site *site, struct vg_context *context)
{
	_auto(vg_race) struct vg_race *verdict = NULL;
	struct vg_error *error = vg_accelerator_race(context->home, true, &verdict);
	if (error)
		return vg_error_while(error, "choosing the accelerator");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	// One more than cores: a guest that waits for its disk or for a daemon leaves its core
	// idle.
	unsigned n_booting = (unsigned)(cores > 0 ? cores : 1) + 1;
	// Hosts of a practice site share this machine.
	if (site->practice)
		n_booting = (n_booting + (unsigned)site->n_hosts - 1) / (unsigned)site->n_hosts;
	for (size_t h = 0; h < site->n_hosts; h++) {
		struct vg_host *host = &site->hosts[h];
		host->accelerator = verdict->is_kvm ? VG_ACCELERATOR_KVM : VG_ACCELERATOR_TCG;
		host->slowness = verdict->slowness ? verdict->slowness : 1;
		host->n_booting = verdict->is_kvm ? n_booting * 4 : n_booting;
	}
	return NULL;
}

struct vg_error *vg_site_connect(
	struct vg_site *site, struct vg_context *context, const char *key, const char *uuid)
{
	struct vg_error *error = NULL;
	if (vg_site_has_boxes(site)) {
		error = find_boxes(site, context, uuid);
		if (!error && !site->is_ending)
			error = race(site, context);
	}
	if (error)
		return error;
	struct opening opening = {site, context, key};
	error = vg_every_host(site, context, open_one, &opening);
	for (size_t h = 0; h < site->n_hosts; h++) {
		if (site->hosts[h].repaired)
			vg_progress_say(context->progress,
				"The %s of %s had died and was started again",
				site->hosts[h].repaired, site->hosts[h].name);
	}
	return error;
}

struct vg_error *vg_site_start_host(struct vg_site *site, struct vg_context *context,
	const char *key, const char *uuid, size_t number)
{
	struct vg_host *host = &site->hosts[number];
	if (host->is_running)
		return NULL;
	if (site->practice) {
		struct vg_error *error = vg_site_practice_start(site, context, number);
		return error ? error : open_host(site, host, context, key);
	}
	_auto(vg_string) char *tag = box_tag(context, uuid, number);
	_auto(vg_string) char *folder = box_folder(context, key, number);
	_auto(vg_string) char *images = vg_context_images(context);
	struct vg_error *error = vg_folder_make(folder, 0700);
	if (!error)
		error = vg_folder_make(images, 0755);
	vg_box_free(vg_take(host->box));
	uint64_t begun = vg_timings_now(context->timings);
	if (!error)
		error = vg_box_start(&(struct vg_box_spec){.home = context->home,
					     .tag = tag,
					     .name = host->name,
					     .folder = folder,
					     .images = images,
					     .has_hypervisor = true},
			&host->box);
	note_time(context, host, VG_TIMED_BOX, begun);
	return error ? error : open_host(site, host, context, key);
}

struct vg_error *vg_site_join(
	struct vg_site *site, struct vg_context *context, const char *key, const char *uuid)
{
	if (!vg_site_has_boxes(site) || site->practice)
		return NULL;
	struct vg_error *error = NULL;
	if (site->n_hosts > 1) {
		_auto(vg_string) char *tag = box_tag(context, uuid, site->n_hosts);
		_auto(vg_string) char *folder = box_folder(context, key, site->n_hosts);
		error = vg_folder_make(folder, 0700);
		vg_box_free(vg_take(site->underlay));
		if (!error)
			error = vg_box_start(&(struct vg_box_spec){.home = context->home,
						     .tag = tag,
						     .name = "underlay",
						     .folder = folder},
				&site->underlay);
	}
	struct vg_box **boxes = vg_alloc(site->n_hosts * sizeof(struct vg_box *));
	for (size_t h = 0; h < site->n_hosts; h++)
		boxes[h] = site->hosts[h].box;
	if (!error)
		error = vg_underlay_connect(site->underlay, boxes, site->n_hosts);
	free(boxes);
	return error;
}

bool vg_site_is_split(const struct vg_site *site)
{
	return vg_site_has_boxes(site) && !site->practice && site->n_hosts > 1 && !site->underlay;
}

struct vg_error *vg_site_stop_host(
	struct vg_site *site, struct vg_context *context, const char *key, size_t number)
{
	struct vg_host *host = &site->hosts[number];
	(void)context;
	(void)key;
	if (host->compute)
		site->drivers->compute->close(vg_take(host->compute));
	if (host->net)
		site->drivers->net->close(vg_take(host->net));
	host->is_running = false;
	// The switch goes with the first box: what is left of the site is ending too. It goes before it, so
	// that whoever goes on after a kill in between still finds a box to stop.
	struct vg_error *error = NULL;
	if (site->underlay && number == 0)
		error = vg_box_stop(site->underlay);
	if (!error && host->box)
		error = vg_box_stop(host->box);
	if (!error)
		vg_error_free(vg_take(host->problem));
	return error;
}

void vg_site_tidy(const struct vg_site *site, struct vg_context *context, const char *uuid)
{
	struct vg_box_list list = {0};
	if (!vg_site_has_boxes(site))
		return;
	// Listing looks at each registration and drops those of the dead. A switch whose first box has died
	// had no step that would have stopped it.
	vg_error_ignore(vg_box_list(context->home, context->store, uuid, &list));
	for (size_t i = 0; i < list.n_items && site->is_ending; i++)
		vg_error_ignore(vg_box_stop(list.items[i]));
	vg_box_list_done(&list);
}

size_t vg_site_count_running(const struct vg_site *site, const struct vg_box_list *boxes,
	const char *store, const char *uuid)
{
	_auto(vg_string) char *prefix =
		site->practice ? vg_format("%s/host/", site->practice->name) : vg_strdup("host/");
	size_t n = 0;
	for (size_t i = 0; i < boxes->n_items; i++) {
		const char *text = boxes->items[i]->tag;
		struct vg_tag tag;
		n += vg_tag_is_of(text, store, site->practice ? "site" : uuid) &&
		     vg_tag_read(text, &tag) && vg_text_starts(tag.path, prefix);
	}
	return n;
}
