// SPDX-License-Identifier: Apache-2.0
//
// What every node of a grid knows and what is the same for all of them: the ssh keys, and the
// shared files that change with membership (names, host keys, the grid's facts). Built once per
// grid; the seed of each node carries them, and the plan's `refresh` step brings them to running
// nodes. Pure: all keys derive from the grid's secret, so the same grid gives the same bytes.
#pragma once

#include "base/crypto.h"

struct vg_grid;

struct vg_shared_file {
	const char *path; // absolute, in the guest
	unsigned mode;    // permission bits
	char *content;    // NUL behind it
	size_t size;      // bytes
	char *base64;     // the same for cloud-init
	char sha256[VG_SHA256_HEX];
};

enum vg_shared {
	VG_SHARED_HOSTS,       // /etc/hosts
	VG_SHARED_KNOWN_HOSTS, // /etc/ssh/ssh_known_hosts: it holds for all users
	VG_SHARED_GRID,        // /etc/vgrid/grid.json; no secrets
	VG_SHARED_FILES,
};

enum { VG_FACTS_VERSION = 17 };

struct vg_facts {
	char version[VG_FACTS_VERSION]; // of the shared files: what they are made of, as a short hash
	bool is_complete;
	struct vg_shared_file files[VG_SHARED_FILES]; // empty until they are complete
	char *public_key;  // the grid's ssh key pair, in OpenSSH's formats; NULL until then
	char *private_key; // secret
};

// The grid must be bound (templates/bind.h) and have addresses. Only the version is there: a key for
// each node takes a tenth of a millisecond, and a plan needs none of them.
struct vg_facts *vg_facts_draft(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE]);
// Makes the rest, unless it is there, of the same grid and secret. Not thread-safe.
void vg_facts_complete(struct vg_facts *facts, const struct vg_grid *grid,
	const uint8_t secret[VG_SECRET_SIZE]);
// Both at once.
struct vg_facts *vg_facts_new(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE]);
void vg_facts_free(struct vg_facts *facts);
VG_AUTO(vg_facts);

// The ssh key pair that every node of the grid has (`ssh NODE` from any node, by root), and the
// host key of one node. The operator's own ssh uses the same. malloc'ed; free the private one with
// vg_secret_free().
void vg_facts_grid_key(const struct vg_grid *grid, const uint8_t secret[VG_SECRET_SIZE],
	char **ret_public, char **ret_private);
void vg_facts_host_key(const char *node, const uint8_t secret[VG_SECRET_SIZE], char **ret_public,
	char **ret_private);
