// SPDX-License-Identifier: Apache-2.0
//
// The grid that is wanted: what a checked template says once parameters and a profile are applied.
// Plain data; everything in it lives in its arena. Made by templates/template.h, completed in two
// pure steps (net/addresses.h gives addresses, templates/bind.h expands references), then read by
// placement, plan, seed and slices. It knows no host but the index that placement sets.
#pragma once

#include "base/error.h"
#include "base/ip.h"

struct vg_arena;

// A string a user wrote, with where. Until templates/bind.h ran it may hold `${…}`.
struct vg_phrase {
	const char *text; // NULL: not given
	struct vg_place place;
};

enum vg_image_kind { VG_IMAGE_BUILTIN, VG_IMAGE_FILE, VG_IMAGE_RBD };

struct vg_image {
	const char *name;
	struct vg_place place;
	enum vg_image_kind kind;
	const char *source; // a builtin's name, or a path relative to the template's folder
	const char *format; // of a file: "qcow2" or "raw"; else NULL
	const char *sha256; // demanded of a file, 64 hexadecimal digits, or NULL
};

struct vg_network {
	const char *name;
	struct vg_place place;
	struct vg_cidr cidr;
	unsigned mtu; // bytes
};

struct vg_disk {
	const char *name; // at most 20 characters: it is the virtio serial
	struct vg_place place;
	uint64_t size;     // bytes
	const char *mount; // absolute path in the guest, or NULL
};

struct vg_nic {
	size_t network; // index into vg_grid.networks
	struct vg_place place;
	bool has_address;     // pinned with `address:`
	struct vg_ip address; // the pin
	uint64_t rate;        // bits per second, 0: unlimited
};

struct vg_environment {
	const char *name;
	struct vg_phrase value;
};

struct vg_role_file {
	const char *path; // absolute, in the guest
	struct vg_place place;
	struct vg_phrase content;
	unsigned mode; // permission bits
};

enum vg_ready_kind { VG_READY_AGENT, VG_READY_EXEC, VG_READY_CONSOLE };

struct vg_ready {
	enum vg_ready_kind kind;
	struct vg_phrase text; // the command or the regular expression
	uint64_t within;       // milliseconds, with hardware acceleration
};

// Unsaid: the site's own habit. Boxes of a sandbox are spread over, hosts are packed.
enum vg_place_kind { VG_PLACE_UNSAID, VG_PLACE_PACK, VG_PLACE_SPREAD };

struct vg_placement_wish {
	enum vg_place_kind kind;
	const char *label; // "host" or a host label
	size_t *with, *apart; // indices of roles
	size_t n_with, n_apart;
	struct vg_place place;
};

struct vg_role {
	const char *name;
	struct vg_place place;
	bool is_counted; // `count:` was given: nodes are NAME-0 …, else one node NAME
	unsigned count;
	size_t image; // index into vg_grid.images
	unsigned cpu; // vCPUs
	unsigned cpu_limit; // thousandths of a core, 0: none
	uint64_t memory;    // bytes
	struct vg_disk *disks;
	size_t n_disks;
	struct vg_nic *nics;
	size_t n_nics;
	struct vg_environment *environment;
	size_t n_environment;
	struct vg_role_file *files;
	size_t n_files;
	struct vg_phrase setup;
	struct vg_ready ready;
	size_t *after; // indices of roles
	size_t n_after;
	struct vg_placement_wish wish;
	size_t first_node; // its nodes are vg_grid.nodes[first_node … + count - 1]
};

// What a node's nic got: same index as the role's nic.
struct vg_nic_binding {
	struct vg_ip address;
	struct vg_mac mac;
};

enum { VG_HOST_NONE = -1 };

struct vg_node {
	const char *name;
	size_t role;
	unsigned index;
	struct vg_nic_binding *nics; // set by net/addresses.h
	int host;                    // index into the site's hosts; VG_HOST_NONE until placed
	// Set by templates/bind.h: the role's texts with this node's references expanded.
	const char *uuid;        // of the machine: from identity and name
	const char **environment; // values, same index as the role's
	const char **contents;    // of files, same index as the role's
	const char *setup;        // NULL: none
	const char *ready;        // NULL: the agent's answer suffices
};

struct vg_test {
	const char *name;
	struct vg_place place;
	bool is_reach;       // a reachability matrix of `network`
	size_t role;         // where `run` runs: on every node of the role
	size_t network;
	struct vg_phrase run, expect; // raw; expand with vg_grid_expand() per node
	uint64_t within;     // milliseconds
};

struct vg_output {
	const char *name;
	struct vg_phrase value; // raw
};

struct vg_parameter {
	const char *name;
	const char *value; // as text, in the spelling that `${name}` expands to
};

struct vg_grid {
	struct vg_arena *arena;
	const char *file; // where the template was read from, for messages
	const char *name;
	const char *description; // "" if none
	const char *profile;     // NULL: none
	const char *topology_hash;
	uint64_t lease; // milliseconds, 0: none
	struct vg_place place;
	struct vg_parameter *parameters;
	size_t n_parameters;
	struct vg_image *images;
	size_t n_images;
	struct vg_network *networks;
	size_t n_networks;
	struct vg_role *roles;
	size_t n_roles;
	struct vg_node *nodes; // in template order
	size_t n_nodes;
	struct vg_test *tests;
	size_t n_tests;
	struct vg_output *outputs;
	size_t n_outputs;
	// Given with the first `up`, "" before; set by vg_grid_bind().
	const char *uuid;     // ownership
	const char *identity; // what MACs and machine uuids derive from
};

void vg_grid_free(struct vg_grid *grid);
VG_AUTO(vg_grid);

// NULL if there is no such node, role or network.
const struct vg_node *vg_grid_node(const struct vg_grid *grid, const char *name);
const struct vg_role *vg_grid_role(const struct vg_grid *grid, const char *name);
const struct vg_network *vg_grid_network(const struct vg_grid *grid, const char *name);
static inline const struct vg_role *vg_node_role(
	const struct vg_grid *grid, const struct vg_node *node)
{
	return &grid->roles[node->role];
}
