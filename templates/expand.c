// SPDX-License-Identifier: Apache-2.0
#include "templates/expand.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "templates/parameter.h"
#include "templates/reference.h"

struct vg_place vg_expand_place(const struct vg_expansion *expansion, struct vg_place place)
{
	return (struct vg_place){expansion->grid->file, place.line, place.column};
}

const char *vg_expand_text(const struct vg_expansion *expansion, const struct vg_value *value)
{
	return value && value->text ? vg_arena_strdup(expansion->grid->arena, value->text) : NULL;
}

struct vg_phrase vg_expand_phrase(
	const struct vg_expansion *expansion, const struct vg_value *value)
{
	if (!value)
		return (struct vg_phrase){0};
	return (struct vg_phrase){
		vg_expand_text(expansion, value), vg_expand_place(expansion, value->place)};
}

size_t vg_expand_index(const struct vg_map *indices, const char *name)
{
	size_t index = (size_t)(uintptr_t)vg_map_get(indices, name);
	assert(index);
	return index - 1;
}

static void add_fault(struct vg_expansion *expansion, const struct vg_field *row,
	const struct vg_value *value, const char *parameter, struct vg_error *error)
{
	struct vg_finding *finding = vg_finding_add(expansion->findings, value->place,
		"'%s' gives '%s' a value it cannot have: %s", parameter, vg_field_key(row),
		vg_error_message(error));
	if (vg_error_remedy(error))
		vg_finding_hint(finding, "%s", vg_error_remedy(error));
	const struct vg_place *source = vg_map_get(expansion->sources, parameter);
	if (source)
		vg_finding_also(finding, *source, "the value comes from here");
	vg_error_free(error);
}

uint64_t vg_expand_number(
	struct vg_expansion *expansion, const char *path, const struct vg_value *value)
{
	const struct vg_field *row = vg_field_find(path);
	const char *text = value ? value->text : row->standard;
	char parameter[VG_REFERENCE_NAME_SIZE];
	uint64_t number = 0;
	if (!text)
		return 0;
	bool is_reference = value && vg_reference_is_parameter(text, parameter);
	if (is_reference) {
		text = vg_map_get(expansion->values, parameter);
		if (!text)
			return row->min; // without a value: found there, or a trial
	}
	struct vg_error *error = vg_field_read(row, text, &number);
	if (error && is_reference) {
		add_fault(expansion, row, value, parameter, error);
		return row->min; // so that no second fault comes of the first
	}
	vg_error_ignore(error); // found when the template was read
	return number;
}

static const struct vg_value *part(const struct vg_expansion *expansion, const char *key)
{
	return vg_value_get(expansion->template->root, key);
}

static size_t n_entries(const struct vg_value *value)
{
	return value ? value->n_entries : 0;
}

static void set_value(
	struct vg_expansion *expansion, const char *name, const struct vg_value *value)
{
	struct vg_place *source =
		vg_arena_copy(expansion->grid->arena, &value->place, 1, sizeof(value->place));
	vg_map_set(expansion->values, name, (void *)value->text);
	vg_map_set(expansion->sources, name, source);
}

static void suggest_parameter(
	struct vg_finding *finding, const char *wrong, const struct vg_value *parameters)
{
	const char *names[256];
	size_t n = 0;
	for (; n < n_entries(parameters) && n < VG_LENGTH(names); n++)
		names[n] = parameters->entries[n].key;
	const char *near = vg_text_nearest(wrong, names, n);
	if (near)
		vg_finding_hint(finding, "did you mean '%s'?", near);
	else if (!n)
		vg_finding_hint(finding, "the template has no parameters");
}

// One `parameter=value` of the command line. A value as wrong as this has no place in a file.
static void take_set(struct vg_expansion *expansion, const char *set)
{
	static const struct vg_place nowhere = {0};
	const struct vg_value *parameters = part(expansion, "parameters");
	const char *equal = strchr(set, '=');
	if (!equal) {
		vg_finding_hint(vg_finding_add(expansion->findings, nowhere,
					"'--set %.60s' has no '='", set),
			"for example '--set workers=3'");
		return;
	}
	_auto(vg_string) char *name = vg_strndup(set, (size_t)(equal - set));
	const struct vg_entry *entry = vg_value_entry(parameters, name);
	if (!entry) {
		suggest_parameter(vg_finding_add(expansion->findings, nowhere,
					  "'--set %.60s': unknown parameter '%.60s'", set, name),
			name, parameters);
		return;
	}
	struct vg_error *error = vg_parameter_read(entry->value, equal + 1);
	if (error) {
		struct vg_finding *finding = vg_finding_add(expansion->findings, nowhere,
			"'--set %.60s': %s", set, vg_error_message(error));
		if (vg_error_remedy(error))
			vg_finding_hint(finding, "%s", vg_error_remedy(error));
		vg_finding_also(finding, entry->place, "declared here");
		vg_error_free(error);
		return;
	}
	char *value = vg_arena_strdup(expansion->grid->arena, equal + 1);
	vg_map_set(expansion->values, entry->key, value);
	vg_map_set(expansion->sources, entry->key, NULL);
}

