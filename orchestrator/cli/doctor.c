// SPDX-License-Identifier: Apache-2.0
//
// `vgrid doctor`: what this machine, or each host of a site, can and cannot do, and how to mend it.
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "base/call.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "box/accelerator.h"
#include "box/namespace.h"
#include "orchestrator/cli/doctor_print.h"
#include "orchestrator/cli/doctor_site.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/site_file.h"
#include "storage/images.h"

// Takes detail and remedy over.
static void add(struct vg_verdicts *verdicts, const char *check, enum vg_verdict_grade grade,
	char *detail, char *remedy)
{
	vg_verdicts_add(verdicts,
		(struct vg_verdict){
			.check = check, .grade = grade, .detail = detail, .remedy = remedy});
}

static void add_probe(struct vg_verdicts *verdicts, const char *check, struct vg_error *error)
{
	if (!error) {
		add(verdicts, check, VG_VERDICT_OK, vg_strdup("usable"), NULL);
		return;
	}
	const char *remedy = vg_error_remedy(error);
	add(verdicts, check, VG_VERDICT_MISSING, vg_strdup(vg_error_text(error)),
		remedy ? vg_strdup(remedy) : NULL);
	vg_error_free(error);
}

// What runs, and the package of Debian that has it.
static const struct program {
	const char *name, *option, *package;
	bool is_needed;
} programs[] = {
	{"qemu-system-x86_64", "--version", "qemu-system-x86", true},
	{"libvirtd", "--version", "libvirt-daemon", true},
	{"virtlogd", "--version", "libvirt-daemon", true},
	{"ssh", "-V", "openssh-client", false},
	{"mke2fs", "-V", "e2fsprogs", false},
};

static char *first_line(const char *text)
{
	return vg_strndup(text, strcspn(text, "\n"));
}

static bool find_program(const struct program *program, char **ret_version)
{
	static const char *const folders[] = {"", "/usr/sbin/", "/sbin/", "/usr/bin/"};
	for (size_t i = 0; i < VG_LENGTH(folders); i++) {
		_auto(vg_string) char *path = vg_format("%s%s", folders[i], program->name);
		_auto(vg_string) char *output = NULL;
		int status;
		_auto(vg_error) struct vg_error *error = vg_process_run(
			(const char *const[]){path, program->option, NULL}, NULL, &status, &output);
		if (error)
			continue;
		_auto(vg_string) char *line = first_line(output);
		*ret_version = status == 0 ? vg_take(line) : vg_format("it says: %s", line);
		return true;
	}
	return false;
}

static void check_programs(struct vg_verdicts *verdicts)
{
	for (size_t i = 0; i < VG_LENGTH(programs); i++) {
		const struct program *program = &programs[i];
		char *version;
		if (find_program(program, &version))
			add(verdicts, program->name, VG_VERDICT_OK, version, NULL);
		else
			add(verdicts, program->name,
				program->is_needed ? VG_VERDICT_MISSING : VG_VERDICT_NOTE,
				vg_strdup("not installed"),
				vg_format("sudo apt-get install -y --no-install-recommends %s",
					program->package));
	}
}

static void check_home(struct vg_verdicts *verdicts, const struct vg_context *context)
{
	_auto(vg_error) struct vg_error *error = vg_folder_make(context->home, 0700);
	struct statvfs status;
	if (!error && access(context->home, W_OK | X_OK) < 0)
		error = vg_error_errno(errno, "'%s'", context->home);
	if (!error && statvfs(context->home, &status) < 0)
		error = vg_error_errno(errno, "'%s'", context->home);
	if (error) {
		add(verdicts, "home", VG_VERDICT_MISSING, vg_strdup(vg_error_text(error)),
			vg_strdup("export VGRID_HOME=/a/folder/that/is/yours"));
		return;
	}
	uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	_auto(vg_string) char *size = vg_show_size(free_bytes);
	bool is_tight = free_bytes < (uint64_t)2 << 30;
	add(verdicts, "home", is_tight ? VG_VERDICT_NOTE : VG_VERDICT_OK,
		vg_format("%s, %s free", context->home, size),
		is_tight ? vg_strdup("2 GiB are needed for images and a few disks") : NULL);
}

