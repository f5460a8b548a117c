// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

#include "base/ip.h"

static const char *nic_name(const struct vg_entry *nic)
{
	return nic->key ? nic->key : nic->value->text;
}

// Is `name` that of a node of a counted role: ROLE-DIGITS?
static const struct vg_entry *owner_of(const struct vg_check *check, const char *name)
{
	const char *dash = strrchr(name, '-');
	if (!dash || !dash[1] || strspn(dash + 1, "0123456789") != strlen(dash + 1))
		return NULL;
	_auto(vg_string) char *stem = vg_strndup(name, (size_t)(dash - name));
	const struct vg_entry *role = vg_map_get(check->roles, stem);
	return role && vg_value_entry(role->value, "count") ? role : NULL;
}

static void check_name(struct vg_check *check, const struct vg_entry *entry)
{
	static const char *const reserved[] = {"grid", "node", "localhost"};
	for (size_t i = 0; i < VG_LENGTH(reserved); i++) {
		if (strcmp(entry->key, reserved[i]) == 0)
			vg_finding_add(check->findings, entry->place,
				"'%s' is no role name: the word means something already",
				entry->key);
	}
	const struct vg_entry *owner = owner_of(check, entry->key);
	if (owner)
		vg_finding_also(vg_finding_add(check->findings, entry->place,
					"role '%s' has the name of a node of role '%s'", entry->key,
					owner->key),
			owner->place, "this role has a count");
}

static void check_image(struct vg_check *check, const struct vg_value *role)
{
	const char *image = vg_check_word(role, "image");
	if (image && !vg_map_has(check->images, image))
		vg_check_unknown(check, vg_value_get(role, "image"), "image", image, check->images);
}

