// SPDX-License-Identifier: Apache-2.0
//
// What single fields of a site file cannot know: hosts that are the same twice, drivers that do not
// go together, what a driver needs.
#include <string.h>

#include "base/ip.h"
#include "templates/check.h"
#include "templates/endpoint.h"

// Finds a value that an earlier host has too. `seen`: text → the first value.
static void check_once(struct vg_check *check, const struct vg_value *host, const char *key,
	const char *what, struct vg_map *seen)
{
	struct vg_value *value = vg_value_get(host, key);
	const char *text = vg_check_word(host, key);
	struct vg_ip ip;
	char spelling[VG_IP_LENGTH];
	if (!text)
		return;
	// An address has several spellings.
	if (strcmp(key, "underlay") == 0) {
		_auto(vg_error) struct vg_error *error = vg_ip_read(text, &ip);
		if (!error) {
			vg_ip_write(&ip, spelling);
			text = spelling;
		}
	}
	const struct vg_value *first = vg_map_get(seen, text);
	if (first)
		vg_finding_also(vg_check_fault(check, value, "%s '%.100s' is given twice", what,
					value->text),
			first->place, "first given here");
	else
		vg_map_set(seen, text, value);
}

static bool is_fake(const struct vg_value *host)
{
	const char *text = vg_check_word(host, "libvirt");
	return text && strcmp(text, "fake:") == 0;
}

