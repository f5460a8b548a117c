// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site practice NAME`: makes a practice site, or starts again what of it does not run.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/box.h"
#include "box/namespace.h"
#include "box/practice.h"
#include "box/practice_switch.h"
#include "orchestrator/cli/parallel.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/practice_file.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/site_file.h"

enum { HOSTS_DEFAULT = 3, HOST_TIMEOUT_MS = 60 * 1000, N_THREADS = 4 };

struct making {
	struct vg_context *context;
	const struct vg_practice *practice;
	struct vg_box *sw;
	char *images;
	struct vg_error **errors; // one a host
	const char **repaired;    // the daemon that had died, NULL: none
};

static struct vg_error *read_hosts(const char *text, size_t *ret_n_hosts)
{
	char *end = NULL;
	long n = text ? strtol(text, &end, 10) : 0;
	if (!text)
		return NULL;
	if (*end || end == text || n < 1 || n > VG_PRACTICE_HOSTS_MAX)
		return vg_error_of(VG_ERROR_USAGE,
			"'--hosts %.20s': a practice site has 1 to %d hosts", text,
			VG_PRACTICE_HOSTS_MAX);
	*ret_n_hosts = (size_t)n;
	return NULL;
}

static struct vg_error *check_name(const char *home, const char *name)
{
	if (vg_practice_is_taken(home, name))
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the site '%s' is no practice site", name),
			"choose another name");
	if (vg_practice_may_be_called(name))
		return NULL;
	return vg_error_hint(
		vg_error_of(VG_ERROR_USAGE, "a practice site cannot be called '%.60s'", name),
		"small letters, digits and dashes, a letter first, at most %d; 'sandbox' and "
		"'fake' "
		"are built in",
		VG_PRACTICE_NAME_MAX);
}

// Everything that is missing on this machine is told before anything is made.
static struct vg_error *check_machine(bool has_switch)
{
	struct vg_error *error = vg_box_probe_programs();
	if (!error && has_switch)
		error = vg_practice_probe_switch();
	return error ? error : vg_namespace_probe_tun();
}

// What there is, grown to what is asked for; or a new one.
static struct vg_error *decide(const struct vg_cli *cli, const struct vg_context *context,
	struct vg_practice **ret_practice)
{
	const char *name = vg_cli_operand(cli, 0);
	bool wants_switch = vg_cli_flag(cli, "ovs");
	_auto(vg_practice) struct vg_practice *practice = NULL;
	size_t n_hosts = 0;
	struct vg_error *error = read_hosts(vg_cli_option(cli, "hosts"), &n_hosts);
	if (!error)
		error = vg_practice_load(context->home, name, &practice);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_free(vg_take(error));
		practice = vg_new(struct vg_practice);
		practice->home = vg_strdup(context->home);
		practice->name = vg_strdup(name);
		practice->n_hosts = n_hosts ? n_hosts : HOSTS_DEFAULT;
		practice->has_switch = wants_switch;
	}
	if (error)
		return error;
	if (wants_switch && !practice->has_switch)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
					     "the site '%s' was made without Open vSwitch", name),
			"'vgrid site stop %s' first, or choose another name", name);
	if (n_hosts && n_hosts < practice->n_hosts)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "the site '%s' has %zu hosts",
					     name, practice->n_hosts),
			"it can grow; for a smaller one 'vgrid site stop %s' first", name);
	practice->n_hosts = n_hosts ? n_hosts : practice->n_hosts;
	*ret_practice = vg_take(practice);
	return NULL;
}

static void make_host(void *data, size_t h)
{
	struct making *making = data;
	struct vg_context *context = making->context;
	_auto(vg_string) char *name = vg_practice_host_name(h);
	_auto(vg_box) struct vg_box *box = NULL;
	if (context->is_interrupted(context->interrupted_data)) {
		making->errors[h] = vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
		return;
	}
	unsigned line = vg_progress_begin(context->progress, "%s: starting", name);
	struct vg_error *error =
		vg_practice_start(making->practice, context->store, h, making->images, &box);
	if (!error)
		vg_progress_note(context->progress, line, "waiting for its daemons");
	if (!error)
		error = vg_practice_join(making->practice, making->sw, h, box, HOST_TIMEOUT_MS,
			&making->repaired[h]);
	vg_progress_end(context->progress, line, !error);
	making->errors[h] = vg_error_while(error, "starting host '%s'", name);
}

