#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two networks, one of them IPv6, and names for each.
. "$(dirname "$0")/lib.sh"
begin
cat >networks.yaml <<'T'
vgrid: 1
name: networks
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
  six: {cidr: "fd00:9::/64", mtu: 1400}
roles:
  both:
    image: base
    count: 2
    memory: 128MiB
    nics:
      lan: {}
      six: {}
  pinned:
    image: base
    memory: 128MiB
    nics:
      six: {address: "fd00:9::99"}
outputs: {pinned: "${pinned.ip.six}"}
T

claim 'a grid with an IPv4 and an IPv6 network comes up'
expect 0 up networks.yaml
remember
has "$out" '^both-0 .* 10\.9\.0\.2, fd00:9::2$' '^pinned: fd00:9::99$'

claim 'nodes reach each other by name.NETWORK over both'
in_node networks both-0 'ping -q -4 -c2 -W5 both-1.lan && ping -q -6 -c2 -W5 both-1.six &&
	ping -q -6 -c2 -W5 pinned && ping -q -6 -c2 -W5 pinned.six' >/dev/null || fail 'no answer'
in_node networks pinned 'ping -q -6 -c2 -W5 both-0.six' >/dev/null || fail 'no answer'
! in_node networks pinned 'ping -q -c1 -W2 10.9.0.2' >/dev/null 2>&1 || fail 'it is on one network only'

claim "each network has its MTU"
same "$(in_node networks both-0 'cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu')" $'1450\n1400'
in_node networks both-0 'ping -q -6 -c2 -W5 -M do -s 1352 pinned' >/dev/null || fail '1400 bytes'
! in_node networks both-0 'ping -q -6 -c1 -W2 -M do -s 1353 pinned' >/dev/null 2>&1 ||
	fail '1401 bytes pass'

claim 'down leaves nothing'
expect 0 down networks
nothing_is_left
