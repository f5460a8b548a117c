// SPDX-License-Identifier: Apache-2.0
//
// qcow2 headers (QEMU docs/interop/qcow2.txt): written by ourselves, because starting qemu-img a
// hundred times costs more than everything else of a hundred disks; and read with suspicion.
// Bytes in, bytes out: the transport (a file here, a volume stream there) is the caller's.
#pragma once

#include "base/error.h"

struct vg_qcow2_wish {
	uint64_t size;              // virtual bytes
	const char *backing_path;   // as QEMU sees it, or NULL for an empty disk
	const char *backing_format; // "qcow2" or "raw"
};

// The whole image (a version 3 header, an empty L1 table, refcounts), malloc'ed: every cluster
// unallocated.
struct vg_error *vg_qcow2_make(const struct vg_qcow2_wish *wish, void **ret_bytes, size_t *ret_size)
	VG_MUST_CHECK;

struct vg_qcow2_facts {
	uint64_t size; // virtual bytes
	unsigned version;
	unsigned cluster_bits;
	bool has_backing, has_data_file, is_encrypted, is_dirty, is_corrupt;
	uint64_t unknown_incompatible; // feature bits
	char *backing_path; // NULL if none; foreign bytes
};

// Reads a header from the first bytes of a file (64 KiB suffice). Foreign bytes.
struct vg_error *vg_qcow2_read(const void *bytes, size_t size, struct vg_qcow2_facts *ret_facts)
	VG_MUST_CHECK;
bool vg_qcow2_is_magic(const void *bytes, size_t size);
