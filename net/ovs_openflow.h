// SPDX-License-Identifier: Apache-2.0
//
// OpenFlow 1.4 with one bridge: flows and meters. The only door to libopenvswitch, of which it uses
// what writes and reads messages (its public headers); the bytes go by ovs_wire.h. Used by the ovs
// net driver.
#pragma once

#include "net/ovs_wire.h"

struct vg_openflow;

// Takes over the wire, which leads to a bridge. All that is asked of it must be done by the
// deadline.
struct vg_error *vg_openflow_open(struct vg_ovs_wire *wire, uint64_t deadline,
	struct vg_openflow **ret_openflow) VG_MUST_CHECK;
void vg_openflow_free(struct vg_openflow *openflow);
VG_AUTO(vg_openflow);

// The cookies of all flows whose upper half is `group`, sorted; malloc'ed.
struct vg_error *vg_openflow_cookies(struct vg_openflow *openflow, uint32_t group,
	uint64_t **ret_cookies, size_t *ret_n_cookies) VG_MUST_CHECK;

// Replaces all flows whose cookie's upper half is one of the groups by these, given as text in the
// form of ovs-ofctl(8), at one blow: no frame sees some of the old and some of the new.
struct vg_error *vg_openflow_replace(struct vg_openflow *openflow, const uint32_t *groups,
	size_t n_groups, const char *const *flows, size_t n_flows) VG_MUST_CHECK;

// 0: the bridge has none.
struct vg_error *vg_openflow_count_meters(
	struct vg_openflow *openflow, uint32_t *ret_n_meters) VG_MUST_CHECK;
// Makes or changes it: at most `rate` bits per second pass, and at once as much as `burst` bits.
struct vg_error *vg_openflow_set_meter(
	struct vg_openflow *openflow, uint32_t id, uint64_t rate, uint64_t burst) VG_MUST_CHECK;
// None is no error.
struct vg_error *vg_openflow_remove_meter(struct vg_openflow *openflow, uint32_t id) VG_MUST_CHECK;
