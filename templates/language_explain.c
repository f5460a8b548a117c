// SPDX-License-Identifier: Apache-2.0
//
// `vgrid explain FIELD` and docs/template-language.md, out of the table.
#include <string.h>

#include "base/text.h"
#include "templates/field.h"

enum { KEYS_MAX = 40 };

static const char *references_help(enum vg_field_references references)
{
	switch (references) {
	case VG_REFERENCES_NONE:
		return NULL;
	case VG_REFERENCES_VALUE:
		return "the whole value may be one ${PARAMETER}";
	case VG_REFERENCES_GRID:
		return "parameters, ${grid.…}, ${ROLE.…}";
	case VG_REFERENCES_NODE:
		return "parameters, ${grid.…}, ${ROLE.…}, ${node.…}";
	}
	return NULL;
}

static const char *keys_help(enum vg_field_keys keys)
{
	switch (keys) {
	case VG_KEYS_NAME:
		return "names: small letters, digits and '-', a letter first, at most 31";
	case VG_KEYS_DISK:
		return "names of at most 20 characters, not root or seed";
	case VG_KEYS_VARIABLE:
		return "letters, digits and '_', not a digit first";
	case VG_KEYS_PATH:
		return "absolute paths without '..'";
	case VG_KEYS_LABEL:
		return "letters, digits, '_', '.' and '-', at most 63; not host";
	}
	return NULL;
}

static void add_words(struct vg_text *text, const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		vg_text_addf(text, "%s%s", i ? ", " : "", words[i]);
}

// "1 to 1024": the limits of a value, or how many entries; "" if there are none.
static void add_limits(struct vg_text *text, const struct vg_field *row)
{
	bool is_counted = row->type == VG_FIELD_MAP_OF || row->type == VG_FIELD_LIST ||
			  row->type == VG_FIELD_NICS || row->type == VG_FIELD_ROLES;
	_auto(vg_string) char *least = vg_field_write(row, row->min);
	_auto(vg_string) char *most = vg_field_write(row, row->max);
	if (!row->max)
		return;
	if (is_counted)
		vg_text_addf(text, "at most %s entries", most);
	else if (row->min == row->max)
		vg_text_addf(text, "%s", most);
	else
		vg_text_addf(text, "%s to %s", least, most);
}

static void print_line(FILE *out, const char *word, const char *text)
{
	if (text && *text)
		fprintf(out, "  %-11s %s\n", word, text);
}

// Sites know neither quanta nor what a change does.
static bool is_of_template(const struct vg_field *row)
{
	return vg_field_language(row) == &vg_template_language;
}

static void print_facts(FILE *out, const struct vg_field *row)
{
	_auto(vg_text) struct vg_text words = {0}, limits = {0};
	add_words(&words, row->words);
	add_words(&words, row->one_of ? row->one_of : row->at_most_one_of);
	add_limits(&limits, row);
	print_line(out, "type", vg_field_type_name(row->type));
	print_line(out, row->words ? "words" : row->one_of ? "one of" : "at most one", words.bytes);
	if (row->type == VG_FIELD_MAP_OF)
		print_line(out, "keys", keys_help(row->keys));
	print_line(out, "limits", limits.bytes);
	print_line(out, "default", row->is_required ? "none: it must be given" : row->standard);
	print_line(out, "references", references_help(row->references));
	if (is_of_template(row)) {
		print_line(out, "kind", row->is_quantum ? "quantum: a profile can change it" : "topology");
		print_line(out, "a change",
			row->effect == VG_EFFECT_NONE ? "touches no node"
						      : vg_field_effect_name(row->effect));
	}
	print_line(out, "example", row->example);
}

