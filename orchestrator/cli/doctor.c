// SPDX-License-Identifier: Apache-2.0
//
// `vgrid doctor`: what this machine can and cannot do, and how to mend it.
#include "orchestrator/cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "box/accelerator.h"
#include "box/namespace.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "storage/images.h"

enum verdict { GOOD, NOTE, MISSING }; // missing: nothing runs without it

struct finding {
	const char *check;
	enum verdict verdict;
	char *detail, *remedy; // remedy NULL: nothing to do
};

struct report {
	struct finding *items;
	size_t n_items;
};

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case GOOD:
		return "ok";
	case NOTE:
		return "note";
	case MISSING:
		break;
	}
	return "MISSING";
}

// Takes detail and remedy over.
static void add(
	struct report *report, const char *check, enum verdict verdict, char *detail, char *remedy)
{
	vg_append(report->items, report->n_items) =
		(struct finding){check, verdict, detail, remedy};
}

static void add_probe(struct report *report, const char *check, struct vg_error *error)
{
	if (!error) {
		add(report, check, GOOD, vg_strdup("usable"), NULL);
		return;
	}
	const char *remedy = vg_error_remedy(error);
	add(report, check, MISSING, vg_strdup(vg_error_text(error)),
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

static void check_programs(struct report *report)
{
	for (size_t i = 0; i < VG_LENGTH(programs); i++) {
		const struct program *program = &programs[i];
		char *version;
		if (find_program(program, &version))
			add(report, program->name, GOOD, version, NULL);
		else
			add(report, program->name, program->is_needed ? MISSING : NOTE,
				vg_strdup("not installed"),
				vg_format("sudo apt-get install -y --no-install-recommends %s",
					program->package));
	}
}

static void check_home(struct report *report, const struct vg_context *context)
{
	_auto(vg_error) struct vg_error *error = vg_folder_make(context->home, 0700);
	struct statvfs status;
	if (!error && access(context->home, W_OK | X_OK) < 0)
		error = vg_error_errno(errno, "'%s'", context->home);
	if (!error && statvfs(context->home, &status) < 0)
		error = vg_error_errno(errno, "'%s'", context->home);
	if (error) {
		add(report, "home", MISSING, vg_strdup(vg_error_text(error)),
			vg_strdup("export VGRID_HOME=/a/folder/that/is/yours"));
		return;
	}
	uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	_auto(vg_string) char *size = vg_show_size(free_bytes);
	bool is_tight = free_bytes < (uint64_t)2 << 30;
	add(report, "home", is_tight ? NOTE : GOOD, vg_format("%s, %s free", context->home, size),
		is_tight ? vg_strdup("2 GiB are needed for images and a few disks") : NULL);
}

static void check_accelerator(struct report *report, const struct vg_context *context)
{
	_auto(vg_race) struct vg_race *race = NULL;
	_auto(vg_error) struct vg_error *error = vg_accelerator_race(context->home, false, &race);
	if (error) {
		const char *remedy = vg_error_remedy(error);
		add(report, "accelerator", MISSING, vg_strdup(vg_error_text(error)),
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
	add(report, "accelerator", race->is_kvm ? GOOD : NOTE, vg_text_take(&detail), NULL);
}

static void check_machine(struct report *report)
{
	struct sysinfo info;
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (sysinfo(&info) < 0)
		return;
	uint64_t total = (uint64_t)info.totalram * info.mem_unit;
	_auto(vg_string) char *memory = vg_show_size(total);
	add(report, "machine", GOOD, vg_format("%ld cores, %s of memory", n_cores, memory), NULL);
}

static void check_images(struct report *report, const struct vg_context *context)
{
	struct vg_image_list list = {0};
	_auto(vg_string) char *folder = vg_context_images(context);
	_auto(vg_string) char *recipe = vg_context_recipe(context, "tiny");
	_auto(vg_error) struct vg_error *error = vg_images_list(folder, &list);
	_auto(vg_text) struct vg_text names = {0};
	for (size_t i = 0; i < list.n_items; i++)
		vg_text_addf(&names, "%s%s", i ? ", " : "", list.items[i]->name);
	if (error)
		add(report, "images", NOTE, vg_strdup(vg_error_text(error)), NULL);
	else
		add(report, "images", list.n_items ? GOOD : NOTE,
			vg_strdup(list.n_items ? names.bytes : "none built yet"),
			list.n_items ? NULL : vg_strdup("vgrid image build tiny"));
	if (!vg_file_exists(recipe))
		add(report, "recipes", MISSING, vg_format("'%s' is not there", recipe),
			vg_strdup("install vgrid with 'cmake --install', or run it from its build "
				  "folder"));
	vg_image_list_done(&list);
}

static void print_json(const struct report *report)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_doctor);
	struct vg_json *checks = vg_json_array();
	for (size_t i = 0; i < report->n_items; i++) {
		struct vg_json *check = vg_json_object();
		vg_json_set_string(check, "check", report->items[i].check);
		vg_json_set_string(check, "verdict", verdict_name(report->items[i].verdict));
		vg_json_set_string(check, "detail", report->items[i].detail);
		vg_json_set_string(check, "remedy", report->items[i].remedy);
		vg_json_push(checks, check);
	}
	vg_json_set(result, "checks", checks);
	vg_result_print(result);
}

static void print_table(const struct report *report)
{
	static const struct vg_column columns[] = {
		{.title = "CHECK"}, {.title = "STATE"}, {.title = "DETAIL", .may_wrap = true}};
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < report->n_items; i++)
		vg_table_row(table,
			(const char *const[]){report->items[i].check,
				verdict_name(report->items[i].verdict), report->items[i].detail});
	vg_table_print(table, stdout);
	// Remedies stand by themselves, to be copied.
	for (size_t i = 0; i < report->n_items; i++) {
		if (report->items[i].remedy)
			printf("\n%s: %s\n%s\n", report->items[i].check, report->items[i].detail,
				report->items[i].remedy);
	}
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	struct report report = {0};
	vg_progress_say(context->progress, "Looking at this machine");
	add_probe(&report, "user namespaces", vg_namespace_probe());
	add_probe(&report, "/dev/net/tun", vg_namespace_probe_tun());
	check_programs(&report);
	check_home(&report, context);
	check_accelerator(&report, context);
	check_machine(&report);
	check_images(&report, context);
	vg_progress_pause(context->progress);
	if (vg_cli_is_json(cli))
		print_json(&report);
	else
		print_table(&report);
	for (size_t i = 0; i < report.n_items; i++) {
		if (report.items[i].verdict == MISSING)
			*ret_status = VG_EXIT_FAILED;
		free(report.items[i].detail);
		free(report.items[i].remedy);
	}
	free(report.items);
	return NULL;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_result_field fields[] = {
	{"checks[].check", "string", "what was looked at"},
	{"checks[].verdict", "string", "ok, note or MISSING"},
	{"checks[].detail", "string", "what was found"},
	{"checks[].remedy", "string?", "the lines that mend it; null if there is nothing to do"},
	{0},
};

const struct vg_command vg_verb_doctor = {
	.verb = "doctor",
	.summary = "say what this machine can and cannot do, and how to mend it",
	.help = "Looks at all that a sandbox needs: user namespaces, /dev/net/tun, programs, the "
		"folder "
		"of the store, the accelerator (QEMU with and without KVM are raced), cores, "
		"memory and "
		"images. For what is missing it prints the exact lines that mend it. The exit code "
		"is 1 "
		"when a grid could not come up here.",
	.example = "$ vgrid doctor\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
