// SPDX-License-Identifier: Apache-2.0
//
// The record of one grid: the wanted grid, its allocations and placement, phase and history. JSON,
// versioned, with a generation; migrated forward on read, written back only by a verb that changes,
// refused when newer than the program. A record is a convenience for wants; the truth of what
// exists is in the tags.
#pragma once

#include "base/crypto.h"
#include "templates/grid.h"

// Version 2: `made` tells a data disk that is gone from one that is still to be made.
enum { VG_RECORD_VERSION = 2 };

enum vg_phase {
	VG_PHASE_CREATING, // saved before the first resource is made
	VG_PHASE_UP,
	VG_PHASE_DOWN, // down --keep-disks: disks and record are kept
	VG_PHASE_REMOVING,
};

const char *vg_phase_name(enum vg_phase phase);

struct vg_record_image {
	char *name, *digest;
};

struct vg_record {
	uint64_t generation; // grows with each save
	char *key;           // NAME@KIND: names its folder
	char *name, *uuid, *identity;
	char *site;          // as given: "sandbox:3"
	char *template_path; // absolute, or "-"
	enum vg_phase phase;
	uint64_t created_at, changed_at; // seconds since 1970
	struct vg_grid *grid;            // wanted and bound, hosts placed; owned
	uint32_t *vnis;                  // one a network of the grid
	size_t n_vnis;
	char **hosts; // names of the site's hosts, by which the nodes' indices are known again; none
		      // where hosts belong to the grid alone
	size_t n_hosts;
	struct vg_record_image *images; // digests, fixed at the first up
	size_t n_images;
	char **made; // "NODE/DISK" each: data disks that have been there with all their grid
	size_t n_made;
	uint8_t secret[VG_SECRET_SIZE]; // kept in a file of its own, 0600
};

void vg_record_free(struct vg_record *record);
VG_AUTO(vg_record);

// All data disks of the grid are there now.
void vg_record_note_made(struct vg_record *record);
// Those that the grid no longer wants, and those in `replaces` (NODE/DISK each), may be gone from
// now on.
void vg_record_forget_made(
	struct vg_record *record, const char *const *replaces, size_t n_replaces);

struct vg_json;
struct vg_json *vg_record_to_json(const struct vg_record *record); // without the secret
// Foreign bytes. Migrates forward; refuses what is newer, with both versions.
struct vg_error *vg_record_from_json(
	const struct vg_json *json, struct vg_record **ret_record) VG_MUST_CHECK;
