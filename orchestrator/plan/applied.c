// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/applied.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "base/units.h"

// The first generator's: seeds of then have it in their hashes.
enum { SEED_FORM = 1 };

// How a value of a field is shown in a difference.
enum show { SHOW_PLAIN, SHOW_SIZE, SHOW_NOT };

// One row a key of the applied JSON: the language's path gives the effect of a change.
static const struct row {
	const char *key, *path, *title;
	enum show show;
} rows[] = {
	{"image", "roles.*.image", "image", SHOW_NOT},
	{"setup", "roles.*.setup", "setup", SHOW_NOT},
	{"cpu", "roles.*.cpu", "cpu", SHOW_PLAIN},
	{"cpu-limit", "roles.*.cpu-limit", "cpu-limit", SHOW_PLAIN},
	{"memory", "roles.*.memory", "memory", SHOW_SIZE},
	{"disks", "roles.*.disks", "disks", SHOW_NOT},
	{"nics", "roles.*.nics", "nics", SHOW_NOT},
	{"env", "roles.*.env", "env", SHOW_NOT},
	{"files", "roles.*.files", "files", SHOW_NOT},
};

static void set_hash(struct vg_json *object, const char *key, const struct vg_text *text)
{
	char hex[VG_SHA256_HEX] = "";
	if (text->length)
		vg_sha256_hex(text->bytes, text->length, hex);
	hex[16] = '\0'; // 64 bits tell one text from its next version
	vg_json_set_string(object, key, hex);
}

static void add_disks(struct vg_json *applied, const struct vg_role *role)
{
	struct vg_json *disks = vg_json_object();
	for (size_t i = 0; i < role->n_disks; i++) {
		struct vg_json *disk = vg_json_object();
		vg_json_set_integer(disk, "size", (int64_t)role->disks[i].size);
		vg_json_set_string(disk, "mount", role->disks[i].mount);
		vg_json_set(disks, role->disks[i].name, disk);
	}
	vg_json_set(applied, "disks", disks);
}

static void add_nics(
	struct vg_json *applied, const struct vg_grid *grid, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(grid, node);
	struct vg_json *nics = vg_json_array(); // in order: the guest counts them
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_network *network = &grid->networks[role->nics[i].network];
		struct vg_json *nic = vg_json_object();
		char text[VG_CIDR_LENGTH];
		vg_json_set_string(nic, "network", network->name);
		vg_ip_write(&node->nics[i].address, text);
		vg_json_set_string(nic, "address", text);
		vg_json_set_integer(nic, "prefix", network->cidr.prefix);
		vg_mac_write(&node->nics[i].mac, text);
		vg_json_set_string(nic, "mac", text);
		vg_json_set_integer(nic, "mtu", network->mtu);
		vg_json_push(nics, nic);
	}
	vg_json_set(applied, "nics", nics);
}

static void add_texts(
	struct vg_json *applied, const struct vg_grid *grid, const struct vg_node *node)
{
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_text) struct vg_text env = {0}, files = {0}, setup = {0};
	for (size_t i = 0; i < role->n_environment; i++)
		vg_text_addf(&env, "%s=%s\n", role->environment[i].name, node->environment[i]);
	for (size_t i = 0; i < role->n_files; i++)
		vg_text_addf(&files, "%s %o %zu\n%s\n", role->files[i].path, role->files[i].mode,
			strlen(node->contents[i]), node->contents[i]);
	if (node->setup)
		vg_text_add(&setup, node->setup);
	set_hash(applied, "env", &env);
	set_hash(applied, "files", &files);
	set_hash(applied, "setup", &setup);
}

static char *make(
	const struct vg_grid *grid, const struct vg_node *node, const char *digest, int generator)
{
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_json) struct vg_json *applied = vg_json_object();
	vg_json_set_integer(applied, "generator", generator);
	vg_json_set_string(applied, "grid", grid->name);
	vg_json_set_string(applied, "node", node->name);
	vg_json_set_string(applied, "role", role->name);
	vg_json_set_string(applied, "image", digest);
	vg_json_set_integer(applied, "cpu", role->cpu);
	vg_json_set_integer(applied, "cpu-limit", role->cpu_limit);
	vg_json_set_integer(applied, "memory", (int64_t)role->memory);
	add_disks(applied, role);
	add_nics(applied, grid, node);
	add_texts(applied, grid, node);
	return vg_json_write_canonical(applied);
}

bool vg_applied_has_disk(const char *applied, const char *disk)
{
	_auto(vg_json) struct vg_json *json = NULL;
	if (applied)
		vg_error_ignore(vg_json_read(applied, strlen(applied), &json));
	return vg_json_get(vg_json_get(json, "disks"), disk) != NULL;
}

char *vg_applied_make(const struct vg_grid *grid, const struct vg_node *node, const char *digest)
{
	return make(grid, node, digest, VG_GENERATOR_VERSION);
}

char *vg_applied_of_seed(const struct vg_grid *grid, const struct vg_node *node, const char *digest)
{
	return make(grid, node, digest, SEED_FORM);
}

static char *shown(const struct vg_json *value, enum show show)
{
	if (show == SHOW_SIZE)
		return vg_units_write_size((uint64_t)vg_json_number(value, 0));
	return vg_json_write(value);
}

struct vg_applied_difference vg_applied_compare(const char *applied, const char *wanted)
{
	_auto(vg_json) struct vg_json *old = NULL, *new = NULL;
	_auto(vg_error) struct vg_error *unreadable =
		applied ? vg_json_read(applied, strlen(applied), &old) : NULL;
	_auto(vg_error) struct vg_error *wrong = vg_json_read(wanted, strlen(wanted), &new);
	assert(!wrong);
	struct vg_applied_difference difference = {NULL, VG_EFFECT_NONE, false};
	if (!vg_json_is_object(old)) {
		difference.text = vg_strdup("its metadata cannot be read");
		difference.effect = VG_EFFECT_RESTART;
		return difference;
	}
	difference.is_other_generator = vg_json_get_integer(old, "generator", 0) !=
					vg_json_get_integer(new, "generator", 0);
	struct vg_text text = {0};
	for (size_t i = 0; i < VG_LENGTH(rows); i++) {
		const struct vg_json *a = vg_json_get(old, rows[i].key);
		const struct vg_json *b = vg_json_get(new, rows[i].key);
		if (vg_json_equal(a, b))
			continue;
		vg_text_addf(&text, "%s%s", text.length ? ", " : "", rows[i].title);
		if (rows[i].show != SHOW_NOT) {
			_auto(vg_string) char *from = shown(a, rows[i].show);
			_auto(vg_string) char *to = shown(b, rows[i].show);
			vg_text_addf(&text, " %s → %s", from, to);
		}
		enum vg_field_effect effect = vg_field_effect(rows[i].path);
		if (effect > difference.effect)
			difference.effect = effect;
	}
	if (text.length)
		difference.text = vg_text_take(&text);
	return difference;
}
