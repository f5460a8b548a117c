// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/practice_file.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "box/underlay.h"

// A double-quoted scalar of YAML, which is a JSON string (YAML 1.2, section 5.7).
static void add_quoted(struct vg_text *text, const char *value)
{
	vg_text_add(text, "\"");
	for (const char *at = value; *at; at++) {
		if (*at == '"' || *at == '\\')
			vg_text_addf(text, "\\%c", *at);
		else if ((unsigned char)*at < 0x20)
			vg_text_addf(text, "\\u%04x", (unsigned)*at);
		else
			vg_text_add_bytes(text, at, 1);
	}
	vg_text_add(text, "\"");
}

static void add_host(struct vg_text *text, const struct vg_practice *practice, size_t h)
{
	_auto(vg_string) char *name = vg_practice_host_name(h);
	_auto(vg_string) char *libvirt = vg_practice_libvirt(practice, h);
	_auto(vg_string) char *ovsdb = vg_practice_ovsdb(practice, h);
	struct vg_ip ip = vg_practice_address(h);
	char address[VG_IP_LENGTH];
	vg_ip_write(&ip, address);
	vg_text_addf(text, "  - name: %s\n    libvirt: ", name);
	add_quoted(text, libvirt);
	if (ovsdb)
		vg_text_addf(text, "\n    ovsdb: \"%s\"", ovsdb);
	vg_text_addf(text, "\n    underlay: %s\n", address);
}

static void add_network(struct vg_text *text, const struct vg_practice *practice)
{
	vg_text_addf(text, "network:\n  driver: %s\n  vni: 10000-19999\n  underlay-mtu: %d\n",
		practice->has_switch ? "ovs" : "kernel", VG_UNDERLAY_MTU);
}

char *vg_practice_site_text(const struct vg_practice *practice)
{
	struct vg_text text = {0};
	vg_text_addf(&text,
		"# Made by 'vgrid site practice %s'; OVSDB is reached with the keys of libvirt's "
		"pkipath.\n"
		"vgrid-site: 1\nname: %s\n"
		"description: A practice site, whose hosts are boxes of this machine\nhosts:\n",
		practice->name, practice->name);
	for (size_t h = 0; h < practice->n_hosts; h++)
		add_host(&text, practice, h);
	add_network(&text, practice);
	vg_text_add(&text, "storage: {driver: file}\naccelerator: auto\n"
			   "overcommit: {cpu: 32, memory: 1.0}\n");
	return vg_text_take(&text);
}

struct vg_error *vg_practice_site_write(const struct vg_practice *practice)
{
	_auto(vg_string) char *path = vg_practice_file(practice);
	_auto(vg_string) char *text = vg_practice_site_text(practice);
	return vg_file_write(path, 0600, text, strlen(text));
}
