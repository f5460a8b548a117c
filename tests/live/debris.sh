#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# With its record gone a grid is found and removed by its tags; what is not vgrid's stays, and so does
# a live grid of another home.
. "$(dirname "$0")/lib.sh"
begin
cat >lost.yaml <<'T'
vgrid: 1
name: lost
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
    disks: {data: {size: 32MiB}}
T
sed 's/name: lost/name: live/; s/count: 2/count: 1/' lost.yaml >live.yaml
home=$VGRID_HOME other=$folder/other
mkdir "$other"
cp -al "$home/images" "$other/images" 2>/dev/null || cp -a "$home/images" "$other/images"
in_other() { VGRID_HOME=$other "$@"; }
# Whatever happens, the other home's grid is taken down too.
end_both() {
	local result=$?
	in_other down_all || result=1
	end $result
}
trap end_both EXIT

# items EXPRESSION: of what gc listed last, those for which it holds, as `KIND NAME`.
items() {
	json "'\\n'.join(sorted(i['kind'] + ' ' + i['name'] for i in it['items'] if $1))"
}

claim 'of live grids gc finds nothing'
in_other "$vgrid" up live.yaml >other.out 2>&1 </dev/null &
up=$!
expect 0 up lost.yaml --site sandbox:2
wait $up || fail "$(cat other.out)"
remember
expect 0 gc
same "$out" 'Nothing is left over.'
live=$(in_other boot_ids live n-0)

claim 'a domain, links, files and a process of somebody else are there too'
grid=$VGRID_HOME/grids/lost@sandbox
cat >mine.xml <<'T'
<domain type='qemu'><name>mine</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices><memballoon model='none'/></devices></domain>
T
in_libvirt 0 create --paused "$folder/mine.xml"
in_box "$(box_pid 0)" ip link add mine type bridge
in_box "$(box_pid 0)" ip link add vgaaaaaaaaaaa type bridge
in_box "$(box_pid 0)" ip link set vgaaaaaaaaaaa alias "vgrid:mine/network/lan"
echo mine | tee "$home/mine" "$grid/mine" >"$grid/host-0/mine"
nsenter --target "$(box_pid 0)" --user --mount --pid --preserve-credentials -- sleep 600 &
mine=$!
runs_in_box() {
	for pid in $(descendants $mine); do
		[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink "/proc/$(box_pid 0)/ns/pid")" ] || return 0
	done
	return 1
}
await 5 'it runs' runs_in_box
expect 0 gc
same "$out" 'Nothing is left over.'

claim 'with the record gone all of it is listed, also where a libvirtd has died'
rm "$grid/record.json"
kill -9 "$(process_in 1 '^libvirtd')"
expect 0 list
has "$out" 'No grids'
expect 0 gc -o json
same "$(items 'not i["is_foreign"]')" "$(sort <<'T'
box box-0
box box-1
box underlay
disk n-0/disk/data
disk n-0/disk/root
disk n-0/seed
disk n-1/disk/data
disk n-1/disk/root
disk n-1/seed
folder lost@sandbox
machine lost.n-0
machine lost.n-1
network lan
network lan
T
)"
same "$(items 'i["is_foreign"] and i["kind"] != "process"')" "$(sort <<'T'
file grids/lost@sandbox/host-0/mine
file grids/lost@sandbox/mine
file mine
link mine
link vgaaaaaaaaaaa
machine mine
T
)"
has "$(items 'i["kind"] == "process"')" '^process [0-9]+ \(sleep\)$'

claim 'it is removed, and what is not vgrids stays'
expect 0 gc -y --delete-disks -o json
same "$(items 'i["done"] == "kept" and not i["is_foreign"]')" $'box box-0\nfolder lost@sandbox'
same "$(in_libvirt 0 list --all --name)" mine
same "$(in_box "$(box_pid 0)" ip -br link | cut -d' ' -f1 | sort | paste -sd' ')" 'lo mine vgaaaaaaaaaaa'
same "$(cd "$home" && grep -lx mine -r . --exclude-dir=images | sort | paste -sd' ')" \
	'./grids/lost@sandbox/host-0/mine ./grids/lost@sandbox/mine ./mine'
same "$(box_pids | wc -l)" 1 'boxes that stay'
same "$(find "$grid" -type f | wc -l)" 2 'files in its folder'

claim 'a live grid of another home is untouched, and its own gc finds nothing'
same "$(in_other boot_ids live n-0)" "$live"
VGRID_HOME=$other run "$vgrid" status live --check
same $status 0 "$out"
VGRID_HOME=$other run "$vgrid" gc
same "$out" 'Nothing is left over.'

claim 'when somebody else has cleared up, gc removes the rest'
in_libvirt 0 destroy mine
in_box "$(box_pid 0)" ip link delete mine
in_box "$(box_pid 0)" ip link delete vgaaaaaaaaaaa
# shellcheck disable=SC2046
kill -9 $(descendants $mine)
wait $mine 2>/dev/null || :
rm "$home/mine" "$grid/mine" "$grid/host-0/mine"
expect 0 gc -y
expect 0 gc
same "$out" 'Nothing is left over.'
nothing_is_left

claim 'a box whose first process was killed leaves folders alone, a folder that is gone takes its box along'
VGRID_HOME=$other
remember
kill -9 "$(box_pid 0)"
are_gone() { [ -z "$(box_pid 0)" ]; }
await 10 'its box is gone' are_gone
expect 0 list
has "$out" '^live.* stopped'
rm "$other/grids/live@sandbox/record.json"
expect 0 gc -y -o json
same "$(items 'i["done"] == "kept"')" $'disk n-0/disk/data\nfolder live@sandbox'
expect 0 gc -y --delete-disks
nothing_is_left
expect 0 up live.yaml
remember
rm -r "$other/grids/live@sandbox"
await 20 'its box has left' are_gone
expect 0 gc -y
nothing_is_left
VGRID_HOME=$home
