// SPDX-License-Identifier: Apache-2.0
//
// The seed of a node: a read-only disk from which it learns what it is, at each boot. One ISO 9660
// image (volume id `cidata`) holds it twice: as a cloud-init NoCloud source (meta-data, user-data,
// network-config version 2), so that stock cloud images work, and in the plain form of
// compute/seed_format.h for the guest program of `tiny`. The compute driver attaches it under the
// virtio serial `seed`.
#pragma once

#include "base/crypto.h"

struct vg_facts;
struct vg_grid;
struct vg_node;

// Builds the image, malloc'ed. The grid must be bound, `facts` must be its facts, complete. The same inputs
// give the same bytes. The image holds private keys: store it 0600. Fails only for an environment
// name that a shell cannot hold, which the checker refuses too, or when no temporary file can be
// written.
struct vg_error *vg_seed_build(const struct vg_grid *grid, const struct vg_node *node,
	const uint8_t secret[VG_SECRET_SIZE], const struct vg_facts *facts, uint8_t **ret_bytes,
	size_t *ret_size) VG_MUST_CHECK;
