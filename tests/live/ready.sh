#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Ready means ready: the order of `after`, the kinds of `ready`, and what never gets ready.
. "$(dirname "$0")/lib.sh"
begin
cat >ready.yaml <<'T'
vgrid: 1
name: ready
images:
  base: {builtin: tiny}
roles:
  first:
    image: base
    memory: 128MiB
    setup: |
      date +%s > /root/ready-at
      echo first-is-$((40 + 2)) > /dev/console
    ready: {console: "^vgrid: ready"}
  second:
    image: base
    memory: 128MiB
    after: [first]
T
cat >broken.yaml <<'T'
vgrid: 1
name: broken
images:
  base: {builtin: tiny}
roles:
  good: {image: base, memory: 128MiB}
  never:
    image: base
    memory: 128MiB
    ready: {exec: "false", within: 12s}
  wrong:
    image: base
    memory: 128MiB
    setup: |
      echo this-goes-wrong >&2
      exit 3
  behind: {image: base, memory: 128MiB, after: [never]}
T

claim 'a node is started when those it comes after are ready, here by a line of the console'
expect 0 up ready.yaml
remember
at=$(in_node ready first 'cat /root/ready-at')
booted=$(in_node ready second 'read up rest < /proc/uptime; echo $(($(date +%s) - ${up%%.*}))')
[ "$booted" -ge $((at - 1)) ] || fail "second booted at $booted, first was ready at $at"
expect 0 logs ready first
has "$out" '^first-is-42' '^vgrid: ready'

claim 'a guest that powers itself off is shown as such, and up starts it again and waits anew'
run "$vgrid" exec ready first -- poweroff
is_shown_off() { "$vgrid" status ready </dev/null | grep -qE '^first .* stopped'; }
await 60 'status shows the guest as off' is_shown_off
expect 3 status ready --check
expect 0 up ready.yaml
expect 0 logs ready first
has "$out" '^vgrid: ready'
has_not "$out" 'first-is-42' # the line of the life before

expect 0 down ready
nothing_is_left

claim 'what never gets ready fails with role, probe, time and console, while the others go on'
expect 1 up broken.yaml
remember
has "$err" "broken\.yaml:1[0-9]:.*role 'never': 'never' is not ready after [0-9]+ s \(probe: exec\)" \
	"'false' exits with status 1" 'the last lines of its console' '^  \| .*'
has "$err" "role 'wrong': 'wrong' is not ready" 'setup exited with status 3' 'this-goes-wrong'
has_not "$err" '^behind: booting'
expect 0 status broken
has "$out" '^good .* running +yes' '^never .* running +no' '^wrong .* running +no'
expect 0 exec broken good -- true
expect 1 exec broken behind -- true

claim 'down leaves nothing of it'
expect 0 down broken
nothing_is_left