static void check_accelerator(struct vg_verdicts *verdicts, const struct vg_context *context)
{
	_auto(vg_race) struct vg_race *race = NULL;
	_auto(vg_error) struct vg_error *error = vg_accelerator_race(context->home, false, &race);
	if (error) {
		const char *remedy = vg_error_remedy(error);
		add(verdicts, "accelerator", VG_VERDICT_MISSING, vg_strdup(vg_error_text(error)),
			remedy ? vg_strdup(remedy) : NULL);
		return;
	}
	_auto(vg_text) struct vg_text detail = {0};
	vg_text_addf(&detail, "%s", race->is_kvm ? "kvm" : "tcg (emulation)");
	if (race->tcg_ms)
		vg_text_addf(&detail, ", tcg %llu ms", (unsigned long long)race->tcg_ms);
	if (race->kvm_ms)
		vg_text_addf(&detail, ", kvm %llu ms", (unsigned long long)race->kvm_ms);
	if (race->reason && *race->reason)
		vg_text_addf(&detail, "; %s", race->reason);
	if (race->slowness > 1)
		vg_text_addf(&detail, "; `within` counts %u times", race->slowness);
	add(verdicts, "accelerator", race->is_kvm ? VG_VERDICT_OK : VG_VERDICT_NOTE,
		vg_text_take(&detail), NULL);
}

static void check_machine(struct vg_verdicts *verdicts)
{
	struct sysinfo info;
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (sysinfo(&info) < 0)
		return;
	uint64_t total = (uint64_t)info.totalram * info.mem_unit;
	_auto(vg_string) char *memory = vg_show_size(total);
	add(verdicts, "machine", VG_VERDICT_OK,
		vg_format("%ld cores, %s of memory", n_cores, memory), NULL);
}

static void check_images(struct vg_verdicts *verdicts, const struct vg_context *context)
{
	struct vg_image_list list = {0};
	_auto(vg_string) char *folder = vg_context_images(context);
	_auto(vg_string) char *recipe = vg_context_recipe(context, "tiny");
	_auto(vg_error) struct vg_error *error = vg_images_list(folder, &list);
	_auto(vg_text) struct vg_text names = {0};
	for (size_t i = 0; i < list.n_items; i++)
		vg_text_addf(&names, "%s%s", i ? ", " : "", list.items[i]->name);
	if (error)
		add(verdicts, "images", VG_VERDICT_NOTE, vg_strdup(vg_error_text(error)), NULL);
	else
		add(verdicts, "images", list.n_items ? VG_VERDICT_OK : VG_VERDICT_NOTE,
			vg_strdup(list.n_items ? names.bytes : "none built yet"),
			list.n_items ? NULL : vg_strdup("vgrid image build tiny"));
	if (!vg_file_exists(recipe))
		add(verdicts, "recipes", VG_VERDICT_MISSING, vg_format("'%s' is not there", recipe),
			vg_strdup("install vgrid with 'cmake --install', or run it from its build "
				  "folder"));
	vg_image_list_done(&list);
}

static void look_at_machine(struct vg_context *context, struct vg_verdicts *verdicts)
{
	vg_progress_say(context->progress, "Looking at this machine");
	add_probe(verdicts, "user namespaces", vg_namespace_probe());
	add_probe(verdicts, "/dev/net/tun", vg_namespace_probe_tun());
	check_programs(verdicts);
	check_home(verdicts, context);
	check_accelerator(verdicts, context);
	check_machine(verdicts);
	check_images(verdicts, context);
}