static void print_field(FILE *out, const char *path, const struct vg_field *row)
{
	const struct vg_field *rows[KEYS_MAX];
	size_t n = row->type == VG_FIELD_MAP ? vg_field_keys(row, rows, KEYS_MAX) : 0;
	fprintf(out, "%s%s%s\n", path, *path ? ": " : "", row->help);
	if (row->type == VG_FIELD_NOT_YET) {
		fprintf(out, "  reserved; not yet part of the language\n");
		return;
	}
	if (*row->path)
		print_facts(out, row);
	if (row->type == VG_FIELD_MAP_OF || row->type == VG_FIELD_NICS) {
		const struct vg_field *child = vg_field_child(row, "*");
		if (child->type == VG_FIELD_MAP) {
			print_field(out, "each entry", child);
			return;
		}
		fprintf(out, "each entry: %s\n", child->help);
		print_facts(out, child);
	}
	if (row->type == VG_FIELD_LIST) {
		const struct vg_field *child = vg_field_child(row, NULL);
		if (child->type == VG_FIELD_MAP)
			print_field(out, "each entry", child);
	}
	if (n)
		fprintf(out, "fields\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-11s %s\n", vg_field_key(rows[i]), rows[i]->help);
}

// One step down: `key` is any name below a map of names, `*`, `[]`, or left out for lists.
static const struct vg_field *step(const struct vg_field *row, const char *key)
{
	if (row->type == VG_FIELD_LIST) {
		const struct vg_field *child = vg_field_child(row, NULL);
		bool is_index = *key == '[' || strspn(key, "0123456789") == strlen(key);
		return is_index || strcmp(key, "*") == 0 ? child : vg_field_child(child, key);
	}
	return vg_field_child(row, key);
}

static struct vg_error *unknown(const struct vg_field *row, const char *path, const char *key)
{
	const struct vg_field *rows[KEYS_MAX];
	const char *names[KEYS_MAX];
	if (row->type == VG_FIELD_LIST)
		row = vg_field_child(row, NULL);
	size_t n = vg_field_keys(row, rows, KEYS_MAX);
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n; i++) {
		names[i] = vg_field_key(rows[i]);
		vg_text_addf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	struct vg_error *error = vg_error_of(
		VG_ERROR_USAGE, "'%.100s': the language has no field '%.60s' there", path, key);
	const char *near = vg_text_nearest(key, names, n);
	if (near)
		return vg_error_hint(error, "did you mean '%s'?", near);
	return n ? vg_error_hint(error, "there are: %s", list.bytes) : error;
}

struct vg_error *vg_language_explain(const char *path, FILE *out)
{
	bool is_site = strcmp(path, "site") == 0 || vg_text_starts(path, "site.");
	const struct vg_field *row = is_site ? vg_site_language.fields : vg_fields;
	const char *at = is_site ? path + strlen("site") + (path[4] == '.') : path;
	while (*at) {
		// A path of a file in a guest has dots of its own: it is the last word.
		size_t length = *at == '/' ? strlen(at) : strcspn(at, ".");
		_auto(vg_string) char *key = vg_strndup(at, length);
		const struct vg_field *next = *key ? step(row, key) : NULL;
		if (!next)
			return unknown(row, path, key);
		row = next;
		at += length + (at[length] == '.');
	}
	print_field(out, path, row);
	return NULL;
}

static void write_cell(FILE *out, const char *text)
{
	for (const char *at = text; *at; at++)
		fprintf(out, *at == '|' ? "\\|" : "%c", *at);
}

static void write_row(FILE *out, const struct vg_field *row)
{
	_auto(vg_text) struct vg_text type = {0}, limits = {0};
	const char *references = references_help(row->references);
	add_words(&type, row->words);
	if (!row->words)
		vg_text_add(&type, vg_field_type_name(row->type));
	add_limits(&limits, row);
	fprintf(out, "| `%s` | ", row->path);
	write_cell(out, row->help);
	if (references)
		fprintf(out, " *References: %s.*", references);
	fprintf(out, " | ");
	write_cell(out, type.bytes);
	fprintf(out, "%s%s | %s |", limits.length ? ", " : "", limits.length ? limits.bytes : "",
		row->is_required ? "required"
		: row->standard  ? row->standard
				 : "");
	if (is_of_template(row))
		fprintf(out, " %s | %s |", row->is_quantum ? "quantum" : "topology",
			vg_field_effect_name(row->effect));
	fprintf(out, "\n");
}

