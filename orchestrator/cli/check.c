// SPDX-License-Identifier: Apache-2.0
//
// `vgrid check FILE...`: all faults of templates, as they stand and with each profile, and of site files.
#include "orchestrator/cli/verbs.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "orchestrator/cli/result.h"
#include "templates/site_file.h"
#include "templates/template.h"

static bool is_known(const struct vg_findings *findings, const struct vg_finding *wanted)
{
	for (size_t i = 0; i < findings->n_items; i++) {
		const struct vg_finding *finding = &findings->items[i];
		if (finding->places[0].line == wanted->places[0].line &&
			finding->places[0].column == wanted->places[0].column &&
			vg_text_equal(finding->message, wanted->message))
			return true;
	}
	return false;
}

// Adds what is new in `more`, with the profile it shows in.
static void merge(struct vg_findings *findings, const struct vg_findings *more, const char *profile)
{
	size_t n_before = findings->n_items;
	struct vg_findings before = {findings->items, n_before, n_before};
	for (size_t i = 0; i < more->n_items; i++) {
		const struct vg_finding *finding = &more->items[i];
		before.items = findings->items;
		if (is_known(&before, finding))
			continue;
		struct vg_finding *added =
			profile ? vg_finding_add(findings, finding->places[0],
					  "with profile '%s': %s", profile, finding->message)
				: vg_finding_add(
					  findings, finding->places[0], "%s", finding->message);
		if (finding->hint)
			vg_finding_hint(added, "%s", finding->hint);
		for (size_t k = 1; k < VG_FINDING_PLACES_MAX && finding->notes[k]; k++)
			vg_finding_also(added, finding->places[k], "%s", finding->notes[k]);
	}
}

static struct vg_error *expand(
	const struct vg_template *template, const char *profile, struct vg_findings *findings)
{
	_auto(vg_findings) struct vg_findings more = {0};
	_auto(vg_grid) struct vg_grid *grid = NULL;
	struct vg_expand_options options = {.profile = profile};
	struct vg_error *error = vg_template_expand(template, &options, &more, &grid);
	if (!error)
		merge(findings, &more, profile);
	return error;
}

// A file that is being checked: one of both, when it could be read.
struct checked {
	struct vg_template *template;
	struct vg_site_file *site;
};

static void checked_auto_free(struct checked *checked)
{
	vg_template_free(checked->template);
	vg_site_file_free(checked->site);
}

static struct vg_error *expand_all(const struct vg_template *template, struct vg_findings *findings)
{
	struct vg_error *error = expand(template, NULL, findings);
	size_t n_profiles = error || findings->n_found ? 0 : vg_template_n_profiles(template);
	for (size_t i = 0; !error && i < n_profiles; i++)
		error = expand(template, vg_template_profile(template, i), findings);
	vg_findings_sort(findings);
	return error;
}

static struct vg_error *read_checked(
	const char *path, struct vg_findings *findings, struct checked *checked)
{
	_auto(vg_string) char *text = NULL;
	size_t size;
	bool is_standard_input = strcmp(path, "-") == 0;
	const char *name = is_standard_input ? "<stdin>" : path;
	struct vg_error *error =
		is_standard_input
			? vg_file_read_fd(STDIN_FILENO, name, VG_SITE_FILE_SIZE_MAX, &text, &size)
			: vg_file_read(path, VG_SITE_FILE_SIZE_MAX, &text, &size);
	if (error && vg_error_kind(error) == VG_ERROR_USAGE) {
		vg_error_free(error);
		return vg_error_of(VG_ERROR_USAGE,
			"'%s' is larger than a template, 1MiB, or a site file, 16MiB, may be",
			name);
	}
	if (error)
		return vg_error_as(
			vg_error_while(error, "reading the template"), VG_ERROR_USAGE);
	if (vg_site_file_is(text, size))
		return vg_site_file_read_text(name, text, size, findings, &checked->site);
	error = vg_template_read_text(name, text, size, findings, &checked->template);
	return error || findings->n_found ? error : expand_all(checked->template, findings);
}

static struct vg_json *finding_json(const struct vg_finding *finding)
{
	struct vg_json *json = vg_json_object(), *also = vg_json_array();
	vg_json_set_integer(json, "line", finding->places[0].line);
	vg_json_set_integer(json, "column", finding->places[0].column);
	vg_json_set_string(json, "message", finding->message);
	vg_json_set_string(json, "hint", finding->hint);
	for (size_t k = 1; k < VG_FINDING_PLACES_MAX && finding->notes[k]; k++) {
		struct vg_json *place = vg_json_object();
		vg_json_set_integer(place, "line", finding->places[k].line);
		vg_json_set_integer(place, "column", finding->places[k].column);
		vg_json_set_string(place, "note", finding->notes[k]);
		vg_json_push(also, place);
	}
	vg_json_set(json, "also", also);
	return json;
}

