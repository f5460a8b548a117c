// SPDX-License-Identifier: Apache-2.0
//
// Addresses as values: IPv4 and IPv6 addresses, CIDR blocks and MACs. No sockets.
#pragma once

#include "base/error.h"

enum { VG_IP_LENGTH = 46, VG_CIDR_LENGTH = 50, VG_MAC_LENGTH = 18 };

// Network byte order; an IPv4 address uses the first four bytes, the rest is zero.
struct vg_ip {
	uint8_t bytes[16];
	bool is_ipv6;
};

struct vg_cidr {
	struct vg_ip base; // the network address: host bits are zero
	unsigned prefix;   // bits
};

struct vg_mac {
	uint8_t bytes[6];
};

// Strict: `10.9.0.1`, `fd00::1` (RFC 4291); no zone, no leading zeros in IPv4.
struct vg_error *vg_ip_read(const char *text, struct vg_ip *ret_ip) VG_MUST_CHECK;
void vg_ip_write(const struct vg_ip *ip, char ret_text[VG_IP_LENGTH]); // RFC 5952
// `10.9.0.0/24`, `fd00:9::/64`; set host bits are an error whose hint names the right block.
struct vg_error *vg_cidr_read(const char *text, struct vg_cidr *ret_cidr) VG_MUST_CHECK;
void vg_cidr_write(const struct vg_cidr *cidr, char ret_text[VG_CIDR_LENGTH]);
void vg_mac_write(const struct vg_mac *mac, char ret_text[VG_MAC_LENGTH]);
struct vg_error *vg_mac_read(const char *text, struct vg_mac *ret_mac) VG_MUST_CHECK;

bool vg_ip_equal(const struct vg_ip *a, const struct vg_ip *b);
int vg_ip_compare(const struct vg_ip *a, const struct vg_ip *b); // IPv4 before IPv6, then numeric
bool vg_cidr_contains(const struct vg_cidr *cidr, const struct vg_ip *ip);
bool vg_cidr_overlap(const struct vg_cidr *a, const struct vg_cidr *b);

// Addresses of a block are numbered from its base: 0 is the network address, 1 the first host's
// (vgrid keeps it for the gateway). False when the number lies outside.
bool vg_cidr_address(const struct vg_cidr *cidr, uint64_t number, struct vg_ip *ret_ip);
// The number of an address of the block; UINT64_MAX if it does not fit.
uint64_t vg_cidr_number(const struct vg_cidr *cidr, const struct vg_ip *ip);
// How many addresses nodes can have: without network address, gateway and, in IPv4, broadcast.
// Capped at INT64_MAX.
uint64_t vg_cidr_room(const struct vg_cidr *cidr);
