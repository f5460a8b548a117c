// SPDX-License-Identifier: Apache-2.0
//
// Rows as OVSDB takes them (RFC 7047, 5.1): what a wanted port is in the tables Port and Interface.
// Pure. Used by ovs_change.c.
#pragma once

#include "net/ovs_want.h"

// [word, value]: `["map", …]`, `["set", …]`, or one pair of a map. Takes over the value.
struct vg_json *vg_ovs_pair(const char *word, struct vg_json *value);
// The pairs of a map, without the word.
void vg_ovs_map_add(struct vg_json *pairs, const char *key, const char *value);
void vg_ovs_map_addf(struct vg_json *pairs, const char *key, const char *format, ...)
	VG_PRINTF(3, 4);
// Has a map that was seen all of these pairs? It may have others.
bool vg_ovs_map_has(const struct vg_json *seen, const struct vg_json *pairs);

// The columns of a wanted port but for name and external_ids, and these as pairs.
struct vg_json *vg_ovs_port_row(const struct vg_ovs_want *want);
struct vg_json *vg_ovs_port_ids(const struct vg_ovs_wants *wants, const struct vg_ovs_want *want);
struct vg_json *vg_ovs_interface_row(
	const struct vg_ovs_wants *wants, const struct vg_ovs_want *want);
struct vg_json *vg_ovs_interface_ids(const struct vg_ovs_want *want);
// Has the interface these columns?
bool vg_ovs_interface_is_so(const struct vg_ovs_wants *wants, const struct vg_ovs_want *want,
	const struct vg_ovs_interface *seen);
