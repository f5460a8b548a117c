#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A practice site loses a host for good: its node is made anew on another one, once somebody is sure that
# it is off. When the host is back, the old copy goes and is never started.
. "$(dirname "$0")/lib.sh"
begin
cat >trio.yaml <<'T'
vgrid: 1
name: trio
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  w:
    image: base
    count: 3
    cpu: 1
    memory: 128MiB
    nics: [lan]
    place: {spread: host}
T
hosts_of='{n["name"]: n["host"] for n in it["nodes"]}'

claim 'a grid on three hosts, of which one ends'
expect 0 site practice lab
expect 0 up trio.yaml --site lab
remember
expect 0 status trio -o json
same "$(json "$hosts_of")" '{"w-0": "h1", "w-1": "h2", "w-2": "h3"}'
h3=$(box_pids site/lab/host/3)
kill -9 "$h3"
await 10 'the host has gone' is_gone "$h3"
kept=$(in_node trio w-0 'cat /proc/sys/kernel/random/boot_id')

claim 'its node is not made twice unless somebody is sure that it is off'
expect 1 up trio.yaml --site lab --replace-host h1 --i-am-sure-it-is-off -y
has "$err" "host 'h1' answers: it is not replaced"
expect 1 up trio.yaml --site lab --replace-host h3 -y
has "$err" "host 'h3' does not answer, and 'w-2' may still run there"
expect 0 up trio.yaml --site lab --replace-host h3 --i-am-sure-it-is-off -y
has "$err" 'w-2 +recreate on h[12] from image base: its root disk is lost with host h3'
expect 0 status trio -o json
same "$(json 'sorted({n["host"] for n in it["nodes"] if n["is_ready"]})')" '["h1", "h2"]'
same "$(in_node trio w-0 'cat /proc/sys/kernel/random/boot_id')" "$kept" 'boot of one that stays'
in_node trio w-0 'ping -q -c1 -W5 w-2' >/dev/null || fail 'the new w-2 is not reached by its name'
expect 0 up trio.yaml --site lab --replace-host h3
has "$err" 'nothing to do'

claim 'when the host is back, what it has of the node is named and goes'
expect 0 site practice lab
expect 3 status trio --check
has "$out" '^  - w-2 .* old '
expect 0 up trio.yaml --site lab -y
expect 0 status trio --check
has "$out" '^As recorded'
same "$(find "$VGRID_HOME/sites/lab/h3" -name 'volume.json')" '' 'volumes on h3'
expect 0 down trio
expect 0 site stop lab
nothing_is_left