// A row that has a section of its own.
static bool is_section(const struct vg_field *row)
{
	bool is_tree = row->type == VG_FIELD_MAP_OF || row->type == VG_FIELD_LIST ||
		       row->type == VG_FIELD_MAP;
	return is_tree && *row->path && !strchr(row->path, '.');
}

static void write_section(FILE *out, const struct vg_language *language, const char *key)
{
	size_t length = strlen(key);
	bool is_template = language == &vg_template_language;
	fprintf(out, "\n| field | what it is | type and limits | default |%s\n"
		     "| --- | --- | --- | --- |%s\n",
		is_template ? " kind | a change |" : "", is_template ? " --- | --- |" : "");
	for (size_t i = 1; i < language->n_fields; i++) {
		const struct vg_field *row = &language->fields[i];
		bool is_top = !is_section(row) && !strchr(row->path, '.');
		bool is_in = *key ? strncmp(row->path, key, length) == 0 &&
					     (row->path[length] == '.' || !row->path[length])
				  : is_top && row->type != VG_FIELD_NOT_YET;
		if (is_in && row->type != VG_FIELD_NOT_YET)
			write_row(out, row);
	}
}

static const char preface[] = "# The template language, version 1\n"
			      "\n"
			      "A template is one YAML or JSON file, at most 1 MiB of UTF-8. "
			      "Reading is strict: unknown and\n"
			      "repeated fields, anchors, aliases, tags, merge keys and a second "
			      "document are faults. All\n"
			      "faults of a file are reported in one run. This page is made from "
			      "the table that the program\n"
			      "reads templates by; `vgrid explain FIELD` shows the same, `vgrid "
			      "schema` prints it as a JSON\n"
			      "Schema.\n"
			      "\n"
			      "*quantum*: an amount of resource; a profile can change it. "
			      "*topology*: all else; it is in the\n"
			      "topology hash. The last column says what a change of the field does "
			      "to what runs: nothing\n"
			      "(none), applied at once (live), the node is stopped and started "
			      "(restart), the root disk, the\n"
			      "disk or the network is made anew (recreate).\n";

static const char epilogue[] =
	"\n## References\n"
	"\n"
	"| reference | stands for |\n"
	"| --- | --- |\n"
	"| `${PARAMETER}` | the value of a parameter |\n"
	"| `${grid.name}`, `${grid.uuid}` | the grid |\n"
	"| `${node.name}`, `${node.index}` | the node whose text it is |\n"
	"| `${ROLE.count}`, `${ROLE.names}` | how many nodes the role has, and their names |\n"
	"| `${ROLE.ip.NET}` | the address of the one node of a role without a count |\n"
	"| `${ROLE.ips.NET}` | the addresses of all nodes, with spaces between |\n"
	"| `$${` | the two characters `${` |\n"
	"\n"
	"A text is expanded once: what a parameter holds is never looked at again. Where a number "
	"is\n"
	"wanted, the whole value is one parameter: of type integer for whole numbers and cores, "
	"size\n"
	"for sizes, duration for durations, or a choice whose every value would do.\n"
	"\n"
	"## Units\n"
	"\n"
	"Sizes: `KiB` `MiB` `GiB` `TiB`. Rates, per second: `Kbit` `Mbit` `Gbit`. Durations: `ms` "
	"`s`\n"
	"`m` `h` `d`. Whole numbers, no space before the unit.\n"
	"\n"
	"## Regular expressions\n"
	"\n"
	"POSIX extended ones, found anywhere: `^` and `$` are the ends of a line, `.` and `[^a]` no\n"
	"line end. Characters are those of UTF-8, classes such as `[[:alpha:]]` those of ASCII.\n"
	"At most 1000 bytes, and 5000 characters with every repetition written out.\n"
	"\n"
	"## What a profile changes\n"
	"\n"
	"`parameters` (of every type but string), `lease`, and the quanta of roles. A profile's "
	"`place`\n"
	"stands for the whole of the role's. The topology hash is the same under every profile.\n"
	"\n"
	"## What the JSON Schema cannot say\n"
	"\n"
	"`vgrid check` refuses more than a schema can express: limits of sizes, rates and "
	"durations;\n"
	"more than three decimals of a number of cores, and numbers written with an exponent or a\n"
	"leading zero; whether an address or a block is valid, lies in its network, is free and "
	"has\n"
	"room; regular expressions that do not compile; names that must be declared (images, "
	"networks,\n"
	"roles, parameters, what references mean); names that collide; parameters whose values do "
	"not\n"
	"fit their type; images of which only some fields go together; cycles in `after`; strings "
	"set\n"
	"by a profile; repeated keys, anchors, aliases, tags and merge keys.\n"
	"\n"
	"## Reserved\n"
	"\n"
	"`devices` in a role and `parts` at the top are refused as not yet part of the language.\n";

