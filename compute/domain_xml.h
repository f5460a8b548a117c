// SPDX-License-Identifier: Apache-2.0
//
// A machine as libvirt's domain XML (https://libvirt.org/formatdomain.html). Pure: the same machine
// always gives the same text. Used by the libvirt driver; compute/domain_read.h reads it back.
#pragma once

#include "compute/machine.h"

// The XML namespace of what vgrid keeps in a domain's metadata: one element `machine` that holds
// the elements `tag` and `applied`.
#define VG_DOMAIN_NAMESPACE "urn:vgrid:domain:1"

// The channel by which ssh reaches a node out of band, and the one of the guest agent.
#define VG_CHANNEL_SSH "org.vgrid.ssh.0"
#define VG_CHANNEL_AGENT "org.qemu.guest_agent.0"

// Yields the XML, malloc'ed. A string that XML cannot hold (a control character, no UTF-8) is an
// error at the machine's place.
struct vg_error *vg_domain_xml(const struct vg_machine *machine, char **ret_xml) VG_MUST_CHECK;
