// SPDX-License-Identifier: Apache-2.0
//
// The store of golden images: one folder an image, named by its digest, read-only, with a sidecar
// image.json. A user's file is ingested (reflink or copy, hashed) and never used in place; a builtin
// is built by its recipe. Images are shared by all grids of a VGRID_HOME.
#pragma once

#include "base/error.h"

struct vg_image_info {
	char *digest;  // SHA-256 over the canonical manifest of its parts, 64 digits: its identity
	char *name;    // builtin's name, or the file name it came from
	char *origin;  // "builtin:tiny" or "file:SHA256 of the file"
	char *format;  // of the root disk: "qcow2", "raw"; NULL: stateless
	uint64_t root_size; // virtual bytes
	uint64_t stored_size; // bytes on this disk
	bool has_kernel;
	char *cmdline; // for direct kernel boot, or NULL
	uint64_t made_at; // seconds since 1970
};

void vg_image_info_free(struct vg_image_info *info);
VG_AUTO(vg_image_info);

struct vg_image_list {
	struct vg_image_info **items;
	size_t n_items;
};

void vg_image_list_done(struct vg_image_list *list);

typedef void (*vg_image_progress)(const char *what, uint64_t done, uint64_t total, void *data);

// Sorted by name. Broken folders are left out.
struct vg_error *vg_images_list(const char *folder, struct vg_image_list *ret_list) VG_MUST_CHECK;
// By digest, or a unique prefix of one of at least 6 digits, or by name (the newest of that name).
// VG_ERROR_NOT_FOUND when there is none.
struct vg_error *vg_images_find(const char *folder, const char *what,
	struct vg_image_info **ret_info) VG_MUST_CHECK;
// Builds a builtin by running its recipe (exactly `recipe OUT_FOLDER GUEST_PROGRAM`, output to
// log_path) and stores the result. Two builders at once: the second waits and takes the first's.
struct vg_error *vg_images_build(const char *folder, const char *name, const char *recipe,
	const char *guest_program, const char *log_path, struct vg_image_info **ret_info)
	VG_MUST_CHECK;
// Ingests a qcow2 or raw disk image. Refused: backing files, external data files, encryption,
// unknown incompatible features, a header that does not match the stated format, absurd sizes; and a
// digest other than `sha256` (unless NULL). The same file again is recognised by size, mtime and
// inode without reading it, else by its hash.
struct vg_error *vg_images_import(const char *folder, const char *path, const char *format,
	const char *sha256, vg_image_progress progress, void *data, struct vg_image_info **ret_info)
	VG_MUST_CHECK;
struct vg_error *vg_images_remove(const char *folder, const char *digest) VG_MUST_CHECK;

// Paths of an image's parts below `folder` (as this process or as the hypervisor sees the store),
// malloc'ed.
char *vg_images_path(const char *folder, const char *digest, const char *part);