static const char site_preface[] =
	"# Site files, version 1\n"
	"\n"
	"A site file is one YAML or JSON file that describes hardware: hosts, and how networks, "
	"disks and\n"
	"records are kept there. It is read as strictly as a template: unknown and repeated fields, "
	"anchors,\n"
	"aliases, tags and a second document are faults, and all faults are reported in one run by "
	"`vgrid\n"
	"check`. This page is made from the table that the program reads site files by; `vgrid "
	"explain\n"
	"site.FIELD` shows the same, `vgrid schema --site` prints it as a JSON Schema.\n"
	"\n"
	"`--site FILE` uses a site, and from its first `up` on it is remembered: `--site NAME`, "
	"GRID@NAME,\n"
	"`vgrid site list`, `vgrid site show NAME`. Given again by its file, the file as it is then "
	"holds.\n";

static const char site_epilogue[] =
	"\n## Connections\n"
	"\n"
	"| written | means |\n"
	"| --- | --- |\n"
	"| `qemu+unix:///system`, `qemu+unix:///session?socket=/path` | a libvirtd of this machine |\n"
	"| `qemu+ssh://[USER@]HOST[:PORT]/system`, with `?keyfile=/path` | one reached by ssh |\n"
	"| `qemu+tls://HOST[:PORT]/system`, with `?pkipath=/path` | one reached by TLS, both sides "
	"verified |\n"
	"| `fake:` | a host that exists only in a file: plans, placements and records are real |\n"
	"| `unix:/path`, `tcp:HOST:PORT`, `ssl:HOST:PORT` | an OVSDB server |\n"
	"\n"
	"Parameters that switch a check off, such as `no_verify=1`, are refused.\n"
	"\n"
	"Sites whose hosts are not fake are checked in full; `up` does not use them yet.\n"
	"\n"
	"## What the JSON Schema cannot say\n"
	"\n"
	"Hosts, endpoints and addresses that are given twice; addresses that are not valid or that "
	"nobody\n"
	"reaches; ranges that end before they begin; limits of sizes; URIs and endpoints in detail; "
	"fake\n"
	"hosts beside real ones; drivers and fields that do not go together or that need each other; "
	"names\n"
	"that are built in.\n";

static void write_sections(FILE *out, const struct vg_language *language)
{
	fprintf(out, "\n## The top\n");
	write_section(out, language, "");
	for (size_t i = 1; i < language->n_fields; i++) {
		const struct vg_field *row = &language->fields[i];
		if (!is_section(row))
			continue;
		fprintf(out, "\n## %s\n", row->path);
		write_section(out, language, row->path);
	}
}

void vg_language_write_markdown(FILE *out)
{
	fputs(preface, out);
	write_sections(out, &vg_template_language);
	fputs(epilogue, out);
}

void vg_site_language_write_markdown(FILE *out)
{
	fputs(site_preface, out);
	write_sections(out, &vg_site_language);
	fputs(site_epilogue, out);
}
