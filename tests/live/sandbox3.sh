#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three boxes, two nodes in each: real VXLAN between them, unicast only, at the network's full MTU.
. "$(dirname "$0")/lib.sh"
begin
cat >mesh.yaml <<'T'
vgrid: 1
name: mesh
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  w:
    image: base
    count: 6
    cpu: 1
    memory: 128MiB
    nics: [lan]
    place: {spread: host}
T
nodes=(w-0 w-1 w-2 w-3 w-4 w-5)

claim 'six nodes come up, two in each of three boxes'
expect 0 up mesh.yaml --site sandbox:3
remember
same "$(ip -br link)" "$links_before" 'links during'
expect 0 status mesh -o json
same "$(json 'sorted([n["host"] for n in it["nodes"]])')" \
	'["box-0", "box-0", "box-1", "box-1", "box-2", "box-2"]'
first=$(json 'it["nodes"][0]["name"]')
far=$(json '[n["name"] for n in it["nodes"] if n["host"] != it["nodes"][0]["host"]][0]')

claim 'every node pings every other by name'
every_node_pings_every_other mesh "${nodes[@]}"

claim 'packets of the full MTU pass between boxes undivided; larger ones do not'
in_node mesh "$first" "ping -q -c2 -W5 -M do -s 1422 $far" >/dev/null || fail '1450 bytes do not pass'
! in_node mesh "$first" "ping -q -c1 -W2 -M do -s 1423 $far" >/dev/null 2>&1 || fail '1451 bytes pass'

claim 'the tunnels are unicast: peers are listed one by one, no group anywhere'
n_peers=0
for box in $(box_pids | head -n 3); do
	in_box "$box" ip -d link show type vxlan >links
	has "$(cat links)" 'vxlan id [0-9]+.* nolearning'
	has_not "$(cat links)" ' (group|remote) [0-9a-f]+[.:]'
	link=$(sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p' links)
	same "$(wc -w <<<"$link")" 1 'one VXLAN device a box'
	in_box "$box" bridge fdb show dev "$link" >fdb
	same "$(grep -c '^00:00:00:00:00:00 dst ' fdb)" 2 'two peers to flood to'
	has_not "$(cat fdb)" ' dst (22[4-9]|23[0-9])\.'
	n_peers=$((n_peers + $(grep -c ' dst ' fdb)))
	in_box "$box" ip -j -s link show dev "$link" >statistics
	python3 -c 'import json
tx = json.load(open("statistics"))[0]["stats64"]["tx"]["packets"]
assert tx > 0, "nothing went through the tunnel"'
done
same "$n_peers" 18 'two peers and four far nodes a box'

claim 'a second up finds nothing to do, down leaves nothing'
before=$(boot_ids mesh "${nodes[@]}")
expect 0 up mesh.yaml --site sandbox:3
has "$err" 'nothing to do'
same "$(boot_ids mesh "${nodes[@]}")" "$before" 'boot ids'
expect 0 down mesh
nothing_is_left