static struct vg_json *file_json(
	const char *path, const struct checked *checked, const struct vg_findings *findings)
{
	bool is_good = !findings->n_found;
	const struct vg_template *template = is_good ? checked->template : NULL;
	const struct vg_site_file *site = is_good ? checked->site : NULL;
	struct vg_json *file = vg_json_object(), *profiles = vg_json_array(),
		       *list = vg_json_array();
	for (size_t i = 0; template && i < vg_template_n_profiles(template); i++)
		vg_json_push(profiles, vg_json_string(vg_template_profile(template, i)));
	for (size_t i = 0; i < findings->n_items; i++)
		vg_json_push(list, finding_json(&findings->items[i]));
	vg_json_set_string(file, "file", path);
	vg_json_set_string(file, "kind", checked->site ? "site" : "template");
	vg_json_set_boolean(file, "is_good", is_good);
	vg_json_set_string(file, "name",
		site ? site->name : template ? vg_template_name(template) : NULL);
	vg_json_set_string(
		file, "topology_hash", template ? vg_template_topology_hash(template) : NULL);
	vg_json_set(file, "profiles", profiles);
	vg_json_set_integer(file, "faults", (int64_t)findings->n_found);
	vg_json_set(file, "findings", list);
	return file;
}

static void print_good(const char *path, const struct checked *checked)
{
	if (checked->site) {
		printf("%s: ok\n  site      %s\n  hosts     %zu\n", path, checked->site->name,
			checked->site->n_hosts);
		return;
	}
	const struct vg_template *template = checked->template;
	printf("%s: ok\n  topology  %s\n  profiles ", path, vg_template_topology_hash(template));
	size_t n = vg_template_n_profiles(template);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? ", " : " ", vg_template_profile(template, i));
	puts(n ? "" : " none");
}

static struct vg_error *check_file(const char *path, struct vg_json *files, struct vg_error *error)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(checked) struct checked checked = {0};
	struct vg_error *own = read_checked(path, &findings, &checked);
	if (own) {
		vg_error_ignore(error);
		return own;
	}
	if (files)
		vg_json_push(files, file_json(path, &checked, &findings));
	else if (findings.n_found && checked.site)
		vg_site_file_print_findings(checked.site, &findings, stderr);
	else if (findings.n_found)
		vg_template_print_findings(checked.template, &findings, stderr);
	else
		print_good(path, &checked);
	return error ? error : vg_findings_error(&findings, path);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)context;
	(void)ret_status;
	size_t n_paths;
	const char *const *paths = vg_cli_rest(cli, &n_paths);
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_check);
	struct vg_json *files = vg_cli_is_json(cli) ? vg_json_array() : NULL;
	struct vg_error *error = NULL;
	for (size_t i = 0; i < n_paths; i++)
		error = check_file(paths[i], files, error);
	if (!files)
		return error;
	vg_json_set(result, "files", files);
	vg_result_print(result);
	return error;
}

static const struct vg_operand operands[] = {
	{.name = "FILE", .is_rest = true, .completion = VG_COMPLETE_FILE}, {0}};

static const struct vg_result_field fields[] = {
	{"files[].file", "string", "the path as given"},
	{"files[].kind", "string", "template or site"},
	{"files[].is_good", "boolean", "there is no fault in it"},
	{"files[].name", "string?", "of the grid, or of the site"},
	{"files[].topology_hash", "string?", "of a template, over all that is not quantum; 64 hexadecimal digits"},
	{"files[].profiles[]", "string", "the profiles it has"},
	{"files[].faults", "integer", "how many were found; `findings` keeps the first 100"},
	{"files[].findings[].line", "integer", "counted from 1"},
	{"files[].findings[].column", "integer", "counted from 1"},
	{"files[].findings[].message", "string", "what is wrong"},
	{"files[].findings[].hint", "string?", "what would be right"},
	{"files[].findings[].also[].line", "integer", "a further place that it has to do with"},
	{"files[].findings[].also[].column", "integer", "counted from 1"},
	{"files[].findings[].also[].note", "string", "what is there"},
	{0},
};

const struct vg_command vg_verb_check = {
	.verb = "check",
	.summary = "find all faults of a template or site file",
	.help = "Reads templates and site files and reports all their faults in one run, each with its line and "
		"what "
		"would be right; as they stand and with each profile. Of a good one it prints the "
		"topology hash, which is the same in every profile, and the profiles.\n\n"
		"FILE may be - for standard input. The exit code is 2 when there are faults, or when the file cannot be read.",
	.example = "$ vgrid check hello.yaml\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
