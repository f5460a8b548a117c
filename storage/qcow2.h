// SPDX-License-Identifier: Apache-2.0
//
// qcow2 headers (QEMU docs/interop/qcow2.txt): written by ourselves, because starting qemu-img a
// hundred times costs more than everything else of a hundred disks; and read with suspicion.
// Bytes in, bytes out: the transport (a file here, a volume stream there) is the caller's.
#pragma once

#include "base/error.h"

// The largest disk: 64 TiB. What claims more is absurd.
#define VG_DISK_SIZE_MAX (UINT64_C(64) << 40)

enum { VG_SECTOR_SIZE = 512 };

struct vg_qcow2_wish {
	uint64_t size;              // virtual bytes, a multiple of VG_SECTOR_SIZE
	const char *backing_path;   // as QEMU sees it, absolute; or NULL for an empty disk
	const char *backing_format; // "qcow2" or "raw"
};

// The whole image (a version 3 header, an empty L1 table, refcounts), malloc'ed: every cluster
// unallocated. Nearly all of it is zeros: write it with holes. An empty disk has an L1 table for
// VG_DISK_SIZE_MAX, so that growing it later changes nothing but its size.
struct vg_error *vg_qcow2_make(
	const struct vg_qcow2_wish *wish, void **ret_bytes, size_t *ret_size) VG_MUST_CHECK;

struct vg_qcow2_facts {
	uint64_t size; // virtual bytes
	unsigned version;
	unsigned cluster_bits;
	bool has_backing, has_data_file, is_encrypted, is_dirty, is_corrupt;
	bool has_bitmaps;              // persistent dirty bitmaps
	uint64_t unknown_incompatible; // feature bits
	char *backing_path;            // NULL if none; foreign bytes
	uint64_t l1_offset;            // bytes from the beginning of the file
	uint64_t l1_entries;
	uint64_t refcount_offset; // of the refcount table
	uint64_t l2_entries;    // of one L2 table, which has the size of a cluster
	unsigned l2_entry_size; // bytes
	unsigned n_snapshots;   // internal ones
};

// Frees what is in it.
void vg_qcow2_facts_done(struct vg_qcow2_facts *facts);
static inline void vg_qcow2_facts_auto_free(struct vg_qcow2_facts *facts)
{
	vg_qcow2_facts_done(facts);
}

// Reads a header from the first bytes of a file (64 KiB suffice). Foreign bytes.
struct vg_error *vg_qcow2_read(
	const void *bytes, size_t size, struct vg_qcow2_facts *ret_facts) VG_MUST_CHECK;
bool vg_qcow2_is_magic(const void *bytes, size_t size);

// Growing: these 8 bytes at VG_QCOW2_SIZE_AT are all that changes in the file. An error when the
// image cannot be grown so (smaller than now, snapshots, bitmaps, too small an L1 table).
enum { VG_QCOW2_SIZE_AT = 24 };
struct vg_error *vg_qcow2_grow(
	const struct vg_qcow2_facts *facts, uint64_t size, uint8_t ret_field[8]) VG_MUST_CHECK;