// Defaults, then the profile, then the command line.
static void expand_parameters(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *parameters = part(expansion, "parameters");
	const struct vg_value *settings = vg_value_get(expansion->profile, "parameters");
	for (size_t i = 0; i < n_entries(parameters); i++) {
		const struct vg_value *standard =
			vg_value_get(parameters->entries[i].value, "default");
		if (standard)
			set_value(expansion, parameters->entries[i].key, standard);
	}
	for (size_t i = 0; i < n_entries(settings); i++)
		set_value(expansion, settings->entries[i].key, settings->entries[i].value);
	for (size_t i = 0; i < expansion->options->n_sets; i++)
		take_set(expansion, expansion->options->sets[i]);
	grid->parameters =
		vg_arena_alloc(grid->arena, n_entries(parameters) * sizeof(*grid->parameters));
	for (size_t i = 0; i < n_entries(parameters); i++) {
		const struct vg_entry *entry = &parameters->entries[i];
		const char *value = vg_map_get(expansion->values, entry->key);
		grid->parameters[grid->n_parameters++] =
			(struct vg_parameter){vg_arena_strdup(grid->arena, entry->key),
				vg_arena_strdup(grid->arena, value ? value : "")};
		if (value || expansion->is_trial)
			continue;
		vg_finding_hint(vg_finding_add(expansion->findings, entry->place,
					"parameter '%s' has no value", entry->key),
			"give it a default, or set it: '--set %s=…'", entry->key);
	}
}

static const char *file_format(const struct vg_value *image, const char *source)
{
	const struct vg_value *format = vg_value_get(image, "format");
	if (format)
		return strcmp(format->text, "raw") == 0 ? "raw" : "qcow2";
	return vg_text_ends(source, ".qcow2") ? "qcow2" : "raw";
}

static struct vg_image expand_image(
	const struct vg_expansion *expansion, const struct vg_entry *entry)
{
	static const char *const kinds[] = {
		[VG_IMAGE_BUILTIN] = "builtin", [VG_IMAGE_FILE] = "file", [VG_IMAGE_RBD] = "rbd"};
	struct vg_image image = {.name = vg_arena_strdup(expansion->grid->arena, entry->key),
		.place = vg_expand_place(expansion, entry->place)};
	for (size_t i = 0; i < VG_LENGTH(kinds); i++) {
		const struct vg_value *source = vg_value_get(entry->value, kinds[i]);
		if (!source)
			continue;
		image.kind = (enum vg_image_kind)i;
		image.source = vg_expand_text(expansion, source);
	}
	if (image.kind == VG_IMAGE_FILE)
		image.format = file_format(entry->value, image.source);
	image.sha256 = vg_expand_text(expansion, vg_value_get(entry->value, "sha256"));
	return image;
}

static void expand_images(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *images = part(expansion, "images");
	grid->n_images = n_entries(images);
	grid->images = vg_arena_alloc(grid->arena, grid->n_images * sizeof(*grid->images));
	for (size_t i = 0; i < grid->n_images; i++) {
		grid->images[i] = expand_image(expansion, &images->entries[i]);
		vg_map_set(expansion->images, images->entries[i].key, (void *)(uintptr_t)(i + 1));
	}
}

static void expand_networks(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *networks = part(expansion, "networks");
	grid->n_networks = n_entries(networks);
	grid->networks = vg_arena_alloc(grid->arena, grid->n_networks * sizeof(*grid->networks));
	for (size_t i = 0; i < grid->n_networks; i++) {
		const struct vg_entry *entry = &networks->entries[i];
		struct vg_network *network = &grid->networks[i];
		network->name = vg_arena_strdup(grid->arena, entry->key);
		network->place = vg_expand_place(expansion, entry->place);
		vg_error_ignore(
			vg_cidr_read(vg_value_get(entry->value, "cidr")->text, &network->cidr));
		network->mtu = (unsigned)vg_expand_number(
			expansion, "networks.*.mtu", vg_value_get(entry->value, "mtu"));
		vg_map_set(expansion->networks, entry->key, (void *)(uintptr_t)(i + 1));
	}
}

static void expand_tests(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *tests = part(expansion, "tests");
	grid->n_tests = n_entries(tests);
	grid->tests = vg_arena_alloc(grid->arena, grid->n_tests * sizeof(*grid->tests));
	for (size_t i = 0; i < grid->n_tests; i++) {
		const struct vg_value *value = tests->entries[i].value;
		const struct vg_value *reach = vg_value_get(value, "reach");
		struct vg_test *test = &grid->tests[i];
		test->name = vg_expand_text(expansion, vg_value_get(value, "name"));
		test->place = vg_expand_place(expansion, value->place);
		test->is_reach = reach != NULL;
		if (reach)
			test->network = vg_expand_index(expansion->networks, reach->text);
		else
			test->role =
				vg_expand_index(expansion->roles, vg_value_get(value, "on")->text);
		test->run = vg_expand_phrase(expansion, vg_value_get(value, "run"));
		test->expect = vg_expand_phrase(expansion, vg_value_get(value, "expect"));
		vg_expand_check_regex(
			expansion, "tests.[].expect", vg_value_get(value, "expect"));
		test->within = vg_expand_number(
			expansion, "tests.[].within", vg_value_get(value, "within"));
	}
}

