// SPDX-License-Identifier: Apache-2.0
//
// What vgrid wants to know of a domain, out of libvirt's XML, which is foreign bytes: others define
// domains too. The only door to libxml2; no network, no entities, no files. Used by the libvirt
// driver.
#pragma once

#include "compute/machine.h"

struct vg_domain_seen {
	char *tag;         // NULL: not vgrid's
	char *applied;     // NULL: none
	char *console_log; // the file of the first serial port's log; NULL: none
	char *ssh_channel; // the socket of VG_CHANNEL_SSH where the hypervisor runs; NULL: none yet
	bool is_active;    // the XML is of what runs
	bool keeps_crashed; // a guest that panics is kept as it is, so an end is no panic
	struct vg_machine_form form;
};

void vg_domain_seen_done(struct vg_domain_seen *domain);
static inline void vg_domain_seen_auto_free(struct vg_domain_seen *domain)
{
	vg_domain_seen_done(domain);
}

// Reads a whole domain, or the `machine` element of its metadata alone.
struct vg_error *vg_domain_read(
	const char *xml, size_t size, struct vg_domain_seen *ret_domain) VG_MUST_CHECK;
