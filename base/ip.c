// SPDX-License-Identifier: Apache-2.0
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static unsigned bits(const struct vg_ip *ip)
{
	return ip->is_ipv6 ? 128 : 32;
}

struct vg_error *vg_ip_read(const char *text, struct vg_ip *ret_ip)
{
	struct vg_ip ip = {.is_ipv6 = strchr(text, ':') != NULL};
	if (inet_pton(ip.is_ipv6 ? AF_INET6 : AF_INET, text, ip.bytes) != 1)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.80s' is not an IP address", text),
			"an address is written as in '10.9.0.10' or 'fd00:9::10'");
	*ret_ip = ip;
	return NULL;
}

void vg_ip_write(const struct vg_ip *ip, char ret_text[VG_IP_LENGTH])
{
	inet_ntop(ip->is_ipv6 ? AF_INET6 : AF_INET, ip->bytes, ret_text, VG_IP_LENGTH);
}

static void clear_host_bits(struct vg_ip *ip, unsigned prefix)
{
	for (unsigned bit = prefix; bit < bits(ip); bit++)
		ip->bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
}

static struct vg_error *bad_cidr(const char *text)
{
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'%.80s' is not a CIDR block", text),
		"a block is written as in '10.9.0.0/24' or 'fd00:9::/64'");
}

struct vg_error *vg_cidr_read(const char *text, struct vg_cidr *ret_cidr)
{
	const char *slash = strchr(text, '/');
	char address[VG_IP_LENGTH];
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return bad_cidr(text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';

	struct vg_cidr cidr;
	size_t digits = strspn(slash + 1, "0123456789");
	if (!digits || digits > 3 || slash[1 + digits] || (digits > 1 && slash[1] == '0'))
		return bad_cidr(text);
	cidr.prefix = (unsigned)strtoul(slash + 1, NULL, 10);
	_auto(vg_error) struct vg_error *error = vg_ip_read(address, &cidr.base);
	if (error || cidr.prefix > bits(&cidr.base))
		return bad_cidr(text);

	struct vg_ip given = cidr.base;
	clear_host_bits(&cidr.base, cidr.prefix);
	if (!vg_ip_equal(&given, &cidr.base)) {
		char right[VG_CIDR_LENGTH];
		vg_cidr_write(&cidr, right);
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%s' has bits set behind its prefix", text),
			"did you mean '%s'?", right);
	}
	*ret_cidr = cidr;
	return NULL;
}

void vg_cidr_write(const struct vg_cidr *cidr, char ret_text[VG_CIDR_LENGTH])
{
	char address[VG_IP_LENGTH];
	vg_ip_write(&cidr->base, address);
	snprintf(ret_text, VG_CIDR_LENGTH, "%s/%u", address, cidr->prefix % 1000);
}

void vg_mac_write(const struct vg_mac *mac, char ret_text[VG_MAC_LENGTH])
{
	const uint8_t *b = mac->bytes;
	snprintf(ret_text, VG_MAC_LENGTH, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
		b[4], b[5]);
}

struct vg_error *vg_mac_read(const char *text, struct vg_mac *ret_mac)
{
	struct vg_mac mac;
	uint8_t *b = mac.bytes;
	int end = 0;
	int n = sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", b, b + 1, b + 2, b + 3, b + 4,
		b + 5, &end);
	if (n != 6 || end != VG_MAC_LENGTH - 1 || text[end])
		return vg_error_of(VG_ERROR_USAGE, "'%.40s' is not a MAC address", text);
	*ret_mac = mac;
	return NULL;
}

bool vg_ip_equal(const struct vg_ip *a, const struct vg_ip *b)
{
	return vg_ip_compare(a, b) == 0;
}

int vg_ip_compare(const struct vg_ip *a, const struct vg_ip *b)
{
	if (a->is_ipv6 != b->is_ipv6)
		return a->is_ipv6 ? 1 : -1;
	return memcmp(a->bytes, b->bytes, bits(a) / 8);
}

bool vg_cidr_contains(const struct vg_cidr *cidr, const struct vg_ip *ip)
{
	struct vg_ip base = *ip;
	clear_host_bits(&base, cidr->prefix);
	return vg_ip_equal(&base, &cidr->base);
}

bool vg_cidr_overlap(const struct vg_cidr *a, const struct vg_cidr *b)
{
	return a->prefix <= b->prefix ? vg_cidr_contains(a, &b->base)
				      : vg_cidr_contains(b, &a->base);
}

// Addresses in the block, capped at 2^63.
static uint64_t size_of(const struct vg_cidr *cidr)
{
	unsigned host_bits = bits(&cidr->base) - cidr->prefix;
	return UINT64_C(1) << (host_bits > 63 ? 63 : host_bits);
}

bool vg_cidr_address(const struct vg_cidr *cidr, uint64_t number, struct vg_ip *ret_ip)
{
	if (number >= size_of(cidr))
		return false;
	struct vg_ip ip = cidr->base;
	for (unsigned byte = bits(&ip) / 8; number; number >>= 8)
		ip.bytes[--byte] |= (uint8_t)number;
	*ret_ip = ip;
	return true;
}

uint64_t vg_cidr_number(const struct vg_cidr *cidr, const struct vg_ip *ip)
{
	uint64_t number = 0;
	if (!vg_cidr_contains(cidr, ip))
		return UINT64_MAX;
	for (unsigned byte = 0; byte < bits(ip) / 8; byte++) {
		if (number >> 56)
			return UINT64_MAX;
		number = number << 8 | (uint8_t)(ip->bytes[byte] ^ cidr->base.bytes[byte]);
	}
	return number;
}

uint64_t vg_cidr_room(const struct vg_cidr *cidr)
{
	uint64_t size = size_of(cidr);
	uint64_t kept = cidr->base.is_ipv6 ? 2 : 3;
	return size > kept ? size - kept : 0;
}