static void expand_outputs(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *outputs = part(expansion, "outputs");
	grid->n_outputs = n_entries(outputs);
	grid->outputs = vg_arena_alloc(grid->arena, grid->n_outputs * sizeof(*grid->outputs));
	for (size_t i = 0; i < grid->n_outputs; i++) {
		const struct vg_entry *entry = &outputs->entries[i];
		grid->outputs[i] = (struct vg_output){vg_arena_strdup(grid->arena, entry->key),
			vg_expand_phrase(expansion, entry->value)};
	}
}

static void expand_top(struct vg_expansion *expansion)
{
	struct vg_grid *grid = expansion->grid;
	const struct vg_value *root = expansion->template->root;
	const struct vg_value *lease = vg_value_get(expansion->profile, "lease");
	const char *description = vg_expand_text(expansion, part(expansion, "description"));
	const char *name = expansion->options->name;
	grid->name = vg_arena_strdup(grid->arena, name ? name : part(expansion, "name")->text);
	grid->description = description ? description : "";
	if (expansion->profile)
		grid->profile = vg_arena_strdup(grid->arena, expansion->options->profile);
	if (expansion->template->topology_hash)
		grid->topology_hash =
			vg_arena_strdup(grid->arena, expansion->template->topology_hash);
	grid->place = vg_expand_place(expansion, root->place);
	grid->uuid = grid->identity = "";
	expand_parameters(expansion);
	grid->lease =
		vg_expand_number(expansion, "lease", lease ? lease : vg_value_get(root, "lease"));
	expand_images(expansion);
	expand_networks(expansion);
	vg_expand_roles(expansion);
	expand_tests(expansion);
	expand_outputs(expansion);
}

static struct vg_error *find_profile(struct vg_expansion *expansion)
{
	static const struct vg_value empty = {.kind = VG_VALUE_MAP};
	const char *wanted = expansion->options->profile;
	const struct vg_value *profiles = part(expansion, "profiles");
	const char *names[64];
	size_t n = 0;
	if (!wanted)
		return NULL;
	const struct vg_value *profile = vg_value_get(profiles, wanted);
	if (profile) {
		expansion->profile = profile->kind == VG_VALUE_MAP ? profile : &empty;
		return NULL;
	}
	for (; n < n_entries(profiles) && n < VG_LENGTH(names); n++)
		names[n] = profiles->entries[n].key;
	struct vg_error *error = vg_error_of(
		VG_ERROR_USAGE, "'%s' has no profile '%.60s'", expansion->template->file, wanted);
	const char *near = vg_text_nearest(wanted, names, n);
	if (near)
		return vg_error_hint(error, "did you mean '%s'?", near);
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n; i++)
		vg_text_addf(&list, "%s%s", i ? ", " : "", names[i]);
	return n ? vg_error_hint(error, "it has: %s", list.bytes)
		 : vg_error_hint(error, "it has none");
}

struct vg_error *vg_expand(const struct vg_template *template,
	const struct vg_expand_options *options, bool is_trial, struct vg_findings *findings,
	struct vg_grid **ret_grid)
{
	struct vg_expansion expansion = {.template = template,
		.options = options,
		.findings = findings,
		.is_trial = is_trial};
	const struct vg_field name = {.path = "name", .type = VG_FIELD_NAME};
	uint64_t number;
	struct vg_error *error = find_profile(&expansion);
	if (!error && options->name)
		error = vg_error_while(
			vg_field_read(&name, options->name, &number), "the grid's name");
	if (error)
		return error;
	size_t n_before = findings->n_found;
	_auto(vg_grid) struct vg_grid *grid = NULL;
	struct vg_arena *arena = vg_arena_new();
	grid = vg_arena_alloc(arena, sizeof(*grid));
	grid->arena = arena;
	grid->file = vg_arena_strdup(arena, template->file);
	expansion.grid = grid;
	struct vg_map **maps[] = {&expansion.values, &expansion.sources, &expansion.images,
		&expansion.networks, &expansion.roles};
	for (size_t i = 0; i < VG_LENGTH(maps); i++)
		*maps[i] = vg_map_new();
	expand_top(&expansion);
	for (size_t i = 0; i < VG_LENGTH(maps); i++)
		vg_map_free(*maps[i]);
	if (findings->n_found == n_before)
		*ret_grid = vg_take(grid);
	return NULL;
}
