// SPDX-License-Identifier: Apache-2.0
#include "templates/field.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MIB(n) (UINT64_C(n) << 20)
#define TIB(n) (UINT64_C(n) << 40)

// clang-format off
static const struct vg_field fields[] = {
	{.path = "", .type = VG_FIELD_MAP,
		.help = "A site: the hardware that grids run on. It names no role of a template."},
	{.path = "vgrid-site", .type = VG_FIELD_INTEGER, .is_required = true, .min = 1, .max = 1,
		.example = "1",
		.help = "Version of the language."},
	{.path = "name", .type = VG_FIELD_NAME, .is_required = true, .example = "lab",
		.help = "Name of the site: '--site lab' once it was used, and GRID@lab."},
	{.path = "description", .type = VG_FIELD_TEXT, .example = "The rack in the cellar",
		.help = "What the site is, in a line."},
	{.path = "accelerator", .type = VG_FIELD_CHOICE, .words = WORDS("auto", "kvm", "tcg"),
		.standard = "auto", .example = "kvm",
		.help = "What runs the guests; auto races the two on each host."},

	{.path = "hosts", .type = VG_FIELD_LIST, .is_required = true, .min = 1, .max = 10000,
		.help = "The hypervisors."},
	{.path = "hosts.[]", .type = VG_FIELD_MAP,
		.example = "{name: h1, libvirt: \"qemu+tls://h1/system\"}",
		.help = "A host."},
	{.path = "hosts.[].name", .type = VG_FIELD_LABEL, .is_required = true, .example = "h1",
		.help = "Its name in plans and tables, another for each host."},
	{.path = "hosts.[].libvirt", .type = VG_FIELD_LIBVIRT, .is_required = true,
		.example = "\"qemu+tls://h1/system\"",
		.help = "Where its libvirtd is reached. 'fake:' is a host that exists only in a file: to try "
			"plans and placements. All hosts are fake or none is."},
	{.path = "hosts.[].ovsdb", .type = VG_FIELD_OVSDB, .example = "\"ssl:h1:6640\"",
		.help = "Where its OVSDB server is reached; needed with the driver ovs."},
	{.path = "hosts.[].underlay", .type = VG_FIELD_ADDRESS, .example = "192.0.2.11",
		.help = "Its address towards the other hosts, between which tunnels run; needed where there "
			"are several."},
	{.path = "hosts.[].labels", .type = VG_FIELD_MAP_OF, .keys = VG_KEYS_LABEL, .max = 64,
		.example = "{rack: r1}",
		.help = "What 'spread' and 'pack' of a role can name besides 'host'."},
	{.path = "hosts.[].labels.*", .type = VG_FIELD_LABEL, .example = "r1",
		.help = "Value of the label."},
	{.path = "hosts.[].cpu", .type = VG_FIELD_INTEGER, .min = 1, .max = 65536, .example = "64",
		.help = "Cores that grids may have. Without it those that it has; a fake host is not limited."},
	{.path = "hosts.[].memory", .type = VG_FIELD_SIZE, .min = MIB(64), .max = TIB(1024),
		.example = "256GiB",
		.help = "Memory that grids may have. Without it what it has; a fake host is not limited."},
	{.path = "hosts.[].disk", .type = VG_FIELD_SIZE, .min = MIB(1), .max = TIB(1048576),
		.example = "4TiB",
		.help = "Room for data disks. Without it what its storage has; a fake host is not limited."},

	{.path = "network", .type = VG_FIELD_MAP, .example = "{driver: ovs, vni: 10000-19999}",
		.help = "How overlays are made."},
	{.path = "network.driver", .type = VG_FIELD_CHOICE, .words = WORDS("ovs", "kernel", "fake"),
		.example = "ovs",
		.help = "Open vSwitch by OVSDB, the kernel of this machine, or fake. Without it ovs; fake "
			"where the hosts are."},
	{.path = "network.vni", .type = VG_FIELD_VNIS, .standard = "100-16777215",
		.example = "10000-19999",
		.help = "The VNIs that may be taken, both ends included."},
	{.path = "network.underlay-mtu", .type = VG_FIELD_INTEGER, .min = 626, .max = 65535,
		.standard = "1500", .example = "1600",
		.help = "Largest packet between hosts, in bytes. A network needs its own MTU and 50 more, 70 "
			"over IPv6."},

	{.path = "storage", .type = VG_FIELD_MAP, .example = "{driver: rbd, pool: vgrid}",
		.help = "Where disks lie."},
	{.path = "storage.driver", .type = VG_FIELD_CHOICE, .words = WORDS("file", "rbd", "fake"),
		.example = "rbd",
		.help = "Files on each host, a pool of Ceph, or fake. Without it file; fake where the hosts "
			"are."},
	{.path = "storage.pool", .type = VG_FIELD_LABEL, .example = "vgrid",
		.help = "The pool of Ceph; needed with rbd."},
	{.path = "storage.config", .type = VG_FIELD_FILE, .example = "/etc/ceph/ceph.conf",
		.help = "Configuration of Ceph on this machine; with rbd."},
	{.path = "storage.user", .type = VG_FIELD_LABEL, .example = "vgrid",
		.help = "User of Ceph, without 'client.'; with rbd."},

	{.path = "state", .type = VG_FIELD_MAP, .example = "{driver: rados, pool: vgrid}",
		.help = "Where the records of the site's grids and its ledger lie."},
	{.path = "state.driver", .type = VG_FIELD_CHOICE, .words = WORDS("file", "rados"),
		.standard = "file", .example = "rados",
		.help = "A folder of this machine, which is then the only one that operates the site, or a "
			"pool of Ceph that several share."},
	{.path = "state.pool", .type = VG_FIELD_LABEL, .example = "vgrid",
		.help = "The pool of Ceph; needed with rados."},
	{.path = "state.config", .type = VG_FIELD_FILE, .example = "/etc/ceph/ceph.conf",
		.help = "Configuration of Ceph on this machine; with rados."},
	{.path = "state.user", .type = VG_FIELD_LABEL, .example = "vgrid",
		.help = "User of Ceph, without 'client.'; with rados."},

	{.path = "overcommit", .type = VG_FIELD_MAP, .example = "{cpu: 4.0, memory: 1.0}",
		.help = "How much more than a host has may be promised in all."},
	{.path = "overcommit.cpu", .type = VG_FIELD_FACTOR, .min = 10, .max = 1000000,
		.standard = "1.0", .example = "4.0",
		.help = "Times its cores. A vCPU counts as its 'cpu-limit', where that is less."},
	{.path = "overcommit.memory", .type = VG_FIELD_FACTOR, .min = 10, .max = 1000000,
		.standard = "1.0", .example = "1.0",
		.help = "Times its memory. A node counts with what its emulator takes, 96MiB."},
	{.path = "overcommit.disk", .type = VG_FIELD_FACTOR, .min = 10, .max = 1000000,
		.standard = "1.0", .example = "1.5",
		.help = "Times its room for disks. Data disks count in full, root disks do not."},
};
// clang-format on

const struct vg_language vg_site_language = {"site", "vgrid-site", fields, VG_LENGTH(fields)};