static void print_json(
	const struct vg_site *site, const struct vg_verdicts *verdicts, struct vg_json *hosts)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_doctor);
	struct vg_json *checks = vg_json_array();
	vg_json_set_string(result, "site", site ? site->name : NULL);
	for (size_t i = 0; i < verdicts->n_items; i++) {
		const struct vg_verdict *verdict = &verdicts->items[i];
		struct vg_json *check = vg_json_object();
		vg_json_set_string(check, "check", verdict->check);
		vg_json_set_string(check, "verdict", vg_verdict_name(verdict->grade));
		vg_json_set_string(check, "host", verdict->host);
		vg_json_set_string(check, "peer", verdict->peer);
		vg_json_set_string(check, "detail", verdict->detail);
		vg_json_set_string(check, "remedy", verdict->remedy);
		vg_json_push(checks, check);
	}
	vg_json_set(result, "checks", checks);
	vg_json_set(result, "hosts", hosts);
	vg_result_print(result);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	const char *text = vg_cli_option(cli, "site");
	struct vg_site *site = NULL;
	_auto(vg_json) struct vg_json *hosts = NULL;
	_auto(vg_verdicts) struct vg_verdicts verdicts = {0};
	struct vg_error *error = text ? vg_site_find(context, text, &site) : NULL;
	// Hosts of a sandbox come with its grids: what they need is this machine's.
	if (site && site->is_owned) {
		vg_site_free(site);
		site = NULL;
	}
	if (!error && site)
		error = vg_doctor_site(context, site, &verdicts, &hosts);
	else if (!error)
		look_at_machine(context, &verdicts);
	vg_progress_pause(context->progress);
	if (!error && vg_cli_is_json(cli))
		print_json(site, &verdicts, hosts ? vg_take(hosts) : vg_json_array());
	else if (!error)
		vg_doctor_print(&verdicts, site ? site->n_hosts : 0);
	if (!error && !vg_verdicts_are_good(&verdicts))
		*ret_status = VG_EXIT_FAILED;
	// A host that did not answer may still do so.
	if (!vg_call_is_owed())
		vg_site_free(site);
	return error;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_option options[] = {{.name = "site",
						   .letter = 'S',
						   .argument = VG_ARGUMENT_TEXT,
						   .argument_name = "SITE",
						   .help = "look at all hosts of this site instead",
						   .completion = VG_COMPLETE_SITE},
	{0}};

static const struct vg_result_field fields[] = {
	{"site", "string?", "whose hosts were looked at; null: this machine"},
	{"checks[].check", "string", "what was looked at"},
	{"checks[].verdict", "string", "ok, note, unknown or MISSING"},
	{"checks[].host", "string?", "where; null: this machine, or all hosts together"},
	{"checks[].peer", "string?", "of what lies between two hosts: the other one"},
	{"checks[].detail", "string", "what was found"},
	{"checks[].remedy", "string?", "the lines that mend it; null if there is nothing to do"},
	VG_DOCTOR_SITE_FIELDS,
	{0},
};

const struct vg_command vg_verb_doctor = {
	.verb = "doctor",
	.summary = "say what this machine or a site can and cannot do, and how to mend it",
	.help = "Looks at all that a sandbox needs: user namespaces, /dev/net/tun, programs, the "
		"folder "
		"of the store, the accelerator (QEMU with and without KVM are raced), cores, "
		"memory and "
		"images. For what is missing it prints the exact lines that mend it. The exit code "
		"is 1 "
		"when a grid could not come up here.\n\n"
		"With --site all hosts of a site are asked at once: whether they answer, versions, "
		"accelerator, cores, memory and disk against what the site gives to grids, the "
		"datapath, what is enforced (guards, rates, cpu limits), clocks, and how large a "
		"packet gets from each host to each other. A host that hangs is named after some "
		"seconds, and the others are answered for. The exit code is 1 when a host does not "
		"answer, or less is there or gets through than the site says.",
	.example = "$ vgrid doctor\n$ vgrid doctor --site lab\n",
	.operands = operands,
	.options = options,
	.result = fields,
	.run = run,
};
