#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# doctor --site on a practice site with Open vSwitch: what real daemons tell, a hung one, a host that is
# gone, and packets that do not fit; each remedy is run as it is printed.
. "$(dirname "$0")/lib.sh"
begin

# mend CHECK: runs the remedy that the last table printed below the line of this check, and fails if
# there is none.
mend() {
	local remedy
	remedy=$(sed -n "/^[^ ].*: $1: /,/^\$/p" <<<"$out" | sed '1d;/^$/d' |
		sed "s|^vgrid |$vgrid |")
	[ -n "$remedy" ] || fail "no remedy for $1"
	bash -ec "$remedy" >/dev/null 2>&1 </dev/null || fail "the remedy fails: $remedy"
	remember
}

claim 'a good site: versions, datapath, what is enforced, and the largest packet, from both hosts'
expect 0 site practice lab --hosts 2 --ovs
remember
expect 0 doctor --site lab
has "$out" '^all +reachable +ok ' '^all +versions +ok +libvirt [0-9.]+, QEMU [0-9.]+, Open vSwitch [0-9.]+$' \
	'^all +datapath +ok +in userspace \(netdev\)' '^all +guards +ok ' '^all +rates +ok ' \
	'^all +cpu limits +note +not enforced there' '^all +clock +ok ' \
	'^all +packets +ok +1600 bytes get to every other host: networks with an mtu up to 1550$'
has_not "$out" MISSING
expect 0 doctor --site lab -o json
same "$(json '[[h["cores"], h["memory"] >> 20, h["mtus"]] for h in it["hosts"]][0]')" \
	"$(python3 -c 'import json, os
print(json.dumps([os.cpu_count(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20, {"h2": 1600}]))')"

claim 'a site file that promises larger packets than get through is found out to the byte'
sed -i 's/underlay-mtu: 1600/underlay-mtu: 1700/' "$VGRID_HOME/sites/lab/site.yaml"
expect 1 doctor --site lab
has "$out" '^each to each +packets +MISSING +1600 bytes get there, 1700 do not: .* above 1550 '
mend packets
expect 0 doctor --site lab

claim 'a hung libvirtd costs seconds; the other host is answered for'
h1=$(box_pids site/lab/host/1)
kill -STOP "$(pgrep -P "$h1" libvirtd)"
begun=$SECONDS
VGRID_CALL_TIMEOUT=2s expect 1 doctor --site lab
[ $((SECONDS - begun)) -le 10 ] || fail 'it took too long'
has "$out" '^h1 +reachable +MISSING .*does not answer' '^h2 +reachable +ok ' '^h2 +versions +ok '
mend reachable
expect 0 doctor --site lab

claim 'a host that is gone is named, and started again as it is said'
kill -9 "$h1"
await 10 'the host has gone' is_gone "$h1"
expect 1 doctor --site lab
has "$out" '^h1 +reachable +MISSING +it does not run' '^h2 +memory +ok '
mend reachable
expect 0 doctor --site lab
expect 0 site stop lab
nothing_is_left
