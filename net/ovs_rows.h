// SPDX-License-Identifier: Apache-2.0
//
// What a host's OVSDB says, read in one transaction: its bridges, ports and interfaces
// (ovs-vswitchd.conf.db(5)). Pure. Used by the ovs net driver to find the difference to what is
// wanted and to observe.
//
// How an overlay lies on a host: all overlays of a store share one bridge; each has a VLAN that
// means something on this host only. A local member is an access port of that VLAN (a tap), each
// other host with a member a VXLAN port of that VLAN whose key is the VNI. VXLAN ports are
// `protected`: what comes in by one leaves by none, so nothing circles. What observing needs stands
// in external_ids:
//
//	of the bridge  vgrid = vgrid:STORE:site/bridge,
//	               vgrid-change = number of the last transaction
//	of a port      vgrid = its tag, vgrid-vni, vgrid-mtu,
//	               vgrid-tunnel (this host's address)
//	of a VXLAN one vgrid-members = MACs of the members there
//	of a local one vgrid-ip, vgrid-rate; and attached-mac of its interface,
//	               as others have it too
#pragma once

#include "base/json.h"
#include "base/tag.h"
#include "net/slice.h"

enum { VG_OVS_VLAN_MAX = 4094, VG_OVS_OFPORT_MAX = 65279 };

// Everything is borrowed from the answer.
struct vg_ovs_interface {
	const char *uuid, *name, *type, *error; // error NULL: none
	int64_t ofport; // its OpenFlow port number; 0: not known, -1: it has none
	int64_t ofport_wanted, mtu, mtu_wanted; // 0: not set
	bool is_down;                           // it is there, and carries nothing
	const struct vg_json *options, *ids;
};

struct vg_ovs_bridge;

struct vg_ovs_port {
	const char *uuid, *name, *tag; // tag NULL: not of vgrid
	int64_t vlan;                  // -1: none
	bool is_access, is_protected;
	const struct vg_json *ids;
	const struct vg_ovs_interface *interface; // NULL: a bond, or of no interface
	const struct vg_ovs_bridge *bridge;       // NULL: of none
};

struct vg_ovs_bridge {
	const char *uuid, *name, *tag, *datapath;
	const struct vg_json *ids, *ports, *controllers;
};

struct vg_ovs_rows {
	struct vg_json *answer;
	const char *switch_uuid, *version;
	int64_t wanted_config, current_config; // next_cfg, cur_cfg
	bool has_keys;                         // of TLS
	struct vg_ovs_interface *interfaces;
	size_t n_interfaces;
	struct vg_ovs_port *ports;
	size_t n_ports;
	struct vg_ovs_bridge *bridges;
	size_t n_bridges;
	struct vg_map *port_by_name;       // struct vg_ovs_port
	const struct vg_json *controllers; // rows with _uuid and target
};

void vg_ovs_rows_done(struct vg_ovs_rows *rows);
static inline void vg_ovs_rows_auto_free(struct vg_ovs_rows *rows)
{
	vg_ovs_rows_done(rows);
}

// The operations whose answer vg_ovs_rows_read() reads.
struct vg_json *vg_ovs_rows_ask(void);
// Takes over the answer; `skip` is the number of results before those of vg_ovs_rows_ask().
struct vg_error *vg_ovs_rows_read(
	struct vg_json *answer, size_t skip, struct vg_ovs_rows *ret_rows) VG_MUST_CHECK;

// The bridge of a store, NULL if there is none; and its tag and name, malloc'ed.
const struct vg_ovs_bridge *vg_ovs_bridge_of(const struct vg_ovs_rows *rows, const char *store);
char *vg_ovs_bridge_tag(const char *store);
char *vg_ovs_bridge_name(const char *store);

// OVSDB's notation of maps and references (RFC 7047, 5.1).
const char *vg_ovs_map_get(const struct vg_json *map, const char *key); // NULL: not there
int64_t vg_ovs_map_number(const struct vg_json *map, const char *key);  // 0: no number
struct vg_json *vg_ovs_uuid(const char *uuid);                          // ["uuid", …]
// The entries of a set, or of a single value; NULL beyond the end.
const struct vg_json *vg_ovs_set_at(const struct vg_json *set, size_t i);

// Which part of which overlay a port is, from its tag.
enum vg_ovs_part { VG_OVS_LOCAL, VG_OVS_REMOTE, VG_OVS_OTHER };
// *ret_overlay is the tag of the overlay, malloc'ed; of VG_OVS_OTHER the tag itself.
enum vg_ovs_part vg_ovs_part_of(const char *tag, char **ret_overlay);

// The port's slice as OVSDB has it (see the top). The VLAN of an overlay is that of its first port.
struct vg_slice *vg_ovs_slice(const struct vg_ovs_rows *rows, const char *store, const char *grid);

// Does the switch refuse the interface? What hypervisors have not made yet is none's fault.
bool vg_ovs_is_broken(const struct vg_ovs_interface *interface);
