#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is broken or taken away behind vgrid's back is named by status, exactly; up mends just that,
# and the other guests run on.
. "$(dirname "$0")/lib.sh"
begin
cat >drift.yaml <<'T'
vgrid: 1
name: drift
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  n:
    image: base
    count: 3
    memory: 128MiB
    nics: [lan]
    disks: {data: {size: 32MiB, mount: /data}}
T
# On box-0 n-0 and n-2, on box-1 n-1.
folder_of=$VGRID_HOME/grids/drift@sandbox
volume() { echo "$folder_of/host-$1/volumes"/*/"node.$2"; }

# differs LINE…: that is all that differs, in any order; nothing without lines.
differs() {
	local wanted
	wanted=$(printf '%s\n' "$@" | sort)
	expect $((${#wanted} ? 3 : 0)) status drift --check -o json
	same "$(json '"\n".join(sorted(it["differences"]))')" "$wanted" 'what status names'
}

# mends NODE… [-- OPTION…]: up boots these anew and no other; then nothing differs.
mends() {
	local anew=() before=$ids node
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		anew+=("$1")
		shift
	done
	expect 0 up drift.yaml "${@:2}"
	remember
	ids=$(boot_ids drift n-0 n-1 n-2)
	for node in n-0 n-1 n-2; do
		if [[ " ${anew[*]} " == *" $node "* ]]; then
			[ "$(grep "^$node " <<<"$ids")" != "$(grep "^$node " <<<"$before")" ] ||
				fail "$node was not started anew"
		else
			same "$(grep "^$node " <<<"$ids")" "$(grep "^$node " <<<"$before")" "$node ran on"
		fi
	done
	every_node_pings_every_other drift n-0 n-1 n-2
	differs
}

# shows NODE STATE REASON
shows() {
	local state
	state=$("$vgrid" status drift </dev/null | grep "^$1 ")
	[[ $state == *" $2 ($3)"* ]]
}

claim 'a grid is up on two boxes, as recorded'
expect 0 up drift.yaml --site sandbox:2
remember
ids=$(boot_ids drift n-0 n-1 n-2)
differs

claim 'a killed libvirtd is told of, and is back'
kill -9 "$(process_in 0 '^libvirtd')"
differs 'box-0: its libvirtd had died, and was started again'
differs

claim 'what can be mended under running guests: definitions, a pause, a seed, a bridge, a VXLAN device'
in_libvirt 0 undefine drift.n-0
in_libvirt 0 setmem drift.n-2 96M --config
in_libvirt 1 suspend drift.n-1
shows n-1 paused 'from outside' || fail 'n-1 is not shown as paused'
rm "$(volume 0 n-2.seed)/seed.raw"
in_box "$(box_pid 0)" ip link delete "$(link_of 0 network/lan)"
in_box "$(box_pid 1)" ip link delete "$(link_of 1 network/lan/vxlan)"
differs 'n-0: define it again: its definition is gone' \
	'n-2: define it again: its next start would differ: its memory is 96MiB instead of 128MiB' \
	'n-1: resume: it is paused, from outside' \
	'n-2: write its seed again' \
	"box-0: mend networks: network 'lan' has no bridge that works" \
	"box-1: mend networks: network 'lan' has no VXLAN device that works"
mends

claim 'an emulator that was killed, and a guest that panics'
kill -9 "$(process_in 0 'guest=drift\.n-0,')"
run "$vgrid" exec drift n-1 -- sh -c 'echo c >/proc/sysrq-trigger'
await 60 'n-0 is shown as dead' shows n-0 crashed 'its emulator died'
await 60 'n-1 is shown as panicked' shows n-1 crashed 'the guest panicked'
differs 'n-0: start: it is crashed, its emulator died' 'n-1: start: it is crashed, the guest panicked'
mends n-0 n-1

claim 'a tap, and the file of a root disk'
in_box "$(box_pid 0)" ip link delete "$(link_of 0 node/n-0/nic/lan)"
rm "$(volume 1 n-1.disk.root)/disk.qcow2"
differs "n-0: restart: the tap of its nic on 'lan' is gone" \
	"box-0: mend networks: port of 'n-0' on 'lan' is missing" \
	'n-1: recreate the root disk: its root disk is gone or cannot be read'
expect 2 up drift.yaml
has "$err" "'-y' goes ahead"
mends n-0 n-1 -- -y

claim 'a guest that powers itself off is shown as such, one that reboots itself comes back ready'
in_node drift n-0 'echo kept >/data/file; sync'
in_libvirt 0 destroy drift.n-2
run "$vgrid" exec drift n-1 -- poweroff
run "$vgrid" exec drift n-0 -- reboot
await 60 'n-1 is shown as off' shows n-1 stopped 'the guest powered itself off'
shows n-2 stopped 'switched off from outside' || fail 'n-2 is not shown as switched off'
is_back() {
	[ "$(boot_ids drift n-0)" != "$(grep '^n-0 ' <<<"$ids")" ] &&
		"$vgrid" status drift </dev/null | grep -q '^n-0 .* running *yes'
}
await 60 'n-0 is ready again' is_back
ids=$(sed "s/^n-0 .*/$(boot_ids drift n-0)/" <<<"$ids")
differs 'n-1: start: it is stopped, the guest powered itself off' \
	'n-2: start: it is stopped, switched off from outside'
mends n-1 n-2

claim 'a nic that was detached, a machine that was started with another size'
in_libvirt 0 detach-interface drift.n-2 ethernet --live
in_libvirt 1 setmaxmem drift.n-1 160M --config
in_libvirt 1 setmem drift.n-1 160M --config
in_libvirt 1 setvcpus drift.n-1 2 --config --maximum
in_libvirt 1 setvcpus drift.n-1 2 --config
in_libvirt 1 destroy drift.n-1
in_libvirt 1 start drift.n-1
has_no_nic() { ! in_libvirt 0 domiflist drift.n-2 | grep -q ethernet; }
await 20 'the nic is gone' has_no_nic
differs "n-2: restart: its nic on 'lan' is detached" \
	'n-1: restart: its memory is 160MiB instead of 128MiB, its cpu is 2 instead of 1'
mends n-1 n-2 -- -y

claim 'a data disk that is gone is made anew by the word alone'
lost="only '--replace n-1/data' makes it anew, empty"
rm -r "$(volume 1 n-1.disk.data)"
differs "n-1: its data disk 'data' is gone or cannot be read: $lost"
expect 1 up drift.yaml -y
has "$err" "the data disk 'data' of 'n-1' is gone" '--replace n-1/data'
[ ! -e "$(volume 1 n-1.disk.data)" ] || fail 'it was made in silence'
mends n-1 -- -y --replace n-1/data

claim 'a box whose first process was killed, and what joined the boxes'
kill -9 "$(box_pid 1)" "$(box_pid 2)"
are_gone() { [ -z "$(box_pid 1)" ]; }
await 10 'they are gone' are_gone
expect 0 list
has "$out" '^drift.* partly'
expect 3 status drift --check -o json
has "$(json '"\n".join(it["differences"])')" '^box-1: start: it does not run' \
	'^n-1: start on box-1 from its disks'
mends n-1
same "$(in_node drift n-0 'cat /data/file')" kept

claim 'nothing is left'
expect 0 down drift --delete-disks
nothing_is_left
