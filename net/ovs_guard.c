// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_guard.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/map.h"
#include "base/text.h"

void vg_ovs_guards_done(struct vg_ovs_guards *guards)
{
	for (size_t i = 0; i < guards->n_flows; i++)
		free(guards->flows[i].text);
	free(guards->flows);
	free(guards->meters);
	*guards = (struct vg_ovs_guards){0};
}

uint32_t vg_ovs_meter_from(int64_t ofport)
{
	return (uint32_t)(2 * ofport - 1);
}

uint32_t vg_ovs_meter_to(int64_t ofport)
{
	return (uint32_t)(2 * ofport);
}

struct vg_ip vg_ovs_link_local(const struct vg_mac *mac)
{
	const uint8_t *m = mac->bytes;
	return (struct vg_ip){.is_ipv6 = true,
		.bytes = {0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

// A rate is not part of a flow, but a flow with another rate is another one.
static uint64_t cookie_of(uint32_t group, const char *text, const struct vg_slice_port *port)
{
	char hex[VG_SHA256_HEX];
	_auto(vg_string) char *whole = vg_format("%s %" PRIu64, text, port ? port->rate : 0);
	vg_sha256_hex(whole, strlen(whole), hex);
	hex[8] = '\0';
	// Not all ones: that cookie means any (OpenFlow).
	return (uint64_t)group << 32 | (strtoul(hex, NULL, 16) & 0x7fffffff);
}

// For a port, or for everybody of the store.
static void add(struct vg_ovs_guards *guards, const struct vg_slice_port *port, const char *format,
	...) VG_PRINTF(3, 4);
static void add(
	struct vg_ovs_guards *guards, const struct vg_slice_port *port, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *text = vg_vformat(format, arguments);
	va_end(arguments);
	uint64_t cookie = cookie_of(guards->groups[port ? 0 : 1], text, port);
	vg_append(guards->flows, guards->n_flows) =
		(struct vg_ovs_flow){.text = vg_format("cookie=0x%" PRIx64 ",%s", cookie, text),
			.cookie = cookie,
			.port = port};
}

// The same for every grid of the store.
static void add_shared(struct vg_ovs_guards *guards)
{
	static const char *const texts[] = {
		"table=1,priority=120,vlan_tci=0x1000/0x1000,actions=drop",
		"table=1,priority=120,icmp6,icmp_type=134,actions=drop", // router advertisement
		"table=1,priority=120,icmp6,icmp_type=137,actions=drop", // redirect
		"table=1,priority=105,icmp6,icmp_type=135,actions=drop", // neighbour solicitation
		"table=1,priority=105,icmp6,icmp_type=136,actions=drop", // neighbour advertisement
		"table=1,priority=90,icmp6,icmp_type=143,ipv6_src=::,actions=goto_table:2", // MLDv2
		"table=1,priority=10,ip,actions=drop",
		"table=1,priority=10,arp,actions=drop",
		"table=1,priority=10,ipv6,actions=drop",
		"table=1,priority=0,actions=goto_table:2",
		"table=2,priority=0,actions=NORMAL",
	};
	for (size_t i = 0; i < VG_LENGTH(texts); i++)
		add(guards, NULL, "%s", texts[i]);
}

static void add_ipv4(struct vg_ovs_guards *guards, const struct vg_ovs_want *want, const char *mac,
	const char *ip)
{
	static const char pass[] = "actions=goto_table:2";
	int64_t number = want->ofport;
	add(guards, want->port,
		"table=1,priority=100,in_port=%" PRId64 ",arp,arp_spa=%s,arp_sha=%s,%s", number, ip,
		mac, pass);
	// Is somebody else using my address (RFC 5227)?
	add(guards, want->port,
		"table=1,priority=100,in_port=%" PRId64 ",arp,arp_spa=0.0.0.0,arp_sha=%s,%s",
		number, mac, pass);
	add(guards, want->port, "table=1,priority=100,in_port=%" PRId64 ",ip,nw_src=%s,%s", number,
		ip, pass);
}

static void add_ipv6(struct vg_ovs_guards *guards, const struct vg_ovs_want *want, const char *mac,
	const char *ip)
{
	static const char pass[] = "actions=goto_table:2";
	int64_t number = want->ofport;
	_auto(vg_string) char *solicit = vg_format(
		"table=1,priority=110,in_port=%" PRId64 ",icmp6,icmp_type=135,icmp_code=0", number);
	_auto(vg_string) char *advertise = vg_format(
		"table=1,priority=110,in_port=%" PRId64 ",icmp6,icmp_type=136,icmp_code=0", number);
	add(guards, want->port, "table=1,priority=100,in_port=%" PRId64 ",ipv6,ipv6_src=%s,%s",
		number, ip, pass);
	add(guards, want->port, "%s,ipv6_src=%s,nd_sll=%s,%s", solicit, ip, mac, pass);
	// Without the option, and before the address is one's own (RFC 4862, 5.4.2).
	add(guards, want->port, "%s,ipv6_src=%s,nd_sll=00:00:00:00:00:00,%s", solicit, ip, pass);
	add(guards, want->port, "%s,ipv6_src=::,nd_target=%s,%s", solicit, ip, pass);
	add(guards, want->port, "%s,ipv6_src=%s,nd_target=%s,nd_tll=%s,%s", advertise, ip, ip, mac,
		pass);
}

static void add_meter(struct vg_ovs_guards *guards, uint32_t id, const struct vg_slice_port *port)
{
	vg_append(guards->meters, guards->n_meters) =
		(struct vg_ovs_meter){.id = id, .rate = port->rate, .place = port->place};
}

static void add_local(struct vg_ovs_guards *guards, const struct vg_ovs_want *want)
{
	const struct vg_slice_port *port = want->port;
	char mac[VG_MAC_LENGTH], ip[VG_IP_LENGTH], link_local[VG_IP_LENGTH];
	struct vg_ip own = vg_ovs_link_local(&port->mac);
	vg_mac_write(&port->mac, mac);
	vg_ip_write(&port->ip, ip);
	vg_ip_write(&own, link_local);
	_auto(vg_string) char *limit = vg_strdup("");
	if (port->rate) {
		free(vg_take(limit));
		limit = vg_format("meter:%u,", vg_ovs_meter_from(want->ofport));
		add_meter(guards, vg_ovs_meter_from(want->ofport), port);
		add_meter(guards, vg_ovs_meter_to(want->ofport), port);
		add(guards, port,
			"table=2,priority=100,metadata=%" PRId64
			",dl_dst=%s,actions=meter:%u,NORMAL",
			want->vlan, mac, vg_ovs_meter_to(want->ofport));
	}
	add(guards, port,
		"table=0,priority=100,in_port=%" PRId64
		",dl_src=%s,actions=%swrite_metadata:%" PRId64 ",goto_table:1",
		want->ofport, mac, limit, want->vlan);
	add(guards, port, "table=0,priority=50,in_port=%" PRId64 ",actions=drop", want->ofport);
	if (port->ip.is_ipv6)
		add_ipv6(guards, want, mac, ip);
	else
		add_ipv4(guards, want, mac, ip);
	add_ipv6(guards, want, mac, link_local);
}

// The first port with a rate, NULL: none has one.
static const struct vg_slice_port *limited_of(const struct vg_slice_overlay *overlay)
{
	for (size_t i = 0; i < overlay->n_ports; i++)
		if (overlay->ports[i].rate)
			return &overlay->ports[i];
	return NULL;
}

static int compare_flows(const void *a, const void *b)
{
	const struct vg_ovs_flow *first = a, *second = b;
	return first->cookie < second->cookie ? -1 : first->cookie > second->cookie;
}

struct vg_ovs_guards vg_ovs_guards_build(const struct vg_ovs_wants *wants)
{
	const struct vg_slice *slice = wants->slice;
	struct vg_ovs_guards guards = {
		.groups = {slice->link_group, vg_tag_link_group(slice->store, NULL)}};
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_ovs_want *want = &wants->items[i];
		const struct vg_slice_port *limited;
		if (want->port)
			add_local(&guards, want);
		else if ((limited = limited_of(want->overlay))) // also what comes from elsewhere
			add(&guards, limited,
				"table=0,priority=100,in_port=%" PRId64
				",actions=write_metadata:%" PRId64 ",goto_table:2",
				want->ofport, want->vlan);
	}
	if (wants->n_items)
		add_shared(&guards);
	if (guards.n_flows)
		qsort(guards.flows, guards.n_flows, sizeof(*guards.flows), compare_flows);
	return guards;
}

bool vg_ovs_guards_are(
	const struct vg_ovs_guards *guards, const uint64_t *cookies, size_t n_cookies)
{
	bool is_same = guards->n_flows == n_cookies;
	for (size_t i = 0; is_same && i < n_cookies; i++)
		is_same = guards->flows[i].cookie == cookies[i];
	return is_same;
}
