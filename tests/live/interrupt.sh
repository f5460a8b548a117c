#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Ctrl-C ends up in good order, a libvirtd that hangs is told, and down leaves nothing. What kill -9
# does is tried by killed.sh.
. "$(dirname "$0")/lib.sh"
begin
cat >cut.yaml <<'T'
vgrid: 1
name: cut
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  n:
    image: base
    count: 2
    memory: 128MiB
    nics: [lan]
    disks: {data: {size: 32MiB, mount: /data}}
T
grid=$VGRID_HOME/grids/cut@sandbox
# up_until WHAT COMMAND…: starts `up` in the background and waits for a moment of its work.
up_until() {
	# Background jobs of a script ignore Ctrl-C.
	env --default-signal=INT "$vgrid" up cut.yaml >up.out 2>up.err </dev/null &
	up=$!
	await 60 "$@"
	[ -n "$(start_time $up)" ] || { cat up.err; fail "'up' had ended before $1"; }
}
boots() { [ -e "$grid/host-0/console/cut.n-0.log" ]; }

claim 'Ctrl-C in the middle of up ends it with 130'
up_until 'a guest has been started' boots
kill -INT $up
remember
status=0
wait $up || status=$?
same $status 130 "$(cat up.err)"
expect 0 status cut
expect 0 list
has "$out" '^cut.* creating'

# libvirtd_pid: of the one box.
libvirtd_pid() {
	local pid
	for pid in $(descendants "$(box_pids)"); do
		[ "$(cat "/proc/$pid/comm")" != libvirtd ] || echo "$pid"
	done
}

claim 'a libvirtd that hangs is told in time, and down does without it and leaves nothing half made'
stopped=$(libvirtd_pid)
kill -STOP "$stopped"
export VGRID_CALL_TIMEOUT=2s
begun=$SECONDS
expect 1 up cut.yaml
has "$err" "opening host 'box-0': libvirtd of the box 'box-0' does not answer after 2000 ms"
expect 1 status cut
has "$err" 'does not answer after 2000 ms'
[ $((SECONDS - begun)) -lt 30 ] || fail "that took $((SECONDS - begun)) s"
expect 0 down cut --delete-disks
unset VGRID_CALL_TIMEOUT
nothing_is_left

claim 'up runs again'
expect 0 up cut.yaml
remember
every_node_pings_every_other cut n-0 n-1
expect 0 status cut --check
expect 0 up cut.yaml
has "$err" 'nothing to do'

claim 'a libvirtd that hangs in the midst of a call is told; when it answers again all goes on'
env VGRID_CALL_TIMEOUT=2s "$vgrid" exec cut n-0 -- sh -c 'echo begun; sleep 600' \
	>exec.out 2>exec.err </dev/null &
exec=$!
await 60 'the program runs' in_node cut n-0 'pidof sleep'
stopped=$(libvirtd_pid)
kill -STOP "$stopped"
status=0
wait $exec || status=$?
kill -CONT "$stopped"
same "$status" 1 "$(cat exec.err)"
has "$(cat exec.err)" 'hypervisor|libvirtd|agent'
expect 0 up cut.yaml
has "$err" 'nothing to do'
in_node cut n-0 'kill $(pidof sleep)'

expect 0 down cut --delete-disks
nothing_is_left
