// SPDX-License-Identifier: Apache-2.0
//
// The contract of a storage driver: the volumes of one host (files) or one pool (RBD).
//
// A volume is named by its tag; the driver derives where it lies. Volumes of one grid lie together
// and are observed in one go. Every operation may be repeated: what is there already in the wanted
// form is success; a volume that is there in another form (size, parent) is an error, never
// overwritten. Removal of what is not there is success. Nothing half-made stays: a volume appears
// whole (made beside, synced, renamed). A sidecar holds the tag and what it was made from.
#pragma once

#include "base/error.h"

struct vg_storage; // each driver's own

struct vg_storage_target {
	const char *host;        // its name, for messages
	const char *folder;      // where volumes lie, as this process sees it; the fake's world file
	const char *folder_seen; // as the hypervisor sees it
	const char *images;      // where golden images lie, as this process sees it
	const char *images_seen; // as the hypervisor sees it
};

enum vg_volume_kind {
	VG_VOLUME_ROOT, // a copy-on-write clone of an image
	VG_VOLUME_DATA, // the user's data, made empty
	VG_VOLUME_SEED, // a small read-only raw image with given bytes, 0600
};

struct vg_volume {
	const char *tag;
	struct vg_place place;
	enum vg_volume_kind kind;
	uint64_t size; // bytes: of a data disk; of a root disk 0 is its image's
	const char *image; // of a root disk: the golden image's digest
	const void *bytes; // of a seed
	size_t n_bytes;
	const char *version; // of a seed: kept in the sidecar and observed back; NULL for others
};

struct vg_volume_seen {
	char *tag;
	enum vg_volume_kind kind;
	uint64_t size;      // bytes
	char *image;        // digest, or NULL
	char *version;      // of a seed; else NULL
	bool is_broken;     // the sidecar is there and the volume is not, or cannot be read
};

struct vg_volumes_seen {
	struct vg_volume_seen *items;
	size_t n_items;
};

void vg_volumes_seen_done(struct vg_volumes_seen *seen);
static inline void vg_volumes_seen_auto_free(struct vg_volumes_seen *seen)
{
	vg_volumes_seen_done(seen);
}

// What the storage of a host has, all grids and strangers together. UINT64_MAX: no limit.
struct vg_storage_facts {
	uint64_t size, size_free; // bytes; the first of what is there in all
};

struct vg_storage_driver {
	const char *name;

	struct vg_error *(*open)(const struct vg_storage_target *target, struct vg_storage **ret)
		VG_MUST_CHECK;
	void (*close)(struct vg_storage *storage);

	// All volumes whose tag is of this store and, unless NULL, this grid.
	struct vg_error *(*observe)(struct vg_storage *storage, const char *store, const char *grid,
		struct vg_volumes_seen *ret_seen) VG_MUST_CHECK;
	// Makes the volume: clones the root's image, makes empty data disks, writes seeds. A seed whose
	// version differs is replaced (it is no user data).
	struct vg_error *(*create)(struct vg_storage *storage, const struct vg_volume *volume)
		VG_MUST_CHECK;
	// Grows a data disk; shrinking is an error.
	struct vg_error *(*resize)(struct vg_storage *storage, const char *tag, uint64_t size)
		VG_MUST_CHECK;
	struct vg_error *(*remove)(struct vg_storage *storage, const char *tag) VG_MUST_CHECK;
	// Where the hypervisor finds the volume and in which format ("qcow2", "raw"); the path is
	// malloc'ed. Pure: needs no volume to exist.
	void (*locate)(struct vg_storage *storage, const char *tag, enum vg_volume_kind kind,
		char **ret_path, const char **ret_format);
	struct vg_error *(*facts)(struct vg_storage *storage,
		struct vg_storage_facts *ret_facts) VG_MUST_CHECK;
};

extern const struct vg_storage_driver vg_storage_file, vg_storage_fake;
