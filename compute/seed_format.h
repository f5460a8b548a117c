// SPDX-License-Identifier: Apache-2.0
//
// The plain form of a seed: how compute/seed.c tells the guest program (images/guest) what a node
// is. It lies in the folder `vgrid` of the seed's ISO 9660 image, beside cloud-init's files.
//
// `vgrid/index` is lines of fields, one space between two. In a field each byte outside `!` … `~`,
// and `%` itself, is written as %XX, so that no text can end a field or a line. CONTENT names a
// file beside the index: raw bytes, nothing quoted.
//
//	vgrid-seed 1                     the first line: the format's version
//	instance ID                      changes when anything in the seed does, but entropy
//	hostname NAME
//	entropy CONTENT                  bytes for the kernel's random number generator
//	nic MAC MTU ADDRESS/PREFIX       a nic with one address
//	env NAME VALUE                   the environment of setup
//	file MODE PATH CONTENT           MODE is octal; folders above are made
//	disk SERIAL PATH                 mounted there; formatted if it is blank
//	setup CONTENT                    a script for /bin/sh, once per root disk
//	end                              the last line
//
// Unknown lines are faults: seed and guest program come from the same vgrid, or the version
// differs.
#pragma once

#define VG_SEED_VERSION 1
#define VG_SEED_FOLDER "vgrid"
#define VG_SEED_INDEX "index"
#define VG_SEED_VOLUME "cidata" // the ISO's volume id, cloud-init's NoCloud label
#define VG_SEED_SERIAL "seed"   // the virtio serial of the seed's disk
#define VG_ROOT_SERIAL "root"   // and of the root disk
#define VG_AGENT_PORT "org.qemu.guest_agent.0"
#define VG_SSH_PORT "org.vgrid.ssh.0"
#define VG_READY_PATH "/run/vgrid/ready"     // holds "ready\n" once the node is ready
#define VG_FAILED_PATH "/run/vgrid/failed"   // or one line that says what went wrong
#define VG_RUN_PROGRAM "/usr/sbin/vgrid-run" // compute/agent_run.c
#define VG_STATE_FOLDER "/var/lib/vgrid"     // setup-status (its exit status) and instance