// Addresses that no tunnel can end at (RFC 6890).
static void check_underlay(struct vg_check *check, struct vg_value *value, size_t n_hosts)
{
	static const char *const unusable[] = {
		"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "ff00::/8"};
	struct vg_ip ip;
	struct vg_error *error = vg_ip_read(value->text, &ip);
	if (error) {
		vg_error_ignore(error); // found with the field
		return;
	}
	for (size_t i = 0; i < VG_LENGTH(unusable) && n_hosts > 1; i++) {
		struct vg_cidr block;
		vg_error_ignore(vg_cidr_read(unusable[i], &block));
		if (!vg_cidr_contains(&block, &ip))
			continue;
		vg_check_fault(
			check, value, "'%.60s' is no address that other hosts reach", value->text);
		return;
	}
}

static struct vg_value *hosts_of(const struct vg_check *check)
{
	struct vg_value *hosts = vg_check_tree(check->root, "hosts");
	return hosts && hosts->kind == VG_VALUE_LIST ? hosts : NULL;
}

// A tunnel has both ends in one family.
static void check_families(struct vg_check *check, const struct vg_value *hosts)
{
	const struct vg_value *first = NULL;
	bool is_ipv6 = false;
	for (size_t i = 0; i < hosts->n_entries; i++) {
		struct vg_value *value = vg_value_get(hosts->entries[i].value, "underlay");
		struct vg_ip ip;
		if (!value || value->is_faulty)
			continue;
		vg_error_ignore(vg_ip_read(value->text, &ip));
		if (!first) {
			first = value;
			is_ipv6 = ip.is_ipv6;
		} else if (ip.is_ipv6 != is_ipv6) {
			vg_finding_also(vg_check_fault(check, value,
						"'%.60s' and another host's underlay are of "
						"IPv4 and IPv6",
						value->text),
				first->place, "the other one");
			return;
		}
	}
}

static void check_hosts(struct vg_check *check, const struct vg_value *hosts)
{
	static const struct {
		const char *key, *what;
	} once[] = {{"name", "the host"}, {"libvirt", "the libvirtd"},
		{"ovsdb", "the OVSDB server"}, {"underlay", "the underlay address"}};
	for (size_t k = 0; k < VG_LENGTH(once); k++) {
		_auto(vg_map) struct vg_map *seen = vg_map_new();
		for (size_t i = 0; i < hosts->n_entries; i++) {
			const struct vg_value *host = hosts->entries[i].value;
			bool is_shared = k == 1 && is_fake(host);
			if (!is_shared)
				check_once(check, host, once[k].key, once[k].what, seen);
		}
	}
	const struct vg_value *first = hosts->entries[0].value;
	for (size_t i = 1; i < hosts->n_entries; i++) {
		struct vg_value *host = hosts->entries[i].value;
		bool can_tell = vg_check_word(first, "libvirt") && vg_check_word(host, "libvirt");
		if (!can_tell || is_fake(host) == is_fake(first))
			continue;
		vg_finding_also(vg_check_fault(check, vg_value_get(host, "libvirt"),
					"hosts that are fake and hosts that are not cannot be one "
					"site"),
			vg_value_get(first, "libvirt")->place, "the first host");
		break;
	}
	for (size_t i = 0; i < hosts->n_entries; i++) {
		struct vg_value *value = vg_value_get(hosts->entries[i].value, "underlay");
		if (value && !value->is_faulty)
			check_underlay(check, value, hosts->n_entries);
	}
	check_families(check, hosts);
}

// What real hosts need of a host's fields.
static void check_connections(struct vg_check *check, const struct vg_value *hosts)
{
	const char *driver = vg_check_word(vg_check_tree(check->root, "network"), "driver");
	bool needs_ovsdb = !driver || strcmp(driver, "ovs") == 0;
	for (size_t i = 0; i < hosts->n_entries; i++) {
		const struct vg_value *host = hosts->entries[i].value;
		if (!vg_check_word(host, "libvirt") || is_fake(host))
			continue;
		if (needs_ovsdb && !vg_value_get(host, "ovsdb"))
			vg_finding_hint(vg_finding_add(check->findings, host->place,
						"a host needs 'ovsdb' with the network driver ovs"),
				"for example 'ovsdb: \"ssl:h1:6640\"'");
		if (hosts->n_entries > 1 && !vg_value_get(host, "underlay"))
			vg_finding_hint(vg_finding_add(check->findings, host->place,
						"a host needs 'underlay' where there are several"),
				"for example 'underlay: 192.0.2.11'");
	}
}

// Fake hosts have fake drivers, and no others have.
static void check_driver(
	struct vg_check *check, const char *section, const struct vg_value *hosts, bool are_fake)
{
	const struct vg_value *map = vg_check_tree(check->root, section);
	const char *driver = vg_check_word(map, "driver");
	if (!driver || (strcmp(driver, "fake") == 0) == are_fake)
		return;
	const struct vg_value *libvirt = vg_value_get(hosts->entries[0].value, "libvirt");
	vg_finding_also(vg_check_fault(check, vg_value_get(map, "driver"),
				are_fake ? "the hosts are fake, and the driver '%s' is not"
					 : "the driver '%s' is for fake hosts",
				driver),
		libvirt->place, "the first host");
}

// `pool`, `config` and `user` are of Ceph.
static void check_ceph(struct vg_check *check, const char *section, const char *ceph)
{
	static const char *const keys[] = {"pool", "config", "user"};
	const struct vg_value *map = vg_check_tree(check->root, section);
	const struct vg_value *given = vg_value_get(map, "driver");
	if (!map || (given && given->is_faulty))
		return;
	bool is_ceph = given && strcmp(given->text, ceph) == 0;
	if (is_ceph && !vg_value_get(map, "pool"))
		vg_finding_hint(vg_finding_add(check->findings, given->place,
					"the driver %s needs a 'pool' in '%s'", ceph, section),
			"for example 'pool: vgrid'");
	for (size_t i = 0; i < VG_LENGTH(keys) && !is_ceph; i++) {
		struct vg_value *value = vg_value_get(map, keys[i]);
		if (value && !value->is_faulty)
			vg_check_fault(check, value, "'%s' is of the driver %s", keys[i], ceph);
	}
}

static void check_name(struct vg_check *check)
{
	static const char *const built_in[] = {"sandbox", "fake"};
	const char *name = vg_check_word(check->root, "name");
	for (size_t i = 0; name && i < VG_LENGTH(built_in); i++) {
		if (strcmp(built_in[i], name) == 0)
			vg_check_fault(check, vg_value_get(check->root, "name"),
				"'%s' is the name of a site that is built in", name);
	}
}

void vg_check_site(struct vg_value *root, struct vg_findings *findings)
{
	struct vg_check check = {.findings = findings, .root = root};
	vg_text_add(&check.path, "");
	vg_check_fields(&check, &vg_site_language.fields[0]);
	const struct vg_value *hosts = hosts_of(&check);
	check_name(&check);
	if (hosts) {
		bool are_fake = is_fake(hosts->entries[0].value);
		check_hosts(&check, hosts);
		check_connections(&check, hosts);
		if (vg_check_word(hosts->entries[0].value, "libvirt")) {
			check_driver(&check, "network", hosts, are_fake);
			check_driver(&check, "storage", hosts, are_fake);
		}
	}
	check_ceph(&check, "storage", "rbd");
	check_ceph(&check, "state", "rados");
	vg_text_done(&check.path);
}
