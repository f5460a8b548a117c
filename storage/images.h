// SPDX-License-Identifier: Apache-2.0
//
// The store of golden images: one folder an image, named by its digest, read-only, with a sidecar
// image.json. A user's file is ingested (reflink or copy, hashed) and never used in place; a
// builtin is built by its recipe. Images are shared by all grids of a VGRID_HOME.
//
//	FOLDER/DIGEST/          0755, appears whole (made as .new-RANDOM, synced, renamed)
//	       root             the root disk, in the format that image.json states, 0444
//	       kernel initrd    for direct kernel boot, 0444
//	       image.json       what vg_image_info says, and size and SHA-256 of each part
//	FOLDER/.known/          which file of the user became which image
//	FOLDER/.cache/          what recipes downloaded (VGRID_CACHE of theirs, unless it is set)
#pragma once

#include "base/error.h"

struct vg_image_info {
	char *digest; // SHA-256 over the canonical manifest of its parts, 64 digits: its identity
	char *name;   // builtin's name, or the file name it came from
	char *origin; // "builtin:tiny" or "file:SHA256 of the file"
	char *format; // of the root disk: "qcow2", "raw"; NULL: stateless
	uint64_t root_size;   // virtual bytes
	uint64_t stored_size; // bytes on this disk
	bool has_kernel;
	char *cmdline;    // for direct kernel boot, or NULL
	uint64_t made_at; // seconds since 1970
};

void vg_image_info_free(struct vg_image_info *info);
VG_AUTO(vg_image_info);

struct vg_image_list {
	struct vg_image_info **items;
	size_t n_items;
};

void vg_image_list_done(struct vg_image_list *list);
static inline void vg_image_list_auto_free(struct vg_image_list *list)
{
	vg_image_list_done(list);
}

// Shows how far it is; false stops it with VG_ERROR_INTERRUPTED.
typedef bool (*vg_image_progress)(const char *what, uint64_t done, uint64_t total, void *data);

// Sorted by name. Broken folders are left out.
struct vg_error *vg_images_list(const char *folder, struct vg_image_list *ret_list) VG_MUST_CHECK;
// By digest, or by name (the newest of that name), or by a unique prefix of a digest of at least 6
// digits.
// VG_ERROR_NOT_FOUND when there is none.
struct vg_error *vg_images_find(
	const char *folder, const char *what, struct vg_image_info **ret_info) VG_MUST_CHECK;
// Builds a builtin by running its recipe (exactly `recipe OUT_FOLDER GUEST_PROGRAM`, output to
// log_path) and stores the result. Two builders at once: the second waits and takes the first's.
// `name` is of letters a–z, digits and dashes. The recipe leaves manifest.json: name, kernel,
// initrd, root (names of files in OUT_FOLDER, or null), format, cmdline. When it fails, the error's
// hint shows the end of the log. It gets VGRID_CACHE, a folder that stays, unless the caller has it
// set.
struct vg_error *vg_images_build(const char *folder, const char *name, const char *recipe,
	const char *guest_program, const char *log_path,
	struct vg_image_info **ret_info) VG_MUST_CHECK;
// Ingests a qcow2 or raw disk image. Refused: backing files, external data files, encryption,
// unknown incompatible features, a header that does not match the stated format, absurd sizes, more
// than 256 GiB of holes; and a digest other than `sha256` (unless NULL). The same file again is recognised by size, mtime and
// inode without reading it, else by its hash.
struct vg_error *vg_images_import(const char *folder, const char *path, const char *format,
	const char *sha256, vg_image_progress progress, void *data,
	struct vg_image_info **ret_info) VG_MUST_CHECK;
// VG_ERROR_NOT_FOUND when there is none. Whether a grid still needs it is the caller's to know.
struct vg_error *vg_images_remove(const char *folder, const char *digest) VG_MUST_CHECK;

// Paths of an image's parts ("root", "kernel", "initrd") below `folder` (as this process or as the
// hypervisor sees the store), malloc'ed. Pure.
char *vg_images_path(const char *folder, const char *digest, const char *part);
