// SPDX-License-Identifier: Apache-2.0
//
// One volume of the file driver on the disk: where it lies, how it is looked at, how it appears.
//
//	FOLDER/volumes/GRID/NAME/volume.json              the sidecar
//	                         disk.qcow2 or seed.raw   0600
//
// A volume is a folder, so that volume and sidecar appear and go as one, by one rename: it is
// filled as FOLDER/volumes/.new, and renamed to .gone before it is emptied. What a kill leaves is
// one of these two, which whoever has FOLDER's lock next clears away. So a sidecar without its disk
// never comes of a kill: somebody took the disk. Data disks are synced before they appear. Root
// disks and seeds are not, since a hundred clones would wait for that: what a power cut tears is
// seen as broken and made anew.
#pragma once

#include "storage/volume.h"

// FOLDER/volumes/GRID/NAME, malloc'ed. NAME is the tag's path with dots for slashes; every byte but
// a–z, 0–9 and dash is written %XX, so that two paths never share a name. `tag` must be one.
char *vg_file_volume_path(const char *folder, const char *tag);
// The name of the volume itself in its folder.
const char *vg_file_volume_name(enum vg_volume_kind kind);

enum vg_file_volume_state {
	VG_FILE_VOLUME_ABSENT,
	VG_FILE_VOLUME_UNKNOWN, // its folder is there, a sidecar that can be read is not
	VG_FILE_VOLUME_SEEN,
};

// ret_seen is written only with VG_FILE_VOLUME_SEEN; its size is the volume's own where that can be
// read.
enum vg_file_volume_state vg_file_volume_look(const char *path, struct vg_volume_seen *ret_seen);

// Makes the volume appear whole at its path, or takes its place; needs the lock. The content is
// written with holes where it is zero.
struct vg_error *vg_file_volume_put(const char *folder, const struct vg_volume_seen *volume,
	const void *bytes, size_t size) VG_MUST_CHECK;
// Writes the sidecar anew.
struct vg_error *vg_file_volume_note(
	const char *path, const struct vg_volume_seen *volume) VG_MUST_CHECK;
// None is success; needs the lock. *ret_fd is the disk, still open, or -1: closing it frees its bytes,
// which may wait for the machine's own disk, so the caller gives the lock back first.
struct vg_error *vg_file_volume_drop(
	const char *folder, const char *tag, int *ret_fd) VG_MUST_CHECK;

// Takes the lock of FOLDER, which must exist, and clears away what a kill left.
struct vg_error *vg_file_volumes_lock(const char *folder, int *ret_fd) VG_MUST_CHECK;