// The first error; the others are of the same kind mostly.
static struct vg_error *make_hosts(struct making *making)
{
	size_t n_hosts = making->practice->n_hosts;
	making->errors = vg_alloc(n_hosts * sizeof(struct vg_error *));
	making->repaired = vg_alloc(n_hosts * sizeof(char *));
	vg_parallel(n_hosts, N_THREADS, make_host, making);
	struct vg_error *error = NULL;
	for (size_t h = 0; h < n_hosts; h++) {
		_auto(vg_string) char *name = vg_practice_host_name(h);
		if (error)
			vg_error_ignore(making->errors[h]);
		else
			error = making->errors[h];
		if (making->repaired[h])
			vg_progress_say(making->context->progress,
				"The %s of %s had died and was started again", making->repaired[h],
				name);
	}
	free(making->errors);
	free(making->repaired);
	return error;
}

// As every other command will: over TLS, with the keys just made.
static struct vg_error *try_out(struct vg_context *context, const struct vg_practice *practice)
{
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = vg_site_find(context, practice->name, &site);
	unsigned line = vg_progress_begin(context->progress, "%s: connecting", practice->name);
	if (!error)
		error = vg_site_connect(site, context, "", "");
	vg_progress_end(context->progress, line, !error);
	return error;
}

static struct vg_error *make(struct vg_context *context, const struct vg_practice *practice)
{
	struct making making = {.context = context, .practice = practice};
	making.images = vg_context_images(context);
	struct vg_error *error = vg_practice_save(practice);
	if (!error)
		error = vg_practice_make_keys(practice);
	if (!error)
		error = vg_practice_start_switch(practice, context->store, &making.sw);
	if (!error)
		error = make_hosts(&making);
	if (!error)
		error = vg_practice_site_write(practice);
	if (!error)
		error = try_out(context, practice);
	vg_box_free(making.sw);
	free(making.images);
	error = vg_error_while(error, "making the practice site '%s'", practice->name);
	if (error && !vg_error_remedy(error))
		error = vg_error_hint(error,
			"the same command goes on from here; 'vgrid site stop %s' removes it",
			practice->name);
	return error;
}

static struct vg_error *show(const struct vg_cli *cli, struct vg_context *context, const char *name)
{
	struct vg_practice *practice = NULL;
	_auto(vg_site_view) struct vg_site_view *view = NULL;
	struct vg_error *error = vg_practice_load(context->home, name, &practice);
	if (!error)
		error = vg_site_view_make(context, practice, &view);
	if (error)
		return error;
	vg_progress_pause(context->progress);
	if (!vg_cli_is_json(cli)) {
		vg_site_view_print(view);
		return NULL;
	}
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_site_practice);
	vg_site_view_json(view, result);
	vg_result_print(result);
	return NULL;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *name = vg_cli_operand(cli, 0);
	_auto(vg_practice) struct vg_practice *practice = NULL;
	int lock = -1;
	struct vg_error *error = check_name(context->home, name);
	if (!error)
		error = decide(cli, context, &practice);
	if (!error)
		error = check_machine(practice->has_switch);
	if (!error)
		error = vg_show_enter(context);
	if (!error)
		error = vg_practice_lock(context->home, name, &lock);
	if (error)
		return error;
	// Again, now that nobody else changes it.
	vg_practice_free(vg_take(practice));
	error = decide(cli, context, &practice);
	if (!error)
		vg_progress_say(context->progress, "Practice site '%s' with %zu host%s", name,
			practice->n_hosts, practice->n_hosts == 1 ? "" : "s");
	if (!error)
		error = make(context, practice);
	vg_practice_unlock(context->home, name, &lock);
	return error ? error : show(cli, context, name);
}

static const struct vg_operand operands[] = {
	{.name = "NAME", .completion = VG_COMPLETE_PRACTICE_SITE}, {0}};

static const struct vg_option options[] = {
	{.name = "hosts",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "N",
		.help = "how many hosts (3); an existing site can grow"},
	{.name = "ovs", .help = "with Open vSwitch on every host, for the networks of its grids"}, {0}};

static const struct vg_result_field fields[] = {VG_SITE_VIEW_FIELDS, {0}};

const struct vg_command vg_verb_site_practice = {
	.verb = "site practice",
	.summary = "make a practice site: several hosts on this machine, rootless",
	.help = "Makes N boxes on this machine that are hosts like any others: joined by an "
		"underlay of their own, each with a libvirtd that is reached over TLS, with "
		"certificates made for this site. `vgrid up FILE --site NAME` puts grids there, as "
		"it would on real hosts; several grids share them.\n\n"
		"Given again it starts what does not run any more, and can add hosts. Everything "
		"lies in the folder sites/NAME of VGRID_HOME. `vgrid site stop NAME` ends it "
		"without a trace.",
	.example = "$ vgrid site practice lab --hosts 3\n$ vgrid up hello.yaml --site lab\n",
	.operands = operands,
	.options = options,
	.result = fields,
	.run = run,
};