// Is `path` the folder, or below it?
static bool is_within(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

// A disk that begins empty must not hide what a guest runs on.
static bool hides_the_system(const char *mount)
{
	static const char *const folders[] = {
		"/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr"};
	static const char *const trees[] = {"/dev", "/proc", "/run", "/sys"};
	for (size_t i = 0; i < VG_LENGTH(folders); i++) {
		if (strcmp(mount, folders[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < VG_LENGTH(trees); i++) {
		if (is_within(mount, trees[i]))
			return true;
	}
	return false;
}

static void check_mounts(struct vg_check *check, const struct vg_value *role)
{
	const struct vg_value *disks = vg_check_tree(role, "disks");
	for (size_t i = 0; disks && i < disks->n_entries; i++) {
		const char *mount = vg_check_word(disks->entries[i].value, "mount");
		if (mount && hides_the_system(mount)) {
			vg_finding_hint(
				vg_check_fault(check,
					vg_value_get(disks->entries[i].value, "mount"),
					"a disk at '%.60s' would hide what the guest runs on",
					mount),
				"a folder of your own, as in /data");
			continue;
		}
		for (size_t k = 0; mount && k < i; k++) {
			const struct vg_value *other = disks->entries[k].value;
			if (!vg_text_equal(mount, vg_check_word(other, "mount")))
				continue;
			vg_finding_also(vg_check_fault(check,
						vg_value_get(disks->entries[i].value, "mount"),
						"disk '%s' is mounted at '%.60s' already",
						disks->entries[k].key, mount),
				vg_value_get(other, "mount")->place, "the other mount");
			break;
		}
	}
}

// Refuses what vgrid writes (compute/seed.c), what lies below it, and the folders it lies in.
static bool is_own_file(struct vg_check *check, struct vg_value *at, const char *path)
{
	static const char *const own[] = {"/etc/hosts", "/etc/hostname", "/etc/vgrid/env",
		"/etc/vgrid/grid.json", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_host_ed25519_key",
		"/etc/ssh/ssh_host_ed25519_key.pub", "/root/.ssh/authorized_keys",
		"/root/.ssh/id_ed25519", "/root/.ssh/id_ed25519.pub"};
	static const char *const trees[] = {"/dev", "/proc", "/sys"};
	for (size_t i = 0; i < VG_LENGTH(own); i++) {
		if (is_within(path, own[i]) || is_within(own[i], path)) {
			vg_check_fault(check, at, "'%s' is written by vgrid itself", own[i]);
			return true;
		}
	}
	for (size_t i = 0; i < VG_LENGTH(trees); i++) {
		if (is_within(path, trees[i])) {
			vg_check_fault(check, at,
				"'%.60s' cannot be a file: '%s' is made anew by each boot", path,
				trees[i]);
			return true;
		}
	}
	return false;
}

static void check_files(struct vg_check *check, const struct vg_value *role)
{
	const struct vg_value *files = vg_check_tree(role, "files");
	for (size_t i = 0; files && i < files->n_entries; i++) {
		const struct vg_entry *file = &files->entries[i];
		struct vg_value at = {.place = file->place};
		if (file->value->is_faulty || is_own_file(check, &at, file->key))
			continue;
		for (size_t k = 0; k < files->n_entries; k++) {
			const struct vg_entry *other = &files->entries[k];
			if (other == file || other->value->is_faulty ||
				!is_within(other->key, file->key))
				continue;
			vg_finding_also(
				vg_check_fault(check, &at,
					"'%.60s' is a file here and a folder there", file->key),
				other->place, "a file below it");
			break;
		}
	}
}

// The block of a declared network, false while it has a fault.
static bool network_block(const struct vg_check *check, const char *name, struct vg_cidr *ret_cidr)
{
	const struct vg_entry *network = vg_map_get(check->networks, name);
	const char *text = network ? vg_check_word(network->value, "cidr") : NULL;
	if (!text)
		return false;
	struct vg_error *error = vg_cidr_read(text, ret_cidr);
	bool is_read = !error;
	vg_error_ignore(error);
	return is_read;
}

static void check_overlap(struct vg_check *check, const struct vg_value *nics, size_t i)
{
	struct vg_cidr one, other;
	if (!network_block(check, nic_name(&nics->entries[i]), &one))
		return;
	for (size_t k = 0; k < i; k++) {
		const char *name = nic_name(&nics->entries[k]);
		if (!name || !network_block(check, name, &other) || !vg_cidr_overlap(&one, &other))
			continue;
		struct vg_value at = {.place = nics->entries[i].place};
		const struct vg_entry *network = vg_map_get(check->networks, name);
		struct vg_finding *finding = vg_check_fault(check, &at,
			"networks '%s' and '%s' overlap, and one node cannot tell them apart", name,
			nic_name(&nics->entries[i]));
		vg_finding_also(finding, network->place, "'%s' stands here", name);
		return;
	}
}

static void check_pin(
	struct vg_check *check, struct vg_map *taken, const char *network, struct vg_value *value)
{
	struct vg_cidr cidr;
	struct vg_ip ip;
	if (!network_block(check, network, &cidr))
		return;
	struct vg_error *error = vg_ip_read(value->text, &ip);
	if (error) {
		vg_error_ignore(error); // found with the field
		return;
	}
	const struct vg_entry *entry = vg_map_get(check->networks, network);
	struct vg_place block = vg_value_get(entry->value, "cidr")->place;
	if (!vg_cidr_contains(&cidr, &ip)) {
		vg_finding_also(vg_check_fault(check, value, "'%.60s' is not in network '%s'",
					value->text, network),
			block, "its block");
		return;
	}
	char spelled[VG_IP_LENGTH];
	vg_ip_write(&ip, spelled);
	uint64_t number = vg_cidr_number(&cidr, &ip);
	struct vg_ip next;
	bool is_last = !cidr.base.is_ipv6 && !vg_cidr_address(&cidr, number + 1, &next);
	if (number <= 1 || is_last) {
		vg_finding_also(
			vg_check_fault(check, value, "'%s' is the %s of network '%s'", spelled,
				number == 0   ? "network address"
				: number == 1 ? "address kept for a gateway"
					      : "broadcast address",
				network),
			block, "its block");
		return;
	}
	_auto(vg_string) char *key = vg_format("%s %s", network, spelled);
	struct vg_value *first = vg_map_set(taken, key, value);
	if (first)
		vg_finding_also(vg_check_fault(check, value, "'%s' is taken on network '%s'",
					spelled, network),
			first->place, "taken here");
}

static void check_nics(struct vg_check *check, const struct vg_value *role, struct vg_map *taken)
{
	const struct vg_value *nics = vg_check_tree(role, "nics");
	for (size_t i = 0; nics && i < nics->n_entries; i++) {
		const struct vg_entry *nic = &nics->entries[i];
		const char *name = nic_name(nic);
		struct vg_value at = {.place = nic->place};
		if (nic->value->is_faulty || !name)
			continue;
		if (!vg_map_has(check->networks, name)) {
			vg_check_unknown(check, &at, "network", name, check->networks);
			continue;
		}
		check_overlap(check, nics, i);
		if (vg_check_word(nic->value, "address"))
			check_pin(check, taken, name, vg_value_get(nic->value, "address"));
	}
}

// One role named in `with`, `apart` or `after`.
static void check_other(
	struct vg_check *check, const char *role, const char *key, struct vg_value *value)
{
	if (value->is_faulty || !value->text)
		return;
	if (!vg_map_has(check->roles, value->text))
		vg_check_unknown(check, value, "role", value->text, check->roles);
	else if (strcmp(value->text, role) == 0)
		vg_check_fault(check, value, "role '%s' is '%s' itself", role, key);
}

static bool names(const struct vg_value *value, const char *role, struct vg_place *ret_place)
{
	if (value && vg_text_equal(value->text, role)) {
		*ret_place = value->place;
		return true;
	}
	for (size_t i = 0; value && i < value->n_entries; i++) {
		if (vg_text_equal(value->entries[i].value->text, role)) {
			*ret_place = value->entries[i].value->place;
			return true;
		}
	}
	return false;
}

// Who must be with another cannot be one whom the other must be apart from.
static void check_contradiction(struct vg_check *check, const char *role, struct vg_value *with)
{
	const struct vg_entry *other = with->text ? vg_map_get(check->roles, with->text) : NULL;
	const struct vg_value *place = other ? vg_value_get(other->value, "place") : NULL;
	struct vg_place first;
	if (with->is_faulty || !names(vg_value_get(place, "apart"), role, &first))
		return;
	vg_finding_also(
		vg_check_fault(check, with, "'%s' must be with '%s', which must be apart from it",
			role, with->text),
		first, "'apart' is said here");
}

static void check_contradictions(
	struct vg_check *check, const char *role, const struct vg_value *place)
{
	struct vg_value *with = vg_check_tree(place, "with");
	if (vg_check_word(place, "with"))
		check_contradiction(check, role, vg_value_get(place, "with"));
	for (size_t i = 0; with && i < with->n_entries; i++)
		check_contradiction(check, role, with->entries[i].value);
}

void vg_check_place(struct vg_check *check, const char *role, const struct vg_value *place)
{
	static const char *const keys[] = {"with", "apart"};
	struct vg_value *with = vg_value_get(place, "with");
	for (size_t i = 0; i < VG_LENGTH(keys); i++) {
		struct vg_value *value = vg_value_get(place, keys[i]);
		if (!value || value->is_faulty)
			continue;
		check_other(check, role, keys[i], value);
		for (size_t k = 0; k < value->n_entries; k++) {
			struct vg_value *other = value->entries[k].value;
			struct vg_place first;
			check_other(check, role, keys[i], other);
			if (i == 1 && !other->is_faulty && names(with, other->text, &first))
				vg_finding_also(
					vg_check_fault(check, other,
						"'%s' cannot be 'with' and 'apart'", other->text),
					first, "'with' is said here");
		}
		struct vg_place first;
		if (i == 1 && value->text && !value->is_faulty && names(with, value->text, &first))
			vg_finding_also(vg_check_fault(check, value,
						"'%s' cannot be 'with' and 'apart'", value->text),
				first, "'with' is said here");
	}
}

// `after` without a cycle: a walk in depth that knows what is open (1) and what is done (2).
struct walk {
	struct vg_check *check;
	unsigned char *states;
	struct vg_map *indices; // role → index + 1
};

static void visit(struct walk *walk, size_t index)
{
	const struct vg_entry *role = vg_map_value_at(walk->check->roles, index);
	const struct vg_value *after = vg_check_tree(role->value, "after");
	walk->states[index] = 1;
	for (size_t i = 0; after && i < after->n_entries; i++) {
		struct vg_value *other = after->entries[i].value;
		size_t next = other->text && !other->is_faulty
				      ? (size_t)(uintptr_t)vg_map_get(walk->indices, other->text)
				      : 0;
		if (!next)
			continue;
		next--;
		if (walk->states[next] == 1)
			vg_finding_also(vg_check_fault(walk->check, other,
						"roles wait for each other: '%s' is after '%s', "
						"which in the end is after '%s'",
						role->key, other->text, role->key),
				((const struct vg_entry *)vg_map_value_at(walk->check->roles, next))
					->place,
				"'%s' stands here", other->text);
		else if (walk->states[next] == 0)
			visit(walk, next);
	}
	walk->states[index] = 2;
}

static void check_cycles(struct vg_check *check)
{
	size_t n = vg_map_size(check->roles);
	struct walk walk = {.check = check, .states = vg_alloc(n + 1), .indices = vg_map_new()};
	for (size_t i = 0; i < n; i++)
		vg_map_set(
			walk.indices, vg_map_key_at(check->roles, i), (void *)(uintptr_t)(i + 1));
	for (size_t i = 0; i < n && n <= 1024; i++) {
		if (walk.states[i] == 0)
			visit(&walk, i);
	}
	free(walk.states);
	vg_map_free(walk.indices);
}

void vg_check_roles(struct vg_check *check)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	for (size_t i = 0; i < vg_map_size(check->roles); i++) {
		const struct vg_entry *role = vg_map_value_at(check->roles, i);
		if (role->value->is_faulty)
			continue;
		const struct vg_value *after = vg_check_tree(role->value, "after");
		check_name(check, role);
		check_image(check, role->value);
		check_mounts(check, role->value);
		check_files(check, role->value);
		check_nics(check, role->value, taken);
		const struct vg_value *place = vg_check_tree(role->value, "place");
		vg_check_place(check, role->key, place);
		check_contradictions(check, role->key, place);
		for (size_t k = 0; after && k < after->n_entries; k++)
			check_other(check, role->key, "after", after->entries[k].value);
	}
	check_cycles(check);
}
